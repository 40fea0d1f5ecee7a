"""What the rows named in the journal are called now, for the page that shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import FIRST_NUMBER, RejectionReason
from app.models.audit import AuditEvent
from app.models.base import Base
from app.models.donation_type import DonationType
from app.models.organization import Organization
from app.models.staff import StaffUser
from app.rules.lookup import staff_names

NAMED: tuple[type[Any], ...] = (Organization, DonationType, RejectionReason, StaffUser)
"""Tables whose rows have a name that is no donor's."""
Subject = tuple[str, int]
REFERENCES: dict[tuple[str, str], str] = {
    (mapper.class_.__tablename__, column.key): key.column.table.name
    for mapper in Base.registry.mappers
    for column in mapper.columns
    for key in column.foreign_keys
}
"""Table and column → the table whose row the column names."""


def names(session: Session, events: Iterable[AuditEvent]) -> dict[Subject, str]:
    """Names of the rows these events are about or mention, as far as the reader may see them.

    A query a table, however many events. Colleagues are named whatever their roles are.
    """
    wanted = _wanted(events)
    found = {("appointment", key): f"№\u00a0{FIRST_NUMBER + key}" for key in wanted["appointment"]}
    for model in NAMED:
        table, ids = model.__tablename__, wanted[model.__tablename__]
        if ids and model is StaffUser:
            found |= {(table, key): name for key, name in staff_names(session, ids).items()}
        elif ids:
            rows = session.scalars(select(model).where(model.id.in_(ids)))
            found |= {(table, row.id): str(row) for row in rows}
    return found


def _wanted(events: Iterable[AuditEvent]) -> dict[str, set[int]]:
    """Table → keys of the rows that the events are about, or whose keys stand among the changes."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for event in events:
        if event.subject_id is not None:
            wanted[event.subject].add(event.subject_id)
        for name, pair in event.changes.items():
            target = REFERENCES.get((event.subject, name))
            if target is not None:
                wanted[target] |= {key for key in pair if isinstance(key, int)}
    return wanted
