"""What a report is made of: its columns, the pieces of its bars, its words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy.orm import Session

from admin.charts import Series
from admin.report_lines import decimal, percent, whole
from app.rules.reports import Asked, Counted
from forms.reports import Period


@dataclass(frozen=True)
class Column:
    """One number of a line; its unit stands in the heading, once."""

    title: Any
    value: Callable[[Any], int | float | None]
    words: Callable[[Any], str] = whole
    """How the page says it; a file gets the number itself."""
    file_title: Any = None
    """Where the file's unit is another one."""


@dataclass(frozen=True)
class Part:
    """A piece of each line's bar, and a column of the table."""

    series: Series
    value: Callable[[Any], int]

    @property
    def column(self) -> Column:
        return Column(self.series.title, self.value)


@dataclass(frozen=True)
class Slice:
    """A line of the second table: what, how many of how many."""

    label: str
    count: int
    of: int


@dataclass(frozen=True)
class More:
    """A second table and chart: why. ``slices`` may ask the database."""

    title: Any
    heading: Any
    """Of its first column."""
    columns: tuple[Column, ...]
    slices: Callable[[Session, Asked, Any], Sequence[Slice]]


@dataclass(frozen=True)
class Report:
    """``name`` stands in the address."""

    name: str
    title: Any
    intro: Any
    """What is counted and how, in two sentences at most."""
    empty: Any
    """Why there may be nothing, and what next."""
    usual: Callable[[dt.date], Period]
    count: Callable[[Session, Asked], Counted[Any]]
    columns: tuple[Column, ...]
    parts: tuple[Part, ...]
    share: Callable[[Any], float | None]
    """What stands at the end of a bar, in per cent of the line's total."""
    ends: Any
    """The same in words, for the legend."""
    summary: Callable[[Any], str]
    """The whole report in one sentence."""
    more: More | None = None


def number(title: Any, name: str) -> Column:
    """The number that a line calls ``name``."""
    return Column(title, attrgetter(name))


def part(title: Any, shade: str, name: str) -> Part:
    """The same as a piece of the bars."""
    return Part(Series(title, shade), attrgetter(name))


def columns_of(parts: Sequence[Part]) -> list[Column]:
    return [each.column for each in parts]


def share(title: Any, name: str, of: str = "total") -> Column:
    """What a line calls ``name``, in per cent of what it calls ``of``."""
    value, everything = attrgetter(name), attrgetter(of)
    return Column(title, lambda row: percent(value(row), everything(row)), decimal)


def slices(count: Any, of_all: Any) -> tuple[Column, ...]:
    """The columns of a second table: how many, and which share of all."""
    return number(count, "count"), share(of_all, "count", "of")
