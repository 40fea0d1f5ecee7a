"""One doctor's days and times, each with its state (E24–E25, B6–B7, D7–D8). A few queries."""

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
from app.models.schedule import Schedule, Slot
from app.rules import horizons, policy_query, slot_states
from app.rules.clock import local_date, midnight
from app.rules.directory import Institution
from app.rules.errors import NotFound
from app.rules.horizons import Horizons
from app.rules.slot_states import State
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
    """A doctor's days of the next four weeks with every time of theirs. Two queries if the
    institution was read with its policies; one more where branches have policies of their own. Raises NotFound."""
    place = institution.organization
    open_until = horizons.of(session, institution=institution, now=now)
    meant = policy_query.meant(service)
    query = (
        select(
            PractitionerRole, Practitioner, Specialty, Department, HealthcareService,
            slot_states.nearest(now, service, open_until.until_in_sql(meant)).label("nearest"),
            meant.label("meant"),
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
    doctor = Doctor(row[0], row[1], row[2], row.nearest)
    return Reception(
        doctor, row[3], row[4],
        _days(session, doctor.role, service, row.meant, open_until),
    )  # fmt: skip


def _days(
    session: Session,
    role: PractitionerRole,
    service: uuid.UUID | None,
    meant: int | None,
    open_until: Horizons,
) -> tuple[Day, ...]:
    """Found by the role's sittings: closed slots stand in no index by role."""
    zone, now, department = open_until.place.time_zone, open_until.now, role.department_id
    today = local_date(now, zone)
    last = today + dt.timedelta(days=max(DAYS_LISTED, open_until.days(department, meant) + 7))
    rows = session.execute(
        select(Slot, Schedule.date, Schedule.status, Schedule.service_id)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .where(
            Schedule.role_id == role.id,
            Schedule.date >= today - dt.timedelta(days=1),
            Slot.starts_at >= midnight(today, zone),
            Slot.starts_at < midnight(last, zone),
            Schedule.status.in_((ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)),
            slot_states.for_service(service),
        )
        .order_by(Slot.starts_at)
    )
    found: dict[dt.date, list[Time]] = {}
    ahead: dict[dt.date, int] = {}
    for slot, date, status, own in rows:
        for_what = own or meant
        state = slot_states.state_of(
            slot.status,
            slot.channel,
            slot.starts_at,
            status,
            now=now,
            until=open_until.until(department, for_what),
        )
        found.setdefault(date, []).append(Time(slot, state))
        ahead[date] = max(ahead.get(date, 0), open_until.days(department, for_what))
    return tuple(
        Day(date, date - dt.timedelta(days=ahead[date]), tuple(times))
        for date, times in sorted(found.items())
    )
