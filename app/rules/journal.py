"""What the rows named in the journal are called now, for the page that shows it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app.models.address import AddressImport
from app.models.appointment import FIRST_NUMBER, RejectionReason
from app.models.audit import AuditEvent
from app.models.base import Base
from app.models.directory import (
    Department,
    HealthcareService,
    Practitioner,
    PractitionerRole,
    Specialty,
)
from app.models.district import District, DistrictImport
from app.models.donation_type import DonationType
from app.models.exchange import DirectoryImport, DonorImport
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.models.schedule import Publication, Schedule
from app.models.staff import StaffUser
from app.rules.lookup import staff_names

NAMED: tuple[type[Any], ...] = (
    Organization,
    DonationType,
    RejectionReason,
    StaffUser,
    Department,
    HealthcareService,
    Practitioner,
    Specialty,
)
"""Tables whose rows have a name that is no donor's."""
Tenant = aliased(Organization)
DESCRIBED: dict[type[Any], Any] = {
    Publication: select(Publication.id, Publication.title),
    District: select(District.id, District.number, Organization.short_name).join(
        Organization, Organization.id == District.organization_id
    ),
    DistrictImport: select(DistrictImport.id, DistrictImport.file_name),
    AddressImport: select(AddressImport.id, AddressImport.file_name),
    DonorImport: select(DonorImport.id, DonorImport.file_name),
    DirectoryImport: select(DirectoryImport.id, DirectoryImport.file_name),
    PractitionerRole: select(PractitionerRole.id, Practitioner.family_name, Organization.short_name)
    .join(Practitioner, Practitioner.id == PractitionerRole.practitioner_id)
    .join(Organization, Organization.id == PractitionerRole.organization_id),
    Schedule: select(Schedule.id, Schedule.date, Organization.short_name).join(
        Organization, Organization.id == Schedule.organization_id
    ),
    BookingPolicy: select(
        BookingPolicy.id,
        func.coalesce(Organization.short_name, Tenant.short_name),
        Department.name,
        HealthcareService.name_ru,
        DonationType.name_ru,
    )
    .join(Tenant, Tenant.id == BookingPolicy.tenant_id)
    .outerjoin(Organization, Organization.id == BookingPolicy.organization_id)
    .outerjoin(Department, Department.id == BookingPolicy.department_id)
    .outerjoin(HealthcareService, HealthcareService.id == BookingPolicy.service_id)
    .outerjoin(DonationType, DonationType.id == BookingPolicy.donation_type_id),
}
"""Tables whose rows are called by what they are about: the key, then what its name is put together from."""
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
    for model, described in DESCRIBED.items():
        table, ids = model.__tablename__, wanted[model.__tablename__]
        if ids:
            told = session.execute(described.where(model.id.in_(ids)))
            found |= {(table, key): _joined(parts) for key, *parts in told}
    return {key: name for key, name in found.items() if name}


def _joined(parts: Iterable[Any]) -> str:
    """«25.11.2026, Подольск»: a day in figures, for both languages."""
    said = (f"{part:%d.%m.%Y}" if isinstance(part, dt.date) else part for part in parts)
    return ", ".join(part for part in said if part)


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
