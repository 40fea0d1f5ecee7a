"""Drafts of publications: what a scheduler has filled in, before anything is public."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.enums import PublicationKind, PublicationStatus
from app.models.organization import Organization
from app.models.schedule import Publication
from app.rules import audit
from app.rules.actor import Actor
from app.rules.clock import local_date
from app.rules.errors import N_, NotFound, RuleError
from app.rules.matrix import Matrix
from app.rules.sittings import Plan

P = PublicationStatus
Filled = Matrix | Plan
"""What a scheduler fills in: a matrix of donor days, or a plan of practitioners' sittings."""


class AlreadyPublished(RuleError):
    code = "already_published"
    text = N_("This has been published or discarded meanwhile. Look at it once more, please.")


class ChangedMeanwhile(RuleError):
    code = "changed_meanwhile"
    text = N_("A colleague has changed this draft meanwhile. Check it once more, please.")


def seal(matrix: dict[str, Any]) -> str:
    """A short name of exactly this matrix: what was looked at is what is published."""
    return hashlib.sha256(json.dumps(matrix, sort_keys=True).encode()).hexdigest()[:16]


def save(
    session: Session,
    *,
    tenant_id: int,
    matrix: Filled,
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
            kind=kind_of(matrix),
            status=P.DRAFT,
            matrix=matrix.as_json(),
            report={},
            created_at=now,
            created_by_id=actor.id,
        )
        session.add(publication)
        session.flush()  # the audit needs the id
        audit.record(
            session, verb="publication.draft", subject=publication, actor=actor, now=now, changes={}
        )
        return publication
    publication = still_open(session, publication_id, seen)
    assert publication.kind is kind_of(matrix)
    publication.title = title
    publication.matrix = matrix.as_json()
    publication.status = P.DRAFT
    publication.publish_at = None
    publication.report = {}
    audit.record(session, verb="publication.edit", subject=publication, actor=actor, now=now)
    return publication


def discard(
    session: Session, *, publication_id: int, actor: Actor, now: dt.datetime
) -> Publication:
    """A draft that nobody needs. Raises AlreadyPublished."""
    publication = still_open(session, publication_id, None)
    publication.status = P.DISCARDED
    publication.publish_at = None
    audit.record(session, verb="publication.discard", subject=publication, actor=actor, now=now)
    return publication


def copy(session: Session, *, publication_id: int, actor: Actor, now: dt.datetime) -> Publication:
    """A new draft, whole weeks later: after the last date of this one, and after today."""
    source = own(session, publication_id)
    matrix = filled_in(source)
    dates = matrix.dates.days()
    weeks = 1
    if dates:
        tenant = session.get_one(Organization, source.tenant_id)
        today = local_date(now, tenant.time_zone)
        behind = max(dates[-1], today) - dates[0]
        weeks = behind.days // 7 + 1
    return save(
        session,
        tenant_id=source.tenant_id,
        matrix=matrix.shifted(7 * weeks),
        title="",
        actor=actor,
        now=now,
    )


def kind_of(filled: Filled) -> PublicationKind:
    return PublicationKind.DONORS if isinstance(filled, Matrix) else PublicationKind.PATIENTS


def filled_in(publication: Publication) -> Filled:
    """The stored matrix or plan."""
    if publication.kind is PublicationKind.PATIENTS:
        return Plan.from_json(publication.matrix)
    return Matrix.from_json(publication.matrix)


def own(session: Session, publication_id: int) -> Publication:
    publication = session.get(Publication, publication_id)
    if publication is None:
        raise NotFound()
    return publication


def locked(session: Session, publication_id: int) -> Publication:
    """The row as it is now; whoever else publishes or edits it waits."""
    publication = session.scalars(
        select(Publication)
        .where(Publication.id == publication_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if publication is None:
        raise NotFound()
    return publication


def still_open(session: Session, publication_id: int, seen: str | None) -> Publication:
    """Locked, neither published nor discarded, and as it was ``seen``."""
    publication = locked(session, publication_id)
    if publication.status not in (P.DRAFT, P.SCHEDULED):
        raise AlreadyPublished()
    if seen is not None and seen != seal(publication.matrix):
        raise ChangedMeanwhile()
    return publication
