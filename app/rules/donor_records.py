"""Records of the blood service's file: one with what hangs on it, and whom it could belong to."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.donor import Deferral, Donation, Donor, DonorRecord
from app.models.organization import Organization
from app.models.person import Person
from app.rules.clock import local_date
from app.rules.donor_card import Seen, seen_by
from app.rules.errors import NotFound
from app.rules.shown import Shown, most_of


@dataclass(frozen=True)
class RecordCard:
    """A record of the donor file with what hangs on it."""

    record: DonorRecord
    person: Person | None
    claimed_by: list[Person]
    """Cards whose donor gives this code: whom it could be linked to."""
    deferrals: Shown[Deferral]
    donations: Shown[Donation]
    seen: Shown[Seen]
    tenant: Organization
    today: dt.date
    """The organization's own date."""


def record_card(
    session: Session, *, uid: uuid.UUID, now: dt.datetime, whole: bool = False
) -> RecordCard:
    """Of each list the latest lines, with ``whole`` all of them. Raises NotFound."""
    most = most_of(whole)
    record = record_of(session, uid=uid)
    tenant = session.get_one(Organization, record.tenant_id)
    claims = session.scalars(
        select(Person)
        .join(Donor, Donor.person_id == Person.id)
        .where(Donor.tenant_id == record.tenant_id, Donor.donor_code == record.code)
        .limit(5)
    ).all()
    deferrals = session.scalars(
        select(Deferral)
        .where(Deferral.record_id == record.id)
        .order_by(Deferral.withdrawn_at.is_not(None), Deferral.starts_on.desc())
        .limit(most + 1)
    ).all()
    donations = session.scalars(
        select(Donation)
        .where(Donation.record_id == record.id)
        .order_by(Donation.on_date.desc())
        .limit(most + 1)
    ).all()
    return RecordCard(
        record,
        session.get(Person, record.person_id) if record.person_id is not None else None,
        list(claims),
        Shown.of(deferrals, most),
        Shown.of(donations, most),
        seen_by(session, record_id=record.id, most=most),
        tenant,
        local_date(now, tenant.time_zone),
    )


def record_of(session: Session, *, uid: uuid.UUID) -> DonorRecord:
    """Raises NotFound."""
    found = session.scalars(select(DonorRecord).where(DonorRecord.uid == uid)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def record_by_code(session: Session, *, tenant_id: int, code: str) -> DonorRecord | None:
    """The organization's record with this code."""
    return session.scalars(
        select(DonorRecord).where(DonorRecord.tenant_id == tenant_id, DonorRecord.code == code)
    ).one_or_none()
