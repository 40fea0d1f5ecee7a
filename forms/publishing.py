"""The matrix form: as many cells as donation types × blood types, with open sets below.

Plain fields without WTForms' machinery: hundreds of them are read in one go, and whatever was typed is
shown again exactly. It checks shape only; what fits and what collides is ``app.rules.previews``.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from app.i18n import say
from app.models.blood import EVERY_TYPE
from app.models.donation_type import DonationType
from app.models.enums import FirstTime, Sex, Sign
from app.models.organization import Organization
from app.rules.matrix import Dates, Line, Matrix
from app.rules.planning import gaps
from forms import matrix_texts as texts

MOST_PLACES = 5000
"""Of one cell on one day."""
MOST_SETS = 20
LONGEST_TITLE = 120
FURTHEST_YEARS = 2


@dataclass
class Error:
    """What is wrong with one field: its id on the page, its name for people, the sentence."""

    id: str
    label: str
    sentence: str


@dataclass
class MatrixForm:
    """``values`` as typed (or as a stored matrix would be typed); ``read`` turns them into a Matrix."""

    types: Sequence[DonationType]
    branches: Sequence[Organization]
    today: dt.date
    locale: str
    values: MultiDict[str, str] = field(default_factory=MultiDict)
    errors: dict[str, Error] = field(default_factory=dict)

    # Names of fields

    @staticmethod
    def cell(kind: DonationType, column: int) -> str:
        """The field of a cell: columns are counted as in ``EVERY_TYPE``."""
        return f"cell-{kind.uid.hex}-{column}"

    def sets(self) -> range:
        """Numbers of the open sets on the page: up to the last one filled in, and as many as asked for."""
        used = [n for n in range(MOST_SETS) if self._set_used(n)]
        wanted = (used[-1] + 1) if used else 0
        asked = self.values.get("sets", "")
        if asked.isascii() and asked.isdigit() and len(asked) < 3:
            wanted = max(wanted, int(asked))
        return range(min(wanted, MOST_SETS))

    def more_sets(self) -> None:
        """One empty open set more."""
        self.values["sets"] = str(len(self.sets()) + 1)

    def _set_used(self, number: int) -> bool:
        return any(
            self.values.get(f"set-{number}-{part}", "").strip() for part in ("type", "total")
        )

    def get(self, name: str) -> str:
        return self.values.get(name, "")

    def ticked(self, name: str, value: object) -> bool:
        return str(value) in self.values.getlist(name)

    # Reading

    @property
    def title(self) -> str:
        return " ".join(self.get("title").split())[:LONGEST_TITLE]

    def read(self, *, whole: bool = False) -> Matrix | None:
        """The matrix, or None with ``errors``: they stand in the order of the page.

        ``whole``: nothing may be missing either; a draft may be kept half filled in, not checked.
        """
        dates = self._dates()
        start = self._time("start", gettext("Hours from"))
        end = self._time("end", gettext("Hours until"))
        step = self._number("step", gettext("Step, minutes"), most=240, least=5)
        default, overrides = self._places()
        matrix = Matrix(
            dates=dates,
            organization_ids=self._branches(),
            start=start,
            end=end,
            step_minutes=step,
            places_per_time=default,
            overrides=overrides,
            lines=(*self._cells(), *self._open_sets()),
        )
        if whole and not self.errors:
            self._demand_whole(matrix)
        return None if self.errors else matrix

    def _demand_whole(self, matrix: Matrix) -> None:
        missing = {gap.code: say(gap) for gap in gaps(matrix)}
        places = {
            "no_dates": ("first", gettext("Days")),
            "long_range": ("last", gettext("Last date")),
            "no_branches": ("branch", gettext("Branches")),
            "no_times": ("end", gettext("Hours until")),
            "no_totals": ("places-a-day", gettext("Places a day")),
        }
        for code, (name, label) in places.items():
            if code in missing:
                self._wrong(name, label, missing[code])

    def _wrong(self, name: str, label: str, sentence: str) -> None:
        self.errors.setdefault(name, Error(name, label, sentence))

    def _number(self, name: str, label: str, *, most: int, least: int = 1) -> int:
        try:
            return texts.whole_number(self.get(name).strip(), most, least)
        except ValueError:
            sentence = gettext(
                "Type a whole number from %(least)s to %(most)s.", least=least, most=most
            )
            self._wrong(name, label, sentence)
            return least

    def _optional(self, name: str, label: str, most: int) -> int | None:
        """A number of places; empty and 0 mean none."""
        typed = self.get(name).strip()
        if not typed or typed == "0":
            return None
        try:
            return texts.whole_number(typed, most)
        except ValueError:
            sentence = gettext(
                "Type a whole number up to %(most)s, or leave the cell empty.", most=most
            )
            self._wrong(name, label, sentence)
            return None

    def _time(self, name: str, label: str) -> dt.time:
        try:
            return texts.clock_time(self.get(name))
        except ValueError:
            self._wrong(name, label, gettext("Type a time like this: 8:00."))
            return dt.time()

    def _day(self, name: str, label: str) -> dt.date | None:
        typed = self.get(name).strip()
        if not typed:
            return None
        try:
            return self._near(texts.one_date(typed, self.today))
        except ValueError:
            self._wrong(name, label, gettext("Type a date like this: 25.11.2026."))
            return None

    def _near(self, day: dt.date) -> dt.date:
        """Within some years: what is further away is a slip of the finger. Raises ValueError."""
        if abs(day.year - self.today.year) > FURTHEST_YEARS:
            raise ValueError(f"{day:%d.%m.%Y}")
        return day

    def _days(self, name: str, label: str) -> frozenset[dt.date]:
        try:
            return frozenset(map(self._near, texts.dates(self.get(name), self.today)))
        except (ValueError, OverflowError) as error:
            sentence = gettext(
                "“%(text)s” is not understood. Type dates like this: 25.11, 28.11–30.11.",
                text=str(error)[:40],
            )
            self._wrong(name, label, sentence)
            return frozenset()

    def _dates(self) -> Dates:
        first = self._day("first", gettext("First date"))
        last = self._day("last", gettext("Last date"))
        if first is not None and last is not None and last < first:
            sentence = gettext("The last date comes before the first one.")
            self._wrong("last", gettext("Last date"), sentence)
        if first is None and last is not None and "first" not in self.errors:
            self._wrong("first", gettext("First date"), gettext("Give the first date too."))
        weekdays = {int(day) for day in self.values.getlist("weekday") if day in set("0123456")}
        return Dates(
            first=first,
            last=last,
            weekdays=frozenset(weekdays),
            without=self._days("without", gettext("Except these dates")),
            also=self._days("also", gettext("And these single dates")),
        )

    def _branches(self) -> tuple[int, ...]:
        return tuple(row.id for row in self.branches if self.ticked("branch", row.uid))

    def _places(self) -> tuple[int, tuple[Any, ...]]:
        try:
            return texts.places(self.get("places"), self.types)
        except ValueError as error:
            sentence = gettext(
                "“%(text)s” is not understood. Type it like this: 3; AB−: 25.",
                text=str(error)[:40],
            )
            self._wrong("places", gettext("Places per time"), sentence)
            return 1, ()

    def _cells(self) -> Iterator[Line]:
        for kind in self.types:
            for column, blood in enumerate(EVERY_TYPE):
                label = f"{self.name_of(kind)} {blood}"
                total = self._optional(self.cell(kind, column), label, MOST_PLACES)
                if total is not None:
                    yield Line(kind.id, total, frozenset({blood}))

    def _open_sets(self) -> Iterator[Line]:
        for number in range(MOST_SETS):
            if not self._set_used(number):
                continue
            line = self._open_set(number)
            if line is not None:
                yield line

    def _open_set(self, number: int) -> Line | None:
        prefix = f"set-{number}"
        label = gettext("Open set %(number)s", number=number + 1)
        kind = next((t for t in self.types if str(t.uid) == self.get(f"{prefix}-type")), None)
        if kind is None:
            self._wrong(f"{prefix}-type", label, gettext("Choose the donation type."))
        total = self._optional(f"{prefix}-total", label, MOST_PLACES)
        places = self._optional(f"{prefix}-places", label, texts.MOST_PER_TIME)
        if total is None:
            self._wrong(f"{prefix}-total", label, gettext("How many places?"))
        if kind is None or total is None:
            return None
        chosen = frozenset(t for t in EVERY_TYPE if self.ticked(f"{prefix}-blood", t))
        return Line(
            donation_type_id=kind.id,
            total=total,
            blood_types=frozenset() if len(chosen) == len(EVERY_TYPE) else chosen,
            kell=_member(Sign, self.get(f"{prefix}-kell")),
            sex=_member(Sex, self.get(f"{prefix}-sex")),
            first_time=_member(FirstTime, self.get(f"{prefix}-first")) or FirstTime.ANY,
            places_per_time=places,
        )

    def name_of(self, kind: DonationType) -> str:
        return (kind.name_en or kind.name_ru) if self.locale == "en" else kind.name_ru

    # Writing

    def fill(self, matrix: Matrix, title: str = "") -> None:
        """Show a stored matrix as it would be typed. What is not offered any more is left out."""
        dates = matrix.dates
        typed: dict[str, str | list[str]] = {
            "title": title,
            "first": dates.first.isoformat() if dates.first else "",
            "last": dates.last.isoformat() if dates.last else "",
            "weekday": [str(day) for day in sorted(dates.weekdays)],
            "without": texts.written_dates(dates.without),
            "also": texts.written_dates(dates.also),
            "branch": [str(b.uid) for b in self.branches if b.id in matrix.organization_ids],
            "start": f"{matrix.start:%H:%M}",
            "end": f"{matrix.end:%H:%M}",
            "step": str(matrix.step_minutes),
            "places": texts.written_places(
                matrix.places_per_time, matrix.overrides, self.types, self.locale
            ),
        }
        self.values = MultiDict(typed)
        kinds = {kind.id: kind for kind in self.types}
        number = 0
        for line in matrix.lines:
            kind = kinds.get(line.donation_type_id)
            if kind is None:
                continue
            if line.is_cell and line.places_per_time is None:
                (blood,) = line.blood_types
                self.values[self.cell(kind, EVERY_TYPE.index(blood))] = str(line.total)
            else:
                self._fill_set(number, line, kind)
                number += 1

    def _fill_set(self, number: int, line: Line, kind: DonationType) -> None:
        prefix = f"set-{number}"
        self.values[f"{prefix}-type"] = str(kind.uid)
        self.values[f"{prefix}-total"] = str(line.total)
        self.values[f"{prefix}-places"] = str(line.places_per_time or "")
        self.values[f"{prefix}-kell"] = line.kell or ""
        self.values[f"{prefix}-sex"] = line.sex or ""
        self.values[f"{prefix}-first"] = line.first_time
        self.values.setlist(
            f"{prefix}-blood", [str(t) for t in EVERY_TYPE if t in line.blood_types]
        )


def _member(members: Any, text: str) -> Any:
    """A value of a closed list; None for anything else."""
    return next((member for member in members if member.value == text), None)


def chosen_uid(values: Mapping[str, str], name: str) -> uuid.UUID | None:
    """A public id in the query string or a form; None if it is missing or cannot be one."""
    try:
        return uuid.UUID(values.get(name, ""))
    except ValueError:
        return None
