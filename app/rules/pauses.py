"""Pausing one donation type, everywhere or at a branch, with a public notice (features.md 5.1)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.donation_type import DonationPause, DonationType
from app.models.organization import Organization
from app.models.scope import scope_of
from app.rules import audit
from app.rules.actor import Actor
from app.rules.errors import N_, NotAllowed, NotFound, RuleError


class NoticeNeeded(RuleError):
    code = "notice_needed"
    text = N_("Write the notice, please: people will read it instead of the places.")


class EndsTooEarly(RuleError):
    code = "ends_too_early"
    text = N_("The pause must end after it has begun, and later than now.")


class PausedAlready(RuleError):
    code = "paused_already"
    text = N_("This donation type is paused there already at that time. End that pause first.")


def begin(
    session: Session,
    *,
    donation_type_id: int,
    organization_id: int | None,
    starts_at: dt.datetime | None,
    ends_at: dt.datetime | None,
    notice_ru: str,
    notice_en: str,
    actor: Actor,
    now: dt.datetime,
) -> DonationPause:
    """Take no bookings of this type from ``starts_at`` (empty: now) until ``ends_at`` (empty: until ended).

    Bookings that are there stay. Without a branch it holds everywhere, which needs a right over the
    whole organization. Raises NoticeNeeded, EndsTooEarly, PausedAlready, NotAllowed, NotFound.
    """
    kind = _type_here(session, donation_type_id, organization_id)
    if not notice_ru.strip():
        raise NoticeNeeded()
    begins = starts_at or now
    if ends_at is not None and ends_at <= max(begins, now):
        raise EndsTooEarly()
    if _meets(session, kind.id, organization_id, begins, ends_at):
        raise PausedAlready()

    pause = DonationPause(
        tenant_id=kind.tenant_id,
        donation_type_id=kind.id,
        organization_id=organization_id,
        starts_at=begins,
        ends_at=ends_at,
        notice_ru=notice_ru.strip(),
        notice_en=notice_en.strip(),
    )
    session.add(pause)
    session.flush()  # the audit needs the id

    change = {"donation_type_id": [None, kind.id], "organization_id": [None, organization_id]}
    audit.record(session, verb="pause.begin", subject=pause, actor=actor, now=now, changes=change)
    return pause


def end(session: Session, *, pause_id: int, actor: Actor, now: dt.datetime) -> DonationPause:
    """End it now; one that has not begun never will. Ending what has ended changes nothing."""
    pause = session.scalars(
        select(DonationPause)
        .where(DonationPause.id == pause_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if pause is None:
        raise NotFound()
    _may_there(session, pause.tenant_id, pause.organization_id)
    if pause.ends_at is None or pause.ends_at > now:
        pause.ends_at = now
        audit.record(session, verb="pause.end", subject=pause, actor=actor, now=now)
    return pause


def listed(session: Session, *, now: dt.datetime, past: int = 20) -> list[DonationPause]:
    """Those in force or to come, the first to begin first; then the ``past`` last ones that are over."""
    query = select(DonationPause).options(
        joinedload(DonationPause.donation_type), joinedload(DonationPause.organization)
    )
    ahead = or_(DonationPause.ends_at.is_(None), DonationPause.ends_at > now)
    current = session.scalars(query.where(ahead).order_by(DonationPause.starts_at)).all()
    over = session.scalars(
        query.where(DonationPause.ends_at <= now).order_by(DonationPause.ends_at.desc()).limit(past)
    ).all()
    return [*current, *over]


def named(session: Session, uid: uuid.UUID) -> DonationPause | None:
    return session.scalars(select(DonationPause).where(DonationPause.uid == uid)).one_or_none()


def _type_here(session: Session, type_id: int, organization_id: int | None) -> DonationType:
    """The type, locked; its tenant must be the branch's. Raises NotFound."""
    kind = session.scalars(
        select(DonationType).where(DonationType.id == type_id).with_for_update(key_share=True)
    ).one_or_none()
    if kind is None:
        raise NotFound()
    _may_there(session, kind.tenant_id, organization_id)
    if organization_id is not None:
        branch = session.get(Organization, organization_id)
        if branch is None or branch.tenant_id != kind.tenant_id:
            raise NotFound()
    return kind


def _may_there(session: Session, tenant_id: int, organization_id: int | None) -> None:
    scope = scope_of(session)
    if scope.kind == "system" or scope.everywhere:
        return
    if (organization_id or tenant_id) not in scope.organization_ids:
        raise NotAllowed()


def _meets(
    session: Session,
    type_id: int,
    organization_id: int | None,
    begins: dt.datetime,
    ends: dt.datetime | None,
) -> bool:
    """Whether another pause of this type holds at the same place within that time."""
    conditions = [
        DonationPause.donation_type_id == type_id,
        or_(DonationPause.ends_at.is_(None), DonationPause.ends_at > begins),
    ]
    if organization_id is None:
        conditions.append(DonationPause.organization_id.is_(None))
    else:
        here = DonationPause.organization_id == organization_id
        conditions.append(or_(DonationPause.organization_id.is_(None), here))
    if ends is not None:
        conditions.append(DonationPause.starts_at < ends)
    query = select(DonationPause.id).where(*conditions).limit(1)
    return session.scalar(query) is not None
