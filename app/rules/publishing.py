"""Publications: a filled-in matrix as a draft, its preview, and the donor days made of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.models.donation_type import DonationType
from app.models.enums import PublicationStatus, ScheduleStatus, SlotStatus
from app.models.organization import Organization
from app.models.schedule import Publication, Schedule, Slot
from app.models.scope import scope_of
from app.rules import audit, booking, collisions, slots, transitions
from app.rules.actor import SYSTEM, Actor
from app.rules.clock import local_date
from app.rules.collisions import Collisions, DraftMeeting
from app.rules.errors import N_, NotFound, RuleError
from app.rules.matrix import Line, Matrix
from app.rules.planning import Plan, Problem, plan

P = PublicationStatus
REPORTED = 200
"""Days left out that a report names one by one."""


class CannotPublish(RuleError):
    """The matrix has blocking problems: the first is the sentence, all are in ``problems``."""

    code = "cannot_publish"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(**problems[0].params)
        self.problems = problems
        self.text = problems[0].text


class NothingNew(RuleError):
    code = "nothing_new"
    text = N_("There is nothing to publish: all these days are open already.")


class AlreadyPublished(RuleError):
    code = "already_published"
    text = N_("This has been published or discarded meanwhile. Look at it once more, please.")


class ChangedMeanwhile(RuleError):
    code = "changed_meanwhile"
    text = N_("A colleague has changed this draft meanwhile. Check it once more, please.")


class HourPassed(RuleError):
    code = "hour_passed"
    text = N_("The hour of publishing must lie ahead.")


class PlacesInUse(RuleError):
    code = "places_in_use"
    text = N_(
        "It can no longer be undone: places that are booked or being chosen: %(places)s. "
        "Close those days one by one; the people will get a letter."
    )


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


def seal(matrix: dict[str, Any]) -> str:
    """A short name of exactly this matrix: what was looked at is what is published."""
    return hashlib.sha256(json.dumps(matrix, sort_keys=True).encode()).hexdigest()[:16]


def save_draft(
    session: Session,
    *,
    tenant_id: int,
    matrix: Matrix,
    title: str,
    actor: Actor,
    now: dt.datetime,
    publication_id: int | None = None,
    seen: str | None = None,
) -> Publication:
    """Keep what was filled in, complete or not; a scheduled publication becomes a draft again.

    ``seen``: the seal of the matrix the writer began with. Raises ChangedMeanwhile, AlreadyPublished.
    """
    if publication_id is None:
        assert actor.id is not None
        publication = Publication(
            tenant_id=tenant_id,
            title=title,
            status=P.DRAFT,
            matrix=matrix.as_json(),
            report={},
            created_at=now,
            created_by_id=actor.id,
        )
        session.add(publication)
        session.flush()  # the audit needs the id
        audit.record(session, verb="publication.draft", subject=publication, actor=actor, now=now, changes={})
        return publication
    publication = _open(session, publication_id, seen)
    publication.title = title
    publication.matrix = matrix.as_json()
    publication.status = P.DRAFT
    publication.publish_at = None
    publication.report = {}
    audit.record(session, verb="publication.edit", subject=publication, actor=actor, now=now)
    return publication


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
        Problem("branch_gone", N_("A chosen branch takes no donors now, or is not yours to publish for."), organization_id=key)
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
        tuple(
            collisions.with_drafts(session, matrix, tenant_id=tenant_id, besides=publication_id)
        ),
    )


def publish(
    session: Session,
    *,
    publication_id: int,
    actor: Actor,
    now: dt.datetime,
    seen: str | None = None,
) -> Publication:
    """Make the days now. Days open already are left out and reported.

    Raises CannotPublish, NothingNew, ChangedMeanwhile, AlreadyPublished.
    """
    publication = _open(session, publication_id, seen)
    found = _preview_of(session, publication, not_before=now)
    if found.problems:
        raise CannotPublish(found.problems)
    if not found.collisions.new:
        raise NothingNew()
    return _make(session, publication, found, actor=actor, now=now)


def schedule(
    session: Session,
    *,
    publication_id: int,
    publish_at: dt.datetime,
    actor: Actor,
    now: dt.datetime,
    seen: str | None = None,
) -> Publication:
    """Publish at a set hour (``publish_due`` does it). Days that will have begun by then are refused."""
    publication = _open(session, publication_id, seen)
    if publish_at <= now:
        raise HourPassed()
    found = _preview_of(session, publication, not_before=publish_at)
    if found.problems:
        raise CannotPublish(found.problems)
    if not found.collisions.new:
        raise NothingNew()
    publication.status = P.SCHEDULED
    publication.publish_at = publish_at
    audit.record(session, verb="publication.schedule", subject=publication, actor=actor, now=now)
    return publication


def unschedule(
    session: Session, *, publication_id: int, actor: Actor, now: dt.datetime
) -> Publication:
    """Back to a draft, before its hour has come."""
    publication = _open(session, publication_id, None)
    publication.status = P.DRAFT
    publication.publish_at = None
    audit.record(session, verb="publication.unschedule", subject=publication, actor=actor, now=now)
    return publication


def publish_due(session: Session, *, now: dt.datetime, limit: int = 5) -> list[Publication]:
    """Publish what is scheduled and whose hour has come: each exactly once, whoever runs this.

    What cannot be made any more is left out and reported; where nothing can be, the publication is
    a draft again, with the reasons.
    """
    due = session.scalars(
        select(Publication)
        .where(Publication.status == P.SCHEDULED, Publication.publish_at <= now)
        .order_by(Publication.publish_at, Publication.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for publication in due:
        found = _preview_of(session, publication, not_before=now)
        _make(session, publication, found, actor=SYSTEM, now=now)
    return list(due)


def undo(session: Session, *, publication_id: int, actor: Actor, now: dt.datetime) -> Publication:
    """Close everything this publication opened and make it a draft again, while no place is in use.

    Raises PlacesInUse (then nothing may be kept: the caller rolls back), AlreadyPublished.
    """
    publication = _locked(session, publication_id)
    if publication.status is not P.PUBLISHED:
        raise AlreadyPublished()
    booking.release_stale(session, now=now)
    days = session.scalars(
        select(Schedule)
        .where(Schedule.publication_id == publication.id, Schedule.status.in_(collisions.OPEN))
        .order_by(Schedule.id)
        .with_for_update(key_share=True)
    ).all()
    ids = [day.id for day in days]
    for day in days:
        day.status = ScheduleStatus.CLOSED
        day.closed_reason = N_("The publication was undone.")
    session.flush()
    transitions.close_free_slots_of(session, ids)
    in_use = session.scalar(
        select(func.count()).where(
            Slot.schedule_id.in_(ids), Slot.status.in_((SlotStatus.HELD, SlotStatus.BUSY))
        )
    )
    if in_use:
        raise PlacesInUse(places=in_use)
    publication.status = P.DRAFT
    publication.published_at = None
    publication.publish_at = None
    publication.report = {}
    audit.record(
        session,
        verb="publication.undo",
        subject=publication,
        actor=actor,
        now=now,
        changes={"days": [len(ids), 0]},
    )
    return publication


def discard(session: Session, *, publication_id: int, actor: Actor, now: dt.datetime) -> Publication:
    """A draft that nobody needs. Raises AlreadyPublished."""
    publication = _open(session, publication_id, None)
    publication.status = P.DISCARDED
    publication.publish_at = None
    audit.record(session, verb="publication.discard", subject=publication, actor=actor, now=now)
    return publication


def copy(session: Session, *, publication_id: int, actor: Actor, now: dt.datetime) -> Publication:
    """A new draft, whole weeks later: after the last date of this one, and after today."""
    source = _own(session, publication_id)
    matrix = Matrix.from_json(source.matrix)
    dates = matrix.dates.days()
    weeks = 1
    if dates:
        today = local_date(now, "UTC")
        behind = max(dates[-1], today) - dates[0]
        weeks = behind.days // 7 + 1
    return save_draft(
        session,
        tenant_id=source.tenant_id,
        matrix=matrix.shifted(7 * weeks),
        title="",
        actor=actor,
        now=now,
    )


def publish_matrix(
    session: Session, *, matrix: Matrix, actor: Actor, now: dt.datetime, title: str = ""
) -> Publication:
    """Draft and publish in one go (seeds, scripts). ``actor`` is a member of staff.

    Raises CannotPublish, NothingNew, NotFound for an unknown branch.
    """
    first = session.get(Organization, matrix.organization_ids[0])
    if first is None:
        raise NotFound()
    draft = save_draft(
        session, tenant_id=first.tenant_id, matrix=matrix, title=title, actor=actor, now=now
    )
    return publish(session, publication_id=draft.id, actor=actor, now=now)
