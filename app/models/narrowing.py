"""Holding every statement of a session to its scope, and every row it writes.

A hook on each ORM statement narrows it to the scope's rows, and a check before each flush refuses rows
outside it: Flask-Admin's ``get_one`` and its inline edits go by bare ids, so views alone cannot be
trusted with this.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, false, or_, select
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from app.models import (
    account,
    appointment,
    audit,
    exchange,
    message,
    organization,
    schedule,
    staff,
)
from app.models.scope import (
    BranchScoped,
    OutOfScope,
    PersonOwned,
    Scope,
    StaffOnly,
    TenantScoped,
    scope_of,
)


def _criteria(scope: Scope) -> list[Any]:
    tenants, branches, people = scope.tenant_ids, scope.organization_ids, scope.person_ids
    account_id, staff_id = scope.account_id or 0, scope.staff_user_id or 0  # never «IS NULL»
    if scope.kind == "system":
        return []
    if scope.kind == "staff":
        narrowed: list[Any] = [
            with_loader_criteria(
                account.WebSession,
                account.WebSession.staff_user_id == staff_id,
                include_aliases=True,
            )
        ]
        if scope.everywhere:
            return narrowed
        of_tenants = (
            audit.AuditEvent,
            audit.AccessEvent,
            message.Message,
            message.MessageTemplate,
        )
        accounts = select(account.AccountPerson.account_id).where(
            account.AccountPerson.tenant_id.in_(tenants)
        )
        colleagues = select(staff.RoleAssignment.staff_user_id).where(
            staff.RoleAssignment.organization_id.in_(branches)
        )
        of_parents = {
            appointment.AppointmentEvent: appointment.AppointmentEvent.appointment_id.in_(
                select(appointment.Appointment.id).where(
                    appointment.Appointment.organization_id.in_(branches)
                )
            ),
            audit.AccessSubject: audit.AccessSubject.event_id.in_(
                select(audit.AccessEvent.id).where(audit.AccessEvent.tenant_id.in_(tenants))
            ),
            exchange.DonorImportRow: exchange.DonorImportRow.import_id.in_(
                select(exchange.DonorImport.id).where(exchange.DonorImport.tenant_id.in_(tenants))
            ),
            account.OneTimeLink: or_(
                account.OneTimeLink.account_id.in_(accounts),
                account.OneTimeLink.staff_user_id.in_(colleagues),
                account.OneTimeLink.staff_user_id == staff_id,
            ),
        }
        return [
            *narrowed,
            *(
                with_loader_criteria(model, model.tenant_id.in_(tenants), include_aliases=True)
                for model in of_tenants
            ),
            *(
                with_loader_criteria(model, criterion, include_aliases=True)
                for model, criterion in of_parents.items()
            ),
            with_loader_criteria(
                TenantScoped, lambda cls: cls.tenant_id.in_(tenants), include_aliases=True
            ),
            with_loader_criteria(
                BranchScoped, lambda cls: cls.organization_id.in_(branches), include_aliases=True
            ),
            with_loader_criteria(
                organization.Organization,
                organization.Organization.id.in_(branches + tenants),
                include_aliases=True,
            ),
            with_loader_criteria(
                account.Account,
                account.Account.id.in_(accounts),
                include_aliases=True,
            ),
            with_loader_criteria(
                staff.StaffUser,
                or_(staff.StaffUser.id == staff_id, staff.StaffUser.id.in_(colleagues)),
                include_aliases=True,
            ),
            with_loader_criteria(
                staff.RoleAssignment,
                or_(
                    staff.RoleAssignment.organization_id.in_(branches),
                    staff.RoleAssignment.staff_user_id == staff_id,
                ),
                include_aliases=True,
            ),
        ]
    return [
        with_loader_criteria(StaffOnly, lambda cls: false(), include_aliases=True),
        with_loader_criteria(
            PersonOwned, lambda cls: cls.person_id.in_(people), include_aliases=True
        ),
        with_loader_criteria(
            account.Account, account.Account.id == account_id, include_aliases=True
        ),
        with_loader_criteria(
            account.WebSession, account.WebSession.account_id == account_id, include_aliases=True
        ),
        with_loader_criteria(
            account.OneTimeLink, account.OneTimeLink.account_id == account_id, include_aliases=True
        ),
        with_loader_criteria(
            schedule.Schedule, schedule.Schedule.status != "draft", include_aliases=True
        ),
    ]


def _narrow(state: ORMExecuteState) -> None:
    scope = scope_of(state.session)
    if state.is_column_load or scope.kind == "system":
        return
    if not scope.criteria:
        object.__setattr__(scope, "criteria", tuple(_criteria(scope)))
    state.statement = state.statement.options(*scope.criteria)


def _check(session: Session, _context: object, _instances: object) -> None:
    scope = scope_of(session)
    if scope.kind == "system" or scope.everywhere:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if scope.kind == "staff":
            foreign = (
                isinstance(row, BranchScoped) and row.organization_id not in scope.organization_ids
            ) or (isinstance(row, TenantScoped) and row.tenant_id not in scope.tenant_ids)
        else:
            foreign = isinstance(row, PersonOwned) and row.person_id not in scope.person_ids
        if foreign:
            raise OutOfScope(type(row).__name__)


def install(session_class: type[Session] | Any) -> None:
    """Hook the narrowing and the check into ``session_class`` (a Session class or factory)."""
    event.listen(session_class, "do_orm_execute", _narrow)
    event.listen(session_class, "before_flush", _check)
