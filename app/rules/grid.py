"""The schedule grid: one branch and week, practitioners × days, every slot with its state. Three queries."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.directory import PractitionerRole
from app.models.enums import AppointmentStatus, Channel, ScheduleStatus, SlotKind, SlotStatus
from app.models.organization import Organization
from app.models.person import Person
from app.models.schedule import Schedule, Slot
from app.models.template import ScheduleException
from app.rules.clock import local, midnight
from app.rules.errors import N_, NotFound

DAY = dt.timedelta(days=1)
SHOWN = (ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)


class State(StrEnum):
    """What a slot is to the desk (rows D8, E25)."""

    FREE = "free"
    DESK = "desk"
    TAKEN = "taken"
    CLOSED = "closed"
    PAST = "past"


STATE_WORDS = {
    State.FREE: N_("free"),
    State.DESK: N_("the desk only"),
    State.TAKEN: N_("taken"),
    State.CLOSED: N_("closed"),
    State.PAST: N_("over"),
}

TAKEN_WORDS = {
    AppointmentStatus.HELD: N_("is being chosen"),
    AppointmentStatus.PENDING: N_("awaits approval"),
    AppointmentStatus.PROPOSED: N_("awaits the code"),
    AppointmentStatus.BOOKED: N_("booked"),
    AppointmentStatus.ARRIVED: N_("has come"),
    AppointmentStatus.FULFILLED: N_("visit over"),
    AppointmentStatus.TURNED_AWAY: N_("turned away"),
    AppointmentStatus.NOSHOW: N_("did not come"),
    AppointmentStatus.REJECTED: N_("rejected just now"),
}
"""What a taken time waits for."""


@dataclass(frozen=True)
class Cell:
    """A slot as the grid shows it. ``at`` is the branch's wall clock."""

    uid: uuid.UUID
    at: dt.datetime
    minutes: int
    status: SlotStatus
    channel: Channel
    kind: SlotKind
    state: State


@dataclass(frozen=True)
class Taker:
    """Why a time is taken: the ticket, and whose it is (nobody's yet while a browser holds it)."""

    appointment_id: int
    uid: uuid.UUID
    number: int
    status: AppointmentStatus
    at_desk: bool
    person: Person | None


@dataclass(frozen=True)
class Square:
    """A practitioner's day."""

    date: dt.date
    cells: tuple[Cell, ...]
    away: str | None
    """Why nobody is there: an absence or a closed day."""

    @property
    def groups(self) -> list[tuple[State, list[Cell]]]:
        """The times by state, in one order of states."""
        found: dict[State, list[Cell]] = defaultdict(list)
        for cell in self.cells:
            found[cell.state].append(cell)
        return [(state, found[state]) for state in State if state in found]

    @property
    def free(self) -> int:
        return sum(cell.state in (State.FREE, State.DESK) for cell in self.cells)

    @property
    def open(self) -> int:
        """Slots that are not withdrawn."""
        return sum(cell.status is not SlotStatus.CLOSED for cell in self.cells)


@dataclass(frozen=True)
class Row:
    role: PractitionerRole
    squares: tuple[Square, ...]


@dataclass(frozen=True)
class Grid:
    organization: Organization
    days: tuple[dt.date, ...]
    rows: tuple[Row, ...]

    @property
    def free(self) -> int:
        """Times that the desk can still give."""
        return sum(square.free for row in self.rows for square in row.squares)


def places(session: Session) -> list[Organization]:
    """Where practitioners receive, in the session's scope, by name."""
    works = (
        select(PractitionerRole.id)
        .where(PractitionerRole.organization_id == Organization.id, PractitionerRole.is_active)
        .exists()
    )
    return list(
        session.scalars(
            select(Organization)
            .where(works, Organization.is_active)
            .order_by(Organization.short_name)
        )
    )


def load(
    session: Session,
    *,
    organization: Organization,
    first: dt.date,
    days: int = 7,
    now: dt.datetime,
    role_ids: Collection[int] = (),
) -> Grid:
    """Everybody who works at the branch, or has slots there, from ``first`` on. Three queries."""
    dates = tuple(first + n * DAY for n in range(days))
    cells = _cells(session, organization, dates, now, role_ids)
    roles = session.scalars(
        select(PractitionerRole)
        .options(
            joinedload(PractitionerRole.practitioner),
            joinedload(PractitionerRole.specialty),
            joinedload(PractitionerRole.department),
        )
        .where(PractitionerRole.organization_id == organization.id, *_only(role_ids))
    ).all()
    away = session.scalars(
        select(ScheduleException)
        .where(
            ScheduleException.organization_id == organization.id,
            ScheduleException.first_day <= dates[-1],
            ScheduleException.last_day >= first,
        )
        .order_by(ScheduleException.role_id.is_not(None), ScheduleException.id)
    ).all()
    seen = {role_id for role_id, _ in cells}
    rows = tuple(
        Row(
            role,
            tuple(
                Square(date, tuple(cells.get((role.id, date), ())), _reason(away, role, date))
                for date in dates
            ),
        )
        for role in sorted(roles, key=_place)
        if role.is_active or role.id in seen
    )
    return Grid(organization, dates, rows)


def takers(session: Session, *, role_id: int, cells: Sequence[Cell]) -> dict[uuid.UUID, Taker]:
    """Who has the taken times of one practitioner's day, by slot. One query."""
    taken = [cell.uid for cell in cells if cell.state is State.TAKEN]
    if not taken:
        return {}
    rows = session.execute(
        select(Slot.uid, Appointment, Person)
        .join(Appointment, Appointment.slot_id == Slot.id)
        .outerjoin(Person, Person.id == Appointment.person_id)
        .where(Slot.role_id == role_id, Slot.uid.in_(taken), Appointment.keeps_slot)
    ).all()
    return {
        uid: Taker(row.id, row.uid, row.number, row.status, row.channel is Channel.DESK, person)
        for uid, row, person in rows
    }


def role_named(session: Session, uid: uuid.UUID) -> PractitionerRole:
    """Raises NotFound."""
    role = session.scalars(
        select(PractitionerRole)
        .options(
            joinedload(PractitionerRole.practitioner),
            joinedload(PractitionerRole.specialty),
            joinedload(PractitionerRole.organization),
        )
        .where(PractitionerRole.uid == uid)
    ).one_or_none()
    if role is None:
        raise NotFound()
    return role


def _cells(
    session: Session,
    organization: Organization,
    dates: Sequence[dt.date],
    now: dt.datetime,
    role_ids: Collection[int],
) -> dict[tuple[int, dt.date], list[Cell]]:
    zone = organization.time_zone
    rows = session.execute(
        select(
            Slot.uid,
            Slot.role_id,
            Slot.starts_at,
            Slot.minutes,
            Slot.status,
            Slot.channel,
            Slot.kind,
            Schedule.date,
        )
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .where(
            Schedule.organization_id == organization.id,
            Schedule.role_id.is_not(None),
            Schedule.date.between(dates[0], dates[-1]),
            Schedule.status.in_(SHOWN),
            Slot.starts_at >= midnight(dates[0], zone),
            Slot.starts_at < midnight(dates[-1] + DAY, zone),
            *([Schedule.role_id.in_(role_ids)] if role_ids else ()),
        )
        .order_by(Slot.starts_at)
    )
    found: dict[tuple[int, dt.date], list[Cell]] = defaultdict(list)
    for uid, role_id, starts_at, minutes, status, channel, kind, date in rows:
        assert role_id is not None
        state = state_of(status, channel, starts_at, now)
        found[role_id, date].append(
            Cell(uid, local(starts_at, zone), minutes or 0, status, channel, kind, state)
        )
    return found


def state_of(
    status: SlotStatus, channel: Channel, starts_at: dt.datetime, now: dt.datetime
) -> State:
    if status is SlotStatus.CLOSED:
        return State.CLOSED
    if status in (SlotStatus.HELD, SlotStatus.BUSY):
        return State.TAKEN
    if starts_at <= now:
        return State.PAST
    return State.FREE if channel is Channel.WEB else State.DESK


def _only(role_ids: Collection[int]) -> tuple[ColumnElement[bool], ...]:
    return (PractitionerRole.id.in_(role_ids),) if role_ids else ()


def _reason(away: Iterable[ScheduleException], role: PractitionerRole, date: dt.date) -> str | None:
    for each in away:
        if each.first_day <= date <= each.last_day and each.role_id in (None, role.id):
            return each.reason
    return None


def _place(role: PractitionerRole) -> tuple[int, str, str, int]:
    department = role.department
    return (
        department.position if department else -1,
        department.name if department else "",
        role.practitioner.full_name,
        role.id,
    )
