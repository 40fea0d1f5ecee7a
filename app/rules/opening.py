"""Making donor days and their places, many in few statements and each of them once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models.enums import ScheduleStatus
from app.models.schedule import Publication, Schedule, Slot
from app.rules.collisions import Meeting, with_open_days
from app.rules.planning import PlannedDay

CHUNK = 1000
"""Rows an INSERT: SQLite and PostgreSQL both limit the parameters of one statement."""
TRIES = 3


@dataclass(frozen=True)
class Opened:
    """How much was made, and what another publication made first (``lost``)."""

    days: int
    places: int
    lost: tuple[Meeting, ...] = ()


def open_days(session: Session, publication: Publication, days: Sequence[PlannedDay]) -> Opened:
    """Insert the days with their places, published.

    The index ``uq_schedule_open_day`` decides between two that publish the same day: the loser
    leaves the day out. Days go in by key, so that two publications never wait for each other.
    """
    left = sorted(days, key=lambda day: day.key)
    lost: list[Meeting] = []
    for _ in range(TRIES):
        try:
            with session.begin_nested():
                _insert(session, publication, left)
            return Opened(len(left), sum(day.total for day in left), tuple(lost))
        except IntegrityError:
            met = with_open_days(session, left)
            if not met.same:
                raise
            left = list(met.new)
            lost += met.same
    return Opened(0, 0, tuple(lost))


def _insert(session: Session, publication: Publication, days: Sequence[PlannedDay]) -> None:
    ids: list[int] = []
    for part in parts([_schedule(publication, day) for day in days]):
        ids += session.scalars(
            insert(Schedule).returning(Schedule.id, sort_by_parameter_order=True), part
        )
    places = [place for key, day in zip(ids, days, strict=True) for place in _places(key, day)]
    for part in parts(places):
        session.execute(insert(Slot), part)


def _schedule(publication: Publication, day: PlannedDay) -> dict[str, Any]:
    return {
        "tenant_id": publication.tenant_id,
        "organization_id": day.organization_id,
        "publication_id": publication.id,
        "donation_type_id": day.line.donation_type_id,
        "date": day.date,
        "start_time": day.start,
        "end_time": day.end,
        "step_minutes": day.step_minutes,
        "places_per_time": day.places_per_time,
        "total": day.total,
        "blood_types": day.line.blood_types,
        "kell_key": day.line.kell or "",
        "sex_key": day.line.sex or "",
        "first_time": day.line.first_time,
        "status": ScheduleStatus.PUBLISHED,
    }


def _places(schedule_id: int, day: PlannedDay) -> Iterator[dict[str, Any]]:
    """One row a place, numbered from 1 at each time: «8:00 (2)»."""
    for starts_at, count in day.filled():
        for place in range(1, count + 1):
            yield {
                "organization_id": day.organization_id,
                "schedule_id": schedule_id,
                "starts_at": starts_at,
                "place": place,
            }


def parts(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows in portions that one INSERT can take."""
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
