"""Keeping a place for a person who is choosing, for some minutes. Lock order: person, then slot."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.crypto import blind_index
from app.models.enums import AppointmentStatus, Channel, SlotStatus
from app.models.policy import BookingPolicy
from app.models.schedule import Slot
from app.models.scope import widened
from app.rules import transitions
from app.rules.actor import SYSTEM, Actor
from app.rules.booking import day_of, lock_person, own, refusals
from app.rules.eligibility import blocking
from app.rules.errors import (
    AlreadyChanged,
    HoldEnded,
    NoMoreExtensions,
    NoPlaces,
    NotFound,
    Refused,
    Taken,
    TooManyHolds,
)

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
    lock_person(session, person_id)
    day = day_of(session, schedule_id=schedule_id, now=now)
    former = session.scalars(
        select(Appointment)
        .options(joinedload(Appointment.slot))
        .where(Appointment.person_id == person_id, Appointment.status == A.HELD)
    ).all()
    for held in former:
        same_place = held.slot_id == slot_id or (
            slot_id is None and (held.schedule_id, held.starts_at) == (schedule_id, starts_at)
        )
        if same_place and held.hold_until is not None and held.hold_until > now:
            return held
    slot = _chosen(session, schedule_id, slot_id, starts_at)
    blocked = blocking(
        refusals(session, day, person_id=person_id, now=now, starts_at=slot.starts_at)
    )
    if blocked:
        raise Refused(blocked)
    held_from = blind_index("address", address) if address else None
    if held_from is not None:
        _limit_holds(session, held_from, day.policy, now)
    slot_id = _take(session, slot, any_place=slot_id is None, now=now)
    for held in former:  # after the new place is won: two donors who swap never wait for each other
        release(session, appointment_id=held.id, actor=actor, now=now)
    appointment = Appointment(
        organization_id=day.schedule.organization_id,
        tenant_id=day.schedule.tenant_id,
        person_id=person_id,
        slot_id=slot_id,
        schedule_id=schedule_id,
        donation_type_id=day.schedule.donation_type_id,
        policy_id=day.policy.id,
        status=A.HELD,
        keeps_slot=True,
        starts_at=slot.starts_at,
        created_at=now,
        hold_until=now + dt.timedelta(minutes=day.policy.hold_minutes),
        held_from=held_from,
    )
    transitions.start(session, appointment, actor=actor, now=now)
    return appointment


def _chosen(
    session: Session, schedule_id: int, slot_id: int | None, starts_at: dt.datetime | None
) -> Slot:
    """What is asked for. Whether it is still free is decided by the statement that takes it."""
    if slot_id is not None:
        slot = session.get(Slot, slot_id)
    else:
        slot = session.scalars(
            select(Slot)
            .where(Slot.schedule_id == schedule_id, Slot.channel == Channel.WEB)
            .where(Slot.starts_at == starts_at)
            .order_by(Slot.place)
            .limit(1)
        ).first()
    if slot is None or slot.schedule_id != schedule_id or slot.channel is not Channel.WEB:
        raise NotFound()
    return slot


def _take(session: Session, slot: Slot, *, any_place: bool, now: dt.datetime) -> int:
    """The id of the place won. Stale holds on it are released first, so that a dead tab blocks nobody."""
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
            transitions.let_go(session, appointment_id=row.id, slot_id=row.slot_id, only_if=done)
            for row in rejected
        )
    return len(stale) + freed
