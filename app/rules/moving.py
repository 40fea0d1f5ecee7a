"""Moving a visit to another free time (B16, and B17's engine): one transaction, the same ticket.

The new time is asked by the same rules as a new booking; the visit itself does not stand against it.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.models.appointment import Appointment
from app.models.enums import AppointmentStatus, MessageKind
from app.models.schedule import Schedule
from app.models.scope import widened
from app.rules import (
    announcing,
    audit,
    booking,
    desk,
    holding,
    hospital_link,
    outbox,
    patients,
    transitions,
    visit_checks,
)
from app.rules.actor import Actor
from app.rules.clock import local
from app.rules.donor_day import Choice
from app.rules.eligibility import Refusal, blocking
from app.rules.errors import N_, AlreadyChanged, NotFound, Refused, RuleError

A = AppointmentStatus
OUTDATED = (
    MessageKind.APPROVED,
    MessageKind.REMINDER,
    MessageKind.VISIT_REMINDER,
    MessageKind.MOVED,
    MessageKind.VISIT_MOVED,
)
"""What has not left yet and tells the former time."""


class NotMovable(RuleError):
    code = "not_movable"
    text = N_("Only a confirmed booking can be moved; this one is now “%(status)s”.")


class TooLateToMove(RuleError):
    code = "too_late_to_move"
    text = N_("The visit has begun or is over: it can no longer be moved. Book a new one, please.")


class NotByOwner(RuleError):
    """Row B17 is a setting: BookingPolicy.move_limit is 0."""

    code = "not_by_owner"
    text = N_(
        "Here only the registry desk moves visits. Phone it, please, or cancel this one and book another time."
    )


class TooNearToMove(RuleError):
    code = "too_near_to_move"
    text = N_(
        "A visit can be moved here until %(until)s, no later. Phone the registry desk, please, or cancel the visit."
    )


class MovedOften(RuleError):
    code = "moved_often"
    text = N_(
        "You have moved this visit %(count)s times already: no more is possible here. Phone the registry desk, please."
    )


class MovedMeanwhile(RuleError):
    code = "moved_meanwhile"
    text = N_("Somebody has moved this booking meanwhile. Look at it again, please.")


def visit_of(session: Session, *, uid: uuid.UUID) -> Appointment:
    """A patient's booking that may perhaps be moved, with its place. Raises NotFound."""
    row = session.scalars(
        select(Appointment)
        .join(Appointment.schedule)
        .options(
            joinedload(Appointment.person),
            joinedload(Appointment.organization),
            joinedload(Appointment.slot),
            joinedload(Appointment.service),
            joinedload(Appointment.policy),
            contains_eager(Appointment.schedule),
        )
        .where(
            Appointment.uid == uid,
            Schedule.role_id.is_not(None),
            Appointment.status.not_in((A.HELD, A.RELEASED)),
        )
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def demand_movable(row: Appointment, *, now: dt.datetime) -> None:
    """Raises NotMovable, TooLateToMove."""
    if row.status is not A.BOOKED:
        raise NotMovable(status=row.status)
    if row.starts_at <= now:
        raise TooLateToMove()


def demand_movable_by_owner(row: Appointment, *, now: dt.datetime) -> None:
    """Row B17: by the policy it was made under. Raises also NotByOwner, TooNearToMove, MovedOften."""
    demand_movable(row, now=now)
    if row.policy.move_limit == 0:
        raise NotByOwner()
    until = row.starts_at - dt.timedelta(hours=row.policy.move_hours)
    if until <= now:
        raise TooNearToMove(until=local(until, row.organization.time_zone))
    if row.moved_by_owner >= row.policy.move_limit:
        raise MovedOften(count=row.moved_by_owner)


def may_move(row: Appointment, *, now: dt.datetime) -> bool:
    """Whether its owner may move it now."""
    try:
        demand_movable_by_owner(row, now=now)
    except RuleError:
        return False
    return True


def against(
    session: Session,
    *,
    row: Appointment,
    choice: Choice,
    now: dt.datetime,
    at_desk: bool = True,
    service_id: int | None = None,
) -> list[Refusal]:
    """Why this visit may not be moved there, by facts loaded just now."""
    with widened(session, desk.ON_BEHALF):
        known = visit_checks.visits_of(session, person_id=row.person_id).without(row.id)
        if not at_desk:
            known = visit_checks.with_rights(
                session,
                known,
                policy=choice.day.policy,
                person_id=row.person_id,
                role_id=choice.day.schedule.role_id,
            )
    return visit_checks.check(
        choice.day,
        known,
        starts_at=choice.slot.starts_at,
        minutes=choice.slot.minutes or 0,
        now=now,
        service_id=service_id,
    )


def move(
    session: Session,
    *,
    uid: uuid.UUID,
    slot_uid: uuid.UUID,
    actor: Actor,
    now: dt.datetime,
    service_uid: uuid.UUID | None = None,
    seen_at: uuid.UUID | None = None,
    at_desk: bool = True,
) -> Appointment:
    """The same ticket for another free time; the person is told. Asked again it changes nothing.

    ``seen_at`` is the slot that the mover saw it on: whoever comes second is told so. Raises NotMovable,
    TooLateToMove, MovedMeanwhile, Refused, Taken, ServiceNeeded, NotFound. Not at the desk it stays with the same
    practitioner, is counted, and raises also NotByOwner, TooNearToMove, MovedOften, LinkLost.
    """
    seen = visit_of(session, uid=uid)
    former = seen.service.uid if seen.service is not None else None
    choice = patients.choice_of(
        session, slot_uid=slot_uid, now=now, service=service_uid or former, at_desk=at_desk
    )
    booking.lock_person_of(session, seen.id)
    row = visit_of(session, uid=uid)  # as it is under the lock
    if row.tenant_id != choice.day.schedule.tenant_id:
        raise NotFound()
    if not at_desk and row.schedule.role_id != choice.day.schedule.role_id:
        raise NotFound()
    if row.slot_id == choice.slot.id:
        demand_movable(row, now=now)
        return row
    if at_desk:
        demand_movable(row, now=now)
    else:
        demand_movable_by_owner(row, now=now)
    if seen_at is not None and row.slot.uid != seen_at:
        raise MovedMeanwhile()
    if not at_desk:
        place = choice.day.organization
        hospital_link.demand(session, place, slot=choice.slot, actor=actor, now=now)
    services = desk.services_of(session, choice)
    service_id = desk.service_among(services, service_uid, former=row.service_id)
    blocked = blocking(
        against(session, row=row, choice=choice, now=now, at_desk=at_desk, service_id=service_id)
    )
    if blocked:
        raise Refused(blocked)
    former_slot_id, was = row.slot_id, row.starts_at

    holding.take(session, choice.slot, any_place=False, now=now)
    try:
        done = transitions.move_to(
            session,
            appointment_id=row.id,
            slot=choice.slot,
            former_slot_id=former_slot_id,
            actor=actor,
            now=now,
            service_id=service_id,
            undo_until=None,
            moved_by_owner=row.moved_by_owner + (0 if at_desk else 1),
        )
    except AlreadyChanged as error:
        raise NotMovable(status=error.params["status"]) from error
    audit.record(
        session,
        verb="booking.move",
        subject=done,
        actor=actor,
        now=now,
        changes={
            "slot_id": [former_slot_id, done.slot_id],
            "starts_at": [was.isoformat(), done.starts_at.isoformat()],
        },
    )
    _tell(session, done, was=was, now=now, at_desk=at_desk)
    return done


def _tell(
    session: Session, moved: Appointment, *, was: dt.datetime, now: dt.datetime, at_desk: bool
) -> None:
    """Whoever has moved it in the cabinet sees it at once: no SMS goes (E53), and nobody has to phone."""
    outbox.withdraw(session, appointment_id=moved.id, kinds=OUTDATED, now=now)
    outbox.tell(
        session,
        moved,
        MessageKind.MOVED,
        now=now,
        useless_after=moved.starts_at,
        instead=at_desk,
        was=was.isoformat(),
    )
    announcing.remind(session, moved, now=now)
