"""The week's grid of an institution: who receives when, narrowed as the reader wishes (E18–E23).

Read functions only: a few queries whatever the size of the institution.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.models.directory import Practitioner, PractitionerRole, Specialty
from app.models.enums import Channel, ScheduleStatus, SlotStatus
from app.models.schedule import Schedule, Slot
from app.rules import horizons, policy_query, slot_states
from app.rules.clock import local_date, monday_of
from app.rules.directory import Institution, under
from app.rules.donors import folded
from app.rules.horizons import Horizons
from app.rules.slot_states import State

TABS = 4
"""Weeks that stand as tabs above the grid (E22)."""
MOST_WEEKS = 53
"""The last week one can leaf to."""
MOST_DOCTORS = 100


@dataclass(frozen=True)
class Wish:
    """What the reader has chosen of E18; everything of it stands in the address."""

    department: uuid.UUID | None = None
    department_text: str = ""
    specialty: str = ""
    doctor: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    free_only: bool = False
    service: uuid.UUID | None = None
    week: dt.date | None = None

    @property
    def narrows(self) -> bool:
        return bool(
            self.department or self.department_text or self.specialty or self.doctor
            or self.first or self.last or self.free_only or self.service
        )  # fmt: skip


@dataclass(frozen=True)
class Sitting:
    """A doctor's hours on one day: a cell of the grid."""

    date: dt.date
    start: dt.time
    end: dt.time
    free: int
    state: State


@dataclass(frozen=True)
class Doctor:
    """One row of the picker: a doctor in one role."""

    role: PractitionerRole
    practitioner: Practitioner
    specialty: Specialty
    nearest: dt.datetime | None
    """The nearest time that can be chosen on the site (E23)."""
    cells: tuple[tuple[Sitting, ...], ...] = ()
    """One for each day of the week."""


@dataclass(frozen=True)
class Grid:
    """The three columns of an institution's page (E19–E23)."""

    days: tuple[dt.date, ...]
    weeks: tuple[dt.date, ...]
    """Mondays of the tabs."""
    specialties: tuple[Specialty, ...]
    """Of the chosen departments; what is chosen among them does not narrow this list."""
    departments: frozenset[int]
    """In which somebody receives, by key."""
    doctors: tuple[Doctor, ...]
    hidden: int
    """Doctors beyond MOST_DOCTORS."""


def grid(session: Session, *, institution: Institution, wish: Wish, now: dt.datetime) -> Grid:
    """Whom the wish fits, and their hours in the week wished for. Two queries if the institution was read
    with its policies; one more where branches have policies of their own."""
    place = institution.organization
    open_until = horizons.of(session, institution=institution, now=now)
    meant = policy_query.meant(wish.service)
    query = (
        select(
            PractitionerRole, Practitioner, Specialty,
            slot_states.nearest(now, wish.service, open_until.until_in_sql(meant)).label("nearest"),
            meant.label("meant"),
        )
        .join(Practitioner, Practitioner.id == PractitionerRole.practitioner_id)
        .join(Specialty, Specialty.id == PractitionerRole.specialty_id)
        .where(
            PractitionerRole.organization_id == place.id,
            PractitionerRole.is_active,
            Practitioner.is_active,
        )
        .order_by(Specialty.name_ru, Practitioner.search_name, PractitionerRole.id)
    )  # fmt: skip
    if wish.service is not None:
        query = query.where(slot_states.gives(wish.service))
    rows = session.execute(query).all()
    everybody = [Doctor(role, who, what, near) for role, who, what, near, _ in rows]
    services = {row[0].id: row.meant for row in rows}
    inside = _departments(institution, wish)
    here = [each for each in everybody if inside is None or each.role.department_id in inside]
    fitting = [each for each in here if _fits(each, wish)]
    today = local_date(now, place.time_zone)
    soonest = min((each.nearest for each in fitting if each.nearest is not None), default=now)
    days = _week(wish, today, local_date(soonest, place.time_zone))
    cells = _cells(session, fitting, days, wish, services, open_until)
    shown = _with_cells(fitting, cells, days, wish)
    return Grid(
        days=days,
        weeks=_tabs(days[0], monday_of(wish.first or today), today),
        specialties=tuple({each.specialty.id: each.specialty for each in here}.values()),
        departments=frozenset(
            each.role.department_id for each in everybody if each.role.department_id
        ),
        doctors=tuple(shown[:MOST_DOCTORS]),
        hidden=max(0, len(shown) - MOST_DOCTORS),
    )


def _departments(institution: Institution, wish: Wish) -> set[int] | None:
    """Keys of the departments wished for with all below them; None: all, also none at all."""
    found: set[int] | None = None
    if wish.department is not None:
        chosen = [leaf.department for leaf in institution.leaves]
        own = next((each.id for each in chosen if each.uid == wish.department), 0)
        found = under(institution.leaves, own)
    if wish.department_text:
        words = folded(wish.department_text).split()
        named: set[int] = set()
        for leaf in institution.leaves:
            text = folded(f"{leaf.department.name} {leaf.department.code}")
            if all(word in text for word in words):
                named |= under(institution.leaves, leaf.department.id)
        found = named if found is None else found & named
    return found


def _fits(doctor: Doctor, wish: Wish) -> bool:
    if wish.specialty and doctor.specialty.code != wish.specialty:
        return False
    if wish.free_only and doctor.nearest is None:
        return False
    return all(word in doctor.practitioner.search_name for word in folded(wish.doctor).split())


def _week(wish: Wish, today: dt.date, soonest: dt.date) -> tuple[dt.date, ...]:
    """The week wished for, or that of the first day wished for; never one that is over.

    Without a wish that of the nearest free time: on a Saturday this week has nothing to show.
    """
    first = monday_of(today)
    begin = wish.first or (today if wish.last else soonest)
    wanted = monday_of(wish.week or max(begin, today))
    wanted = max(first, min(wanted, first + dt.timedelta(weeks=MOST_WEEKS)))
    return tuple(wanted + dt.timedelta(days=number) for number in range(7))


def _tabs(shown: dt.date, first: dt.date, today: dt.date) -> tuple[dt.date, ...]:
    """Four weeks from the first one on; those around the shown one if it is farther away."""
    begin = max(first, monday_of(today))
    if not begin <= shown < begin + dt.timedelta(weeks=TABS):
        begin = max(monday_of(today), shown - dt.timedelta(weeks=1))
    return tuple(begin + dt.timedelta(weeks=number) for number in range(TABS))


def _cells(
    session: Session,
    doctors: Sequence[Doctor],
    days: Sequence[dt.date],
    wish: Wish,
    services: Mapping[int, int | None],
    open_until: Horizons,
) -> dict[tuple[int, dt.date], list[Sitting]]:
    """(role, day) → its hours there, with what is free of them: one query.

    ``services``: role → what its sittings for no service of their own are for.
    """
    now, departments = open_until.now, {each.role.id: each.role.department_id for each in doctors}
    free = (Slot.status == SlotStatus.FREE) & (Slot.starts_at > now)
    web = free & (Slot.channel == Channel.WEB)
    desk = free & (Slot.channel == Channel.DESK)
    rows = session.execute(
        select(
            Schedule.role_id, Schedule.date, Schedule.start_time, Schedule.end_time,
            Schedule.status, Schedule.service_id,
            func.sum(case((web, 1), else_=0)).label("free"),
            func.sum(case((desk, 1), else_=0)).label("desk"),
            func.min(Slot.starts_at).label("begins"),
            func.max(Slot.starts_at).label("ends"),
        )
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(
            Schedule.role_id.in_([each.role.id for each in doctors]),
            Schedule.date.between(
                max(days[0], wish.first or days[0]), min(days[-1], wish.last or days[-1])
            ),
            Schedule.status.in_((ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)),
            slot_states.for_service(wish.service),
        )
        .group_by(
            Schedule.id, Schedule.role_id, Schedule.date, Schedule.start_time, Schedule.end_time,
            Schedule.status, Schedule.service_id,
        )
        .order_by(Schedule.start_time)
    )  # fmt: skip
    found: dict[tuple[int, dt.date], list[Sitting]] = {}
    for row in rows:
        until = open_until.until(departments[row.role_id], row.service_id or services[row.role_id])
        state = _whole(row, now=now, until=until)
        if wish.free_only and state is not State.FREE:
            continue
        number = row.free if state is State.FREE else 0
        cell = Sitting(row.date, row.start_time, row.end_time, number, state)
        found.setdefault((row.role_id, row.date), []).append(cell)
    return found


def _whole(row: Any, *, now: dt.datetime, until: dt.datetime) -> State:
    """The state of a day's hours: free if anything of them can be chosen."""
    if row.ends <= now:
        return State.PAST
    if row.status is ScheduleStatus.PAUSED:
        return State.PAUSED
    if row.free:
        return State.SOON if row.begins >= until else State.FREE
    return State.DESK if row.desk else State.TAKEN


def _with_cells(
    doctors: Iterable[Doctor],
    cells: dict[tuple[int, dt.date], list[Sitting]],
    days: Sequence[dt.date],
    wish: Wish,
) -> list[Doctor]:
    """The doctors with their rows; of an interval wished for, only who receives in it."""
    asked = wish.first is not None or wish.last is not None
    found = []
    for each in doctors:
        row = tuple(tuple(cells.get((each.role.id, day), ())) for day in days)
        if any(row) or not asked:
            found.append(replace(each, cells=row))
    return found
