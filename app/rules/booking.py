"""Holding, confirming, releasing and cancelling a place. Lock order: person, then slot."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.crypto import blind_index
from app.models.donation_type import DonationType
from app.models.enums import (
    ActorKind,
    AppointmentStatus,
    Channel,
    Confirmation,
    MessageKind,
    ScheduleStatus,
    SlotStatus,
)
from app.models.organization import Organization
from app.models.person import Person
from app.models.policy import BookingPolicy
from app.models.schedule import Schedule, Slot
from app.models.scope import widened
from app.rules import audit, facts, outbox, policies, transitions
from app.rules.actor import SYSTEM, Actor
from app.rules.eligibility import CLOSED, Refusal, blocking, check
from app.rules.errors import (
    N_,
    AlreadyChanged,
    HoldEnded,
    NoMoreExtensions,
    NoPlaces,
    NotFound,
    Refused,
    RuleError,
    Taken,
    TooManyHolds,
)

A = AppointmentStatus


class TooLateToCancel(RuleError):
    code = "too_late_to_cancel"
    text = N_(
        "The visit has begun or is over: it can no longer be cancelled here. Phone the centre, please."
    )


@dataclass(frozen=True)
class Day:
    """A donor day with what a decision about it needs."""

    schedule: Schedule
    organization: Organization
    donation_type: DonationType
    policy: BookingPolicy


def day_of(session: Session, *, schedule_id: int, now: dt.datetime) -> Day:
    """Raises NotFound if the day is not published or not yours."""
    row = session.execute(
        select(Schedule, Organization, DonationType)
        .join(Organization, Organization.id == Schedule.organization_id)
        .join(DonationType, DonationType.id == Schedule.donation_type_id)
        .where(Schedule.id == schedule_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    schedule, organization, donation_type = row
    policy = policies.effective(
        session,
        tenant_id=schedule.tenant_id,
        now=now,
        organization_id=organization.id,
        donation_type_id=donation_type.id,
    )
    return Day(schedule, organization, donation_type, policy)


def refusals(
    session: Session,
    day: Day,
    *,
    person_id: int,
    now: dt.datetime,
    starts_at: dt.datetime | None = None,
    ignore_appointment_id: int | None = None,
) -> list[Refusal]:
    """Why this person may not book this day (or this place of it), from facts loaded now."""
    slot_facts = facts.of_schedule(
        day.schedule,
        day.organization,
        day.donation_type.kind,
        pause=facts.pauses(session, now=now).of(day.schedule),
        starts_at=starts_at,
    )
    numbers = policies.medical_numbers(
        session, tenant_id=day.schedule.tenant_id, on=day.schedule.date
    )
    return check(
        facts.of_person(session, person_id),
        slot_facts,
        policy=day.policy,
        numbers=numbers,
        now=now,
        ignore_appointment_id=ignore_appointment_id,
    )


def lock_person(session: Session, person_id: int) -> None:
    """Rules about one person run after this. (On SQLite the one writer is the lock.)"""
    found = session.scalar(select(Person.id).where(Person.id == person_id).with_for_update())
    if found is None:
        raise NotFound()


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
    query = select(Slot).where(Slot.schedule_id == schedule_id, Slot.channel == Channel.WEB)
    if slot_id is not None:
        query = query.where(Slot.id == slot_id)
    else:
        query = query.where(Slot.starts_at == starts_at).order_by(Slot.place).limit(1)
    slot = session.scalars(query).first()
    if slot is None:
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
    held = _own(session, appointment_id)
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


def confirm(
    session: Session, *, appointment_id: int, actor: Actor, now: dt.datetime
) -> Appointment:
    """Held → «На утверждении», or booked at once by policy. Saying it again returns the same booking.

    Raises HoldEnded when the time is over, Refused when a rule has come to stand against it.
    """
    session.execute(
        select(Person.id)
        .where(
            Person.id
            == select(Appointment.person_id)
            .where(Appointment.id == appointment_id)
            .scalar_subquery()
        )
        .with_for_update()
    )
    first = _whole(session, appointment_id)
    if first.status in (A.PENDING, A.BOOKED, A.PROPOSED):
        return first
    if first.status is not A.HELD or first.hold_until is None or first.hold_until <= now:
        raise _gone(session, first)
    day = Day(first.schedule, first.organization, first.donation_type, first.policy)
    blocked = blocking(
        refusals(session, day, person_id=first.person_id, now=now, starts_at=first.starts_at)
    )
    if blocked:
        raise Refused(blocked)
    approval = first.policy.confirmation is Confirmation.APPROVAL
    try:
        done = transitions.move(
            session,
            appointment_id=appointment_id,
            event="confirm_to_pending" if approval else "confirm_to_booked",
            actor=actor,
            now=now,
            only_if=Appointment.hold_until > now,
            requested_at=now,
            hold_until=None,
            held_from=None,
            decide_by=min(
                now + dt.timedelta(hours=first.policy.decide_within_hours), first.starts_at
            )
            if approval
            else None,
        )
    except AlreadyChanged as error:
        raise _gone(session, first) from error
    audit.record(session, verb="booking.request", subject=done, actor=actor, now=now, changes={})
    if approval:
        outbox.tell(
            session,
            done,
            MessageKind.REQUEST_RECEIVED,
            now=now,
            useless_after=done.starts_at,
            account_id=actor.id if actor.kind is ActorKind.ACCOUNT else None,
        )
    else:
        announce_booked(session, done, now=now, run_at=now)
    return done


def _gone(session: Session, held: Appointment) -> RuleError:
    """Why a held place is no more: the day was closed under it, or the time to confirm is over."""
    day = session.scalar(select(Schedule.status).where(Schedule.id == held.schedule_id))
    return Refused([CLOSED]) if day is ScheduleStatus.CLOSED else HoldEnded()


def announce_booked(
    session: Session, appointment: Appointment, *, now: dt.datetime, run_at: dt.datetime
) -> None:
    """The letter with the ticket, and the reminder."""
    outbox.tell(
        session,
        appointment,
        MessageKind.APPROVED,
        now=now,
        run_at=run_at,
        useless_after=appointment.starts_at,
    )
    remind_at = appointment.starts_at - dt.timedelta(hours=appointment.policy.remind_hours_before)
    if remind_at > now:
        outbox.tell(
            session,
            appointment,
            MessageKind.REMINDER,
            now=now,
            run_at=remind_at,
            useless_after=appointment.starts_at,
        )


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
        return _own(session, appointment_id)


def cancel(
    session: Session,
    *,
    appointment_id: int,
    actor: Actor,
    now: dt.datetime,
    comment: str = "",
    kind: MessageKind | None = None,
) -> Appointment:
    """Give the place back, by the donor (A31) or by staff (with a word of why).

    Raises TooLateToCancel once the time has come, AlreadyChanged if it is not live any more.
    """
    live = _own(session, appointment_id)
    if live.starts_at <= now:
        raise TooLateToCancel()
    done = transitions.move(
        session,
        appointment_id=appointment_id,
        event="cancel",
        actor=actor,
        now=now,
        ended_at=now,
        ended_by=actor.kind,
        comment=comment[:2000],
    )
    if kind is None:
        by_staff = actor.kind is ActorKind.STAFF
        kind = MessageKind.CANCELLED_BY_STAFF if by_staff else MessageKind.CANCELLED_BY_DONOR
    audit.record(session, verb="booking.cancel", subject=done, actor=actor, now=now, changes={})
    outbox.withdraw(
        session,
        appointment_id=done.id,
        kinds=(MessageKind.APPROVED, MessageKind.REMINDER, MessageKind.REQUEST_RECEIVED),
        now=now,
    )
    outbox.tell(session, done, kind, now=now)
    return done


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


def expire_undecided(session: Session, *, now: dt.datetime, limit: int = 200) -> int:
    """Requests whose time has come without a decision end, with a letter. How many."""
    late = session.scalars(
        select(Appointment.id)
        .where(Appointment.status == A.PENDING, Appointment.starts_at <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for appointment_id in late:
        done = transitions.move(
            session,
            appointment_id=appointment_id,
            event="expire",
            actor=SYSTEM,
            now=now,
            ended_at=now,
            ended_by=SYSTEM.kind,
        )
        outbox.tell(session, done, MessageKind.EXPIRED, now=now)
    return len(late)


def _whole(session: Session, appointment_id: int) -> Appointment:
    """The appointment as it stands now, with all that a decision about it reads, in one query."""
    whole = session.scalars(
        select(Appointment)
        .options(
            joinedload(Appointment.schedule),
            joinedload(Appointment.organization),
            joinedload(Appointment.donation_type),
            joinedload(Appointment.policy),
        )
        .where(Appointment.id == appointment_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if whole is None:
        raise NotFound()
    return whole


def _own(session: Session, appointment_id: int) -> Appointment:
    appointment = session.get(Appointment, appointment_id)
    if appointment is None:
        raise NotFound()
    return appointment
