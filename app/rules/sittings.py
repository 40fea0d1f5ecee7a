"""From weekly lines to the slots of a practitioner's days. Pure functions; the database stands elsewhere.

A sitting is one line of a pattern on one date for one role: its slots follow each other without a gap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple, Self

from app.models.enums import Channel, SlotKind
from app.rules.clock import instant, zone
from app.rules.matrix import Dates

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


class WallSlot(NamedTuple):
    """A slot on the wall clock: minutes since midnight, and how long it lasts."""

    minute: int
    minutes: int


class PlannedSlot(NamedTuple):
    """A slot to be made: its UTC instant, its length, who may book it."""

    starts_at: dt.datetime
    minutes: int
    channel: Channel

    @property
    def ends_at(self) -> dt.datetime:
        return self.starts_at + dt.timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Line:
    """From when to when on one weekday, in what steps or at which times, of which kind, for whom.

    ``times`` rule where given (row E25): each slot lasts until the next time, the last one a step.
    """

    weekday: int
    """1 = Monday … 7 = Sunday."""
    start: dt.time
    end: dt.time
    step_minutes: int
    times: tuple[dt.time, ...] = ()
    kind: SlotKind = SlotKind.PLANNED
    channel: Channel = Channel.WEB
    web_share: int | None = None
    """At most so many of a day's slots, the earliest, are for the web."""
    service_id: int | None = None
    role_id: int | None = None
    """Of a copied week: this role alone; every role of the plan if empty."""

    def wall_slots(self) -> tuple[WallSlot, ...]:
        """In order, none beyond the line's end."""
        first, last = minute_of(self.start), minute_of(self.end)
        if not self.times:
            step = max(self.step_minutes, 1)
            return tuple(WallSlot(minute, step) for minute in range(first, last - step + 1, step))
        minutes = sorted({minute_of(time) for time in self.times})
        ends = [*minutes[1:], minutes[-1] + self.step_minutes]
        return tuple(
            WallSlot(minute, end - minute)
            for minute, end in zip(minutes, ends, strict=True)
            if first <= minute and end <= last
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "weekday": self.weekday,
            "hours": [f"{self.start:%H:%M}", f"{self.end:%H:%M}"],
            "step": self.step_minutes,
            "times": [f"{time:%H:%M}" for time in self.times],
            "kind": self.kind,
            "channel": self.channel,
            "share": self.web_share,
            "service": self.service_id,
            "role": self.role_id,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        start, end = map(dt.time.fromisoformat, data["hours"])
        return cls(
            weekday=data["weekday"],
            start=start,
            end=end,
            step_minutes=data["step"],
            times=tuple(map(dt.time.fromisoformat, data["times"])),
            kind=SlotKind(data["kind"]),
            channel=Channel(data["channel"]),
            web_share=data["share"],
            service_id=data["service"],
            role_id=data["role"],
        )


@dataclass(frozen=True)
class Plan:
    """What is to be published: a pattern for these roles from the first day to the last.

    The lines are the template's as they were when the plan was made: what was looked at is what is
    published, also at a later hour.
    """

    template_id: int | None = None
    """Empty for a copied week."""
    role_ids: tuple[int, ...] = ()
    dates: Dates = field(default_factory=Dates)
    lines: tuple[Line, ...] = ()

    def lines_for(self, role_id: int, weekday: int) -> tuple[Line, ...]:
        """In the order of the day; ``weekday`` as ``date.isoweekday`` has it."""
        found = (
            line
            for line in self.lines
            if line.weekday == weekday and line.role_id in (None, role_id)
        )
        return tuple(sorted(found, key=lambda line: line.start))

    def shifted(self, days: int) -> Plan:
        """The same so many days later: whole weeks, or the weekdays no longer fit."""
        return replace(self, dates=self.dates.shifted(days))

    def as_json(self) -> dict[str, Any]:
        """For ``Publication.matrix``; ``from_json`` is its inverse."""
        first, last = self.dates.first, self.dates.last
        return {
            "template": self.template_id,
            "roles": list(self.role_ids),
            "first": first and first.isoformat(),
            "last": last and last.isoformat(),
            "lines": [line.as_json() for line in self.lines],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        first, last = data["first"], data["last"]
        return cls(
            template_id=data["template"],
            role_ids=tuple(data["roles"]),
            dates=Dates(
                first and dt.date.fromisoformat(first), last and dt.date.fromisoformat(last)
            ),
            lines=tuple(map(Line.from_json, data["lines"])),
        )


@dataclass(frozen=True)
class Sitting:
    """One line on one date for one role, with its slots."""

    role_id: int
    organization_id: int
    date: dt.date
    line: Line
    slots: tuple[PlannedSlot, ...]

    @property
    def key(self) -> tuple[int, dt.date, dt.time]:
        """Sittings with the same key cannot be open together (``uq_schedule_open_sitting``)."""
        return (self.role_id, self.date, self.line.start)

    @property
    def starts_at(self) -> dt.datetime:
        return self.slots[0].starts_at

    @property
    def ends_at(self) -> dt.datetime:
        return self.slots[-1].ends_at

    @property
    def on_web(self) -> int:
        return sum(slot.channel is Channel.WEB for slot in self.slots)


def alike(lines: Iterable[Line]) -> list[tuple[tuple[int, ...], tuple[Line, ...]]]:
    """Weekdays with the same hours together, each with the lines of its first; by the first weekday."""
    days: dict[int, list[Line]] = {}
    for line in lines:
        days.setdefault(line.weekday, []).append(line)
    found: dict[tuple[Line, ...], list[int]] = {}
    for weekday in sorted(days):
        own = sorted((replace(line, weekday=0) for line in days[weekday]), key=lambda x: x.start)
        found.setdefault(tuple(own), []).append(weekday)
    return [(tuple(weekdays), own) for own, weekdays in found.items()]


def minute_of(time: dt.time) -> int:
    return time.hour * 60 + time.minute


def slots_of(lines: Iterable[Line], day: dt.date, zone_name: str) -> tuple[PlannedSlot, ...]:
    """The slots of ``day`` by those of ``lines`` that are of its weekday, in order."""
    weekday = day.isoweekday()
    found = [
        slot
        for line in lines
        if line.weekday == weekday
        for slot in line_slots(line, day, zone_name)
    ]
    return tuple(sorted(found))


@lru_cache(maxsize=4096)
def line_slots(line: Line, day: dt.date, zone_name: str) -> tuple[PlannedSlot, ...]:
    """The slots of the line on ``day``, whatever its weekday; the earliest ones for the web.

    What touches an hour that the clocks skip is no slot (``skipped`` names it). An hour that occurs
    twice means its first occurrence.
    """
    there = [slot for slot in line.wall_slots() if _exists(slot, day, zone_name)]
    share = len(there) if line.web_share is None else line.web_share
    share = share if line.channel is Channel.WEB else 0
    return tuple(
        PlannedSlot(
            instant(day, clock_time(slot.minute), zone_name),
            slot.minutes,
            Channel.WEB if number < share else Channel.DESK,
        )
        for number, slot in enumerate(there)
    )


@lru_cache(maxsize=4096)
def skipped(line: Line, day: dt.date, zone_name: str) -> tuple[dt.time, ...]:
    """The line's times that do not exist on ``day`` because the clocks are put forward."""
    return tuple(
        clock_time(slot.minute) for slot in line.wall_slots() if not _exists(slot, day, zone_name)
    )


def clock_time(minute: int) -> dt.time:
    return dt.time(*divmod(minute, 60))


@lru_cache(maxsize=4096)
def _is_even(day: dt.date, zone_name: str) -> bool:
    """Whether the clocks stay as they are all day, and in the night after it."""
    here, noon = zone(zone_name), dt.time(12)
    before, after = (dt.datetime.combine(day + n * DAY, noon, tzinfo=here) for n in (-1, 1))
    return before.utcoffset() == after.utcoffset()


def _exists(slot: WallSlot, day: dt.date, zone_name: str) -> bool:
    """Whether every minute of it is on the clock: then it is as long as it looks, or longer."""
    if _is_even(day, zone_name):
        return True
    midnight = dt.datetime.combine(day, dt.time(), tzinfo=zone(zone_name))
    start = midnight + slot.minute * MINUTE
    end = start + slot.minutes * MINUTE
    try:
        instant(day, clock_time(slot.minute), zone_name)
        last = end - MINUTE
        instant(last.date(), last.time().replace(tzinfo=None), zone_name)
    except ValueError:
        return False
    return end.astimezone(dt.UTC) - start.astimezone(dt.UTC) >= slot.minutes * MINUTE
