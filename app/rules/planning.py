"""From a filled-in matrix to the donor days it makes and what stands against it. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from app.rules.clock import instant
from app.rules.errors import N_
from app.rules.matrix import MAX_RANGE, Line, LineKey, Matrix

MAX_PLACES = 50_000
"""Places of one publication: what one transaction makes in reasonable time."""


@dataclass(frozen=True)
class Problem:
    """Why something of the matrix cannot be published, or deserves a look (``blocking`` says which).

    Said like a refusal; ``line``, ``date`` and ``organization_id`` say what it is about.
    """

    code: str
    text: str
    params: Mapping[str, Any] = field(default_factory=dict)
    line: Line | None = None
    date: dt.date | None = None
    organization_id: int | None = None
    blocking: bool = True


Key = tuple[int, dt.date, dt.time, LineKey]


@dataclass(frozen=True)
class PlannedDay:
    """A donor day to be made. ``starts`` are all its times; the first ones are filled."""

    organization_id: int
    date: dt.date
    line: Line
    start: dt.time
    end: dt.time
    step_minutes: int
    places_per_time: int
    starts: tuple[dt.datetime, ...]

    @property
    def key(self) -> Key:
        """Days with the same key cannot be open together."""
        return (self.organization_id, self.date, self.start, self.line.key)

    @property
    def total(self) -> int:
        return self.line.total

    def filled(self) -> list[tuple[dt.datetime, int]]:
        """Times with their places, filled from the first: 7 = 3 + 3 + 1."""
        counts = fill(self.total, self.places_per_time, len(self.starts))
        return list(zip(self.starts, counts, strict=False))


@dataclass(frozen=True)
class Plan:
    """What would be made, and what stands against it."""

    days: tuple[PlannedDay, ...]
    problems: tuple[Problem, ...]

    @cached_property
    def places(self) -> int:
        return sum(day.total for day in self.days)

    @property
    def blocking(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.blocking]


def fill(total: int, per_time: int, times: int) -> list[int]:
    """Places at each time, from the first: ``fill(7, 3, 12)`` → [3, 3, 1]. The rest must not remain."""
    full, rest = divmod(total, per_time)
    counts = [per_time] * full + ([rest] if rest else [])
    assert len(counts) <= times
    return counts


def plan(matrix: Matrix, *, zones: Mapping[int, str], not_before: dt.datetime) -> Plan:
    """Each date × branch × line as a day, and every reason why it cannot be one.

    ``zones``: IANA zone by branch. ``not_before``: when the days will become public; what has begun
    by then is refused. A line that does not fit, or a date without one of its hours, makes no day.
    """
    problems = list(gaps(matrix))
    fitting = []
    for line in matrix.lines:
        refused = list(_fits(matrix, line))
        problems += refused
        if not refused:
            fitting.append(line)
    dates = matrix.dates.days()
    asked = len(dates) * len(matrix.organization_ids) * sum(line.total for line in fitting)
    if asked > MAX_PLACES:
        text = N_(
            "That is %(places)s places; at most %(limit)s are published at once. Split it, please."
        )
        problems.append(Problem("too_many", text, {"places": asked, "limit": MAX_PLACES}))
        return Plan((), tuple(problems))
    days: list[PlannedDay] = []
    for date in dates:
        for organization_id in matrix.organization_ids:
            starts, problem = _starts(matrix, date, organization_id, zones, not_before)
            if problem is not None:
                problems.append(problem)
            else:
                days += (_day(matrix, line, date, organization_id, starts) for line in fitting)
    return Plan(tuple(days), tuple(problems))


def _day(
    matrix: Matrix,
    line: Line,
    date: dt.date,
    organization_id: int,
    starts: tuple[dt.datetime, ...],
) -> PlannedDay:
    return PlannedDay(
        organization_id=organization_id,
        date=date,
        line=line,
        start=matrix.start,
        end=matrix.end,
        step_minutes=matrix.step_minutes,
        places_per_time=matrix.places_for(line),
        starts=starts,
    )


def gaps(matrix: Matrix) -> Iterator[Problem]:
    """What is still missing, or is there twice."""
    if matrix.dates.length > MAX_RANGE:
        text = N_("From the first to the last date there may be at most %(limit)s days.")
        yield Problem("long_range", text, {"limit": MAX_RANGE})
    if not matrix.dates.days():
        yield Problem("no_dates", N_("No dates are chosen, or all of them are left out."))
    if not matrix.organization_ids:
        yield Problem("no_branches", N_("No branch is chosen."))
    if not matrix.lines:
        yield Problem("no_totals", N_("No places are given: fill in at least one cell."))
    if not matrix.times():
        text = N_(
            "Between %(start)s and %(end)s there is no room for one time of %(step)s minutes."
        )
        params = {"start": matrix.start, "end": matrix.end, "step": matrix.step_minutes}
        yield Problem("no_times", text, params)
    met = set()
    for line in matrix.lines:
        if line.key in met:
            text = N_("The same set of people stands in the matrix twice. Leave one of them.")
            yield Problem("twice", text, line=line)
        met.add(line.key)


def _fits(matrix: Matrix, line: Line) -> Iterator[Problem]:
    """A donor day's total rules (design.md): what does not fit its hours is refused."""
    times, places = len(matrix.times()), matrix.places_for(line)
    room = times * places
    if times and line.total > room:
        text = N_(
            "%(times)s times × %(places)s places hold %(room)s, but %(total)s are asked for. "
            "Give %(needed)s places per time, or longer hours."
        )
        params = {
            "times": times,
            "places": places,
            "room": room,
            "total": line.total,
            "needed": -(-line.total // times),
        }
        yield Problem("no_room", text, params, line=line)


def _starts(
    matrix: Matrix,
    date: dt.date,
    organization_id: int,
    zones: Mapping[int, str],
    not_before: dt.datetime,
) -> tuple[tuple[dt.datetime, ...], Problem | None]:
    """The instants of the day's times in the branch's zone, or why there is no such day."""
    about: dict[str, Any] = {"date": date, "organization_id": organization_id}
    zone = zones[organization_id]
    try:
        starts = tuple(instant(date, time, zone) for time in matrix.times())
        instant(date, matrix.end, zone)
    except ValueError:
        text = N_("On this date the clocks are put forward: some of the hours do not exist.")
        return (), Problem("no_such_hour", text, **about)
    if starts and starts[0] <= not_before:
        return (), Problem("past", N_("The day has begun by then, or is over."), **about)
    return starts, None
