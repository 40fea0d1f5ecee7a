"""Reports (rows E59, E63): what is asked for, and what places and bookings are counted by.

Everything is counted by the date of the visit on the calendar of the organization that receives: a day is
published for a date of its own (``Schedule.date``), so zones and summer time are settled there. Each
report is a few statements over the days of the period, whatever the size of the tables.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Select, case, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models.appointment import Appointment
from app.models.directory import Practitioner, PractitionerRole, Specialty
from app.models.donation_type import DonationType
from app.models.enums import AppointmentStatus, ScheduleStatus
from app.models.schedule import Schedule
from app.rules.clock import monday_of

MOST_DAYS = 366
"""The longest period of a report, both ends counted: a leap year."""
MOST_BY_DAY = 92
"""The longest period shown day by day: a quarter."""
DAY = dt.timedelta(days=1)
BUCKET = "bucket"
"""The label of what a statement groups by."""

Statement = Select[*tuple[Any, ...]]
Key = dt.date | int
"""What a line is about: the first date of a stretch of time, or the key of a row."""


class By(StrEnum):
    """What a line of a report is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    BRANCH = "branch"
    TYPE = "type"
    SPECIALTY = "specialty"
    PRACTITIONER = "practitioner"


class Whose(StrEnum):
    """Whose visits are counted."""

    ALL = "all"
    DONORS = "donors"
    PATIENTS = "patients"


BY_TIME = (By.DAY, By.WEEK, By.MONTH)
ONLY_OF = {By.TYPE: Whose.DONORS, By.SPECIALTY: Whose.PATIENTS, By.PRACTITIONER: Whose.PATIENTS}
"""Groupings that only one kind of visits has."""


class Counts(Protocol):
    """One line's numbers: a dataclass of whole numbers, none by default."""

    def __init__(self, *counts: int) -> None: ...

    @property
    def total(self) -> int: ...


Row = TypeVar("Row", bound=Counts)


@dataclass(frozen=True)
class Counted(Generic[Row]):
    """The lines of a report, and all of them together."""

    lines: dict[Key, Row]
    total: Row


@dataclass(frozen=True)
class Asked:
    """The organizations by key, the first and the last date of visits, and what a line is."""

    organization_ids: tuple[int, ...]
    first: dt.date
    last: dt.date
    by: By = By.WEEK
    whose: Whose = Whose.ALL

    def __post_init__(self) -> None:
        assert 0 < self.days <= MOST_DAYS

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def counted(self) -> Whose:
        """Whose visits the grouping leaves: donation types have no patients, doctors no donors."""
        return ONLY_OF.get(self.by, self.whose)

    @cached_property
    def stretches(self) -> list[tuple[dt.date, dt.date]]:
        """First and last date of each line, where a line is a stretch of time; cut to the period."""
        found = []
        start = self.first
        while start <= self.last:
            end = min(_end(start, self.by), self.last)
            found.append((start, end))
            start = end + DAY
        return found


def _end(start: dt.date, by: By) -> dt.date:
    """The last date of the day, week or month that ``start`` is in."""
    if by is By.DAY:
        return start
    if by is By.WEEK:
        return monday_of(start) + 6 * DAY
    return (start.replace(day=1) + 31 * DAY).replace(day=1) - DAY


def of_days(statement: Statement, asked: Asked) -> Select[Any]:
    """``statement`` over Schedule, narrowed to the days asked for."""
    found = statement.where(
        Schedule.organization_id.in_(asked.organization_ids),
        Schedule.date.between(asked.first, asked.last),
        Schedule.status != ScheduleStatus.DRAFT,
    )
    if asked.counted is Whose.DONORS:
        return found.where(Schedule.donation_type_id.is_not(None))
    if asked.counted is Whose.PATIENTS:
        return found.where(Schedule.role_id.is_not(None))
    return found


def of_bookings(
    statement: Statement, asked: Asked, statuses: Collection[AppointmentStatus]
) -> Statement:
    """``statement`` over Appointment, narrowed to bookings of those days in one of ``statuses``.

    Organization, status and hour are said of the appointment too (a day wider on both sides, for any
    zone), so that the engine may go by either table's index.
    """
    began = dt.datetime.combine(asked.first, dt.time(), tzinfo=dt.UTC) - DAY
    over = dt.datetime.combine(asked.last, dt.time(), tzinfo=dt.UTC) + 2 * DAY
    joined = statement.join(Schedule, Schedule.id == Appointment.schedule_id)
    return of_days(joined, asked).where(
        Appointment.organization_id.in_(asked.organization_ids),
        Appointment.status.in_(statuses),
        Appointment.starts_at >= began,
        Appointment.starts_at < over,
    )


def with_line(statement: Statement, asked: Asked) -> Select[Any]:
    """``statement`` over Schedule with one more column, the last: ``BUCKET``, which line a row belongs to."""
    columns: dict[By, InstrumentedAttribute[Any]] = {
        By.DAY: Schedule.date,
        By.BRANCH: Schedule.organization_id,
        By.TYPE: Schedule.donation_type_id,
        By.SPECIALTY: PractitionerRole.specialty_id,
        By.PRACTITIONER: PractitionerRole.practitioner_id,
    }
    if asked.by in (By.SPECIALTY, By.PRACTITIONER):
        statement = statement.join(PractitionerRole, PractitionerRole.id == Schedule.role_id)
    if asked.by in columns:
        return statement.add_columns(columns[asked.by].label(BUCKET))
    whens = [(Schedule.date <= end, place) for place, (_, end) in enumerate(asked.stretches)]
    return statement.add_columns(case(*whens).label(BUCKET))


def line_of(bucket: Any, asked: Asked) -> Key:
    """What ``BUCKET`` says → the key of the line."""
    found: Key = asked.stretches[bucket][0] if asked.by in (By.WEEK, By.MONTH) else bucket
    return found


def counted(session: Session, statement: Statement, asked: Asked, kind: type[Row]) -> Counted[Row]:
    """What ``statement`` counts over Schedule, as one ``kind`` for each line. One statement.

    Its columns are the first fields of ``kind``. Stretches of time stand in their order, also those
    without a visit; other lines by size, the largest first.
    """
    found: dict[Key, Row] = {
        line_of(row[-1], asked): kind(*row[:-1])
        for row in session.execute(with_line(statement, asked).group_by(BUCKET))
    }
    total = kind(*(sum(values) for values in zip(*map(_numbers, found.values()), strict=True)))
    if asked.by in BY_TIME and found:
        return Counted({start: found.get(start, kind()) for start, _ in asked.stretches}, total)
    order = sorted(found, key=lambda line: (-found[line].total, line))
    return Counted({line: found[line] for line in order}, total)


def _numbers(row: Any) -> list[int]:
    return [getattr(row, field.name) for field in fields(row) if field.type == "int"]


def names(session: Session, keys: Collection[Key], by: By) -> dict[Key, Any]:
    """The rows that these lines are about (branches are known already). At most one statement."""
    tables: dict[By, Any] = {
        By.TYPE: DonationType,
        By.SPECIALTY: Specialty,
        By.PRACTITIONER: Practitioner,
    }
    if by not in tables:
        return {}
    table = tables[by]
    return {row.id: row for row in session.scalars(select(table).where(table.id.in_(keys)))}
