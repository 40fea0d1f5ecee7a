"""What the first page of the back office tells: how many wait for me, how full today is."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.models.account import AccountPerson
from app.models.attachment import Attachment
from app.models.cabinet_choices import AttachmentStatus, ConfirmationStatus
from app.models.enums import ScheduleStatus
from app.models.medical_document import ProfileConfirmation
from app.models.organization import Organization
from app.models.schedule import Schedule
from app.rules import families, queue
from app.rules.clock import local_date
from app.rules.day_list import Load, loads_of


@dataclass(frozen=True)
class Waiting:
    """Requests that nobody has decided yet, counted up to queue.MOST_COUNTED + 1."""

    pending: int
    overdue: int


def waiting(session: Session, *, now: dt.datetime, of_patients: bool = False) -> Waiting:
    """Of donors, or of patients."""
    everything = queue.QueueFilter(of_patients=of_patients)
    return Waiting(
        queue.count(session, everything, now=now), queue.overdue(session, everything, now=now)
    )


def attachments_asked(session: Session) -> int:
    """Requests for an attachment that nobody has decided, counted as requests are."""
    asked = select(Attachment.id).where(Attachment.status == AttachmentStatus.REQUESTED)
    return _counted(session, asked)


def families_asked(session: Session) -> int:
    """Relatives whose papers nobody has seen yet, counted as requests are."""
    return _counted(session, select(AccountPerson.id).where(families.asked()))


def profiles(session: Session, *, now: dt.datetime) -> Waiting:
    """Profiles to be confirmed; overdue are those whose day is over everywhere."""
    pending = select(ProfileConfirmation.id).where(
        ProfileConfirmation.status == ConfirmationStatus.WAITING
    )
    late = pending.where(ProfileConfirmation.due_on < now.date())
    return Waiting(_counted(session, pending), _counted(session, late))


def _counted(session: Session, some: Select[int]) -> int:
    found = select(func.count()).select_from(some.limit(queue.MOST_COUNTED + 1).subquery())
    return session.scalar(found) or 0


@dataclass(frozen=True)
class Busy:
    """How full one place is today, on its own calendar."""

    organization: Organization
    date: dt.date
    load: Load

    @property
    def percent(self) -> int:
        return round(100 * self.load.taken / self.load.total) if self.load.total else 0


def load(session: Session, *, now: dt.datetime) -> list[Busy]:
    """Today's places of every organization in scope that has any. Three queries."""
    places = {row.id: row for row in session.scalars(select(Organization))}
    zones = defaultdict(list)
    for row in places.values():
        zones[row.time_zone].append(row.id)
    if not zones:
        return []
    today = [
        and_(Schedule.organization_id.in_(ids), Schedule.date == local_date(now, zone))
        for zone, ids in zones.items()
    ]
    days = session.execute(
        select(Schedule.id, Schedule.organization_id, Schedule.date).where(
            or_(*today), Schedule.status.in_((ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED))
        )
    ).all()
    loads = loads_of(session, [day.id for day in days])
    sums: dict[tuple[int, dt.date], Load] = defaultdict(Load)
    for day in days:
        one, before = loads[day.id], sums[day.organization_id, day.date]
        sums[day.organization_id, day.date] = Load(
            before.free + one.free, before.held + one.held, before.busy + one.busy
        )
    found = [Busy(places[key], date, total) for (key, date), total in sums.items()]
    return sorted(found, key=lambda row: row.organization.short_name)
