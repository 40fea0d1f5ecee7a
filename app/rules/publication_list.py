"""The list of publications of one kind, donors' or patients', as the scheduler sees it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.enums import PublicationKind, PublicationStatus
from app.models.schedule import Publication
from app.models.staff import StaffUser
from app.rules.drafts import Filled, filled_in
from app.rules.errors import NotFound
from app.rules.matrix import Matrix

DONORS = PublicationKind.DONORS

WAITING = (PublicationStatus.DRAFT, PublicationStatus.SCHEDULED, PublicationStatus.PUBLISHING)
PAGE = 30
MOST_DRAFTS = 100


@dataclass(frozen=True)
class Row:
    """A publication with what was filled in and who did it (empty: not yours to see)."""

    publication: Publication
    matrix: Filled
    author: str | None

    @property
    def days(self) -> int:
        """Donor days as filled in: collisions are not looked at. Sittings are known to a preview alone."""
        matrix = self.matrix
        if not isinstance(matrix, Matrix):
            return 0
        return len(matrix.dates.days()) * len(matrix.organization_ids) * len(matrix.lines)

    @property
    def places(self) -> int:
        matrix = self.matrix
        if not isinstance(matrix, Matrix):
            return 0
        per_day = sum(line.total for line in matrix.lines)
        return len(matrix.dates.days()) * len(matrix.organization_ids) * per_day

    @property
    def left_out(self) -> int:
        """Days that could not be made when it was published."""
        report = self.publication.report
        return len(report.get("left_out", ())) + int(report.get("more", 0))


@dataclass(frozen=True)
class Listing:
    """``waiting``: drafts, scheduled ones and those being made, the newest first. ``published``: one page of them."""

    waiting: tuple[Row, ...]
    published: tuple[Row, ...]
    older: uuid.UUID | None
    """Name of the last one of the page if there are older ones."""


def listed(
    session: Session, *, before: uuid.UUID | None = None, kind: PublicationKind = DONORS
) -> Listing:
    """A page of publications; ``before`` is the name of the last one seen."""
    query = (
        select(Publication, StaffUser.full_name)
        .outerjoin(StaffUser, StaffUser.id == Publication.created_by_id)
        .where(Publication.kind == kind)
    )
    waiting = session.execute(
        query.where(Publication.status.in_(WAITING))
        .order_by(Publication.id.desc())
        .limit(MOST_DRAFTS)
    ).all()
    done = query.where(Publication.status == PublicationStatus.PUBLISHED)
    if before is not None:
        seen = select(Publication.id).where(Publication.uid == before).scalar_subquery()
        done = done.where(Publication.id < seen)
    published = session.execute(done.order_by(Publication.id.desc()).limit(PAGE + 1)).all()
    page = published[:PAGE]
    return Listing(
        waiting=tuple(_row(*row) for row in waiting) if before is None else (),
        published=tuple(_row(*row) for row in page),
        older=page[-1][0].uid if len(published) > PAGE else None,
    )


def named(session: Session, uid: uuid.UUID, *, kind: PublicationKind = DONORS) -> Row:
    """The publication of this name. Raises NotFound."""
    row = session.execute(
        select(Publication, StaffUser.full_name)
        .outerjoin(StaffUser, StaffUser.id == Publication.created_by_id)
        .where(
            Publication.uid == uid,
            Publication.kind == kind,
            Publication.status != PublicationStatus.DISCARDED,
        )
    ).one_or_none()
    if row is None:
        raise NotFound()
    return _row(*row)


def _row(publication: Publication, author: str | None) -> Row:
    return Row(publication, filled_in(publication), author)
