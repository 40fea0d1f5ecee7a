"""The staff's list of profiles to be confirmed, with the working days that are left (C16)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models.cabinet_choices import ConfirmationStatus as S
from app.models.medical_document import ProfileConfirmation
from app.models.person import Person
from app.rules import holidays
from app.rules.clock import local_date

ON_A_PAGE = 30


@dataclass(frozen=True)
class Listed:
    """A request in the staff's list, and the working days left; negative ones are late."""

    row: ProfileConfirmation
    days_left: int


def listed(
    session: Session, *, status: S, now: dt.datetime, page: int = 1
) -> tuple[list[Listed], bool]:
    """Requests in one state as far as the reader's roles reach, and whether there are more.

    Those that wait stand by their day, the most urgent first; the others by their decision.
    """
    query = (
        select(ProfileConfirmation)
        .options(joinedload(ProfileConfirmation.person).joinedload(Person.tenant))
        .where(ProfileConfirmation.status == status)
        .offset((page - 1) * ON_A_PAGE)
        .limit(ON_A_PAGE + 1)
    )
    order = (
        (ProfileConfirmation.due_on, ProfileConfirmation.id)
        if status is S.WAITING
        else (ProfileConfirmation.id.desc(),)
    )
    rows = session.scalars(query.order_by(*order)).all()
    return [Listed(row, left(row, now)) for row in rows[:ON_A_PAGE]], len(rows) > ON_A_PAGE


def left(row: ProfileConfirmation, now: dt.datetime) -> int:
    """Working days until the answer is due, by the organization's own date."""
    today = local_date(now, row.person.tenant.time_zone)
    return holidays.working_days_left(today, row.due_on)
