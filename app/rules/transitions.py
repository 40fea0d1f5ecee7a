"""The life of a booking, as a table. Nothing else writes Appointment.status or Slot.status.

(Publishing makes slots and closes free ones; app.rules.publishing calls ``close_free_slots`` here.)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, case, select, update
from sqlalchemy.orm import Session

from app.models.appointment import Appointment, AppointmentEvent
from app.models.attachment import Referral
from app.models.enums import AppointmentStatus as A
from app.models.enums import ScheduleStatus, SlotStatus
from app.models.schedule import Schedule, Slot
from app.models.scope import widened
from app.rules import freed
from app.rules.actor import Actor
from app.rules.errors import AlreadyChanged, NotFound


@dataclass(frozen=True)
class Transition:
    """From which statuses, to which, and what becomes of the place (None: it stays as it is)."""

    source: frozenset[A]
    target: A
    slot: SlotStatus | None


def _from(*statuses: A) -> frozenset[A]:
    return frozenset(statuses)


TRANSITIONS: dict[str, Transition] = {
    "confirm_to_pending": Transition(_from(A.HELD), A.PENDING, None),
    "confirm_to_booked": Transition(_from(A.HELD), A.BOOKED, SlotStatus.BUSY),
    "propose": Transition(_from(A.HELD), A.PROPOSED, None),
    "code": Transition(_from(A.PROPOSED), A.BOOKED, SlotStatus.BUSY),
    "lapse": Transition(_from(A.PROPOSED), A.EXPIRED, SlotStatus.FREE),
    "release": Transition(_from(A.HELD), A.RELEASED, SlotStatus.FREE),
    "approve": Transition(_from(A.PENDING), A.BOOKED, SlotStatus.BUSY),
    "approve_to_proposed": Transition(_from(A.PENDING), A.PROPOSED, None),
    "reject": Transition(_from(A.PENDING), A.REJECTED, None),  # the place is freed after the undo
    "undo_approve": Transition(_from(A.BOOKED), A.PENDING, SlotStatus.HELD),
    "undo_propose": Transition(_from(A.PROPOSED), A.PENDING, None),
    "undo_reject": Transition(_from(A.REJECTED), A.PENDING, None),
    "expire": Transition(_from(A.PENDING), A.EXPIRED, SlotStatus.FREE),
    "move": Transition(_from(A.BOOKED), A.BOOKED, SlotStatus.BUSY),  # the old place: move_to
    "cancel": Transition(_from(A.PENDING, A.PROPOSED, A.BOOKED), A.CANCELLED, SlotStatus.FREE),
    "arrive": Transition(_from(A.BOOKED), A.ARRIVED, None),
    "undo_arrive": Transition(_from(A.ARRIVED), A.BOOKED, None),
    "noshow": Transition(_from(A.BOOKED), A.NOSHOW, None),
    "undo_noshow": Transition(_from(A.NOSHOW), A.BOOKED, None),
    "fulfil": Transition(_from(A.ARRIVED), A.FULFILLED, None),
    "turn_away": Transition(_from(A.ARRIVED), A.TURNED_AWAY, None),
}

LIVE = (A.HELD, A.PENDING, A.PROPOSED, A.BOOKED, A.ARRIVED)
"""A person with a live appointment has a booking."""

SLOT_OF: dict[A, SlotStatus] = {
    A.HELD: SlotStatus.HELD,
    A.PENDING: SlotStatus.HELD,
    A.PROPOSED: SlotStatus.HELD,
    A.REJECTED: SlotStatus.HELD,  # within the undo minute, while keeps_slot
    A.BOOKED: SlotStatus.BUSY,
    A.ARRIVED: SlotStatus.BUSY,
    A.FULFILLED: SlotStatus.BUSY,
    A.TURNED_AWAY: SlotStatus.BUSY,
    A.NOSHOW: SlotStatus.BUSY,
}
"""What a kept place looks like for each status that may keep one."""


def changed_rows(session: Session, statement: Any) -> int:
    """Run an UPDATE and say how many rows it changed; loaded objects are refreshed by the caller."""
    result = session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)
    return result.rowcount


def take_slot(session: Session, *, slot_id: int) -> bool:
    """Free → held. One statement decides who wins; True for the winner alone."""
    return bool(
        changed_rows(
            session,
            update(Slot)
            .where(Slot.id == slot_id, Slot.status == SlotStatus.FREE)
            .values(status=SlotStatus.HELD),
        )
    )


def set_slot(session: Session, slot_id: int, status: SlotStatus) -> None:
    """Held or busy → ``status``; a place of a closed day becomes closed instead of free."""
    value: Any = status
    if status is SlotStatus.FREE:
        day = (
            select(Schedule.status)
            .where(Schedule.id == Slot.schedule_id)
            .correlate(Slot)
            .scalar_subquery()
        )
        value = case((day == ScheduleStatus.CLOSED, SlotStatus.CLOSED), else_=SlotStatus.FREE)
    changed_rows(session, update(Slot).where(Slot.id == slot_id).values(status=value))


def close_free_slots(session: Session, slot_ids: Collection[int]) -> int:
    """Free → closed (withdrawn places); how many still were free."""
    return changed_rows(
        session,
        update(Slot)
        .where(Slot.id.in_(slot_ids), Slot.status == SlotStatus.FREE)
        .values(status=SlotStatus.CLOSED),
    )


def close_free_slots_of(session: Session, schedule_ids: Collection[int]) -> int:
    """Free → closed, every place of these days (a day is closed); how many still were free."""
    return changed_rows(
        session,
        update(Slot)
        .where(Slot.schedule_id.in_(schedule_ids), Slot.status == SlotStatus.FREE)
        .values(status=SlotStatus.CLOSED),
    )


def reopen_slots(session: Session, slot_ids: Collection[int]) -> int:
    """Closed → free (withdrawn places are given back); how many still were closed."""
    return changed_rows(
        session,
        update(Slot)
        .where(Slot.id.in_(slot_ids), Slot.status == SlotStatus.CLOSED)
        .values(status=SlotStatus.FREE),
    )


def start(session: Session, appointment: Appointment, *, actor: Actor, now: dt.datetime) -> None:
    """Insert a new appointment that keeps the slot just taken, with its first line of history."""
    session.add(appointment)
    session.flush()  # the history needs the id
    _remember(session, appointment.id, "hold", (None, appointment.status), actor, now)


def move(
    session: Session,
    *,
    appointment_id: int,
    event: str,
    actor: Actor,
    now: dt.datetime,
    only_if: Any = True,
    **values: Any,
) -> Appointment:
    """Do ``event``: status, slot and history together.

    ``only_if`` is one more SQL condition on the row. Raises NotFound, or AlreadyChanged when the
    status is no longer one the event starts from: exactly one of two racing events wins.
    """
    transition = TRANSITIONS[event]
    before = _status(session, appointment_id, transition)
    if transition.slot is SlotStatus.FREE:
        values["keeps_slot"] = False
    done = session.scalars(
        update(Appointment)
        .where(Appointment.id == appointment_id, Appointment.status == before, only_if)
        .values(status=transition.target, **values)
        .returning(Appointment),
        execution_options={"synchronize_session": False, "populate_existing": True},
    ).one_or_none()
    if done is None:
        current = session.scalar(select(Appointment.status).where(Appointment.id == appointment_id))
        if current is None:
            raise NotFound()
        raise AlreadyChanged(status=current)
    if transition.slot is not None:
        set_slot(session, done.slot_id, transition.slot)
    donation: int | None = done.donation_type_id
    if transition.slot is SlotStatus.FREE and before is not A.HELD and donation is None:
        _give_referral_back(session, done.id)
    _remember(session, appointment_id, event, (before, transition.target), actor, now)
    session.flush()
    if transition.slot is SlotStatus.FREE:
        freed.note_slot(session, done.slot_id, now=now)
    return done


def move_to(
    session: Session,
    *,
    appointment_id: int,
    slot: Slot,
    former_slot_id: int,
    actor: Actor,
    now: dt.datetime,
    **values: Any,
) -> Appointment:
    """The booking keeps ``slot``, which its mover has just taken, instead of the former one, which is free.

    Raises NotFound, or AlreadyChanged when it is booked there no longer.
    """
    done = move(
        session,
        appointment_id=appointment_id,
        event="move",
        actor=actor,
        now=now,
        only_if=Appointment.slot_id == former_slot_id,
        slot_id=slot.id,
        schedule_id=slot.schedule_id,
        organization_id=slot.organization_id,
        starts_at=slot.starts_at,
        **values,
    )
    set_slot(session, former_slot_id, SlotStatus.FREE)
    freed.note_slot(session, former_slot_id, now=now)
    return done


def _status(session: Session, appointment_id: int, transition: Transition) -> A:
    """The status to start from: read only where the event has several. Raises NotFound, AlreadyChanged."""
    if len(transition.source) == 1:
        return next(iter(transition.source))
    status = session.scalar(select(Appointment.status).where(Appointment.id == appointment_id))
    if status is None:
        raise NotFound()
    if status not in transition.source:
        raise AlreadyChanged(status=status)
    return status


def let_go(
    session: Session, *, appointment_id: int, slot_id: int, now: dt.datetime, only_if: Any
) -> bool:
    """Free the place of a rejected appointment whose undo minute is over. False if it kept none."""
    won = changed_rows(
        session,
        update(Appointment)
        .where(Appointment.id == appointment_id, Appointment.keeps_slot, only_if)
        .values(keeps_slot=False),
    )
    if won:
        set_slot(session, slot_id, SlotStatus.FREE)
        _give_referral_back(session, appointment_id)
        freed.note_slot(session, slot_id, now=now)
    return bool(won)


def _give_referral_back(session: Session, appointment_id: int) -> None:
    """What a booking has used up (C14) goes where its place goes: back."""
    with widened(session, "a referral belongs to its booking"):
        changed_rows(
            session,
            update(Referral)
            .where(Referral.appointment_id == appointment_id)
            .values(appointment_id=None),
        )


def _remember(
    session: Session,
    appointment_id: int,
    event: str,
    change: tuple[A | None, A],
    actor: Actor,
    now: dt.datetime,
) -> None:
    session.add(
        AppointmentEvent(
            appointment_id=appointment_id,
            at=now,
            event=event,
            from_status=change[0],
            to_status=change[1],
            actor_kind=actor.kind,
            actor_id=actor.id,
        )
    )
