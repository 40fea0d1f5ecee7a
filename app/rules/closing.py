"""Closing a donor day or a practitioner's sitting together with what happens to its people: each one is
told, by letter, else by SMS, else by a colleague who phones.

Two steps, so that nobody is lost and nothing waits for long. ``close_day`` shuts the day: from its
commit on, every hold and confirmation is refused. ``dismiss`` then cancels the live bookings, some
at a time. ``finish_closings`` does what an interrupted closing left, and catches who was in the middle
of something (an undone rejection, a cancel that freed a place).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.enums import (
    AppointmentStatus,
    MessageKind,
    MessageStatus,
    ScheduleStatus,
    SlotStatus,
)
from app.models.message import Message
from app.models.schedule import Schedule, Slot
from app.models.scope import widened
from app.rules import audit, booking, days, holding, reach, sms, transitions
from app.rules.actor import SYSTEM, Actor
from app.rules.days import DayClosed
from app.rules.errors import AlreadyChanged, ReasonNeeded
from app.rules.reach import Way

A = AppointmentStatus
CANCELLED = (A.PENDING, A.PROPOSED, A.BOOKED)
"""Who is told when the day is closed."""
ENDED = (A.HELD, *CANCELLED)


@dataclass(frozen=True)
class Booked:
    """Somebody whom closing the day concerns, and how he will learn of it."""

    appointment: Appointment
    way: Way

    @property
    def phone(self) -> str | None:
        return reach.number_of(self.appointment)


@dataclass(frozen=True)
class Affected:
    """Who is on the day: ``booked`` are cancelled and told, ``choosing`` lose their held place,
    ``begun`` have started or are over and stay as they are."""

    booked: tuple[Booked, ...]
    choosing: int
    begun: int

    @property
    def written_to(self) -> int:
        """How many get a letter or an SMS; the others have to be phoned."""
        return sum(person.way is not Way.CALL for person in self.booked)


@dataclass(frozen=True)
class Dismissed:
    """What one portion ended. It is true as long as something was met, so call again."""

    met: int
    cancelled: int
    """Bookings, each with its message."""
    released: int
    """Places that somebody was choosing."""

    def __bool__(self) -> bool:
        return self.met > 0


def affected(session: Session, *, schedule_ids: Collection[int], now: dt.datetime) -> Affected:
    """Whom closing these days concerns, by time. Three queries."""
    confirmed = reach.keeper(now=now).with_only_columns(reach.CONFIRMED).scalar_subquery()
    rows = session.execute(
        select(Appointment, confirmed)
        .options(joinedload(Appointment.person), joinedload(Appointment.slot))
        .where(
            Appointment.schedule_id.in_(schedule_ids),
            Appointment.status.in_(CANCELLED),
            Appointment.starts_at > now,
        )
        .order_by(Appointment.starts_at, Appointment.id)
    ).all()
    counts = session.execute(
        select(
            func.count().filter(Appointment.status == A.HELD, Appointment.hold_until > now),
            func.count().filter(
                Appointment.keeps_slot, Appointment.status != A.HELD, Appointment.starts_at <= now
            ),
        ).where(Appointment.schedule_id.in_(schedule_ids))
    ).one()
    booked = tuple(Booked(row, reach.way_of(row, confirmed=known)) for row, known in rows)
    return Affected(booked, counts[0], counts[1])


def sittings_of(
    session: Session, *, role_id: int, date: dt.date, closed: bool = False
) -> list[int]:
    """A practitioner's sittings of one day that are open (for ``close_day``), or the closed ones."""
    open_ = (ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)
    return list(
        session.scalars(
            select(Schedule.id)
            .where(
                Schedule.role_id == role_id,
                Schedule.date == date,
                Schedule.status.in_((ScheduleStatus.CLOSED,) if closed else open_),
            )
            .order_by(Schedule.id)
        )
    )


def to_phone(session: Session, *, schedule_ids: Collection[int]) -> list[Booked]:
    """Of closed days: whose booking was cancelled with them, and no letter or SMS has told him."""
    untold = (
        select(Message.id)
        .where(
            Message.appointment_id == Appointment.id,
            Message.kind.in_((MessageKind.DAY_CLOSED, sms.INSTEAD[MessageKind.DAY_CLOSED])),
            Message.status == MessageStatus.DEAD,
        )
        .exists()
    )
    rows = session.scalars(
        select(Appointment)
        .join(Schedule, Schedule.id == Appointment.schedule_id)
        .options(joinedload(Appointment.person), joinedload(Appointment.slot))
        .where(
            Appointment.schedule_id.in_(schedule_ids),
            Appointment.status == A.CANCELLED,
            Appointment.comment == Schedule.closed_reason,
            untold,
        )
        .order_by(Appointment.starts_at, Appointment.id)
    )
    return [Booked(row, Way.CALL) for row in rows]


def close_day(
    session: Session, *, schedule_id: int, reason: str, actor: Actor, now: dt.datetime
) -> Schedule:
    """Shut the day. Commit, then call ``dismiss`` until it meets nobody any more.

    Raises ReasonNeeded (people will read it), DayClosed, NotFound.
    """
    reason = reason.strip()[:200]
    if not reason:
        raise ReasonNeeded()
    day = days.locked(session, schedule_id, sittings=True)
    if day.status is ScheduleStatus.CLOSED:
        raise DayClosed()

    day.status = ScheduleStatus.CLOSED
    day.closed_reason = reason
    audit.record(session, verb="day.close", subject=day, actor=actor, now=now)
    session.flush()  # the day is closed before its places are
    transitions.close_free_slots_of(session, [day.id])
    return day


def dismiss(
    session: Session, *, schedule_id: int, actor: Actor, now: dt.datetime, limit: int = 50
) -> Dismissed:
    """End up to ``limit`` live bookings of a closed day, each is told; call until nothing is met.

    Held places are let go: their confirmation says that the day is closed. Whoever changes a booking
    at the same moment wins, and the booking is looked at again in the next round.
    """
    day = session.get_one(Schedule, schedule_id)
    live = session.execute(
        select(Appointment.id, Appointment.status)
        .where(
            Appointment.schedule_id == schedule_id,
            Appointment.status.in_(ENDED),
            Appointment.starts_at > now,
        )
        .order_by(Appointment.id)
        .limit(limit)
    ).all()
    ended = {True: 0, False: 0}
    for appointment_id, status in live:
        held = status is A.HELD
        try:
            if held:
                holding.release(session, appointment_id=appointment_id, actor=actor, now=now)
            else:
                booking.cancel(
                    session,
                    appointment_id=appointment_id,
                    actor=actor,
                    now=now,
                    comment=day.closed_reason,
                    kind=MessageKind.DAY_CLOSED,
                )
        except AlreadyChanged:
            continue
        ended[held] += 1
    transitions.close_free_slots_of(session, [schedule_id])
    return Dismissed(len(live), cancelled=ended[False], released=ended[True])


def finish_closings(session: Session, *, now: dt.datetime, limit: int = 50) -> int:
    """For the periodic job: whatever still lives on a closed day ends, and is told. How many days."""
    yesterday = (now - dt.timedelta(days=1)).date()
    live = (
        select(Appointment.id)
        .where(
            Appointment.schedule_id == Schedule.id,
            Appointment.status.in_(ENDED),
            Appointment.starts_at > now,
        )
        .exists()
    )
    free = (
        select(Slot.id)
        .where(Slot.schedule_id == Schedule.id, Slot.status == SlotStatus.FREE)
        .exists()
    )
    with widened(session, "closings that were interrupted"):
        unfinished = session.scalars(
            select(Schedule.id)
            .where(
                Schedule.date >= yesterday,
                Schedule.status == ScheduleStatus.CLOSED,
                live | free,
            )
            .order_by(Schedule.id)
            .limit(20)
        ).all()
        for schedule_id in unfinished:
            dismiss(session, schedule_id=schedule_id, actor=SYSTEM, now=now, limit=limit)
    return len(unfinished)
