"""A published week read back as lines, so that it can be published for other weeks too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.directory import PractitionerRole
from app.models.enums import Channel, ScheduleStatus, SlotKind, SlotStatus
from app.models.schedule import Schedule, Slot
from app.rules.clock import local, monday_of
from app.rules.errors import N_, RuleError
from app.rules.matrix import Dates
from app.rules.sittings import Line, Plan, clock_time, minute_of

DAY = dt.timedelta(days=1)
MOST_WEEKS = 26
OPEN = (ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)


class EmptyWeek(RuleError):
    code = "empty_week"
    text = N_(
        "In that week nothing is published for the chosen practitioners: %(first)s – %(last)s."
    )


class SameWeek(RuleError):
    code = "same_week"
    text = N_("Choose later weeks than the one that is copied.")


class TooManyWeeks(RuleError):
    code = "too_many_weeks"
    text = N_("A week is copied to at most %(limit)s weeks at once.")


def plan_of_week(
    session: Session,
    *,
    roles: Sequence[PractitionerRole],
    week: dt.date,
    to: dt.date,
    weeks: int = 1,
) -> Plan:
    """The week with the day ``week`` as it is open now, for ``weeks`` weeks from that of ``to`` on.

    Places of withdrawn slots stay empty. Raises SameWeek, TooManyWeeks, EmptyWeek.
    """
    monday, target = monday_of(week), monday_of(to)
    if target <= monday:
        raise SameWeek()
    if not 1 <= weeks <= MOST_WEEKS:
        raise TooManyWeeks(limit=MOST_WEEKS)
    lines = tuple(_lines(session, roles, monday))
    if not lines:
        raise EmptyWeek(first=monday, last=monday + 6 * DAY)
    working = {line.role_id for line in lines}
    return Plan(
        None,
        tuple(role.id for role in roles if role.id in working),
        Dates(target, target + (7 * weeks - 1) * DAY),
        lines,
    )


def _lines(session: Session, roles: Sequence[PractitionerRole], monday: dt.date) -> Iterator[Line]:
    zones = {role.id: role.organization.time_zone for role in roles}
    rows = session.execute(
        select(
            Schedule.id,
            Schedule.date,
            Schedule.role_id,
            Schedule.service_id,
            Slot.starts_at,
            Slot.minutes,
            Slot.kind,
            Slot.channel,
        )
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(
            Schedule.role_id.in_(zones),
            Schedule.date.between(monday, monday + 6 * DAY),
            Schedule.status.in_(OPEN),
            Slot.status != SlotStatus.CLOSED,
        )
        .order_by(Schedule.role_id, Schedule.date, Schedule.start_time, Schedule.id, Slot.starts_at)
    )
    for _key, sitting in groupby(rows, key=lambda row: row.id):
        slots = list(sitting)
        zone = zones[slots[0].role_id]
        for run in _runs(slots, zone):
            yield _line(run, slots[0])


Wall = tuple[int, int, SlotKind, Channel]
"""Minute of the day, length, kind, channel."""


def _runs(slots: Iterable[Any], zone: str) -> Iterator[list[Wall]]:
    """Slots that follow each other without a gap, of one kind, the web ones first."""
    run: list[Wall] = []
    for slot in slots:
        minutes = slot.minutes or 1
        wall: Wall = (
            minute_of(local(slot.starts_at, zone).time()),
            minutes,
            slot.kind,
            slot.channel,
        )
        if wall[0] + minutes >= 24 * 60:
            continue
        if run and not _follows(run[-1], wall):
            yield run
            run = []
        run.append(wall)
    if run:
        yield run


def _follows(before: Wall, after: Wall) -> bool:
    joined = before[0] + before[1] == after[0] and before[2] is after[2]
    return joined and not (before[3] is Channel.DESK and after[3] is Channel.WEB)


def _line(run: list[Wall], sitting: Any) -> Line:
    even = len({minutes for _minute, minutes, _kind, _channel in run}) == 1
    web = sum(channel is Channel.WEB for _minute, _minutes, _kind, channel in run)
    return Line(
        weekday=sitting.date.isoweekday(),
        start=clock_time(run[0][0]),
        end=clock_time(run[-1][0] + run[-1][1]),
        step_minutes=run[-1][1],
        times=() if even else tuple(clock_time(minute) for minute, *_rest in run),
        kind=run[0][2],
        channel=Channel.WEB if web else Channel.DESK,
        web_share=web if 0 < web < len(run) else None,
        service_id=sitting.service_id,
        role_id=sitting.role_id,
    )
