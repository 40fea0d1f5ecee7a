"""Days on which a pattern does not hold: a practitioner's absence, a branch's closed day.

Slots published in them already: the free ones are closed, the booked ones stay and are listed. Nobody is
cancelled here.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.directory import PractitionerRole
from app.models.enums import ExceptionKind, ScheduleStatus, SlotStatus
from app.models.organization import Organization
from app.models.schedule import Schedule, Slot
from app.models.scope import scope_of
from app.models.template import ScheduleException
from app.rules import audit, holding, transitions
from app.rules.access import reaches
from app.rules.actor import Actor
from app.rules.clock import local_date
from app.rules.errors import N_, NotFound, RuleError
from app.rules.sitting_previews import lock_practitioners
from app.rules.transitions import LIVE

LONGEST = 366
"""Days of one absence."""
MOST_LISTED = 200
OPEN = (ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)


class DaysTurned(RuleError):
    code = "days_turned"
    text = N_("The last day comes before the first one.")


class TooLong(RuleError):
    code = "too_long"
    text = N_("An exception lasts at most %(limit)s days. Enter it in parts, please.")


class NoCause(RuleError):
    code = "no_cause"
    text = N_("Give the reason: your colleagues will see it in the preview.")


class AlreadyThere(RuleError):
    code = "already_there"
    text = N_("Just these days are entered already.")


@dataclass(frozen=True)
class Closed:
    """What became of slots published in those days."""

    slots: int
    """Free ones, closed now."""
    kept: int
    """Booked or being chosen: they stay."""


def add(
    session: Session,
    *,
    organization_id: int,
    role_id: int | None,
    first: dt.date,
    last: dt.date,
    reason: str,
    actor: Actor,
    now: dt.datetime,
) -> tuple[ScheduleException, Closed]:
    """Enter an absence of a role, or (without one) a closed day of the branch; close what is free in it.

    Raises DaysTurned, TooLong, NoCause, AlreadyThere, NotFound.
    """
    place = session.get(Organization, organization_id)
    if place is None or not reaches(scope_of(session), organization_id):
        raise NotFound()
    _demand_role(session, role_id, organization_id)
    _demand_days(first, last, reason)
    _wait_for_publishers(session, organization_id, role_id)
    _demand_new(session, organization_id, role_id, first, last)
    assert actor.id is not None
    row = ScheduleException(
        tenant_id=place.tenant_id,
        organization_id=organization_id,
        role_id=role_id,
        kind=ExceptionKind.CLOSED if role_id is None else ExceptionKind.ABSENCE,
        first_day=first,
        last_day=last,
        reason=reason.strip()[:200],
        created_at=now,
        created_by_id=actor.id,
    )
    session.add(row)
    session.flush()  # the audit needs the id
    closed = close_free(session, row, now=now)
    audit.record(
        session,
        verb="exception.add",
        subject=row,
        actor=actor,
        now=now,
        changes={
            "role_id": [None, role_id],
            "first_day": [None, f"{first:%Y-%m-%d}"],
            "last_day": [None, f"{last:%Y-%m-%d}"],
            "reason": [None, row.reason],
            "slots": [0, closed.slots],
        },
    )
    return row, closed


def remove(
    session: Session, *, exception_id: int, actor: Actor, now: dt.datetime
) -> ScheduleException:
    """Take it back: the pattern holds again for what will be published.

    Sittings it has closed stay closed (publish them anew); those it has only paused go on.
    """
    row = _own(session, exception_id)
    for sitting in _sittings(session, row, (ScheduleStatus.PAUSED,), now=now):
        sitting.status = ScheduleStatus.PUBLISHED
    days = {"first_day": row.first_day, "last_day": row.last_day}
    audit.record(
        session,
        verb="exception.remove",
        subject=row,
        actor=actor,
        now=now,
        changes={name: [f"{day:%Y-%m-%d}", None] for name, day in days.items()},
    )
    session.delete(row)
    return row


def close_free(session: Session, row: ScheduleException, *, now: dt.datetime) -> Closed:
    """Close the free slots ahead in its days. A sitting with nobody on it is closed as a whole; one with
    people is paused, so that a slot given back is not offered again. Call again when they are gone."""
    holding.release_stale(session, now=now)
    sittings = _sittings(session, row, OPEN, now=now)
    for sitting in sittings:
        sitting.status = ScheduleStatus.PAUSED
    session.flush()
    closed = kept = 0
    for sitting in sittings:
        free = session.scalars(
            select(Slot.id).where(
                Slot.schedule_id == sitting.id,
                Slot.status == SlotStatus.FREE,
                Slot.starts_at > now,
            )
        ).all()
        closed += transitions.close_free_slots(session, free)
        people = session.scalar(
            select(func.count()).where(
                Slot.schedule_id == sitting.id,
                Slot.status.in_((SlotStatus.HELD, SlotStatus.BUSY)),
            )
        )
        kept += people or 0
        if not people:
            sitting.status = ScheduleStatus.CLOSED
            sitting.closed_reason = row.reason
    return Closed(closed, kept)


def listed(session: Session, *, since: dt.date) -> list[ScheduleException]:
    """Exceptions in scope that are not over on ``since``, by day."""
    return list(
        session.scalars(
            _named()
            .where(ScheduleException.last_day >= since)
            .order_by(ScheduleException.first_day, ScheduleException.id)
            .limit(MOST_LISTED)
        )
    )


def named(session: Session, uid: uuid.UUID) -> ScheduleException:
    """Raises NotFound."""
    row = session.scalars(_named().where(ScheduleException.uid == uid)).one_or_none()
    if row is None:
        raise NotFound()
    return row


def people_in(session: Session, row: ScheduleException, *, now: dt.datetime) -> list[Appointment]:
    """Who is booked, or choosing, in its days ahead: by time. One query."""
    return list(
        session.scalars(
            select(Appointment)
            .join(Appointment.schedule)
            .options(
                joinedload(Appointment.person),
                joinedload(Appointment.schedule)
                .joinedload(Schedule.role)
                .joinedload(PractitionerRole.practitioner),
            )
            .where(
                *_within(row),
                Appointment.status.in_(LIVE),
                Appointment.starts_at > now,
            )
            .order_by(Appointment.starts_at, Appointment.id)
            .limit(MOST_LISTED)
        )
    )


def _named() -> Select[ScheduleException]:
    return select(ScheduleException).options(
        joinedload(ScheduleException.role).joinedload(PractitionerRole.practitioner),
        joinedload(ScheduleException.role).joinedload(PractitionerRole.specialty),
    )


def _within(row: ScheduleException) -> list[ColumnElement[bool]]:
    """Sittings (Schedule) of its days."""
    found = [
        Schedule.organization_id == row.organization_id,
        Schedule.role_id.is_not(None),
        Schedule.date.between(row.first_day, row.last_day),
    ]
    if row.role_id is not None:
        found.append(Schedule.role_id == row.role_id)
    return found


def _sittings(
    session: Session,
    row: ScheduleException,
    statuses: Sequence[ScheduleStatus],
    *,
    now: dt.datetime,
) -> Sequence[Schedule]:
    """Locked, in one order, so that two never wait for each other; none of a day that is over."""
    zone = session.get_one(Organization, row.organization_id).time_zone
    return session.scalars(
        select(Schedule)
        .where(
            *_within(row),
            Schedule.status.in_(statuses),
            Schedule.date >= local_date(now, zone),
        )
        .order_by(Schedule.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def _own(session: Session, exception_id: int) -> ScheduleException:
    row = session.get(ScheduleException, exception_id)
    if row is None or not reaches(scope_of(session), row.organization_id):
        raise NotFound()
    return row


def _demand_role(session: Session, role_id: int | None, organization_id: int) -> None:
    role = session.get(PractitionerRole, role_id) if role_id is not None else None
    if role_id is not None and (role is None or role.organization_id != organization_id):
        raise NotFound()


def _wait_for_publishers(session: Session, organization_id: int, role_id: int | None) -> None:
    """Whoever gives these practitioners slots just now is waited for, and waits: one sees the other's rows."""
    roles = select(PractitionerRole).where(PractitionerRole.organization_id == organization_id)
    if role_id is not None:
        roles = roles.where(PractitionerRole.id == role_id)
    lock_practitioners(session, session.scalars(roles))


def _demand_days(first: dt.date, last: dt.date, reason: str) -> None:
    if last < first:
        raise DaysTurned()
    if (last - first).days >= LONGEST:
        raise TooLong(limit=LONGEST)
    if not reason.strip():
        raise NoCause()


def _demand_new(
    session: Session, organization_id: int, role_id: int | None, first: dt.date, last: dt.date
) -> None:
    same = session.scalar(
        select(ScheduleException.id)
        .where(
            ScheduleException.organization_id == organization_id,
            ScheduleException.role_id == role_id
            if role_id is not None
            else ScheduleException.role_id.is_(None),
            ScheduleException.first_day == first,
            ScheduleException.last_day == last,
        )
        .limit(1)
    )
    if same is not None:
        raise AlreadyThere()
