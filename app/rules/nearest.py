"""Where else: the nearest days that are open to a donor, to say beside a refusal."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.blood import takes
from app.models.donation_type import DonationType
from app.models.organization import Organization
from app.models.schedule import Schedule, Slot
from app.rules.eligibility import blocking
from app.rules.known import PersonFacts
from app.rules.place_filters import choosable, open_days
from app.rules.places import board_of


@dataclass(frozen=True)
class Alternative:
    """A day open to this donor, with its first free time."""

    schedule: Schedule
    organization: Organization
    donation_type: DonationType
    starts_at: dt.datetime
    free: int


def alternatives(
    session: Session,
    *,
    person: PersonFacts,
    tenant_id: int,
    near: dt.date,
    now: dt.datetime,
    without_schedule_id: int = 0,
    limit: int = 3,
) -> list[Alternative]:
    """The days nearest to ``near`` with free places that nothing stands against for this person."""
    if person.blood_type is None:
        return []
    board = board_of(session, now, {tenant_id: person})
    own = [row for row in board.organizations.values() if row.tenant_id == tenant_id]
    rows = session.execute(
        select(Schedule, func.min(Slot.starts_at), func.count(Slot.id))
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(
            open_days(own, board.types, now),
            takes(Schedule.blood_types, [person.blood_type]),
            Schedule.id != without_schedule_id,
            Schedule.date <= near + dt.timedelta(days=60),
            *choosable(now),
        )
        .group_by(Schedule.id)
        .order_by(Schedule.date, Schedule.id)
        .limit(100)
    ).all()
    found = []
    for day, starts_at, free in sorted(rows, key=lambda row: abs(row[0].date - near)):
        if not blocking(list(board.reasons(day))):
            place = board.organizations[day.organization_id]
            found.append(
                Alternative(day, place, board.types[day.donation_type_id], starts_at, free)
            )
        if len(found) == limit:
            break
    return found
