"""Giving and taking roles: nobody his own, never the last administrator, never more than one may give."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.enums import Role
from app.models.organization import Organization
from app.models.scope import widened
from app.models.staff import RoleAssignment, StaffUser
from app.rules import access, audit
from app.rules.actor import actor_of
from app.rules.errors import N_, NotFound, RuleError

GIVES: dict[Role, frozenset[Role]] = {Role.ADMINISTRATOR: frozenset(Role)}
"""Roles that a role may give besides those whose every permission its holder has himself.

An administrator gives every role without having, say, the registrar's rights himself: he decides who
decides, and the audit says so.
"""


class OwnRoles(RuleError):
    code = "own_roles"
    text = N_("Nobody changes his own roles: ask another administrator, please.")


class MayNotGive(RuleError):
    code = "may_not_give"
    text = N_("You cannot give the role “%(role)s” there: your own roles do not reach that far.")


class NotGoverned(RuleError):
    code = "not_governed"
    text = N_(
        "This person also works where you are not the administrator. Ask the administrator of the whole installation, please."
    )


class LastAdministrator(RuleError):
    code = "last_administrator"
    text = N_("This is the last administrator there. Name another one first.")


class AlreadyHas(RuleError):
    code = "already_has"
    text = N_("This person already has this role there.")


def held_by(session: Session, *, user: StaffUser) -> list[RoleAssignment]:
    """Every role of ``user``, also where the reader has no say."""
    with widened(session, "all roles of one person"):
        return list(
            session.scalars(
                select(RoleAssignment)
                .where(RoleAssignment.staff_user_id == user.id)
                .order_by(RoleAssignment.id)
            )
        )


def tenant_of(session: Session, *, user: StaffUser) -> int | None:
    """The tenant in whose books this person's changes are kept: that of the first role with one."""
    for held in held_by(session, user=user):
        if held.organization_id is not None:
            return tenant_of_organization(session, held.organization_id)
    return None


def tenant_of_organization(session: Session, organization_id: int) -> int | None:
    with widened(session, "the tenant of an organization"):
        found = session.get(Organization, organization_id)
    return None if found is None else found.tenant_id


def reaches(session: Session, *, by: StaffUser, organization_id: int | None) -> bool:
    """Whether ``by`` administers that organization (None: the whole installation)."""
    scope = access.staff_scope(session, by, "staff.edit")
    return scope.everywhere or (
        organization_id is not None and organization_id in scope.organization_ids
    )


def demand_governs(session: Session, *, by: StaffUser, user: StaffUser) -> None:
    """``by`` administers every place where ``user`` has a role. Raises NotGoverned."""
    for held in held_by(session, user=user):
        if not reaches(session, by=by, organization_id=held.organization_id):
            raise NotGoverned()


def may_give(session: Session, *, by: StaffUser, role: Role, organization_id: int | None) -> bool:
    """Whether ``by`` may give ``role`` there: reaches the place, and holds or may give all of it."""
    if not reaches(session, by=by, organization_id=organization_id):
        return False
    given = any(role in GIVES.get(held.role, ()) for held in by.roles)
    return given or access.PERMISSIONS[role] <= access.permissions_of(by)


def assign(
    session: Session,
    *,
    user: StaffUser,
    role: Role,
    organization_id: int | None,
    by: StaffUser,
    now: dt.datetime,
) -> RoleAssignment:
    """Give a role over an organization and everything under it. The caller ends the user's sessions.

    Raises OwnRoles, MayNotGive, AlreadyHas, NotFound.
    """
    if user.id == by.id:
        raise OwnRoles()
    if not may_give(session, by=by, role=role, organization_id=organization_id):
        raise MayNotGive(role=role)
    organization = None
    if organization_id is not None:
        organization = session.get(Organization, organization_id)
        if organization is None:
            raise NotFound()
    if any(
        held.role is role and held.organization_id == organization_id
        for held in held_by(session, user=user)
    ):
        raise AlreadyHas()
    held = RoleAssignment(staff_user_id=user.id, role=role, organization_id=organization_id)
    session.add(held)
    session.flush()  # so that the audit below finds the tenant
    session.expire(user, ["roles"])
    where = organization.short_name if organization is not None else "*"
    _write_down(session, "role.assign", user, by, now, {role.value: [None, where]})
    return held


def withdraw(
    session: Session, *, assignment_id: int, user: StaffUser, by: StaffUser, now: dt.datetime
) -> None:
    """Take a role away. The caller ends the user's sessions.

    Raises OwnRoles, NotGoverned, LastAdministrator, NotFound.
    """
    if user.id == by.id:
        raise OwnRoles()
    held = session.scalars(
        select(RoleAssignment).where(
            RoleAssignment.id == assignment_id, RoleAssignment.staff_user_id == user.id
        )
    ).one_or_none()
    if held is None:
        raise NotFound()
    if not reaches(session, by=by, organization_id=held.organization_id):
        raise NotGoverned()
    if held.role is Role.ADMINISTRATOR:
        _demand_another(session, held)
    where = held.organization.short_name if held.organization is not None else "*"
    _write_down(session, "role.withdraw", user, by, now, {held.role.value: [where, None]})
    session.delete(held)
    session.flush()
    session.expire(user, ["roles"])


def demand_another_administrator(session: Session, *, user: StaffUser) -> None:
    """Without ``user`` every place still has an administrator. Raises LastAdministrator."""
    for held in held_by(session, user=user):
        if held.role is Role.ADMINISTRATOR:
            _demand_another(session, held)


def _demand_another(session: Session, held: RoleAssignment) -> None:
    """Somebody else, active, administers that organization or one above it.

    The rows are locked, so that two administrators cannot take each other away at once.
    """
    with widened(session, "who else administers"):
        above = _above(session, held.organization_id)
        others = session.scalars(
            select(RoleAssignment)
            .join(StaffUser, StaffUser.id == RoleAssignment.staff_user_id)
            .where(
                RoleAssignment.role == Role.ADMINISTRATOR,
                StaffUser.is_active,
            )
            .order_by(RoleAssignment.id)
            .with_for_update(of=RoleAssignment)
            .execution_options(populate_existing=True)
        ).all()
    if not any(
        other.staff_user_id != held.staff_user_id and other.organization_id in above
        for other in others
    ):
        raise LastAdministrator()


def _above(session: Session, organization_id: int | None) -> set[int | None]:
    """The organization, those it is part of, and None: the whole installation."""
    chain: set[int | None] = {None}
    while organization_id is not None and organization_id not in chain:
        chain.add(organization_id)
        row = session.get(Organization, organization_id)
        organization_id = row.part_of_id if row is not None else None
    return chain


def _write_down(
    session: Session,
    verb: str,
    user: StaffUser,
    by: StaffUser,
    now: dt.datetime,
    changes: dict[str, list[str | None]],
) -> None:
    audit.record(
        session,
        verb=verb,
        subject=user,
        actor=actor_of(by),
        now=now,
        tenant_id=tenant_of(session, user=user),
        changes=changes,
    )
