"""Confirming and cancelling a booking, and what stands against one. Holding is in app.rules.holding.

Lock order: person, then slot.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.models.appointment import Appointment
from app.models.donation_type import DonationPause
from app.models.enums import (
    ActorKind,
    AppointmentStatus,
    Channel,
    Confirmation,
    MessageKind,
    ScheduleStatus,
)
from app.models.person import Person
from app.models.schedule import Schedule
from app.rules import (
    announcing,
    audit,
    codes,
    confirming,
    consents,
    facts,
    hospital_link,
    outbox,
    policies,
    transitions,
    visit_checks,
)
from app.rules.actor import SYSTEM, Actor
from app.rules.donor_day import Day, pause_of
from app.rules.eligibility import CLOSED, Refusal, blocking, check
from app.rules.errors import (
    N_,
    AlreadyChanged,
    HoldEnded,
    NotFound,
    Refused,
    RuleError,
)
from app.rules.known import PersonFacts

A = AppointmentStatus
EVENTS = {
    Confirmation.NONE: "confirm_to_booked",
    Confirmation.APPROVAL: "confirm_to_pending",
    Confirmation.CODE: "propose",
    Confirmation.APPROVAL_CODE: "confirm_to_pending",
}
"""What confirming a held place does, by policy. The desk books at once: it speaks with the person."""
DECIDED = (Confirmation.APPROVAL, Confirmation.APPROVAL_CODE)
"""Policies under which the organization decides (app.rules.approval)."""


class TooLateToCancel(RuleError):
    code = "too_late_to_cancel"
    text = N_(
        "The visit has begun or is over: it can no longer be cancelled here. Phone the centre, please."
    )


def refusals(
    session: Session,
    day: Day,
    person: PersonFacts,
    *,
    now: dt.datetime,
    starts_at: dt.datetime | None = None,
) -> list[Refusal]:
    """Why this person may not book this day (or this place of it), by facts loaded just now."""
    slot_facts = facts.of_schedule(
        day.schedule,
        day.organization,
        day.donation_type.kind,
        pause=day.pause,
        starts_at=starts_at,
    )
    numbers = policies.NO_NUMBERS  # intervals and limits are counted from donations
    if person.donations:
        numbers = policies.medical_numbers(
            session, tenant_id=day.schedule.tenant_id, on=day.schedule.date
        )
    return check(
        person,
        slot_facts,
        policy=day.policy,
        numbers=numbers,
        now=now,
    )


def lock_person(session: Session, person_id: int) -> None:
    """Rules about one person run after this. Rows that only name him, as a log's, do not wait for it."""
    found = session.scalar(
        select(Person.id).where(Person.id == person_id).with_for_update(key_share=True)
    )
    if found is None:
        raise NotFound()


def lock_person_of(session: Session, appointment_id: int) -> None:
    """The same for whoever made this appointment, in one statement."""
    whose = select(Appointment.person_id).where(Appointment.id == appointment_id).scalar_subquery()
    session.execute(select(Person.id).where(Person.id == whose).with_for_update(key_share=True))


def confirm(
    session: Session, *, appointment_id: int, actor: Actor, now: dt.datetime
) -> Appointment:
    """Held → «На утверждении», or booked at once by policy. Saying it again returns the same booking.

    Raises HoldEnded when the time is over, Refused when a rule has come to stand against it, LinkLost.
    """
    lock_person_of(session, appointment_id)
    first, pause = whole(session, appointment_id, now)
    return confirm_locked(session, first, pause, person_id=first.person_id, actor=actor, now=now)


def confirm_locked(
    session: Session,
    first: Appointment,
    pause: DonationPause | None,
    *,
    person_id: int | None,
    known: visit_checks.Visits | None = None,
    from_cabinet: bool = False,
    actor: Actor,
    now: dt.datetime,
) -> Appointment:
    """The same for what ``whole`` has read since the person was locked.

    ``person_id``: whose it is from now on, if only its browser was known; ``known``: that person's visits, read
    under the lock too; ``from_cabinet``: booked by an account that keeps this card, which is asked for no
    code unless its policy sends SMS to accounts (E53). Somebody else's is HoldEnded.
    """
    if first.status in (A.PENDING, A.BOOKED, A.PROPOSED):
        return first
    if first.status is not A.HELD or first.hold_until is None or first.hold_until <= now:
        raise _gone(session, first)
    if person_id is None:
        raise NotFound()  # nobody has said who he is
    consents.demand(session, policy=first.policy, person_id=person_id, actor=actor)
    if first.schedule.role_id is not None and first.channel is Channel.WEB:
        hospital_link.demand(session, first.organization, slot=first.slot, actor=actor, now=now)
    day = Day(first.schedule, first.organization, first.donation_type, first.policy, pause)
    known = visit_checks.known_for(session, day, person_id, known)
    blocked = blocking(_against(session, day, first, person_id, known, now))
    if blocked:
        raise Refused(blocked)
    mode = confirming.mode_of(first, from_cabinet=from_cabinet)
    values: dict[str, Any] = {"requested_at": now, "hold_until": None, "held_from": None}
    mine: ColumnElement[bool] = Appointment.hold_until > now
    if first.person_id != person_id:
        values["person_id"] = person_id
        mine = and_(mine, Appointment.person_id.is_(None))
    if mode in DECIDED:
        decide_by = now + dt.timedelta(hours=first.policy.decide_within_hours)
        values["decide_by"] = min(decide_by, first.starts_at)
    elif mode is Confirmation.CODE:
        values |= codes.first(first, now=now)
    try:
        done = transitions.move(
            session,
            appointment_id=first.id,
            event=EVENTS[mode],
            actor=actor,
            now=now,
            only_if=mine,
            **values,
        )
    except AlreadyChanged as error:
        raise _gone(session, first) from error
    visit_checks.use_referral(session, day, done, known)
    audit.record(session, verb="booking.request", subject=done, actor=actor, now=now, changes={})
    if mode in DECIDED:
        outbox.tell(
            session,
            done,
            MessageKind.REQUEST_RECEIVED,
            now=now,
            useless_after=done.starts_at,
            account_id=actor.id if actor.kind is ActorKind.ACCOUNT else None,
        )
    elif mode is Confirmation.CODE:
        outbox.tell_by_sms(session, done, MessageKind.CONFIRM_CODE, now=now)
    else:
        announcing.announce_booked(session, done, now=now, run_at=now)
    return done


def _against(
    session: Session,
    day: Day,
    row: Appointment,
    person_id: int,
    known: visit_checks.Visits | None,
    now: dt.datetime,
) -> list[Refusal]:
    if known is not None:
        return visit_checks.check_booking(day, known, row, now=now)
    person = facts.of_person(session, person_id)
    return refusals(session, day, person, now=now, starts_at=row.starts_at)


def _gone(session: Session, held: Appointment) -> RuleError:
    """Why a held place is no more: the day was closed under it, or the time to confirm is over."""
    day = session.scalar(select(Schedule.status).where(Schedule.id == held.schedule_id))
    return Refused([CLOSED]) if day is ScheduleStatus.CLOSED else HoldEnded()


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
    live = own(session, appointment_id)
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
        kinds=(
            MessageKind.APPROVED,
            MessageKind.VISIT_APPROVED,
            MessageKind.REMINDER,
            MessageKind.VISIT_REMINDER,
            MessageKind.REQUEST_RECEIVED,
        ),
        now=now,
    )
    outbox.tell(session, done, kind, now=now)
    return done


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
        day = now + dt.timedelta(days=1)
        outbox.tell(session, done, MessageKind.EXPIRED, now=now, useless_after=day)
    return len(late)


def whole(
    session: Session, appointment_id: int, now: dt.datetime
) -> tuple[Appointment, DonationPause | None]:
    """The appointment as it stands now, with all that a decision about it reads, in one query.

    Raises NotFound.
    """
    row = session.execute(
        select(Appointment, DonationPause)
        .join(Appointment.schedule)
        .outerjoin(DonationPause, DonationPause.id == pause_of(now))
        .options(
            contains_eager(Appointment.schedule).joinedload(Schedule.role),
            joinedload(Appointment.slot),
            joinedload(Appointment.organization),
            joinedload(Appointment.donation_type),
            joinedload(Appointment.policy),
        )
        .where(Appointment.id == appointment_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row[0], row[1]


def own(session: Session, appointment_id: int) -> Appointment:
    """An appointment that this session's scope may see. Raises NotFound."""
    appointment = session.get(Appointment, appointment_id)
    if appointment is None:
        raise NotFound()
    return appointment
