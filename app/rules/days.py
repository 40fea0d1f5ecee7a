"""Changing a published donor day: more places, fewer places, new times, a pause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, true
from sqlalchemy.orm import Session

from app.models.enums import ScheduleStatus, SlotStatus
from app.models.organization import Organization
from app.models.schedule import Schedule, Slot
from app.rules import audit, freed, transitions
from app.rules.actor import Actor
from app.rules.clock import instant, local
from app.rules.errors import N_, NotFound, RuleError

MOST_PLACES = 200
"""At one time of one day."""


class DayClosed(RuleError):
    code = "day_closed"
    text = N_("This day is closed. Publish it anew if it is needed again.")


class NoSuchHour(RuleError):
    code = "no_such_hour"
    text = N_("On %(date)s the clocks are put forward: there is no %(time)s.")


class TimeOver(RuleError):
    code = "time_over"
    text = N_("%(time)s is over already: places are added only to what lies ahead.")


class TooManyPlaces(RuleError):
    code = "too_many_places"
    text = N_("At %(time)s there would be %(places)s places; at most %(limit)s are possible.")


class OpenTwice(RuleError):
    code = "open_twice"
    text = N_(
        "With that beginning the day would be the same as another open day. Add the places there."
    )


@dataclass(frozen=True)
class Kept:
    """All the places that stay at a time where fewer were wanted: somebody has each of them."""

    starts_at: dt.datetime
    places: int


@dataclass(frozen=True)
class PlacesChange:
    """What became of the wish: places added, withdrawn, and those that stay."""

    added: int
    withdrawn: int
    kept: tuple[Kept, ...]


def change_places(
    session: Session,
    *,
    schedule_id: int,
    actor: Actor,
    now: dt.datetime,
    wanted: Mapping[dt.datetime, int] | None = None,
    new_times: Sequence[dt.time] = (),
    places_each: int = 1,
) -> PlacesChange:
    """Give each time of the day its ``wanted`` number of places, and add ``new_times`` with theirs.

    Only free places are withdrawn, the last number first; withdrawn ones are given back before new
    ones are made. Times that are over stay as they are. A new time outside the hours widens them.
    Raises DayClosed, NoSuchHour, TimeOver, TooManyPlaces, OpenTwice, NotFound.
    """
    day = locked(session, schedule_id)
    if day.status is ScheduleStatus.CLOSED:
        raise DayClosed()
    zone = session.get_one(Organization, day.organization_id).time_zone
    goal = {at: count for at, count in (wanted or {}).items() if at > now}
    have = _counts(session, day.id)
    for time in new_times:
        at = _instant(day, time, zone, now)
        goal[at] = goal.get(at, have.get(at, 0)) + places_each
    before = day.total
    if new_times:
        _widen(session, day, new_times)
    added = withdrawn = 0
    kept = []
    for at, count in sorted(goal.items()):
        if not 0 <= count <= MOST_PLACES:
            raise TooManyPlaces(time=local(at, zone).time(), places=count, limit=MOST_PLACES)
        difference = count - have.get(at, 0)
        if difference > 0:
            _add(session, day, at, difference)
            added += difference
        elif difference < 0:
            done = _withdraw(session, day, at, -difference)
            withdrawn += done
            if done < -difference:
                kept.append(Kept(at, have.get(at, 0) - done))
    if added:
        freed.note_day(session, day.id, now=now)
    if added or withdrawn:
        session.flush()
        day.total = _total(session, day.id)
        change = {"total": [before, day.total]}
        audit.record(session, verb="day.places", subject=day, actor=actor, now=now, changes=change)
    return PlacesChange(added, withdrawn, tuple(kept))


def pause(session: Session, *, schedule_id: int, actor: Actor, now: dt.datetime) -> Schedule:
    """Take no more bookings on this day; those that are there stay."""
    return _switch(session, schedule_id, ScheduleStatus.PAUSED, actor=actor, now=now)


def resume(session: Session, *, schedule_id: int, actor: Actor, now: dt.datetime) -> Schedule:
    """Take bookings again."""
    return _switch(session, schedule_id, ScheduleStatus.PUBLISHED, actor=actor, now=now)


def locked(session: Session, schedule_id: int, *, sittings: bool = False) -> Schedule:
    """The day as it is now; who changes it too waits, who books it does not (a booking refers to it).

    With ``sittings`` a practitioner's one too.
    """
    of_donors = Schedule.donation_type_id.is_not(None)
    day = session.scalars(
        select(Schedule)
        .where(Schedule.id == schedule_id, true() if sittings else of_donors)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if day is None or day.status is ScheduleStatus.DRAFT:
        raise NotFound()
    return day


def _switch(
    session: Session, schedule_id: int, target: ScheduleStatus, *, actor: Actor, now: dt.datetime
) -> Schedule:
    day = locked(session, schedule_id)
    if day.status is ScheduleStatus.CLOSED:
        raise DayClosed()
    if day.status is not target:
        day.status = target
        audit.record(session, verb=f"day.{target}", subject=day, actor=actor, now=now)
        freed.note_day(session, day.id, now=now)
    return day


def _instant(day: Schedule, time: dt.time, zone: str, now: dt.datetime) -> dt.datetime:
    try:
        at = instant(day.date, time, zone)
    except ValueError as error:
        raise NoSuchHour(date=day.date, time=time) from error
    if at <= now:
        raise TimeOver(time=time)
    return at


def _widen(session: Session, day: Schedule, times: Iterable[dt.time]) -> None:
    """Let the hours hold the new times. An earlier beginning must not meet another open day."""
    start = min(day.start_time, *times)
    last = max(times)
    minutes = last.hour * 60 + last.minute + day.step_minutes
    end = dt.time(*divmod(min(minutes, 24 * 60 - 1), 60))
    if start < day.start_time:
        twin = session.scalar(
            select(Schedule.id).where(
                Schedule.organization_id == day.organization_id,
                Schedule.donation_type_id == day.donation_type_id,
                Schedule.date == day.date,
                Schedule.blood_types == day.blood_types,
                Schedule.kell_key == day.kell_key,
                Schedule.sex_key == day.sex_key,
                Schedule.first_time == day.first_time,
                Schedule.start_time == start,
                Schedule.status.in_((ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)),
            )
        )
        if twin is not None:
            raise OpenTwice()
        day.start_time = start
    day.end_time = max(day.end_time, end)


def _counts(session: Session, schedule_id: int) -> dict[dt.datetime, int]:
    """Places that are not withdrawn, by time."""
    rows = session.execute(
        select(Slot.starts_at, func.count())
        .where(Slot.schedule_id == schedule_id, Slot.status != SlotStatus.CLOSED)
        .group_by(Slot.starts_at)
    )
    return {at: count for at, count in rows}


def _total(session: Session, schedule_id: int) -> int:
    return (
        session.scalar(
            select(func.count()).where(
                Slot.schedule_id == schedule_id, Slot.status != SlotStatus.CLOSED
            )
        )
        or 0
    )


def _add(session: Session, day: Schedule, at: dt.datetime, count: int) -> None:
    here = session.execute(
        select(Slot.id, Slot.place, Slot.status)
        .where(Slot.schedule_id == day.id, Slot.starts_at == at)
        .order_by(Slot.place)
    ).all()
    withdrawn = [row.id for row in here if row.status is SlotStatus.CLOSED][:count]
    transitions.reopen_slots(session, withdrawn)
    numbers = range(1, len(here) + count + 1)
    unused = [number for number in numbers if number not in {row.place for row in here}]
    rows = [
        {
            "organization_id": day.organization_id,
            "schedule_id": day.id,
            "starts_at": at,
            "place": number,
        }
        for number in unused[: count - len(withdrawn)]
    ]
    if rows:
        session.execute(insert(Slot), rows)


def _withdraw(session: Session, day: Schedule, at: dt.datetime, count: int) -> int:
    """How many were still free. Somebody may take one meanwhile: then the next one is tried."""
    done = 0
    while done < count:
        free = session.scalars(
            select(Slot.id)
            .where(Slot.schedule_id == day.id, Slot.starts_at == at, Slot.status == SlotStatus.FREE)
            .order_by(Slot.place.desc())
            .limit(count - done)
        ).all()
        if not free:
            break
        done += transitions.close_free_slots(session, free)
    return done
