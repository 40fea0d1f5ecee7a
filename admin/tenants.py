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
    """Whether any organization in the reader's scope takes patients. Read once per request."""
    if "patients_here" not in g:
        some = select(Organization.id).where(Organization.takes_patients, Organization.is_active)
        g.patients_here = db.session.scalar(some.limit(1)) is not None
    return cast(bool, g.patients_here)
