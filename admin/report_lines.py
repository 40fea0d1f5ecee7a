"""What the lines and cells of a report are called: dates, weeks, months, rows; numbers with their units."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from babel.dates import format_date, format_interval
from babel.numbers import format_decimal
from flask import g
from sqlalchemy.orm import Session

from app.i18n import day, locale, localized
from app.models.organization import Organization
from app.rules import reports
from app.rules.reports import BY_TIME, Asked, By, Key

NOTHING = "—"


def labels(
    session: Session, asked: Asked, lines: Collection[Key], places: Collection[Organization]
) -> dict[Key, str]:
    """The words of each line. At most one statement."""
    if asked.by in BY_TIME:
        return {first: stretch(asked.by, first, last) for first, last in asked.stretches}
    if asked.by is By.BRANCH:
        return {place.id: place.short_name for place in places}
    rows = reports.names(session, lines, asked.by)
    if asked.by is By.PRACTITIONER:
        return _people(rows)
    return {key: localized(row, "name") for key, row in rows.items()}


def _people(rows: Mapping[Key, Any]) -> dict[Key, str]:
    """Names; of two who share one, also what tells them apart."""
    times = Counter(row.full_name for row in rows.values())
    return {
        key: f"{row.full_name} ({row.code or row.position or row.id})"
        if times[row.full_name] > 1
        else row.full_name
        for key, row in rows.items()
    }


def stretch(by: By, first: dt.date, last: dt.date) -> str:
    """«ср, 25 ноября», «2–8 нояб.», «ноябрь 2026»; of a month that is cut, its days."""
    whole = first.day == 1 and (last + reports.DAY).day == 1
    if by is By.DAY:
        return day(first)
    if by is By.MONTH and whole:
        return format_date(first, "LLLL y", locale=locale())
    return days(first, last)


def days(first: dt.date, last: dt.date) -> str:
    """«2–8 нояб.»; with the year when it is not this one."""
    year = g.now.year
    skeleton = "MMMd" if first.year == last.year == year else "yMMMd"
    found = format_interval(first, last, skeleton, locale=locale())
    return found.replace("\u202f", "\u00a0").replace("\u2009", "")


def whole(number: int) -> str:
    """«12 345» with spaces that do not break."""
    return format_decimal(number, locale=locale())


def percent(part: int, of: int) -> float | None:
    """One decimal place, halves upwards as spreadsheets do; None of nothing."""
    return (2000 * part + of) // (2 * of) / 10 if of else None


def decimal(number: float | None) -> str:
    return NOTHING if number is None else format_decimal(number, "#,##0.0", locale=locale())


def clock(minutes: int | None) -> str:
    """«26:05»: hours and minutes."""
    return NOTHING if minutes is None else f"{minutes // 60}:{minutes % 60:02}"
