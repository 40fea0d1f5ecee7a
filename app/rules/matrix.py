"""What a scheduler fills in: dates × branches × donation types × sets of people, with hours and totals.

``app.rules.planning`` makes donor days of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from app.models.blood import EVERY_TYPE, BloodType, bit
from app.models.enums import FirstTime, Sex, Sign

MAX_RANGE = 366
"""Days from the first to the last date of one publication."""
EVERY_WEEKDAY = frozenset(range(7))


LineKey = tuple[int, int, str, str, str]
"""Donation type, bits of the blood types, Kell, sex, first-time: as ``uq_schedule_open_day`` has them."""


@dataclass(frozen=True)
class Dates:
    """A range narrowed to weekdays (Monday is 0), without some dates, and with single ones besides."""

    first: dt.date | None = None
    last: dt.date | None = None
    weekdays: frozenset[int] = EVERY_WEEKDAY
    without: frozenset[dt.date] = frozenset()
    also: frozenset[dt.date] = frozenset()

    @classmethod
    def of(cls, *dates: dt.date) -> Self:
        """Just these dates."""
        return cls(also=frozenset(dates))

    @property
    def length(self) -> int:
        """Days of the range before it is narrowed."""
        if self.first is None:
            return 0
        return ((self.last or self.first) - self.first).days + 1

    def days(self) -> tuple[dt.date, ...]:
        """In order; a range beyond ``MAX_RANGE`` is cut there (the plan refuses it)."""
        found = set(self.also)
        if self.first is not None:
            span = min(self.length, MAX_RANGE)
            found |= {
                date
                for date in (self.first + dt.timedelta(days=n) for n in range(span))
                if date.weekday() in self.weekdays
            }
        return tuple(sorted(found - self.without))

    def shifted(self, days: int) -> Dates:
        """The same dates so many days later."""
        step = dt.timedelta(days=days)
        return Dates(
            self.first and self.first + step,
            self.last and self.last + step,
            frozenset((day + days) % 7 for day in self.weekdays),
            frozenset(date + step for date in self.without),
            frozenset(date + step for date in self.also),
        )


@dataclass(frozen=True)
class Line:
    """A donation type open to a set of people, with its places a day.

    A cell of the matrix is a line for one blood type; an «open set» may name several, Kell, sex and
    first-time donors. Empty means anybody.
    """

    donation_type_id: int
    total: int
    blood_types: frozenset[BloodType] = frozenset()
    kell: Sign | None = None
    sex: Sex | None = None
    first_time: FirstTime = FirstTime.ANY
    places_per_time: int | None = None
    """Of this line alone; the matrix's own number if empty."""

    @property
    def key(self) -> LineKey:
        """What makes two lines of one day the same."""
        bits = sum(map(bit, self.blood_types))
        return (self.donation_type_id, bits, self.kell or "", self.sex or "", self.first_time.value)

    @property
    def is_cell(self) -> bool:
        """One blood type and nothing else: it stands in the matrix itself."""
        return (
            len(self.blood_types) == 1
            and self.kell is None
            and self.sex is None
            and self.first_time is FirstTime.ANY
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "type": self.donation_type_id,
            "total": self.total,
            "blood": [str(each) for each in EVERY_TYPE if each in self.blood_types],
            "kell": self.kell,
            "sex": self.sex,
            "first": self.first_time,
            "places": self.places_per_time,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            donation_type_id=data["type"],
            total=data["total"],
            blood_types=frozenset(map(BloodType.parse, data["blood"])),
            kell=Sign(data["kell"]) if data["kell"] else None,
            sex=Sex(data["sex"]) if data["sex"] else None,
            first_time=FirstTime(data["first"]),
            places_per_time=data["places"],
        )


@dataclass(frozen=True)
class Override:
    """Another number of places per time for a type, a blood type or one cell: «AB−: 25» (look.md)."""

    places: int
    donation_type_id: int | None = None
    blood_type: BloodType | None = None

    def weight(self, line: Line) -> int:
        """How closely it names ``line``: 0 not at all, 3 its very cell."""
        if self.donation_type_id not in (None, line.donation_type_id):
            return 0
        if self.blood_type is not None and line.blood_types != {self.blood_type}:
            return 0
        return (self.donation_type_id is not None) + 2 * (self.blood_type is not None)


@dataclass(frozen=True)
class Matrix:
    """Everything that was filled in. Hours are the branches' own, from ``start`` until ``end``."""

    dates: Dates = field(default_factory=Dates)
    organization_ids: tuple[int, ...] = ()
    start: dt.time = dt.time(8)
    end: dt.time = dt.time(14)
    step_minutes: int = 30
    places_per_time: int = 3
    overrides: tuple[Override, ...] = ()
    lines: tuple[Line, ...] = ()

    def places_for(self, line: Line) -> int:
        """Places per time of ``line``: its own number, else the closest override, else the default."""
        if line.places_per_time is not None:
            return line.places_per_time
        closest = max(self.overrides, key=lambda override: override.weight(line), default=None)
        return closest.places if closest and closest.weight(line) else self.places_per_time

    def times(self) -> tuple[dt.time, ...]:
        """The times of a day: each begins and ends within the hours."""
        first, last = (time.hour * 60 + time.minute for time in (self.start, self.end))
        count = max(0, (last - first) // max(self.step_minutes, 1))
        minutes = (first + n * self.step_minutes for n in range(count))
        return tuple(dt.time(*divmod(minute, 60)) for minute in minutes)

    def shifted(self, days: int) -> Matrix:
        """The same on dates so many days later."""
        return replace(self, dates=self.dates.shifted(days))

    def only(self, organization_ids: Collection[int], type_ids: Collection[int]) -> Matrix:
        """What is left for these branches and donation types."""
        return replace(
            self,
            organization_ids=tuple(key for key in self.organization_ids if key in organization_ids),
            lines=tuple(line for line in self.lines if line.donation_type_id in type_ids),
        )

    def as_json(self) -> dict[str, Any]:
        """For ``Publication.matrix``; ``from_json`` is its inverse."""
        dates = self.dates
        return {
            "dates": {
                "first": dates.first and dates.first.isoformat(),
                "last": dates.last and dates.last.isoformat(),
                "weekdays": sorted(dates.weekdays),
                "without": sorted(date.isoformat() for date in dates.without),
                "also": sorted(date.isoformat() for date in dates.also),
            },
            "organizations": list(self.organization_ids),
            "hours": [f"{self.start:%H:%M}", f"{self.end:%H:%M}"],
            "step": self.step_minutes,
            "places": self.places_per_time,
            "overrides": [
                [item.places, item.donation_type_id, str(item.blood_type or "")]
                for item in self.overrides
            ],
            "lines": [line.as_json() for line in self.lines],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        dates, (start, end) = data["dates"], data["hours"]
        return cls(
            dates=Dates(
                dates["first"] and dt.date.fromisoformat(dates["first"]),
                dates["last"] and dt.date.fromisoformat(dates["last"]),
                frozenset(dates["weekdays"]),
                frozenset(map(dt.date.fromisoformat, dates["without"])),
                frozenset(map(dt.date.fromisoformat, dates["also"])),
            ),
            organization_ids=tuple(data["organizations"]),
            start=dt.time.fromisoformat(start),
            end=dt.time.fromisoformat(end),
            step_minutes=data["step"],
            places_per_time=data["places"],
            overrides=tuple(
                Override(places, type_id, BloodType.parse(blood) if blood else None)
                for places, type_id, blood in data["overrides"]
            ),
            lines=tuple(map(Line.from_json, data["lines"])),
        )
