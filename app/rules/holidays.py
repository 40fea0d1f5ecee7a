"""Days on which Russia does not work: remarks for a scheduler, never a refusal. The dates are data.

Source: article 112 of the Labour Code and the Government's yearly decrees, as app/data/holidays.json has them.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from app.rules.errors import N_, Words
from app.rules.planning import Problem

DATA = Path(__file__).parent.parent / "data" / "holidays.json"
DAY = dt.timedelta(days=1)
SATURDAY = 5
JANUARY = 1


@cache
def _known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


@cache
def _moved() -> dict[dt.date, dt.date]:
    """Days off by decree: the day that is free → the Saturday or Sunday it was taken from."""
    pairs = [pair for decree in _known()["moved"] for pair in decree["days"]]
    return {dt.date.fromisoformat(p["to"]): dt.date.fromisoformat(p["from"]) for p in pairs}


def holiday(date: dt.date) -> Words | None:
    """The public holiday's name, or None."""
    key = f"{date:%m-%d}"
    for each in _known()["holidays"]:
        if each["first"] <= key <= each["last"]:
            return Words(each["ru"], each["en"])
    return None


def day_off(date: dt.date) -> Problem | None:
    """Why nobody works on this date, in a phrase; None for a working day."""
    name = holiday(date)
    if name is not None:
        return _remark("holiday", N_("public holiday: %(name)s"), date, name=name)
    taken_from = _moved().get(date) or _shifted_from(date)
    if taken_from is not None:
        text = N_("day off instead of %(date)s")
        return _remark("moved", text, date, date=taken_from)
    if date.weekday() >= SATURDAY and date not in _moved().values():
        return _remark("weekend", N_("day off"), date)
    return None


def days_off(dates: Iterable[dt.date]) -> tuple[Problem, ...]:
    """The remarks of those of ``dates`` on which nobody works."""
    return tuple(found for date in dates if (found := day_off(date)) is not None)


def _shifted_from(date: dt.date) -> dt.date | None:
    """The holiday on a Saturday or Sunday whose day off the law moves to ``date`` (part 2)."""
    if date.weekday() >= SATURDAY:
        return None
    before = date - DAY
    while before.weekday() >= SATURDAY or holiday(before) is not None:
        if holiday(before) is not None and before.weekday() >= SATURDAY and before.month != JANUARY:
            return before
        before -= DAY
    return None


def _remark(code: str, text: str, about: dt.date, **params: Any) -> Problem:
    return Problem(code, text, params, date=about, blocking=False)


def worked_for(date: dt.date) -> dt.date | None:
    """The day off that this working Saturday or Sunday was given for; None for every other date.

    Whoever has no hours of their own on that weekday works as on the day that is free instead.
    """
    if holiday(date) is not None:
        return None
    return next((free for free, worked in _moved().items() if worked == date), None)


def free_by_decree(date: dt.date) -> Problem | None:
    """A public holiday or a moved day off: why a pattern does not hold; ordinary weekends are its own."""
    found = day_off(date)
    return None if found is not None and found.code == "weekend" else found


def after_working_days(date: dt.date, count: int) -> dt.date:
    """The ``count``-th working day after ``date``, which itself is not counted."""
    while count:
        date += DAY
        if day_off(date) is None:
            count -= 1
    return date


def working_days_left(today: dt.date, until: dt.date) -> int:
    """How many working days there are after ``today`` up to ``until``; negative: so many late."""
    if until < today:
        return -working_days_left(until, today)
    days = (until - today).days
    return sum(day_off(today + DAY * step) is None for step in range(1, days + 1))
