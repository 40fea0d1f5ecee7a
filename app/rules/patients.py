"""A patient's booking on the one engine: what stands against it, and who is holding before saying who he is.

Holding, confirming and cancelling are app.rules.holding and app.rules.booking; here is only what a
practitioner's sitting has of its own. A place may be held by a browser (its token's blind index) until
its owner has said who he is (row B9); then it is held by that person.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.models.appointment import Appointment
from app.models.directory import Practitioner, PractitionerRole
from app.models.enums import AppointmentStatus, Channel, ScheduleStatus
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.models.schedule import Schedule, Slot
from app.models.scope import widened
from app.rules import holding, transitions, visit_rights
from app.rules.actor import Actor
from app.rules.booking import lock_person
from app.rules.directory import taking_patients
from app.rules.donor_day import Choice, Day
from app.rules.eligibility import Refusal, blocking
from app.rules.errors import HoldEnded, NotFound, Refused
from app.rules.guests import holder_of, one_after_another
from app.rules.policies import NoPolicy
from app.rules.policy_query import policy_of_visit, service_of
from app.rules.visit_checks import Visits, check, visits_of, with_rights

A = AppointmentStatus
NOBODY_YET = "a patient who has not said who he is"


def choice_of(
    session: Session,
    *,
    slot_uid: uuid.UUID,
    now: dt.datetime,
    service: uuid.UUID | None = None,
    at_desk: bool = False,
) -> Choice:
    """A time of a practitioner on the site, free or not; the desk has its own times too.

    The site has none of a practitioner or an institution that is switched off: its pages are not there.
    ``service``: what is wanted of the practitioner, where the sitting is for any of his; it may have a
    policy of its own. Raises NotFound, NoPolicy.
    """
    shown = (taking_patients(), PractitionerRole.is_active, Practitioner.is_active)
    service_id = service_of(service)
    row = session.execute(
        select(Slot, Schedule, Organization, BookingPolicy, service_id.label("service_id"))
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .join(Organization, Organization.id == Schedule.organization_id)
        .join(Schedule.role)
        .join(PractitionerRole.practitioner)
        .outerjoin(BookingPolicy, BookingPolicy.id == policy_of_visit(now, service_id))
        .options(
            contains_eager(Schedule.role).contains_eager(PractitionerRole.practitioner),
        )
        .where(
            Slot.uid == slot_uid,
            Slot.channel.in_((Channel.WEB, Channel.DESK) if at_desk else (Channel.WEB,)),
            Schedule.status != ScheduleStatus.DRAFT,
            *(() if at_desk else shown),
        )
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    if row.BookingPolicy is None:
        raise NoPolicy()
    day = Day(row.Schedule, row.Organization, row.Schedule.donation_type, row.BookingPolicy)
    return Choice(day, row.Slot, any_place=False, service_id=row.service_id)


def hold(
    session: Session,
    *,
    slot_uid: uuid.UUID,
    token: str,
    actor: Actor,
    now: dt.datetime,
    address: str = "",
    service: uuid.UUID | None = None,
    choice: Choice | None = None,
    person_id: int | None = None,
) -> Appointment:
    """Keep a time for the browser that bears ``token``; choosing again lets the former one go.

    ``person_id``: for whom, where that is known: whom the policy does not let book there is told so at once.

    ``service``: what is wanted of the practitioner, where the sitting is for any of his. ``choice``: the
    time as ``choice_of`` has read it in this transaction, for that service. Raises Refused, Taken, TooManyHolds, NotFound.
    """
    holder = holder_of(token)
    with widened(session, NOBODY_YET):
        choice = choice or choice_of(session, slot_uid=slot_uid, now=now, service=service)
        one_after_another(session, holder)
        _demand_rights(session, choice, person_id)
        row = holding.keep(
            session,
            choice,
            person_id=None,
            holder=holder,
            actor=actor,
            now=now,
            address=address,
            service_id=choice.service_id,
        )
        if row.service_id != choice.service_id:  # the same time chosen again, for something else
            row.service_id, row.policy = choice.service_id, choice.day.policy
        return row


def may_book(
    session: Session, choice: Choice, person_ids: Collection[int]
) -> dict[int, list[Refusal]]:
    """Card → what attachment and referral say against this time: for a whole family, three queries or none.

    The rest is asked when the time is booked.
    """
    policy, role = choice.day.policy, choice.day.schedule.role
    if not visit_rights.asked(policy):
        return {person_id: [] for person_id in person_ids}
    known = visit_rights.of_people(session, person_ids, [role.id])
    on = visit_rights.day_there(choice.slot.starts_at, choice.day.organization)
    return {
        person_id: visit_rights.check(policy, role, rights, on=on, service_id=choice.service_id)
        for person_id, rights in known.items()
    }


def _demand_rights(session: Session, choice: Choice, person_id: int | None) -> None:
    """Raises Refused."""
    against = may_book(session, choice, [person_id])[person_id] if person_id is not None else []
    if against:
        raise Refused(against)


def held(session: Session, *, token: str, now: dt.datetime) -> Appointment | None:
    """What this browser is holding, said to be somebody's or not yet."""
    with widened(session, NOBODY_YET):
        return session.scalars(
            select(Appointment)
            .options(joinedload(Appointment.organization))
            .where(
                Appointment.holder == holder_of(token),
                Appointment.status == A.HELD,
                Appointment.hold_until > now,
            )
            .order_by(Appointment.id.desc())
            .limit(1)
        ).first()


def name(
    session: Session,
    *,
    appointment_id: int,
    token: str,
    person_id: int,
    actor: Actor,
    now: dt.datetime,
) -> Appointment:
    """The held place is this person's from now on; what else the person held is let go.

    Raises Refused, HoldEnded, and NotFound for what this browser does not hold.
    """
    with widened(session, NOBODY_YET):
        lock_person(session, person_id)
        row = session.scalars(
            select(Appointment)
            .join(Appointment.schedule)
            .options(contains_eager(Appointment.schedule))
            .where(Appointment.id == appointment_id, Appointment.holder == holder_of(token))
            .execution_options(populate_existing=True)
        ).one_or_none()
        if row is None:
            raise NotFound()
        known = with_rights(
            session,
            visits_of(session, person_id=person_id),
            policy=row.policy,
            person_id=person_id,
            role_id=row.schedule.role_id,
        )
        against = check(
            Day(row.schedule, row.organization, row.donation_type, row.policy),
            known,
            starts_at=row.starts_at,
            minutes=row.slot.minutes or 0,
            now=now,
            service_id=row.service_id,
        )
        if blocking(against):
            raise Refused(blocking(against))
        named = update(Appointment).where(
            Appointment.id == appointment_id,
            Appointment.status == A.HELD,
            Appointment.hold_until > now,
            or_(Appointment.person_id.is_(None), Appointment.person_id == person_id),
        )
        if not transitions.changed_rows(session, named.values(person_id=person_id)):
            raise HoldEnded()
        let_others_go(session, known, kept=appointment_id, actor=actor, now=now)
        session.refresh(row)
        return row


def let_others_go(
    session: Session, known: Visits, *, kept: int, actor: Actor, now: dt.datetime
) -> None:
    """Whatever else the person held, in whatever browser, is free again: one place at a time."""
    for former in known.held:
        if former.appointment_id != kept:
            holding.release(session, appointment_id=former.appointment_id, actor=actor, now=now)
