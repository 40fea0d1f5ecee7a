"""Where a report counts: one tenant's organizations that the reader's roles reach, or one branch of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.organization import Organization
from app.models.scope import scope_of
from app.rules import access
from app.rules.errors import NotFound


@dataclass(frozen=True)
class Reach:
    """What may be chosen, and what is."""

    tenants: Sequence[Organization]
    tenant: Organization
    places: Sequence[Organization]
    """Everything of the tenant within reach, by name; the tenant itself only if it is."""
    branch: Organization | None = None
    """Counted alone, with what is under it; everything within reach if None."""

    @property
    def branches(self) -> list[Organization]:
        """What may be chosen instead of everything; of one place there is no choice."""
        found = [place for place in self.places if place.id != self.tenant.id]
        return found if len(self.places) > 1 else []

    @property
    def about(self) -> Organization:
        """What the report is about as a whole: the branch, the one place within reach, else the tenant."""
        return self.branch or (self.places[0] if len(self.places) == 1 else self.tenant)

    @property
    def partly(self) -> bool:
        """Only some branches of what ``about`` says are within reach."""
        return self.about is self.tenant and self.tenant not in self.places

    @property
    def counted(self) -> list[Organization]:
        if self.branch is None:
            return list(self.places)
        found = {self.branch.id}
        for _ in self.places:  # no tree is deeper than it has places
            found |= {place.id for place in self.places if place.part_of_id in found}
        return [place for place in self.places if place.id in found]


def reach(
    session: Session,
    *,
    tenant: uuid.UUID | None = None,
    branch: uuid.UUID | None = None,
    own: Organization | None = None,
) -> Reach | None:
    """The reader's choice; without one his ``own`` tenant, else the first. None: nothing within reach.

    A branch of another tenant than the one asked for is left over from an earlier choice and counts for
    nothing. One query. Raises NotFound for what is out of reach.
    """
    scope = scope_of(session)
    rows = session.scalars(
        select(Organization).order_by(Organization.short_name, Organization.id)
    ).all()
    places = [row for row in rows if access.reaches(scope, row.id)]
    within = {place.tenant_id for place in places}
    tenants = [row for row in rows if row.root_id is None and row.id in within]
    one = next((place for place in places if place.uid == branch), None)
    wanted = next((row for row in tenants if row.uid == tenant), None)
    if (branch and one is None) or (tenant and wanted is None):
        raise NotFound()
    if not tenants:
        return None
    if wanted is None:
        home = one or own
        here = home.tenant_id if home is not None else None
        wanted = next((row for row in tenants if row.id == here), tenants[0])
    mine = [place for place in places if place.tenant_id == wanted.id]
    if one is not None and (one.tenant_id != wanted.id or one.id == wanted.id):
        one = None
    return Reach(tenants, wanted, mine, one)
