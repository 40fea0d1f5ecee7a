"""Published days as staff see them: the list with taken and free places, and one day's times."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from app.models.blood import BloodType, takes
from app.models.enums import ScheduleStatus, SlotStatus
from app.models.schedule import Schedule, Slot

PAGE = 50
OPEN = (ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)


@dataclass(frozen=True)
class Wish:
    """What the reader filters by; dates are inclusive."""

    first: dt.date
    last: dt.date | None = None
    organization_id: int | None = None
    donation_type_id: int | None = None
    blood_type: BloodType | None = None
    statuses: tuple[ScheduleStatus, ...] = OPEN
    publication_id: int | None = None
    page: int = 1


@dataclass(frozen=True)
class Load:
    """How the places of a day stand. Withdrawn ones are not counted."""

    free: int = 0
    held: int = 0
    busy: int = 0

    @property
    def taken(self) -> int:
        return self.held + self.busy

    @property
    def total(self) -> int:
        return self.free + self.taken


@dataclass(frozen=True)
class DayRow:
    """A day of the list."""

    schedule: Schedule
    load: Load


@dataclass(frozen=True)
class Listing:
    """One page of the list; ``total`` counts all pages."""

    rows: tuple[DayRow, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class Time:
    """One time of a day with its places by number; withdrawn places are left out."""

    starts_at: dt.datetime
    places: tuple[tuple[int, SlotStatus], ...]

    @property
    def free(self) -> int:
        return sum(status is SlotStatus.FREE for _, status in self.places)


def listed(session: Session, wish: Wish) -> Listing:
    """A page of days by date, branch and type; a page that is not there becomes the last one."""
    conditions = _conditions(wish)
    total = session.scalar(select(func.count()).select_from(Schedule).where(*conditions)) or 0
    pages = max(1, -(-total // PAGE))
    page = min(max(1, wish.page), pages)
    rows = session.scalars(
        select(Schedule)
        .options(joinedload(Schedule.organization), joinedload(Schedule.donation_type))
        .where(*conditions)
        .order_by(Schedule.date, Schedule.organization_id, Schedule.donation_type_id, Schedule.id)
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    ).all()
    loads = loads_of(session, [row.id for row in rows])
    return Listing(tuple(DayRow(row, loads[row.id]) for row in rows), total, page, pages)


def _conditions(wish: Wish) -> list[ColumnElement[bool]]:
    found = [
        Schedule.donation_type_id.is_not(None),
        Schedule.date >= wish.first,
        Schedule.status.in_(wish.statuses),
    ]
    if wish.last is not None:
        found.append(Schedule.date <= wish.last)
    if wish.organization_id is not None:
        found.append(Schedule.organization_id == wish.organization_id)
    if wish.donation_type_id is not None:
        found.append(Schedule.donation_type_id == wish.donation_type_id)
    if wish.publication_id is not None:
        found.append(Schedule.publication_id == wish.publication_id)
    if wish.blood_type is not None:
        found.append(takes(Schedule.blood_types, [wish.blood_type]))
    return found


def loads_of(session: Session, schedule_ids: Collection[int]) -> dict[int, Load]:
    """Places by state for each of these days, in one query."""
    counts = [
        func.count().filter(Slot.status == status)
        for status in (SlotStatus.FREE, SlotStatus.HELD, SlotStatus.BUSY)
    ]
    rows = session.execute(
        select(Slot.schedule_id, *counts)
        .where(Slot.schedule_id.in_(schedule_ids))
        .group_by(Slot.schedule_id)
    )
    found = {row[0]: Load(row[1], row[2], row[3]) for row in rows}
    return defaultdict(Load, found)


def times_of(session: Session, schedule_id: int) -> list[Time]:
    """The day's times in order, with the places that are not withdrawn."""
    rows = session.execute(
        select(Slot.starts_at, Slot.place, Slot.status)
        .where(Slot.schedule_id == schedule_id)
        .order_by(Slot.starts_at, Slot.place)
    )
    places: dict[dt.datetime, list[tuple[int, SlotStatus]]] = {}
    for at, number, status in rows:
        here = places.setdefault(at, [])
        if status is not SlotStatus.CLOSED:
            here.append((number, status))
    return [Time(at, tuple(here)) for at, here in places.items()]


def named(session: Session, uid: uuid.UUID) -> Schedule | None:
    """The day of this name with its type and branch, as it is now."""
    return session.scalars(
        select(Schedule)
        .options(joinedload(Schedule.organization), joinedload(Schedule.donation_type))
        .where(Schedule.uid == uid, Schedule.donation_type_id.is_not(None))
        .execution_options(populate_existing=True)
    ).one_or_none()
