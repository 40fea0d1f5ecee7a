"""One doctor's days and times, each with its state (E24–E25, B6–B7, D7–D8). Two queries."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.directory import (
    Department,
    HealthcareService,
    Practitioner,
    PractitionerRole,
    Specialty,
)
from app.models.enums import ScheduleStatus
from app.models.organization import Organization
from app.models.schedule import Schedule, Slot
from app.rules import slot_states
from app.rules.clock import local_date, midnight
from app.rules.directory import Institution
from app.rules.errors import NotFound
from app.rules.slot_states import DAYS_AHEAD, State
from app.rules.week import Doctor

DAYS_LISTED = 28


@dataclass(frozen=True)
class Time:
    """One time of a day (E24–E25)."""

    slot: Slot
    state: State


@dataclass(frozen=True)
class Day:
    """A day of one doctor with its times in their order."""

    date: dt.date
    opens: dt.date
    """From when on it can be booked on the site."""
    times: tuple[Time, ...]

    @property
    def free(self) -> int:
        return sum(time.state is State.FREE for time in self.times)

    @property
    def state(self) -> State:
        """Free if any time is; else what most people would want to know first."""
        states = {time.state for time in self.times}
        order = (State.FREE, State.SOON, State.PAUSED, State.DESK, State.HELD, State.TAKEN)
        return next((state for state in order if state in states), State.PAST)


@dataclass(frozen=True)
class Reception:
    """What the page of one doctor shows."""

    doctor: Doctor
    department: Department | None
    service: HealthcareService | None
    days: tuple[Day, ...]


def reception(
    session: Session,
    *,
    institution: Institution,
    role: uuid.UUID,
    service: uuid.UUID | None,
    now: dt.datetime,
) -> Reception:
    """A doctor's days of the next four weeks with every time of theirs. Two queries. Raises NotFound."""
    place = institution.organization
    query = (
        select(
            PractitionerRole, Practitioner, Specialty, Department, HealthcareService,
            slot_states.nearest(now, service).label("nearest"), slot_states.days_ahead(place, now).label("ahead"),
        )
        .join(Practitioner, Practitioner.id == PractitionerRole.practitioner_id)
        .join(Specialty, Specialty.id == PractitionerRole.specialty_id)
        .outerjoin(Department, Department.id == PractitionerRole.department_id)
        .outerjoin(
            HealthcareService,
            (HealthcareService.uid == service) & HealthcareService.is_active
            & (HealthcareService.tenant_id == place.tenant_id),
        )
        .where(
            PractitionerRole.uid == role,
            PractitionerRole.organization_id == place.id,
            PractitionerRole.is_active,
            Practitioner.is_active,
        )
    )  # fmt: skip
    if service is not None:
        query = query.where(slot_states.gives(service))
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    until = slot_states.horizon(row.ahead, zone=place.time_zone, now=now)
    near = row.nearest if row.nearest is not None and row.nearest < until else None
    doctor = Doctor(row[0], row[1], row[2], near)
    ahead = DAYS_AHEAD if row.ahead is None else row.ahead
    return Reception(
        doctor, row[3], row[4],
        _days(session, place, row[0].id, service, now=now, until=until, ahead=ahead),
    )  # fmt: skip


def _days(
    session: Session,
    place: Organization,
    role_id: int,
    service: uuid.UUID | None,
    *,
    now: dt.datetime,
    until: dt.datetime,
    ahead: int,
) -> tuple[Day, ...]:
    """Found by the role's sittings: closed slots stand in no index by role."""
    today = local_date(now, place.time_zone)
    last = today + dt.timedelta(days=max(DAYS_LISTED, ahead + 7))
    rows = session.execute(
        select(Slot, Schedule.date, Schedule.status)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .where(
            Schedule.role_id == role_id,
            Schedule.date >= today - dt.timedelta(days=1),
            Slot.starts_at >= midnight(today, place.time_zone),
            Slot.starts_at < midnight(last, place.time_zone),
            Schedule.status.in_((ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)),
            slot_states.for_service(service),
        )
        .order_by(Slot.starts_at)
    )
    found: dict[dt.date, list[Time]] = {}
    for slot, date, status in rows:
        state = slot_states.state_of(
            slot.status, slot.channel, slot.starts_at, status, now=now, until=until
        )
        found.setdefault(date, []).append(Time(slot, state))
    back = dt.timedelta(days=ahead)
    return tuple(Day(date, date - back, tuple(times)) for date, times in sorted(found.items()))
