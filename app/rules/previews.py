"""What publishing a matrix would do now: days to be made, days open already, what stands against it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.models.donation_type import DonationType
from app.models.organization import Organization
from app.models.scope import scope_of
from app.rules import collisions, holidays
from app.rules.collisions import Collisions, DraftMeeting
from app.rules.errors import N_
from app.rules.matrix import Line, LineKey, Matrix
from app.rules.planning import Plan, Problem, plan


@dataclass(frozen=True)
class LineSummary:
    """What becomes of one line of the matrix over all its dates and branches."""

    line: Line
    new: int
    """Days to be made."""
    same: int
    """Days that are open already and are left out."""
    overlapping: int
    refused: Problem | None
    """Why the line as a whole cannot be published."""


@dataclass(frozen=True)
class Preview:
    """What publishing would do now: made, left out, worth a look, refused."""

    plan: Plan
    collisions: Collisions
    drafts: tuple[DraftMeeting, ...]

    @property
    def days_off(self) -> tuple[Problem, ...]:
        """Dates of new days on which nobody works: worth a look, no fault."""
        return holidays.days_off(sorted({day.date for day in self.collisions.new}))

    @property
    def problems(self) -> list[Problem]:
        return self.plan.blocking

    @property
    def days(self) -> int:
        return len(self.collisions.new)

    @property
    def places(self) -> int:
        return sum(day.total for day in self.collisions.new)

    def by_line(self, matrix: Matrix) -> dict[LineKey, LineSummary]:
        """The preview is the same matrix with what will change (look.md): a summary for each line."""
        new = Counter(day.line.key for day in self.collisions.new)
        same = Counter(meeting.day.line.key for meeting in self.collisions.same)
        overlapping = Counter(meeting.day.line.key for meeting in self.collisions.overlapping)
        refused = {p.line.key: p for p in reversed(self.problems) if p.line is not None}
        return {
            line.key: LineSummary(
                line, new[line.key], same[line.key], overlapping[line.key], refused.get(line.key)
            )
            for line in matrix.lines
        }


def tenants(session: Session) -> list[Organization]:
    """Whose donor days the session's scope may publish, by name."""
    roots = session.scalars(
        select(Organization)
        .where(Organization.root_id.is_(None), Organization.is_active)
        .order_by(Organization.short_name)
    )
    return [root for root in roots if branches(session, tenant_id=root.id)]


def branches(session: Session, *, tenant_id: int) -> list[Organization]:
    """Where the session's scope may publish donor days, by name; the tenant itself first."""
    rows = session.scalars(
        select(Organization)
        .where(
            or_(Organization.id == tenant_id, Organization.root_id == tenant_id),
            Organization.takes_donors,
            Organization.is_active,
        )
        .order_by(Organization.root_id.is_not(None), Organization.short_name)
    )
    return [row for row in rows if covers(session, row.id)]


def covers(session: Session, organization_id: int) -> bool:
    """Whether the session's scope reaches this very organization, not only a branch of it."""
    scope = scope_of(session)
    everywhere = scope.kind == "system" or scope.everywhere
    return everywhere or organization_id in scope.organization_ids


def types(session: Session, *, tenant_id: int, retired: bool = False) -> list[DonationType]:
    """The rows of the matrix; with ``retired`` also those that are not used any more."""
    query = select(DonationType).where(DonationType.tenant_id == tenant_id)
    if not retired:
        query = query.where(DonationType.is_active)
    return list(session.scalars(query.order_by(DonationType.position, DonationType.id)))


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
