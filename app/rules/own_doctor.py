"""«Талоны» of the district doctor (rows C12, C13, C15): whose card, which doctor, what is left of the day's quota."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.models.attachment import Attachment
from app.models.cabinet_choices import AttachmentStatus
from app.models.directory import PractitionerRole
from app.models.organization import Organization
from app.rules import directory, reception, sitting_previews
from app.rules.clock import local_date
from app.rules.districts import doctors_on
from app.rules.errors import NotFound
from app.rules.reception import Time
from app.rules.slot_states import State

DAYS = 14
"""Of the doctor's days that are shown; his page has the others."""


@dataclass(frozen=True)
class Day:
    """A day on which the district doctor receives: the times that the site gives."""

    date: dt.date
    opens: dt.date
    times: tuple[Time, ...]

    @property
    def free(self) -> tuple[Time, ...]:
        return tuple(time for time in self.times if time.state is State.FREE)

    @property
    def used_up(self) -> bool:
        """The day's quota is reached (C13)."""
        return not self.free and any(time.state in (State.TAKEN, State.HELD) for time in self.times)

    @property
    def is_ahead(self) -> bool:
        return not self.free and any(time.state is State.SOON for time in self.times)


@dataclass(frozen=True)
class Own:
    """One district of a card, with its doctor and days."""

    attachment: Attachment
    place: Organization
    quota: int
    """Tickets of a day that the site gives."""
    role: PractitionerRole | None = None
    """None: no permanent doctor, or none that receives (C15)."""
    days: tuple[Day, ...] = ()

    @property
    def shown(self) -> tuple[Day, ...]:
        """The days that can be chosen or are given out, and the first that opens later."""
        ahead = [day for day in self.days if day.is_ahead]
        return tuple(day for day in self.days if not day.is_ahead or day is ahead[0])


def of_card(session: Session, attached: Sequence[Attachment], *, now: dt.datetime) -> list[Own]:
    """For each district in force; a few queries for each."""
    active = [
        row
        for row in attached
        if row.status is AttachmentStatus.ACTIVE and row.district is not None
    ]
    return [_own(session, row, now) for row in active]


def _own(session: Session, row: Attachment, now: dt.datetime) -> Own:
    assert row.district is not None
    place, quota = row.organization, sitting_previews.web_quota(row.district)
    on = local_date(now, place.time_zone)
    found = doctors_on(session, district_ids=[row.district.id], on=on).get(row.district.id)
    if found is None or not found.role.is_active:
        return Own(row, place, quota)
    role = found.role
    if role.organization_id != place.id:
        place = session.get_one(Organization, role.organization_id)
    try:
        here = directory.institution(session, uid=place.uid)
        shown = reception.reception(session, institution=here, role=role.uid, service=None, now=now)
    except NotFound:  # the institution or the doctor is switched off
        return Own(row, place, quota)
    days = [
        Day(day.date, day.opens, times)
        for day in shown.days
        if (times := tuple(time for time in day.times if time.state in SHOWN))
    ]
    return Own(row, place, quota, role, tuple(days[:DAYS]))


SHOWN = (State.FREE, State.TAKEN, State.HELD, State.SOON)
"""What the site gives, or has given."""
