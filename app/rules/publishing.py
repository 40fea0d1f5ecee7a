"""Publishing: donor days from a matrix or sittings from a plan, at once or at a set hour, and back again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.enums import PublicationKind, PublicationStatus, ScheduleStatus, SlotStatus
from app.models.organization import Organization
from app.models.schedule import Publication, Schedule, Slot
from app.models.scope import widened
from app.rules import (
    audit,
    collisions,
    drafts,
    freed,
    holding,
    opening,
    publication_report,
    sitting_opening,
    transitions,
)
from app.rules.actor import SYSTEM, Actor
from app.rules.drafts import AlreadyPublished
from app.rules.errors import N_, NotAllowed, NotFound, RuleError
from app.rules.matrix import Line, Matrix
from app.rules.planning import Problem
from app.rules.previews import Preview, preview
from app.rules.sitting_planning import Remark
from app.rules.sitting_previews import Preview as SittingPreview
from app.rules.sitting_previews import preview_of

P = PublicationStatus
LARGE = 5_000
"""Slots of sittings. What is smaller is made in one transaction."""


class CannotPublish(RuleError):
    """The matrix has blocking problems: the first is the sentence, all are in ``problems``."""

    code = "cannot_publish"

    def __init__(self, problems: Sequence[Problem | Remark]) -> None:
        super().__init__(**problems[0].params)
        self.problems = problems
        self.text = problems[0].text


class NothingNew(RuleError):
    code = "nothing_new"
    text = N_("There is nothing to publish: all these days are open already.")


class HourPassed(RuleError):
    code = "hour_passed"
    text = N_("The hour of publishing must lie ahead.")


class PlacesInUse(RuleError):
    code = "places_in_use"
    text = N_(
        "It can no longer be undone: places that are booked or being chosen: %(places)s. "
        "Close those days one by one; the people will get a letter."
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

    Raises CannotPublish, NothingNew or NothingToOpen, ChangedMeanwhile, AlreadyPublished.
    """
    publication = drafts.still_open(session, publication_id, seen)
    found = _preview_of(session, publication, not_before=now, lock=True)
    demand_something(found)
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
    publication = drafts.still_open(session, publication_id, seen)
    if publish_at <= now:
        raise HourPassed()
    demand_something(_preview_of(session, publication, not_before=publish_at))
    publication.status = P.SCHEDULED
    publication.publish_at = publish_at
    audit.record(session, verb="publication.schedule", subject=publication, actor=actor, now=now)
    return publication


def unschedule(
    session: Session, *, publication_id: int, actor: Actor, now: dt.datetime
) -> Publication:
    """Back to a draft, before its hour has come."""
    publication = drafts.still_open(session, publication_id, None)
    publication.status = P.DRAFT
    publication.publish_at = None
    audit.record(session, verb="publication.unschedule", subject=publication, actor=actor, now=now)
    return publication


def publish_due(session: Session, *, now: dt.datetime, limit: int = 5) -> list[Publication]:
    """Publish what is scheduled and whose hour has come: each exactly once, whoever runs this.

    What cannot be made any more is left out and reported; where nothing can be, the publication is
    a draft again, with the reasons. A large one is only begun.
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
        found = _preview_of(session, publication, not_before=now, lock=True)
        if isinstance(found, SittingPreview) and found.slots > LARGE:
            start(session, publication, found, actor=SYSTEM, now=now)
        else:
            _make(session, publication, found, actor=SYSTEM, now=now)
    return list(due)


def start(
    session: Session,
    publication: Publication,
    found: SittingPreview,
    *,
    actor: Actor,
    now: dt.datetime,
) -> Publication:
    """From now on it is being made in portions (app.rules.large_publishing)."""
    publication.status, publication.publish_at = P.PUBLISHING, now
    publication.report = {"days": 0, "places": 0, "of": found.slots}
    audit.record(session, verb="publication.begin", subject=publication, actor=actor, now=now)
    return publication


def undo(session: Session, *, publication_id: int, actor: Actor, now: dt.datetime) -> Publication:
    """Close everything this publication opened and make it a draft again, while no place is in use.

    Raises PlacesInUse (then nothing may be kept: the caller rolls back), AlreadyPublished, NotAllowed
    where it opened days in branches that are not the actor's.
    """
    publication = drafts.locked(session, publication_id)
    if publication.status is not P.PUBLISHED:
        raise AlreadyPublished()
    holding.release_stale(session, now=now)
    days = session.scalars(
        select(Schedule)
        .where(Schedule.publication_id == publication.id, Schedule.status.in_(collisions.OPEN))
        .order_by(Schedule.id)
        .with_for_update(key_share=True)
    ).all()
    ids = [day.id for day in days]
    demand_all(session, publication, len(ids))
    for day in days:
        day.status = ScheduleStatus.CLOSED
        day.closed_reason = N_("The publication was undone.")
    session.flush()
    in_use = 0
    for part in (ids[start : start + opening.CHUNK] for start in range(0, len(ids), opening.CHUNK)):
        transitions.close_free_slots_of(session, part)
        in_use += (
            session.scalar(
                select(func.count()).where(
                    Slot.schedule_id.in_(part), Slot.status.in_((SlotStatus.HELD, SlotStatus.BUSY))
                )
            )
            or 0
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


def left_out(publication: Publication) -> list[Problem]:
    """What the publication's report names as left out, to be said once more."""
    return [
        Problem(
            code="left_out",
            text=item["text"],
            params=item["params"],
            line=Line.from_json(item["line"]) if item["line"] else None,
            date=dt.date.fromisoformat(item["date"]) if item["date"] else None,
            organization_id=item["organization"],
        )
        for item in publication.report.get("left_out", ())
    ]


def publish_matrix(
    session: Session, *, matrix: Matrix, actor: Actor, now: dt.datetime, title: str = ""
) -> Publication:
    """Draft and publish in one go (seeds, scripts). ``actor`` is a member of staff.

    Raises CannotPublish, NothingNew, NotFound for an unknown branch.
    """
    first = session.get(Organization, matrix.organization_ids[0])
    if first is None:
        raise NotFound()
    draft = drafts.save(
        session, tenant_id=first.tenant_id, matrix=matrix, title=title, actor=actor, now=now
    )
    return publish(session, publication_id=draft.id, actor=actor, now=now)


def _preview_of(
    session: Session, publication: Publication, *, not_before: dt.datetime, lock: bool = False
) -> Preview | SittingPreview:
    """``lock``: of practitioners; for donor days the index decides (opening.open_days)."""
    if publication.kind is PublicationKind.PATIENTS:
        return preview_of(session, publication, not_before=not_before, lock=lock)
    return preview(
        session,
        tenant_id=publication.tenant_id,
        matrix=Matrix.from_json(publication.matrix),
        not_before=not_before,
        publication_id=publication.id,
    )


def demand_something(found: Preview | SittingPreview) -> None:
    """Raises CannotPublish, NothingNew, NothingToOpen."""
    if found.problems:
        raise CannotPublish(found.problems)
    if isinstance(found, SittingPreview):
        if not found.new:
            raise sitting_opening.NothingToOpen()
    elif not found.collisions.new:
        raise NothingNew()


def demand_all(
    session: Session,
    publication: Publication,
    seen: int,
    statuses: Collection[ScheduleStatus] = collisions.OPEN,
) -> None:
    """Nothing of it lies in branches the actor does not see. Raises NotAllowed."""
    with widened(session, "days of branches the actor does not see"):
        every = session.scalar(
            select(func.count()).where(
                Schedule.publication_id == publication.id, Schedule.status.in_(statuses)
            )
        )
    if every != seen:
        raise NotAllowed()


def _make(
    session: Session,
    publication: Publication,
    found: Preview | SittingPreview,
    *,
    actor: Actor,
    now: dt.datetime,
) -> Publication:
    if isinstance(found, SittingPreview):
        counts = sitting_opening.open_sittings(session, publication, found.new)
        report = sitting_opening.report(counts, found)
    else:
        made = opening.open_days(session, publication, found.collisions.new)
        report = publication_report.of(made, found.problems, (*found.collisions.same, *made.lost))
    return conclude(session, publication, report, actor=actor, now=now)


def conclude(
    session: Session,
    publication: Publication,
    report: dict[str, Any],
    *,
    actor: Actor,
    now: dt.datetime,
) -> Publication:
    """It is published, or a draft again where nothing could be made."""
    publication.report = report
    publication.status = P.PUBLISHED if report["days"] else P.DRAFT
    publication.published_at = now if report["days"] else None
    publication.publish_at = publication.publish_at if report["days"] else None
    change = {"days": [0, report["days"]], "places": [0, report["places"]]}
    verb = "publication.publish"
    audit.record(session, verb=verb, subject=publication, actor=actor, now=now, changes=change)
    freed.note_publication(session, publication.id, now=now)
    return publication
