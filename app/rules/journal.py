"""What the rows named in the journal are called now, for the page that shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import FIRST_NUMBER, RejectionReason
from app.models.audit import AuditEvent
from app.models.donation_type import DonationType
from app.models.organization import Organization
from app.models.staff import StaffUser

NAMED: tuple[type[Any], ...] = (Organization, DonationType, RejectionReason, StaffUser)
"""Tables whose rows have a name that is no donor's."""
Subject = tuple[str, int]


def names(session: Session, events: Iterable[AuditEvent]) -> dict[Subject, str]:
    """Names of the rows these events are about, as far as the reader may see them. A query a table."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for event in events:
        if event.subject_id is not None:
            wanted[event.subject].add(event.subject_id)
    found = {("appointment", key): f"№\u00a0{FIRST_NUMBER + key}" for key in wanted["appointment"]}
    for model in NAMED:
        ids = wanted[model.__tablename__]
        if ids:
            rows = session.scalars(select(model).where(model.id.in_(ids)))
            found |= {(model.__tablename__, row.id): str(row) for row in rows}
    return found
