"""Who works for the polyclinics of the demo: three for them alone, and who looks after every organization."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.enums import Role
from app.models.staff import RoleAssignment, StaffUser
from app.seeds import centre as centres

TOTP = {
    Role.MANAGER: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3MMM",
    Role.REGISTRAR: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3NNN",
    Role.SCHEDULER: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PPP",
}
PEOPLE = {
    Role.MANAGER: ("clinic-manager@example.ru", "Мельникова Инга Романовна"),
    Role.REGISTRAR: ("clinic-registrar@example.ru", "Фомина Лидия Сергеевна"),
    Role.SCHEDULER: ("clinic-scheduler@example.ru", "Дроздов Илья Михайлович"),
}
EVERYWHERE = (Role.OPERATOR, Role.ANALYST, Role.SECURITY)
"""These of the blood centre's people (app.seeds.centre) work for the polyclinics too."""


def make(session: Session, tenant_ids: Collection[int], *, now: dt.datetime) -> None:
    """The three, each over all of these organizations; and the others' roles there."""
    for role, (email, name) in PEOPLE.items():
        centres.user(session, role, email, name, TOTP[role], tenant_ids, now)
    for role in EVERYWHERE:
        user = _by_email(session, centres.PEOPLE[role][0])
        user.roles += [RoleAssignment(role=role, organization_id=key) for key in tenant_ids]
    session.flush()


def load(session: Session) -> dict[Role, StaffUser]:
    """As they stand in the database."""
    return {role: _by_email(session, email) for role, (email, _) in PEOPLE.items()}


def _by_email(session: Session, email: str) -> StaffUser:
    return session.scalars(select(StaffUser).where(StaffUser.email == email)).one()
