"""The waiting list (N6): leaving it, where somebody stands in it, and what staff change of that.

Joining is app.rules.joining; offers are app.rules.offers.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    func,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.orm import Session, joinedload

from app.models.cabinet_choices import OfferStatus, WaitingStatus
from app.models.directory import PractitionerRole
from app.models.scope import widened
from app.models.waiting import WaitingEntry, WaitingOffer
from app.rules import audit, offer_answers, transitions
from app.rules.actor import Actor
from app.rules.errors import N_, NotFound, RuleError
from app.rules.joining import IN_LINE, keys_of

W = WaitingStatus
REASON = "the line in front of somebody is other people's"
MOST_COUNTED = 100


class NotInLine(RuleError):
    code = "not_in_line"
    text = N_("This waiting is over already. Join the list again if a place is still wanted.")


def leave(session: Session, *, entry: WaitingEntry, actor: Actor, now: dt.datetime) -> None:
    """Out of the line, with an offer that was open. Raises NotInLine."""
    with widened(session, REASON):
        declined = offer_answers.decline_all_of(session, entry, actor=actor, now=now)
        row = _locked(session, entry.id)
        if row.status not in IN_LINE and not declined:
            raise NotInLine()
        row.status, row.ended_at = W.LEFT, now
        session.flush()
    audit.record(session, verb="waiting.leave", subject=row, actor=actor, now=now, changes={})


def remove(
    session: Session, *, entry: WaitingEntry, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """The same by staff, with a word of why, which the journal keeps. Raises NotInLine."""
    leave(session, entry=entry, actor=actor, now=now)
    audit.record(
        session,
        verb="waiting.remove",
        subject=entry,
        actor=actor,
        now=now,
        changes={"reason": [None, reason.strip()[:200]]},
    )


def set_priority(
    session: Session, *, entry: WaitingEntry, priority: int, actor: Actor, now: dt.datetime
) -> None:
    """Lower comes first; a family moves as one. Raises NotInLine."""
    row = _locked(session, entry.id)
    if row.status not in IN_LINE:
        raise NotInLine()
    rows = [row]
    if row.family is not None:
        rows = list(
            session.scalars(
                select(WaitingEntry)
                .where(WaitingEntry.family == row.family, WaitingEntry.status.in_(IN_LINE))
                .order_by(WaitingEntry.id)
            )
        )
    for each in rows:
        change = {"priority": [each.priority, priority]}
        each.priority = priority
        audit.record(
            session, verb="waiting.priority", subject=each, actor=actor, now=now, changes=change
        )
    session.flush()


def end_old(session: Session, *, now: dt.datetime) -> int:
    """Waiting whose last date is over ends; how many. A day of grace covers every time zone."""
    yesterday = (now - dt.timedelta(days=1)).date()
    return transitions.changed_rows(
        session,
        update(WaitingEntry)
        .where(WaitingEntry.status == W.WAITING, WaitingEntry.last_day < yesterday)
        .values(status=W.LAPSED, ended_at=now),
    )


def _locked(session: Session, entry_id: int) -> WaitingEntry:
    row = session.scalars(
        select(WaitingEntry)
        .where(WaitingEntry.id == entry_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def own(session: Session, *, uid: uuid.UUID) -> WaitingEntry:
    """An entry that this session's scope may see. Raises NotFound."""
    row = session.scalars(select(WaitingEntry).where(WaitingEntry.uid == uid)).one_or_none()
    if row is None:
        raise NotFound()
    return row


def own_of(session: Session, *, uid: uuid.UUID, account_id: int) -> WaitingEntry:
    """An entry that this account has made. Raises NotFound."""
    with widened(session, "an account's own waiting, also for a relative who has come of age"):
        row = session.scalars(
            select(WaitingEntry).where(
                WaitingEntry.uid == uid, WaitingEntry.account_id == account_id
            )
        ).one_or_none()
        if row is None:
            raise NotFound()
        return row


def listed(
    session: Session, *, account_id: int, past: int = 10
) -> tuple[Sequence[WaitingEntry], Sequence[WaitingEntry]]:
    """What this account's people wait for, and the last that is over. Two queries."""
    with widened(session, "an account's own waiting, also for a relative who has come of age"):
        query = _shown().where(WaitingEntry.account_id == account_id)
        now_in_line = session.scalars(
            query.where(WaitingEntry.status.in_(IN_LINE)).order_by(WaitingEntry.id)
        ).all()
        over = session.scalars(
            query.where(WaitingEntry.status.not_in(IN_LINE))
            .order_by(WaitingEntry.ended_at.desc())
            .limit(past)
        ).all()
        return now_in_line, over


def _shown() -> Select[WaitingEntry]:
    return select(WaitingEntry).options(
        joinedload(WaitingEntry.person),
        joinedload(WaitingEntry.organization),
        joinedload(WaitingEntry.donation_type),
        joinedload(WaitingEntry.specialty),
        joinedload(WaitingEntry.service),
        joinedload(WaitingEntry.role).options(
            joinedload(PractitionerRole.practitioner), joinedload(PractitionerRole.specialty)
        ),
    )


def ahead(session: Session, entries: Collection[WaitingEntry]) -> dict[int, int]:
    """How many stand before each in the line for the same thing, counted up to MOST_COUNTED + 1.

    Of those who wait, in the line's order and so by its index; of those who have an offer, by that.
    """
    found = {}
    offered = select(WaitingOffer.entry_id).where(WaitingOffer.status == OfferStatus.OPEN)
    with widened(session, REASON):
        for entry in entries:
            if entry.status is not W.WAITING:
                continue
            before = select(WaitingEntry.id).where(_before(entry))
            waiting = before.where(WaitingEntry.status == W.WAITING)
            answering = before.where(WaitingEntry.status == W.OFFERED, WaitingEntry.id.in_(offered))
            count = session.scalar(select(_count(waiting) + _count(answering))) or 0
            found[entry.id] = min(count, MOST_COUNTED + 1)
    return found


def _count(people: Select[int]) -> ScalarSelect[int]:
    some = people.order_by(WaitingEntry.priority, WaitingEntry.id).limit(MOST_COUNTED + 1)
    return select(func.count()).select_from(some.subquery()).scalar_subquery()


def _before(entry: WaitingEntry) -> ColumnElement[bool]:
    same = [
        getattr(WaitingEntry, name) == value if value is not None
        else getattr(WaitingEntry, name).is_(None)
        for name, value in zip(
            ("organization_id", "donation_type_id", "role_id", "specialty_id", "service_id"),
            keys_of(entry),
            strict=True,
        )
    ]  # fmt: skip
    others = true() if entry.family is None else or_(
        WaitingEntry.family.is_(None), WaitingEntry.family != entry.family
    )  # fmt: skip
    earlier = tuple_(WaitingEntry.priority, WaitingEntry.id) < (entry.priority, entry.id)
    return and_(*same, earlier, others)
