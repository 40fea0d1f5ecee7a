"""Permissions by role, and the scope they add up to: the only place where roles are read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson
from app.models.enums import Role
from app.models.organization import Organization
from app.models.scope import Scope, widened
from app.models.staff import StaffUser
from app.rules import families

PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.ADMINISTRATOR: frozenset(
        {
            "organizations.edit",
            "staff.edit",
            "policies.edit",
            "texts.edit",
            "reasons.edit",
            "types.edit",
            "directory.view",
            "directory.edit",
            "schedules.view",
            "messages.view",
            "messages.resend",
            "pages.edit",
            "feedback.view",
            "feedback.answer",
            "audit.view",
            "audit.export",
            "jobs.view",
            "retention.run",
            "districts.view",
            "districts.edit",
            "reports.view",
            "reviews.moderate",
        }
    ),
    Role.MANAGER: frozenset(
        {
            "reasons.edit",
            "texts.edit",
            "types.edit",
            "directory.view",
            "directory.edit",
            "schedules.view",
            "schedules.publish",
            "schedules.close",
            "queue.view",
            "desk.view",
            "link.switch",
            "messages.view",
            "donors.view",
            "pages.edit",
            "feedback.view",
            "feedback.answer",
            "districts.view",
            "districts.edit",
            "reports.view",
            "profiles.confirm",
            "reviews.moderate",
        }
    ),
    Role.REGISTRAR: frozenset(
        {
            "accounts.issue",
            "queue.view",
            "desk.view",
            "desk.use",
            "link.switch",
            "queue.decide",
            "queue.override",
            "donors.view",
            "donors.edit",
            "donors.import",
            "prescriptions.edit",
            "appointments.cancel",
            "attachments.edit",
            "family.decide",
            "referrals.edit",
            "directory.view",
            "schedules.view",
            "messages.view",
            "messages.resend",
            "feedback.view",
            "feedback.answer",
            "districts.view",
            "reports.view",
            "waiting.view",
            "waiting.edit",
            "profiles.confirm",
            "documents.upload",
        }
    ),
    Role.SCHEDULER: frozenset(
        {
            "directory.view",
            "schedules.view",
            "schedules.publish",
            "schedules.close",
            "reports.view",
            "waiting.view",
        }
    ),
    Role.OPERATOR: frozenset(
        {
            "accounts.issue",
            "queue.view",
            "desk.view",
            "desk.use",
            "donors.view",
            "directory.view",
            "schedules.view",
            "appointments.cancel",
            "feedback.view",
            "feedback.answer",
            "districts.view",
            "waiting.view",
            "waiting.edit",
        }
    ),
    Role.ANALYST: frozenset({"directory.view", "schedules.view", "reports.view"}),
    Role.SECURITY: frozenset({"audit.view", "audit.export", "access.view", "access.export"}),
}
"""What each role may do. Every staff page names one of these strings."""

EVERY_PERMISSION = frozenset().union(*PERMISSIONS.values())


def can(user: StaffUser, permission: str) -> bool:
    """Whether any role of an active ``user`` gives ``permission`` (somewhere; the scope says where)."""
    return user.is_active and any(permission in PERMISSIONS[held.role] for held in user.roles)


def permissions_of(user: StaffUser) -> frozenset[str]:
    return frozenset().union(*(PERMISSIONS[held.role] for held in user.roles))


def subtree(session: Session, organization_ids: Iterable[int]) -> set[int]:
    """The organizations and everything under them: one query."""
    return {row.id for row in _below(session, organization_ids)}


def _below(session: Session, organization_ids: Iterable[int]) -> Sequence[Any]:
    """The same with the root of each, and what it is part of."""
    ids = set(organization_ids)
    return session.execute(_inside(), {"ids": sorted(ids)}).all() if ids else []


@cache
def _inside() -> Select[int, int | None, int | None]:
    """By ``ids``. Every request of staff asks it: put together once."""
    ids: BindParameter[Any] = bindparam("ids", expanding=True)
    inside = select(Organization.id).where(Organization.id.in_(ids)).cte("inside", recursive=True)
    inside = inside.union(
        select(Organization.id).join(inside, Organization.part_of_id == inside.c.id)
    )
    return select(Organization.id, Organization.root_id, Organization.part_of_id).join(
        inside, inside.c.id == Organization.id
    )


def staff_scope(session: Session, user: StaffUser, permission: str | None = None) -> Scope:
    """The rows ``user`` may touch; with ``permission``, only by the roles that give it."""
    held = [r for r in user.roles if permission is None or permission in PERMISSIONS[r.role]]
    if any(role.organization_id is None for role in held):
        return Scope("staff", staff_user_id=user.id, everywhere=True)
    with widened(session, "the subtree of one's roles"):
        here = _below(session, {r.organization_id for r in held if r.organization_id})
        branches, tenants = {row.id for row in here}, {row.root_id or row.id for row in here}
        above = _above(session, {row.part_of_id for row in here} - branches, tenants)
    return Scope(
        "staff",
        organization_ids=tuple(sorted(branches)),
        tenant_ids=tuple(sorted(tenants)),
        above_ids=tuple(sorted(above)),
        staff_user_id=user.id,
    )


def _above(session: Session, level: set[int | None], tenants: set[int]) -> set[int]:
    """What lies between these and the roots: a query a level, none where branches stand under the root."""
    found: set[int] = set()
    while fresh := {key for key in level if key is not None} - tenants - found:
        found |= fresh
        rows = session.scalars(select(Organization.part_of_id).where(Organization.id.in_(fresh)))
        level = set(rows)
    return found


def covers(session: Session, user: StaffUser, permission: str, organization_id: int) -> bool:
    """Whether a role that gives ``permission`` is held over this organization."""
    if not can(user, permission):
        return False
    scope = staff_scope(session, user, permission)
    return scope.everywhere or organization_id in scope.organization_ids


def account_scope(session: Session, account: Account, *, now: dt.datetime) -> Scope:
    """The account itself and the cards it keeps: its own and its family's."""
    with widened(session, "the cards of this account"):
        people = session.scalars(
            select(AccountPerson.person_id).where(
                AccountPerson.account_id == account.id, families.open_at(now)
            )
        ).all()
    return Scope("account", person_ids=tuple(people), account_id=account.id)


def reaches(scope: Scope, organization_id: int) -> bool:
    """Whether a scope's roles are held over that organization itself, not merely below it.

    A branch's staff see their root's rows; only who is over the root may change them.
    """
    if scope.kind == "system" or scope.everywhere:
        return True
    return scope.kind == "staff" and organization_id in scope.organization_ids
