"""Writing the directory: departments, services, specialties. Practitioners: ``app.rules.practitioners``.

Nothing is deleted: what is no longer wanted is switched off, which is refused while its times lie ahead.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.directory import (
    Department,
    HealthcareService,
    Practitioner,
    PractitionerRole,
    Specialty,
)
from app.models.enums import ScheduleStatus, SlotStatus
from app.models.organization import Organization
from app.models.schedule import Schedule, Slot
from app.models.scope import scope_of
from app.rules import audit
from app.rules.actor import Actor
from app.rules.clock import local_date
from app.rules.directory import department_kinds
from app.rules.errors import N_, NotAllowed, RuleError
from app.rules.organizations import demand_over

SERVICE_CODE = re.compile(r"[AB]\d{2}(\.\d{2,3}){1,3}", re.ASCII)
"""Of the nomenclature, order 804н (features.md 5.4): «B01.064.001», «A16.07.002.001»."""
DEEPEST = 8
T = TypeVar("T", Department, HealthcareService, Practitioner, PractitionerRole, Specialty)


class BadServiceCode(RuleError):
    code = "bad_service_code"
    text = N_(
        "“%(code)s” is not a code of the nomenclature. It looks like B01.064.001, in Latin letters; "
        "leave it empty for a service outside the nomenclature."
    )


class SameService(RuleError):
    code = "same_service"
    text = N_("There is a service with this code and name already.")


class UnderItself(RuleError):
    code = "under_itself"
    text = N_("A department cannot stand under itself or under one of its own.")


class TooDeep(RuleError):
    code = "too_deep"
    text = N_("Departments stand at most %(most)s levels deep.")


class OtherBranch(RuleError):
    code = "other_branch"
    text = N_("“%(name)s” belongs to another branch. Choose a department of this one.")


class UnknownKind(RuleError):
    code = "unknown_kind"
    text = N_("There is no such kind of department.")


class TimesAhead(RuleError):
    code = "times_ahead"
    text = N_(
        "“%(name)s” has published times up to %(date)s. Close them first, then switch it off."
    )


class PartsWork(RuleError):
    code = "parts_work"
    text = N_("Departments under “%(name)s” still work. Switch them off first.")


class SameCode(RuleError):
    code = "same_specialty_code"
    text = N_("There is a specialty with the code %(code)s already.")


# --- departments


def save_department(
    session: Session,
    *,
    organization: Organization,
    part_of: Department | None,
    actor: Actor,
    now: dt.datetime,
    department: Department | None = None,
    **fields: Any,
) -> Department:
    """A new department, or ``department`` changed. Raises NotAllowed, OtherBranch, UnderItself, TooDeep,
    UnknownKind, TimesAhead, PartsWork."""
    demand_over(session, organization.id)
    if fields.get("kind") and fields["kind"] not in department_kinds():
        raise UnknownKind()
    _demand_place(session, organization, part_of, department)
    if department is None:
        department = Department(organization_id=organization.id, tenant_id=organization.tenant_id)
    elif department.is_active and fields.get("is_active") is False:
        _demand_idle_department(session, department, now)
    department.part_of_id = part_of.id if part_of else None
    return saved(session, department, "department", fields, actor, now)


def _demand_place(
    session: Session,
    organization: Organization,
    part_of: Department | None,
    department: Department | None,
) -> None:
    """The way up is within the branch, ends, and does not lead through the department itself."""
    above, depth = part_of, 1
    while above is not None:
        if above.organization_id != organization.id:
            raise OtherBranch(name=above.name)
        if department is not None and above.id == department.id:
            raise UnderItself()
        depth += 1
        if depth > DEEPEST:
            raise TooDeep(most=DEEPEST)
        above = session.get(Department, above.part_of_id) if above.part_of_id else None


def _demand_idle_department(session: Session, department: Department, now: dt.datetime) -> None:
    working = select(Department.id).where(
        Department.part_of_id == department.id, Department.is_active
    )
    if session.scalar(working.limit(1)) is not None:
        raise PartsWork(name=department.name)
    roles = select(PractitionerRole.id).where(PractitionerRole.department_id == department.id)
    demand_idle(session, Slot.role_id.in_(roles), name=department.name, now=now)


def demand_idle(session: Session, condition: Any, *, name: str, now: dt.datetime) -> None:
    """No time that fulfils ``condition`` (on Slot) lies ahead. Raises TimesAhead."""
    row = session.execute(
        select(func.max(Slot.starts_at), func.max(Organization.time_zone))
        .join(Organization, Organization.id == Slot.organization_id)
        .where(
            condition,
            Slot.role_id.is_not(None),
            Slot.status != SlotStatus.CLOSED,
            Slot.starts_at > now,
        )
    ).one()
    if row[0] is not None:
        raise TimesAhead(name=name, date=local_date(row[0], row[1]))


# --- services


def save_service(
    session: Session,
    *,
    tenant_id: int,
    actor: Actor,
    now: dt.datetime,
    service: HealthcareService | None = None,
    **fields: Any,
) -> HealthcareService:
    """A new service, or ``service`` changed. Raises NotAllowed, BadServiceCode, SameService, TimesAhead."""
    demand_over(session, tenant_id)
    code = fields.get("code", service.code if service else "")
    if code and not SERVICE_CODE.fullmatch(code):
        raise BadServiceCode(code=code)
    name = fields.get("name_ru", service.name_ru if service else "")
    twin = session.scalar(
        select(HealthcareService.id).where(
            HealthcareService.tenant_id == tenant_id,
            HealthcareService.code == code,
            HealthcareService.name_ru == name,
            HealthcareService.id != (service.id if service else 0),
        )
    )
    if twin is not None:
        raise SameService()
    if service is None:
        service = HealthcareService(tenant_id=tenant_id)
    elif service.is_active and fields.get("is_active") is False:
        only = select(Schedule.id).where(
            Schedule.service_id == service.id, Schedule.status != ScheduleStatus.CLOSED
        )
        demand_idle(session, Slot.schedule_id.in_(only), name=service.name_ru, now=now)
    return saved(session, service, "service", fields, actor, now)


# --- specialties: one list for the whole installation


def save_specialty(
    session: Session,
    *,
    actor: Actor,
    now: dt.datetime,
    specialty: Specialty | None = None,
    **fields: Any,
) -> Specialty:
    """A new specialty, or ``specialty`` changed; for whoever works over the whole installation.

    Raises NotAllowed, SameCode.
    """
    scope = scope_of(session)
    if scope.kind != "system" and not scope.everywhere:
        raise NotAllowed()
    code = fields.get("code", "")
    if code and session.scalar(select(Specialty.id).where(Specialty.code == code)) is not None:
        raise SameCode(code=code)
    return saved(session, specialty or Specialty(), "specialty", fields, actor, now)


def saved(
    session: Session, row: T, topic: str, fields: dict[str, Any], actor: Actor, now: dt.datetime
) -> T:
    """Write ``fields`` and the line of the journal; nothing changed, no line."""
    for name, value in fields.items():
        setattr(row, name, value)
    if row.id is None:
        session.add(row)
        session.flush()  # the audit line needs the id
        changes = {
            name: pair
            for name, pair in audit.changes_since({}, row).items()
            if pair[1] not in (None, "")
        }
        audit.record(
            session, verb=f"{topic}.create", subject=row, actor=actor, now=now, changes=changes
        )
        return row
    changes = audit.pending_changes(row)
    if changes:
        audit.record(
            session, verb=f"{topic}.edit", subject=row, actor=actor, now=now, changes=changes
        )
    session.flush()
    return row
