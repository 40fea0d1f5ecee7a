"""Reading the queue of requests: soonest first, paged by key, filtered."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.enums import AppointmentStatus
from app.models.schedule import Schedule
from app.rules.clock import midnight

MOST_COUNTED = 1000
"""A number on a page is counted up to here and then reads «more than 1000»: counts over big tables are slow."""


@dataclass(frozen=True)
class QueueFilter:
    """What the registrar has chosen to see. Dates are the branches' own."""

    organization_id: int | None = None
    donation_type_id: int | None = None
    date_from: dt.date | None = None
    date_to: dt.date | None = None
    overdue: bool = False
    status: AppointmentStatus = AppointmentStatus.PENDING


@dataclass(frozen=True)
class Position:
    """A row's place in the order of the queue, for paging by key."""

    starts_at: dt.datetime
    id: int

    @classmethod
    def of(cls, appointment: Appointment) -> Position:
        return cls(appointment.starts_at, appointment.id)


def loaded() -> Select[Appointment]:
    """Appointments with all that the queue and the checks read of them, in one query."""
    return select(Appointment).options(
        joinedload(Appointment.person),
        joinedload(Appointment.slot),
        joinedload(Appointment.schedule),
        joinedload(Appointment.organization),
        joinedload(Appointment.donation_type),
        joinedload(Appointment.policy),
    )


def conditions(chosen: QueueFilter, *, now: dt.datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Appointment.status == chosen.status]
    if chosen.status is AppointmentStatus.PENDING:
        found.append(Appointment.starts_at > now)
    if chosen.organization_id is not None:
        found.append(Appointment.organization_id == chosen.organization_id)
    if chosen.donation_type_id is not None:
        found.append(Appointment.donation_type_id == chosen.donation_type_id)
    dates = []
    if chosen.date_from is not None:
        # the index is on instants: a day more on each side, then the branch's own date exactly
        found.append(Appointment.starts_at >= midnight(chosen.date_from, "Etc/GMT-14"))
        dates.append(Schedule.date >= chosen.date_from)
    if chosen.date_to is not None:
        after = chosen.date_to + dt.timedelta(days=1)
        found.append(Appointment.starts_at < midnight(after, "Etc/GMT+12"))
        dates.append(Schedule.date <= chosen.date_to)
    if dates:
        found.append(Appointment.schedule_id.in_(select(Schedule.id).where(*dates)))
    if chosen.overdue:
        found.append(Appointment.decide_by <= now)
    return found


def page(
    session: Session,
    chosen: QueueFilter,
    *,
    now: dt.datetime,
    size: int,
    after: Position | None = None,
) -> list[Appointment]:
    """The next ``size`` requests after a position, soonest visit first."""
    query = loaded().where(*conditions(chosen, now=now))
    if after is not None:
        query = query.where(
            or_(
                Appointment.starts_at > after.starts_at,
                and_(Appointment.starts_at == after.starts_at, Appointment.id > after.id),
            )
        )
    return list(
        session.scalars(query.order_by(Appointment.starts_at, Appointment.id).limit(size)).unique()
    )


def ids(session: Session, chosen: QueueFilter, *, now: dt.datetime, limit: int) -> list[int]:
    """Ids of the whole filter, soonest first, at most ``limit``."""
    query = select(Appointment.id).where(*conditions(chosen, now=now))
    return list(session.scalars(query.order_by(Appointment.starts_at, Appointment.id).limit(limit)))


def count(session: Session, chosen: QueueFilter, *, now: dt.datetime) -> int:
    """How many, counted up to MOST_COUNTED + 1."""
    some = (
        select(Appointment.id)
        .where(*conditions(chosen, now=now))
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(some)) or 0


def overdue(session: Session, chosen: QueueFilter, *, now: dt.datetime) -> int:
    return count(session, replace(chosen, overdue=True), now=now)
