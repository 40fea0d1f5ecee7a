"""What publishing a matrix would do now: days to be made, days open already, what stands against it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.models.donation_type import DonationType
from app.models.organization import Organization
from app.models.scope import scope_of
from app.rules import collisions
from app.rules.collisions import Collisions, DraftMeeting
from app.rules.errors import N_
from app.rules.matrix import Matrix
from app.rules.planning import Plan, Problem, plan


@dataclass(frozen=True)
class Preview:
    """What publishing would do now: made, left out, worth a look, refused."""

    plan: Plan
    collisions: Collisions
    drafts: tuple[DraftMeeting, ...]

    @property
    def problems(self) -> list[Problem]:
        return self.plan.blocking

    @property
    def days(self) -> int:
        return len(self.collisions.new)

    @property
    def places(self) -> int:
        return sum(day.total for day in self.collisions.new)


def branches(session: Session, *, tenant_id: int) -> list[Organization]:
    """Where the session's scope may publish donor days, by name; the tenant itself first."""
    scope = scope_of(session)
    rows = session.scalars(
        select(Organization)
        .where(
            or_(Organization.id == tenant_id, Organization.root_id == tenant_id),
            Organization.takes_donors,
            Organization.is_active,
        )
        .order_by(Organization.root_id.is_not(None), Organization.short_name)
    )
    everywhere = scope.kind == "system" or scope.everywhere
    return [row for row in rows if everywhere or row.id in scope.organization_ids]


def types(session: Session, *, tenant_id: int) -> list[DonationType]:
    """The rows of the matrix."""
    return list(
        session.scalars(
            select(DonationType)
            .where(DonationType.tenant_id == tenant_id, DonationType.is_active)
            .order_by(DonationType.position, DonationType.id)
        )
    )


def preview(
    session: Session,
    *,
    tenant_id: int,
    matrix: Matrix,
    not_before: dt.datetime,
    publication_id: int | None = None,
) -> Preview:
    """What publishing this matrix at ``not_before`` would make, from the state of now."""
    own = {row.id: row.time_zone for row in branches(session, tenant_id=tenant_id)}
    known = {row.id for row in types(session, tenant_id=tenant_id)}
    gone = [
        Problem(
            "branch_gone",
            N_("A chosen branch takes no donors now, or is not yours to publish for."),
            organization_id=key,
        )
        for key in matrix.organization_ids
        if key not in own
    ]
    gone += [
        Problem("type_gone", N_("This donation type is not used any more."), line=line)
        for line in matrix.lines
        if line.donation_type_id not in known
    ]
    usable = matrix.only(own, known)
    made = plan(usable, zones=own, not_before=not_before)
    if gone:
        made = Plan(made.days, (*gone, *made.problems))
    return Preview(
        made,
        collisions.with_open_days(session, made.days),
        tuple(collisions.with_drafts(session, matrix, tenant_id=tenant_id, besides=publication_id)),
    )
