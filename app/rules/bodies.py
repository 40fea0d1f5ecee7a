"""Medical organizations and the institutions of each: the choice in two steps (row D5).

Read functions only, one query each. One institution is read by ``app.rules.directory``.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from app.models.organization import Organization
from app.rules.directory import MOST_INSTITUTIONS, taking_patients
from app.rules.errors import NotFound


@dataclass(frozen=True)
class Body:
    """A legal body of the list."""

    organization: Organization
    institutions: int
    """How many of its institutions take patients, itself among them."""


def bodies(session: Session, *, settlement: str = "") -> list[Body]:
    """Legal bodies by the alphabet; with ``settlement`` those with institutions there, and how many are there."""
    body = aliased(Organization)
    query = (
        select(body, func.count(Organization.id))
        .join(Organization, _body_of(Organization) == body.id)
        .where(taking_patients())
        .group_by(body.id)
        .order_by(body.short_name, body.id)
    )
    if settlement:
        query = query.where(Organization.settlement == settlement)
    return [Body(row[0], row[1]) for row in session.execute(query.limit(MOST_INSTITUTIONS))]


def institutions(
    session: Session, *, uid: uuid.UUID
) -> tuple[Organization, Sequence[Organization]]:
    """The legal body, and its institutions that take patients: the body's own first, then by the alphabet.

    ``uid`` may be that of any institution of it. Raises NotFound if nothing of it takes patients.
    """
    body, named = aliased(Organization), aliased(Organization)
    wanted = select(_body_of(named)).where(named.uid == uid).scalar_subquery()
    rows = session.execute(
        select(body, Organization)
        .join(Organization, _body_of(Organization) == body.id)
        .where(body.id == wanted, taking_patients())
        .order_by(Organization.root_id.is_not(None), Organization.short_name, Organization.id)
        .limit(MOST_INSTITUTIONS)
    ).all()
    if not rows:
        raise NotFound()
    return rows[0][0], [row[1] for row in rows]


def _body_of(place: type[Organization]) -> ColumnElement[int]:
    return func.coalesce(place.root_id, place.id)
