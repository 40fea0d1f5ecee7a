"""Publishing very many sittings in portions, so that nobody waits for one long transaction and it can be watched.

Each portion is made as drafts, which nobody sees and which take the practitioners' hours already; the last
step opens all of them at once. Whoever is killed in between is followed by the next one, who plans anew and
makes what is missing. ``begin``, then ``step`` of one ``Run`` until it says that nothing is left, a commit
after each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.models.enums import PublicationKind, PublicationStatus, ScheduleStatus
from app.models.schedule import Publication, Schedule
from app.models.template import ScheduleException
from app.rules import absences, audit, drafts, opening, publishing, sitting_opening, transitions
from app.rules.actor import SYSTEM, Actor
from app.rules.drafts import AlreadyPublished
from app.rules.errors import N_
from app.rules.sitting_planning import still_stands
from app.rules.sitting_previews import Preview, facts_of, lock_practitioners, preview_of
from app.rules.sittings import Sitting

P = PublicationStatus
PORTION = 6_000
"""Slots of one transaction: about half a second."""


def begin(
    session: Session,
    *,
    publication_id: int,
    actor: Actor,
    now: dt.datetime,
    seen: str | None = None,
) -> Publication:
    """Publish now; a large plan is only begun (its status says so). Raises what ``publishing.publish`` does."""
    publication = drafts.still_open(session, publication_id, seen)
    if publication.kind is PublicationKind.PATIENTS:
        found = preview_of(session, publication, not_before=now)
        if found.slots > publishing.LARGE:
            publishing.demand_something(found)
            return publishing.start(session, publication, found, actor=actor, now=now)
    return publishing.publish(
        session, publication_id=publication_id, actor=actor, now=now, seen=seen
    )


def waiting(session: Session) -> int | None:
    """A publication that is being made, the oldest one."""
    return session.scalar(
        select(Publication.id)
        .where(Publication.status == P.PUBLISHING)
        .order_by(Publication.id)
        .limit(1)
    )


class Run:
    """One attempt at making a begun publication: the plan is reckoned once and kept in memory."""

    def __init__(self, publication_id: int, *, actor: Actor = SYSTEM) -> None:
        self.publication_id = publication_id
        self.actor = actor
        self.found: Preview | None = None
        self.left: list[Sitting] = []

    def step(self, session: Session, *, now: dt.datetime) -> bool:
        """One portion, or the end of it all. Whether anything is left to do."""
        publication = drafts.locked(session, self.publication_id)
        if publication.status is not P.PUBLISHING:
            return False
        if self.found is None:
            self._plan(session, publication)
            return True
        if self.left:
            self._make(session, publication)
            return True
        _open(session, publication, self.found, actor=self.actor, now=now)
        return False

    def _plan(self, session: Session, publication: Publication) -> None:
        """What is to be made, less what an earlier run has made of it."""
        assert publication.publish_at is not None
        self.found = preview_of(session, publication, not_before=publication.publish_at)
        made = _keys(session, publication)
        self.left = [each for each in self.found.new if each.key not in made]
        places = sum(len(each.slots) for each in self.found.new if each.key in made)
        publication.report = {"days": len(made), "places": places, "of": self.found.slots}

    def _make(self, session: Session, publication: Publication) -> None:
        assert self.found is not None
        portion = list(_portion(self.left))
        roles = [self.found.roles[role_id] for role_id in {each.role_id for each in portion}]
        lock_practitioners(session, roles)
        dates = [each.date for each in portion]
        facts = facts_of(session, roles, first=min(dates), last=max(dates), without=publication.id)
        made_already = _keys(session, publication) & {each.key for each in portion}
        if made_already or not still_stands(portion, facts):  # by somebody else, meanwhile
            self.found = None
            return
        made = sitting_opening.open_sittings(
            session, publication, portion, status=ScheduleStatus.DRAFT
        )
        del self.left[: len(portion)]
        done = publication.report
        publication.report = {
            "days": done["days"] + made["days"],
            "places": done["places"] + made["places"],
            "of": done["of"],
        }


def stop(session: Session, *, publication_id: int, actor: Actor, now: dt.datetime) -> Publication:
    """Take back what has been made so far; it is a draft again. Raises AlreadyPublished, NotAllowed."""
    publication = drafts.locked(session, publication_id)
    if publication.status is not P.PUBLISHING:
        raise AlreadyPublished()
    ids = session.scalars(select(Schedule.id).where(*_made(publication))).all()
    publishing.demand_all(session, publication, len(ids), (ScheduleStatus.DRAFT,))
    session.execute(
        update(Schedule)
        .where(*_made(publication))
        .values(status=ScheduleStatus.CLOSED, closed_reason=N_("The publication was undone."))
        .execution_options(synchronize_session=False)
    )
    for part in (ids[at : at + opening.CHUNK] for at in range(0, len(ids), opening.CHUNK)):
        transitions.close_free_slots_of(session, part)
    publication.status, publication.publish_at, publication.report = P.DRAFT, None, {}
    audit.record(session, verb="publication.undo", subject=publication, actor=actor, now=now)
    return publication


def _made(publication: Publication) -> tuple[ColumnElement[bool], ...]:
    """Conditions on Schedule: sittings made so far, seen by nobody."""
    mine = Schedule.publication_id == publication.id
    return mine, Schedule.status == ScheduleStatus.DRAFT


def _keys(session: Session, publication: Publication) -> set[tuple[int, dt.date, dt.time]]:
    """Of those sittings (app.rules.sittings.Sitting.key)."""
    there = select(Schedule.role_id, Schedule.date, Schedule.start_time).where(*_made(publication))
    return {(row[0] or 0, row[1], row[2]) for row in session.execute(there)}


def _portion(sittings: Sequence[Sitting]) -> Iterator[Sitting]:
    slots = 0
    for each in sittings:
        if slots and slots + len(each.slots) > PORTION:
            return
        slots += len(each.slots)
        yield each


def _open(
    session: Session, publication: Publication, found: Preview, *, actor: Actor, now: dt.datetime
) -> None:
    """Everything at once; whoever has been entered as absent since it began is away after all."""
    began = publication.publish_at
    lock_practitioners(session, found.roles.values())  # an absence being entered now is seen below
    session.execute(
        update(Schedule)
        .where(*_made(publication))
        .values(status=ScheduleStatus.PUBLISHED)
        .execution_options(synchronize_session=False)
    )
    publishing.conclude(
        session,
        publication,
        sitting_opening.report(publication.report, found),
        actor=actor,
        now=now,
    )
    session.flush()
    for absence in session.scalars(
        select(ScheduleException).where(
            ScheduleException.tenant_id == publication.tenant_id,
            ScheduleException.created_at >= began,
        )
    ):
        absences.close_free(session, absence, now=now)
