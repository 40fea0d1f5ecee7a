"""Keeping a place for a person who is choosing, for some minutes. Lock order: person, then slot."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.crypto import blind_index
from app.models.enums import AppointmentStatus, Channel, ScheduleStatus, SlotStatus
from app.models.policy import BookingPolicy
from app.models.schedule import Slot
from app.models.scope import widened
from app.rules import hospital_link, transitions
from app.rules.actor import SYSTEM, Actor
from app.rules.against import stand
from app.rules.booking import lock_person, own
from app.rules.donor_day import Choice, choice_of
from app.rules.eligibility import blocking
from app.rules.errors import (
    AlreadyChanged,
    HoldEnded,
    NoMoreExtensions,
    NoPlaces,
    Refused,
    Taken,
    TooManyHolds,
)
from app.rules.held_place import held_place
from app.rules.known import HeldFact

A = AppointmentStatus


def hold(
    session: Session,
    *,
    person_id: int,
    schedule_id: int,
    actor: Actor,
    now: dt.datetime,
    slot_id: int | None = None,
    starts_at: dt.datetime | None = None,
    address: str = "",
) -> Appointment:
    """Keep one place for this person for some minutes: the slot itself, or any at ``starts_at``.

    Choosing again lets the former choice go; choosing the same place again returns the same hold.
    Raises Refused, Taken, NoPlaces, TooManyHolds, NotFound.
    """
    choice = choice_of(
        session, now=now, schedule_id=schedule_id, slot_id=slot_id, starts_at=starts_at
    )
    return keep(session, choice, person_id=person_id, actor=actor, now=now, address=address)


def keep(
    session: Session,
    choice: Choice,
    *,
    person_id: int | None,
    actor: Actor,
    now: dt.datetime,
    address: str = "",
    holder: bytes | None = None,
    channel: Channel = Channel.WEB,
    service_id: int | None = None,
) -> Appointment:
    """The same for a choice read already. What it says of the place may be old: the taking decides.

    Without ``person_id`` it is kept for whoever has ``holder`` (app.rules.patients); by the desk on
    somebody's behalf it is kept with its ``channel`` (app.rules.desk). ``service_id``: what is wanted, where the sitting
    is for anything. Raises also LinkLost.
    """
    day, slot = choice.day, choice.slot
    if day.schedule.role_id is not None and channel is Channel.WEB:
        hospital_link.demand(session, day.organization, slot=slot, actor=actor, now=now)
    mine = Appointment.person_id == person_id if person_id else Appointment.holder == holder
    if slot.status is not SlotStatus.FREE and _is_lost(session, choice, mine, now):
        raise NoPlaces() if choice.any_place else Taken()
    if person_id is not None:
        lock_person(session, person_id)
    kept, against = stand(
        session,
        choice,
        person_id=person_id,
        holder=holder,
        now=now,
        at_desk=channel is Channel.DESK,
        service_id=service_id,
    )
    for former in kept:
        if _is_same(former, choice) and former.hold_until is not None and former.hold_until > now:
            return own(session, former.appointment_id)
    blocked = blocking(against)
    if blocked:
        raise Refused(blocked)
    held_from = blind_index("address", address) if address else None
    if held_from is not None:
        _limit_holds(session, held_from, day.policy, now)
    slot_id = take(session, slot, any_place=choice.any_place, now=now)
    for former in kept:  # after the new place is won: two who swap never wait for each other
        release(session, appointment_id=former.appointment_id, actor=actor, now=now)
    appointment = held_place(
        choice,
        slot_id,
        person_id=person_id,
        until=now + dt.timedelta(minutes=day.policy.hold_minutes),
        now=now,
        channel=channel,
        service_id=service_id,
        holder=holder,
        held_from=held_from,
    )
    transitions.start(session, appointment, actor=actor, now=now)
    return appointment


def _is_lost(session: Session, choice: Choice, mine: ColumnElement[bool], now: dt.datetime) -> bool:
    """Is there nothing to wait for? Somebody else has it, and no stale hold is among them.

    In a rush nearly everybody hears this, so it is asked before anything is locked or reckoned.
    """
    if choice.day.schedule.status is not ScheduleStatus.PUBLISHED:
        return False  # that is the better reason
    here = Appointment.slot_id == choice.slot.id
    if choice.any_place:
        here = and_(
            Appointment.schedule_id == choice.day.schedule.id,
            Appointment.starts_at == choice.slot.starts_at,
        )
    with widened(session, "whose the place is"):
        hopeful = session.scalar(
            select(Appointment.id)
            .where(
                here,
                Appointment.keeps_slot,
                or_(
                    mine,
                    and_(Appointment.status == A.HELD, Appointment.hold_until <= now),
                    and_(Appointment.status == A.REJECTED, Appointment.undo_until <= now),
                ),
            )
            .limit(1)
        )
    return hopeful is None


def _is_same(former: HeldFact, choice: Choice) -> bool:
    """Is what this person holds already the very thing now chosen?"""
    if choice.any_place:
        wanted = (choice.day.schedule.id, choice.slot.starts_at)
        return (former.schedule_id, former.starts_at) == wanted
    return former.slot_id == choice.slot.id


def take(session: Session, slot: Slot, *, any_place: bool, now: dt.datetime) -> int:
    """The id of the place won. Stale holds on it are released first, so that a dead tab blocks nobody.

    Raises Taken, NoPlaces.
    """
    if not any_place:
        if transitions.take_slot(session, slot_id=slot.id):
            return slot.id
        if release_stale(session, now=now, slot_id=slot.id) and transitions.take_slot(
            session, slot_id=slot.id
        ):
            return slot.id
        raise Taken()
    free = (
        select(Slot.id)
        .where(
            Slot.schedule_id == slot.schedule_id,
            Slot.starts_at == slot.starts_at,
            Slot.channel == Channel.WEB,
            Slot.status == SlotStatus.FREE,
        )
        .order_by(Slot.place)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    for attempt in range(2):
        found = session.scalar(free)
        if found is not None and transitions.take_slot(session, slot_id=found):
            return found
        if attempt or not release_stale(
            session, now=now, schedule_id=slot.schedule_id, starts_at=slot.starts_at
        ):
            break
    raise NoPlaces()


def _limit_holds(
    session: Session, held_from: bytes, policy: BookingPolicy, now: dt.datetime
) -> None:
    """Nobody can freeze a clinic from one address."""
    with widened(session, "counting holds of an address"):
        count = session.scalar(
            select(func.count()).where(
                Appointment.status == A.HELD,
                Appointment.hold_until > now,
                Appointment.held_from == held_from,
            )
        )
    if (count or 0) >= policy.holds_per_address:
        raise TooManyHolds()


def extend(session: Session, *, appointment_id: int, actor: Actor, now: dt.datetime) -> Appointment:
    """Keep the held place for another while (look.md: «Продлить»). Raises HoldEnded, NoMoreExtensions."""
    held = own(session, appointment_id)
    if held.status is not A.HELD or held.hold_until is None or held.hold_until <= now:
        raise HoldEnded()
    if held.hold_extended >= held.policy.hold_extensions:
        raise NoMoreExtensions()
    until = now + dt.timedelta(minutes=held.policy.hold_minutes)
    if not transitions.changed_rows(
        session,
        update(Appointment)
        .where(
            Appointment.id == appointment_id,
            Appointment.status == A.HELD,
            Appointment.hold_until > now,
            Appointment.hold_extended == held.hold_extended,
        )
        .values(hold_until=until, hold_extended=held.hold_extended + 1),
    ):
        raise HoldEnded()
    session.refresh(held)
    return held


def release(
    session: Session, *, appointment_id: int, actor: Actor, now: dt.datetime
) -> Appointment:
    """Let a held place go («Закрыть»). Letting go of what is not held any more changes nothing."""
    try:
        return transitions.move(
            session,
            appointment_id=appointment_id,
            event="release",
            actor=actor,
            now=now,
            hold_until=None,
            held_from=None,
            ended_at=now,
            ended_by=actor.kind,
        )
    except AlreadyChanged:
        return own(session, appointment_id)


def release_stale(
    session: Session,
    *,
    now: dt.datetime,
    slot_id: int | None = None,
    schedule_id: int | None = None,
    starts_at: dt.datetime | None = None,
    limit: int = 200,
) -> int:
    """Release holds whose time is over (everywhere, or on one place or time) and free what rejected
    requests still keep after their undo minute. How many."""
    with widened(session, "stale holds are nobody's"):
        places = []
        if slot_id is not None:
            places.append(Appointment.slot_id == slot_id)
        if schedule_id is not None:
            places += [Appointment.schedule_id == schedule_id, Appointment.starts_at == starts_at]
        over = Appointment.hold_until <= now
        stale = session.scalars(
            select(Appointment.id)
            .where(Appointment.status == A.HELD, over, *places)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        for appointment_id in stale:
            transitions.move(
                session,
                appointment_id=appointment_id,
                event="release",
                actor=SYSTEM,
                now=now,
                only_if=over,
                held_from=None,
                ended_at=now,
                ended_by=SYSTEM.kind,
            )
        done = Appointment.undo_until <= now
        rejected = session.execute(
            select(Appointment.id, Appointment.slot_id)
            .where(Appointment.status == A.REJECTED, Appointment.keeps_slot, done, *places)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        freed = sum(
            transitions.let_go(
                session, appointment_id=row.id, slot_id=row.slot_id, now=now, only_if=done
            )
            for row in rejected
        )
    return len(stale) + freed
