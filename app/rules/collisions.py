"""What planned donor days meet in the database: days open already, overlapping hours, other drafts."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.blood import bit
from app.models.enums import PublicationKind, PublicationStatus, ScheduleStatus
from app.models.schedule import Publication, Schedule
from app.rules.matrix import LineKey, Matrix
from app.rules.planning import PlannedDay

OPEN = (ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)


@dataclass(frozen=True)
class Meeting:
    """A planned day and the open day it meets."""

    day: PlannedDay
    schedule_uid: uuid.UUID
    start: dt.time
    end: dt.time
    total: int
    """Places of the open day."""


@dataclass(frozen=True)
class DraftMeeting:
    """Another draft or scheduled publication that would open ``days`` of the planned days too."""

    publication: Publication
    matrix: Matrix
    days: int


@dataclass(frozen=True)
class Collisions:
    """``same``: open already, will be left out. ``overlapping``: made beside them, worth a look."""

    new: tuple[PlannedDay, ...]
    same: tuple[Meeting, ...]
    overlapping: tuple[Meeting, ...]


def with_open_days(session: Session, days: Sequence[PlannedDay]) -> Collisions:
    """Hold planned days against the published and paused ones of the same set and date. One query."""
    open_days = _open_days(session, days)
    new: list[PlannedDay] = []
    same: list[Meeting] = []
    overlapping: list[Meeting] = []
    for day in days:
        met = open_days.get((day.organization_id, day.date, day.line.key), [])
        twin = next((row for row in met if row.start_time == day.start), None)
        if twin is not None:
            same.append(_meeting(day, twin))
            continue
        new.append(day)
        overlapping += (
            _meeting(day, row)
            for row in met
            if row.start_time < day.end and day.start < row.end_time
        )
    return Collisions(tuple(new), tuple(same), tuple(overlapping))


def with_drafts(
    session: Session, matrix: Matrix, *, tenant_id: int, besides: int | None
) -> list[DraftMeeting]:
    """Drafts and scheduled publications of the tenant that plan some of the same days."""
    others = session.scalars(
        select(Publication)
        .where(
            Publication.tenant_id == tenant_id,
            Publication.kind == PublicationKind.DONORS,
            Publication.status.in_((PublicationStatus.DRAFT, PublicationStatus.SCHEDULED)),
            Publication.id != (besides or 0),
        )
        .order_by(Publication.id.desc())
        .limit(100)
    )
    found = []
    for other in others:
        theirs = Matrix.from_json(other.matrix)
        found.append(DraftMeeting(other, theirs, _shared(matrix, theirs)))
    return [meeting for meeting in found if meeting.days]


def _shared(one: Matrix, other: Matrix) -> int:
    """How many days both would make."""
    if one.start != other.start:
        return 0
    lines = {line.key for line in one.lines} & {line.key for line in other.lines}
    branches = set(one.organization_ids) & set(other.organization_ids)
    if not lines or not branches:
        return 0
    return len(set(one.dates.days()) & set(other.dates.days())) * len(branches) * len(lines)


def _open_days(
    session: Session, days: Sequence[PlannedDay]
) -> dict[tuple[int, dt.date, LineKey], list[Any]]:
    if not days:
        return {}
    dates = [day.date for day in days]
    rows = session.execute(
        select(
            Schedule.uid,
            Schedule.organization_id,
            Schedule.date,
            Schedule.start_time,
            Schedule.end_time,
            Schedule.total,
            Schedule.donation_type_id,
            Schedule.blood_types,
            Schedule.kell_key,
            Schedule.sex_key,
            Schedule.first_time,
        ).where(
            Schedule.organization_id.in_({day.organization_id for day in days}),
            Schedule.date.between(min(dates), max(dates)),
            Schedule.status.in_(OPEN),
            Schedule.donation_type_id.is_not(None),
        )
    )
    found: dict[tuple[int, dt.date, LineKey], list[Any]] = defaultdict(list)
    for row in rows:
        bits = sum(map(bit, row.blood_types))
        key = (row.donation_type_id, bits, row.kell_key, row.sex_key, row.first_time.value)
        found[row.organization_id, row.date, key].append(row)
    return found


def _meeting(day: PlannedDay, row: Any) -> Meeting:
    return Meeting(day, row.uid, row.start_time, row.end_time, row.total)
