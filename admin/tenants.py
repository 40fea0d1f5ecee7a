"""The legal bodies the reader sees, and those whose settings he may change: read once per request."""

from __future__ import annotations

from typing import cast

from flask import g
from sqlalchemy import select

from app.extensions import db
from app.models.organization import Organization
from app.models.scope import scope_of
from app.rules import access


def seen() -> dict[int, Organization]:
    """Every root in the reader's scope, by key."""
    return {row.id: row for row in _roots()[0]}


def reached() -> list[Organization]:
    """The roots over which the reader's roles are held."""
    return _roots()[1]


def _roots() -> tuple[list[Organization], list[Organization]]:
    kept = g.get("staff_roots")
    scope = scope_of(db.session())
    if kept is None or kept[0] is not scope:
        query = select(Organization).where(Organization.root_id.is_(None)).order_by(Organization.id)
        rows = list(db.session.scalars(query))
        reached = [row for row in rows if access.reaches(scope, row.id)]
        kept = g.staff_roots = (scope, (rows, reached))
    return cast("tuple[list[Organization], list[Organization]]", kept[1])


def take_patients() -> bool:
    """Whether any organization in the reader's scope takes patients."""
    return _taken()[0]


def take_donors() -> bool:
    """Whether any takes donors, or none takes anybody yet."""
    patients, donors = _taken()
    return donors or not patients


def _taken() -> tuple[bool, bool]:
    """Patients, donors: read once per request."""
    if "taken_here" not in g:
        flags = select(Organization.takes_patients, Organization.takes_donors)
        rows = db.session.execute(flags.where(Organization.is_active).distinct()).all()
        g.taken_here = any(row[0] for row in rows), any(row[1] for row in rows)
    return cast("tuple[bool, bool]", g.taken_here)
