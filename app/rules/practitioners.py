"""Writing practitioners: who they are, what they give, and where they receive (B5, D20, E19)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models.directory import (
    Department,
    HealthcareService,
    Practitioner,
    PractitionerRole,
    PractitionerService,
    Specialty,
)
from app.models.organization import Organization
from app.models.schedule import Schedule, Slot
from app.rules import audit
from app.rules.actor import Actor
from app.rules.directory_edit import OtherBranch, demand_idle, saved
from app.rules.donors import folded
from app.rules.errors import N_, NotAllowed, RuleError
from app.rules.organizations import demand_over


class SameStaffNumber(RuleError):
    code = "same_staff_number"
    text = N_("The staff number %(code)s is another doctor’s already.")


class SameRole(RuleError):
    code = "same_role"
    text = N_("The doctor receives there in this specialty already.")


def save_practitioner(
    session: Session,
    *,
    tenant_id: int,
    actor: Actor,
    now: dt.datetime,
    practitioner: Practitioner | None = None,
    **fields: Any,
) -> Practitioner:
    """A new practitioner, or ``practitioner`` changed; without a staff number one is given.

    Raises NotAllowed, SameStaffNumber, TimesAhead.
    """
    demand_over(session, tenant_id)
    code = fields.get("code", "")
    twin = select(Practitioner.id).where(
        Practitioner.tenant_id == tenant_id,
        Practitioner.code == code,
        Practitioner.id != (practitioner.id if practitioner else 0),
    )
    if code and session.scalar(twin.limit(1)) is not None:
        raise SameStaffNumber(code=code)
    if practitioner is None:
        practitioner = Practitioner(tenant_id=tenant_id)
    elif practitioner.is_active and fields.get("is_active") is False:
        roles = select(PractitionerRole.id).where(
            PractitionerRole.practitioner_id == practitioner.id
        )
        demand_idle(session, Slot.role_id.in_(roles), name=practitioner.full_name, now=now)
    for name, value in fields.items():
        setattr(practitioner, name, value)
    practitioner.search_name = folded(practitioner.full_name)
    made = saved(session, practitioner, "practitioner", {}, actor, now)
    if not made.code:
        made.code = f"T-{made.id}"  # by which a file knows the doctor again
        session.flush()
    return made


def set_services(
    session: Session,
    *,
    practitioner: Practitioner,
    services: Collection[HealthcareService],
    actor: Actor,
    now: dt.datetime,
) -> bool:
    """The practitioner gives exactly these services; whether that is a change.

    Raises NotAllowed, also for a service of another organization; TimesAhead for one that published
    times are for.
    """
    demand_over(session, practitioner.tenant_id)
    if any(each.tenant_id != practitioner.tenant_id for each in services):
        raise NotAllowed()
    link = PractitionerService
    before = {
        row.id: row
        for row in session.scalars(
            select(HealthcareService)
            .join(link, link.service_id == HealthcareService.id)
            .where(link.practitioner_id == practitioner.id)
        )
    }
    after = {each.id: each for each in services}
    gone = before.keys() - after.keys()
    if before.keys() == after.keys():
        return False
    for key in gone:
        mine = select(Schedule.id).join(PractitionerRole, PractitionerRole.id == Schedule.role_id)
        mine = mine.where(
            PractitionerRole.practitioner_id == practitioner.id, Schedule.service_id == key
        )
        demand_idle(session, Slot.schedule_id.in_(mine), name=before[key].name_ru, now=now)
    session.execute(
        delete(link).where(link.practitioner_id == practitioner.id, link.service_id.in_(gone))
    )
    session.add_all(
        link(tenant_id=practitioner.tenant_id, practitioner_id=practitioner.id, service_id=key)
        for key in after.keys() - before.keys()
    )
    changes = {"services": [_named(before.values()), _named(after.values())]}
    audit.record(
        session, verb="practitioner.services", subject=practitioner, actor=actor, now=now,
        changes=changes,
    )  # fmt: skip
    session.flush()
    return True


def _named(services: Collection[HealthcareService]) -> str:
    return "; ".join(sorted(str(each) for each in services))


def save_role(
    session: Session,
    *,
    practitioner: Practitioner,
    organization: Organization,
    department: Department | None,
    specialty: Specialty,
    actor: Actor,
    now: dt.datetime,
    role: PractitionerRole | None = None,
    **fields: Any,
) -> PractitionerRole:
    """Where a practitioner receives, in which department and specialty; new, or ``role`` changed.

    Raises NotAllowed, OtherBranch, SameRole, TimesAhead (switched off, or moved to another branch).
    """
    demand_over(session, organization.id)
    if organization.tenant_id != practitioner.tenant_id:
        raise NotAllowed()
    if department is not None and department.organization_id != organization.id:
        raise OtherBranch(name=department.name)
    place = (organization.id, department.id if department else None, specialty.id)
    twins = select(PractitionerRole).where(PractitionerRole.practitioner_id == practitioner.id)
    for twin in session.scalars(twins):
        same = (twin.organization_id, twin.department_id, twin.specialty_id) == place
        if same and twin is not role:
            raise SameRole()
    if role is None:
        role = PractitionerRole(tenant_id=practitioner.tenant_id, practitioner_id=practitioner.id)
    else:
        demand_over(session, role.organization_id)
        off = role.is_active and fields.get("is_active") is False
        if off or role.organization_id != organization.id:
            demand_idle(session, Slot.role_id == role.id, name=practitioner.full_name, now=now)
    role.organization_id, role.department_id, role.specialty_id = place
    return saved(session, role, "reception", fields, actor, now)


def grouped(
    roles: Iterable[PractitionerRole],
) -> list[tuple[Organization, str, list[PractitionerRole]]]:
    """Rows of ``choices`` by branch and department, for a form with boxes."""
    return [
        (place, department, list(rows))
        for (place, department), rows in groupby(
            roles,
            key=lambda role: (role.organization, role.department.name if role.department else ""),
        )
    ]
