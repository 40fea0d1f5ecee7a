"""Holding every statement of a session to its scope, and every row it writes.

A hook on each ORM statement narrows it to the scope's rows, and a check before each flush refuses rows
outside it: Flask-Admin's ``get_one`` and its inline edits go by bare ids, so views alone cannot be
trusted with this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from sqlalchemy import event, false, or_, select
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, with_loader_criteria

from app.models import (
    account,
    appointment,
    audit,
    data_archive,
    exchange,
    message,
    organization,
    page,
    schedule,
    sign_in,
    staff,
    template,
)
from app.models.scope import (
    AccountOwned,
    BranchScoped,
    OutOfScope,
    PersonOwned,
    Scope,
    StaffOnly,
    TenantScoped,
    scope_of,
)

Criterion = Callable[[Any], Any]
"""From a class, or an alias of it, to what its rows must fulfil."""


@lru_cache(maxsize=256)
def _criteria(scope: Scope) -> tuple[LoaderCriteriaOption, ...]:
    """Made once for each scope: people come back, and making these costs as much as a statement."""
    return tuple(
        with_loader_criteria(model, criterion, include_aliases=True)
        for model, criterion in (_of_staff(scope) if scope.kind == "staff" else _of_readers(scope))
    )


def _of_staff(scope: Scope) -> Iterator[tuple[type[Any], Criterion]]:
    """Rows of the tenants and branches in reach, and of colleagues there."""
    tenants, branches = scope.tenant_ids, scope.organization_ids
    both = branches + tenants + scope.above_ids
    staff_id = scope.staff_user_id or 0  # never «IS NULL»
    yield account.WebSession, lambda cls: cls.staff_user_id == staff_id
    for unseen in (sign_in.OidcAttempt, sign_in.SignInRefusal, data_archive.DataArchivePart):
        yield unseen, lambda cls: false()
    if scope.everywhere:
        return
    accounts = select(account.AccountPerson.account_id).where(
        account.AccountPerson.tenant_id.in_(tenants)
    )
    colleagues = select(staff.RoleAssignment.staff_user_id).where(
        staff.RoleAssignment.organization_id.in_(branches)
    )
    appointments = select(appointment.Appointment.id).where(
        appointment.Appointment.organization_id.in_(branches)
    )
    looks = select(audit.AccessEvent.id).where(audit.AccessEvent.tenant_id.in_(tenants))
    imports = select(exchange.DonorImport.id).where(exchange.DonorImport.tenant_id.in_(tenants))
    templates = select(template.ScheduleTemplate.id).where(
        template.ScheduleTemplate.organization_id.in_(branches)
    )
    for model in (
        audit.AuditEvent,
        audit.AccessEvent,
        message.Message,
        message.MessageTemplate,
        TenantScoped,
    ):
        yield model, lambda cls: cls.tenant_id.in_(tenants)
    yield BranchScoped, lambda cls: cls.organization_id.in_(branches)
    yield organization.Organization, lambda cls: cls.id.in_(both)
    yield appointment.AppointmentEvent, lambda cls: cls.appointment_id.in_(appointments)
    yield audit.AccessSubject, lambda cls: cls.event_id.in_(looks)
    yield exchange.DonorImportRow, lambda cls: cls.import_id.in_(imports)
    yield template.TemplateLine, lambda cls: cls.template_id.in_(templates)
    yield account.Account, lambda cls: cls.id.in_(accounts)
    yield AccountOwned, lambda cls: cls.account_id.in_(accounts)
    yield (
        account.OneTimeLink,
        lambda cls: or_(
            cls.account_id.in_(accounts),
            cls.staff_user_id.in_(colleagues),
            cls.staff_user_id == staff_id,
        ),
    )
    yield staff.StaffUser, lambda cls: or_(cls.id == staff_id, cls.id.in_(colleagues))
    yield (
        staff.RoleAssignment,
        lambda cls: or_(cls.organization_id.in_(branches), cls.staff_user_id == staff_id),
    )


def _of_readers(scope: Scope) -> Iterator[tuple[type[Any], Criterion]]:
    """Rows of an account's own cards and of itself; of nobody for the public."""
    people, account_id = scope.person_ids, scope.account_id or 0
    yield StaffOnly, lambda cls: false()
    yield PersonOwned, lambda cls: cls.person_id.in_(people)
    yield account.Account, lambda cls: cls.id == account_id
    yield AccountOwned, lambda cls: cls.account_id == account_id
    yield account.WebSession, lambda cls: cls.account_id == account_id
    yield account.OneTimeLink, lambda cls: cls.account_id == account_id
    yield schedule.Schedule, lambda cls: cls.status != "draft"
    yield page.Page, lambda cls: cls.published_at.is_not(None)


def _narrow(state: ORMExecuteState) -> None:
    scope = scope_of(state.session)
    if state.is_column_load or scope.kind == "system":
        return
    state.statement = state.statement.options(*_criteria(scope))


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
            foreign = (isinstance(row, PersonOwned) and row.person_id not in scope.person_ids) or (
                isinstance(row, AccountOwned) and row.account_id != scope.account_id
            )
        if foreign:
            raise OutOfScope(type(row).__name__)


def install(session_class: type[Session] | Any) -> None:
    """Hook the narrowing and the check into ``session_class`` (a Session class or factory)."""
    event.listen(session_class, "do_orm_execute", _narrow)
    event.listen(session_class, "before_flush", _check)
