"""What schedulers type in one line: lists of dates, «3; AB−: 25», whole numbers. Both ways.

Each reader raises ValueError with what it could not understand; ``written_…`` is its inverse.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence

from app.models.blood import BloodType
from app.models.donation_type import DonationType
from app.rules.matrix import MAX_RANGE, Override

LONGEST_LIST = 400
MOST_OVERRIDES = 60
MOST_PER_TIME = 200
_LOOKALIKES = str.maketrans({"А": "A", "В": "B", "О": "O", "0": "O", "−": "-", "–": "-", "—": "-"})
_GROUP = re.compile(r"(?:^|\s)(AB|A|B|O)\s*([+-])$")
_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})(?:\.(\d{4}|\d{2}))?", re.ASCII)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def whole_number(text: str, most: int, least: int = 1) -> int:
    """ASCII digits only: other digits look alike and surprise later."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and least <= int(text) <= most):
        raise ValueError(text)
    return int(text)


def clock_time(text: str) -> dt.time:
    """«8:00», «08:00» or «08:00:00»."""
    found = re.fullmatch(r"(\d{1,2}):(\d{2})(?::00)?", text.strip(), re.ASCII)
    if found is None:
        raise ValueError(text)
    return dt.time(int(found[1]), int(found[2]))


def clock_times(text: str) -> list[dt.time]:
    """Several, separated by spaces or commas."""
    return sorted({clock_time(each) for each in re.split(r"[\s,;]+", text.strip()) if each})


def one_date(text: str, today: dt.date) -> dt.date:
    """«25.11», «25.11.2026» or 2026-11-25. Without a year: the next such day, or one just over."""
    text = text.strip()
    if _ISO.fullmatch(text):
        return dt.date.fromisoformat(text)
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    day, month, year = found.groups()
    if year:
        return dt.date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    this_year = dt.date(today.year, int(month), int(day))
    if this_year < today - dt.timedelta(days=90):
        return dt.date(today.year + 1, int(month), int(day))
    return this_year


def dates(text: str, today: dt.date) -> frozenset[dt.date]:
    """Dates and ranges, separated by spaces or commas: «25.11, 28.11–30.11»."""
    found: set[dt.date] = set()
    joined = re.sub(r"\s*[-–—]\s*(?=\d{1,2}\.)", "–", text)
    for token in filter(None, re.split(r"[\s,;]+", joined)):
        first, dash, last = token.partition("–")
        start = one_date(first, today)
        end = one_date(last, today) if dash else start
        if not 0 <= (end - start).days < MAX_RANGE:
            raise ValueError(token)
        found |= {start + dt.timedelta(days=n) for n in range((end - start).days + 1)}
    if len(found) > LONGEST_LIST:
        raise ValueError(text[:40])
    return frozenset(found)


def written_dates(days: Iterable[dt.date]) -> str:
    return ", ".join(f"{day:%d.%m.%Y}" for day in sorted(days))


def places(text: str, types: Sequence[DonationType]) -> tuple[int, tuple[Override, ...]]:
    """The default and its exceptions: «3; AB−: 25; Плазма B+: 5; Цельная кровь: 2»."""
    items = [item.strip() for item in re.split(r"[;\n]", text) if item.strip()]
    if not items or len(items) > MOST_OVERRIDES:
        raise ValueError(text[:40])
    default = whole_number(items[0], MOST_PER_TIME)
    return default, tuple(_override(item, types) for item in items[1:])


def _override(item: str, types: Sequence[DonationType]) -> Override:
    about, colon, number = item.rpartition(":")
    if not colon:
        raise ValueError(item)
    try:
        count = whole_number(number.strip(), MOST_PER_TIME)
    except ValueError as error:
        raise ValueError(item) from error
    latin = about.strip().translate(_LOOKALIKES)
    group = _GROUP.search(latin)
    name = about.strip()[: group.start()].strip() if group else about.strip()
    blood = BloodType.parse(group[1] + group[2]) if group else None
    kind = _named(name, types) if name else None
    if kind is None and (name or blood is None):
        raise ValueError(item)
    return Override(count, kind.id if kind else None, blood)


def _named(name: str, types: Sequence[DonationType]) -> DonationType | None:
    """The one type whose name begins so, in either language."""
    wanted = name.casefold()
    exact = [t for t in types if wanted in (t.name_ru.casefold(), t.name_en.casefold())]
    begins = [
        t
        for t in types
        if t.name_ru.casefold().startswith(wanted) or t.name_en.casefold().startswith(wanted)
    ]
    found = exact or begins
    return found[0] if len(found) == 1 else None


def written_places(
    default: int, overrides: Iterable[Override], types: Sequence[DonationType], locale: str
) -> str:
    names = {t.id: (t.name_en or t.name_ru) if locale == "en" else t.name_ru for t in types}
    parts = [str(default)]
    for override in overrides:
        kind = names.get(override.donation_type_id or 0, "")
        blood = str(override.blood_type or "").replace("-", "−")
        about = f"{kind} {blood}".strip()
        if about:
            parts.append(f"{about}: {override.places}")
    return "; ".join(parts)
