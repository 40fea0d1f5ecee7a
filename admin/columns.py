"""Cells: what a value looks like in a list, on a page of details and in a file. Never HTML."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from app.formats import moment
from app.i18n import blood, blood_set, day, hour, label
from app.models.blood import BloodType
from app.rules.clock import local
from forms.inputs import staff_zone


@dataclass(frozen=True)
class Badge:
    """A state: always a word, with a tone (ok, wait, bad, off) beside it."""

    text: str
    tone: str = "off"


@dataclass(frozen=True)
class Link:
    """A way to the thing itself."""

    text: str
    href: str


@dataclass(frozen=True)
class Instant:
    """An instant on a certain organization's clock; a bare datetime is shown on the reader's."""

    at: dt.datetime | None
    zone: str


@dataclass(frozen=True)
class Cell:
    """A value ready for the template: plain text (escaped there), and how to show it."""

    text: str
    kind: str = "text"
    tone: str = ""
    href: str = ""
    iso: str = ""


EMPTY = Cell("—", "empty")


def cell(value: Any) -> Cell:
    """The cell of any value that our models hold."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, Cell):
        return value
    if isinstance(value, Badge):
        return Cell(str(value.text), "badge", value.tone)
    if isinstance(value, Link):
        return Cell(str(value.text), "link", href=value.href)
    if isinstance(value, Instant):
        return EMPTY if value.at is None else _instant(value.at, value.zone)
    if isinstance(value, dt.datetime):
        return _instant(value, staff_zone())
    if isinstance(value, bool):
        return Cell(gettext("yes"), "badge", "ok") if value else Cell(gettext("no"), "badge", "off")
    if isinstance(value, (int, float)) and not isinstance(value, enum.Enum):
        return Cell(str(value), "number")
    return Cell(words(value))


def _instant(at: dt.datetime, zone: str) -> Cell:
    return Cell(moment(at, zone), "time", iso=at.isoformat())


def words(value: Any) -> str:
    """A value in the reader's words, without its looks."""
    if isinstance(value, enum.Enum):
        return label(value)
    if isinstance(value, BloodType):
        return blood(value)
    if isinstance(value, (frozenset, set)):
        return blood_set(value)
    if isinstance(value, dt.date):
        return day(value)
    if isinstance(value, dt.time):
        return hour(value)
    return str(value)


def exported(value: Any) -> str | int | float | None:
    """A value for a file: numbers stay numbers, instants are on the reader's clock and sortable."""
    if value is None:
        return None
    if isinstance(value, Instant):
        return None if value.at is None else f"{local(value.at, value.zone):%Y-%m-%d %H:%M}"
    if isinstance(value, dt.datetime):
        return f"{local(value, staff_zone()):%Y-%m-%d %H:%M}"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (Badge, Link, Cell)):
        return str(value.text)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, (int, float)) and not isinstance(value, enum.Enum):
        return value
    return words(value)
