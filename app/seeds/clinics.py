"""The four polyclinics of the demo, one for each of columns B to E of the policy table in design.md.

What they are is data (app/data/demo); every row is written by the rule that a member of staff would use.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.directory import HealthcareService
from app.models.enums import Confirmation, OrganizationKind, Role
from app.models.organization import Organization
from app.models.policy_choices import PhoneRule
from app.models.staff import StaffUser
from app.rules import organizations, policy_versions
from app.rules.actor import SYSTEM, Actor, actor_of
from app.rules.starters import way

DATA = Path(__file__).parent.parent / "data" / "demo"
MINUTE = dt.timedelta(minutes=1)
COLUMNS = {"B": "portal", "C": "cabinet", "D": "esia", "E": "registry"}
"""Column of the policy table → the file of the polyclinic that books that way."""


@dataclass(frozen=True)
class Clinic:
    """A polyclinic as it stands in the database, with what its file says."""

    column: str
    root: Organization
    branches: dict[str, Organization]
    """By the file's key of each."""
    staff: dict[Role, StaffUser]
    """Who works for it (app.seeds.clinic_staff)."""

    @property
    def data(self) -> dict[str, Any]:
        return read(COLUMNS[self.column])

    @property
    def scheduler(self) -> Actor:
        return actor_of(self.staff[Role.SCHEDULER])

    @property
    def registrar(self) -> StaffUser:
        return self.staff[Role.REGISTRAR]

    def place(self, key: str | None) -> Organization:
        """A branch by its key, the root without one."""
        return self.branches[key] if key else self.root


@cache
def read(name: str) -> dict[str, Any]:
    """A file of app/data/demo; not to be changed."""
    found: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return found


def find(session: Session, staff: dict[Role, StaffUser]) -> list[Clinic]:
    """Those that are there, with their branches by the names they were given."""
    found = []
    for column, name in COLUMNS.items():
        data = read(name)
        root = _named(session, data["organization"]["name"])
        if root is None:
            continue
        branches = {
            key: branch
            for key, fields in data["branches"].items()
            if (branch := _named(session, fields["name"])) is not None
        }
        found.append(Clinic(column, root, branches, staff))
    return found


def _named(session: Session, name: str) -> Organization | None:
    return session.scalars(select(Organization).where(Organization.name == name)).first()


def make(session: Session, column: str, *, now: dt.datetime) -> Organization:
    """The legal body with its branches, each booking the way that its file names."""
    data = read(COLUMNS[column])
    root = organizations.create_root(
        session,
        actor=SYSTEM,
        now=now,
        kind=OrganizationKind.POLYCLINIC,
        takes_patients=True,
        takes_donors=False,
        **data["organization"],
    )
    if data["way"] != "registry":  # which is what a new polyclinic begins with
        now += MINUTE
        _book_by(session, root, None, data["way"], now)
    for fields in data["branches"].values():
        now += MINUTE
        own = {name: value for name, value in fields.items() if name != "way"}
        branch = organizations.create_branch(
            session,
            part_of=root,
            actor=SYSTEM,
            now=now,
            takes_patients=True,
            takes_donors=False,
            **own,
        )
        if "way" in fields:
            _book_by(session, root, branch, fields["way"], now)
    return root


def rules_apart(
    session: Session, clinic: Clinic, services: Mapping[str, HealthcareService], *, now: dt.datetime
) -> None:
    """Services that are booked in another way than everything else (the file's «rules»)."""
    for changes in clinic.data.get("rules", ()):
        changed = {
            "confirmation": Confirmation(changes["confirmation"]),
            "phone": PhoneRule(changes["phone"]),
            "source": changes["source"],
        }
        policy_versions.new_version(
            session,
            tenant_id=clinic.root.id,
            organization=None,
            service=services[changes["service"]],
            donation_type=None,
            valid_from=None,
            values=way(clinic.data["way"]) | changed,
            actor=SYSTEM,
            now=now,
        )


def _book_by(
    session: Session, root: Organization, place: Organization | None, key: str, now: dt.datetime
) -> None:
    policy_versions.new_version(
        session,
        tenant_id=root.id,
        organization=place,
        donation_type=None,
        valid_from=None,
        values=way(key),
        actor=SYSTEM,
        now=now,
    )
