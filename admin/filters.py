"""Filters above a list: closed lists, flags, rows of another table, days; each a readable parameter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_

from app.i18n import label
from app.rules import clock
from forms.inputs import parsed_day, staff_zone


@dataclass(frozen=True)
class Filter:
    """One choice above the list: ``?name=value``. Children say how it narrows and what it offers."""

    name: str
    label: Any
    column: Any = None

    kind = "select"

    def options(self) -> list[tuple[str, str]]:
        return []

    def condition(self, given: Mapping[str, str]) -> ColumnElement[bool] | None:
        raise NotImplementedError

    def names(self) -> tuple[str, ...]:
        return (self.name,)


@dataclass(frozen=True)
class Choice(Filter):
    """A value of a closed list."""

    values: Any = ()

    def options(self) -> list[tuple[str, str]]:
        return [(str(value.value), label(value)) for value in self.values]

    def condition(self, given: Mapping[str, str]) -> ColumnElement[bool] | None:
        found = {str(value.value): value for value in self.values}.get(given.get(self.name, ""))
        return None if found is None else self.column == found


@dataclass(frozen=True)
class YesNo(Filter):
    """A flag; the words say what each side means."""

    yes: Any = ""
    no: Any = ""

    def options(self) -> list[tuple[str, str]]:
        return [("yes", str(self.yes)), ("no", str(self.no))]

    def condition(self, given: Mapping[str, str]) -> ColumnElement[bool] | None:
        sides = {"yes": True, "no": False}
        side = sides.get(given.get(self.name, ""))
        return None if side is None else self.column.is_(side)


@dataclass(frozen=True)
class OneOf(Filter):
    """A row of another table that the reader may see, by its ``uid``."""

    rows: Callable[[], Iterable[Any]] = tuple

    def options(self) -> list[tuple[str, str]]:
        return [(str(row.uid), str(row)) for row in self.rows()]

    def condition(self, given: Mapping[str, str]) -> ColumnElement[bool] | None:
        chosen = given.get(self.name, "")
        found = next((row for row in self.rows() if str(row.uid) == chosen), None)
        return None if found is None else self.column == found.id


@dataclass(frozen=True)
class Days(Filter):
    """From one day to another, inclusive, on the reader's clock: ``?name_from=…&name_to=…``."""

    kind = "days"

    def names(self) -> tuple[str, ...]:
        return (f"{self.name}_from", f"{self.name}_to")

    def condition(self, given: Mapping[str, str]) -> ColumnElement[bool] | None:
        first = parsed_day(given.get(f"{self.name}_from", ""))
        last = parsed_day(given.get(f"{self.name}_to", ""))
        parts = []
        if first is not None:
            parts.append(self.column >= clock.midnight(first, staff_zone()))
        if last is not None:
            after = last + dt.timedelta(days=1)
            parts.append(self.column < clock.midnight(after, staff_zone()))
        return and_(*parts) if parts else None
