"""The link to the hospital behind an organization (row E33): without it the site books nothing there.

Today there is one link, the local one: always up, unless staff have said that it is lost. A hospital's own
system would be another ``HospitalLink``. The desk stands inside the hospital and is never refused.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.organization import Organization
from app.models.schedule import Slot
from app.rules import access, audit
from app.rules.actor import Actor
from app.rules.errors import N_, NotFound, RuleError


class LinkLost(RuleError):
    """Row E33, word for word. That somebody was refused is written down (row E55)."""

    code = "link_lost"
    is_noted = True
    text = N_(
        "The chosen time is not available for booking. Unfortunately, there is no link to the institution for now. Please try again later."
    )


class HospitalLink(Protocol):
    """What booking asks of the system in which the hospital keeps its times."""

    def lost_since(self, organization: Organization) -> dt.datetime | None:
        """Since when there is no link; None: it is up."""


class LocalLink:
    """The times are Talon's own: the link is lost only when staff say so."""

    def lost_since(self, organization: Organization) -> dt.datetime | None:
        return organization.link_lost_at


LINK: HospitalLink = LocalLink()


def demand(
    session: Session, organization: Organization, *, slot: Slot, actor: Actor, now: dt.datetime
) -> None:
    """Raises LinkLost, and leaves a line in the journal that the entry point commits (app.extensions.saved)."""
    if LINK.lost_since(organization) is None:
        return
    audit.record(
        session,
        verb="booking.link_lost",
        subject=slot.schedule,
        actor=actor,
        now=now,
        changes={"slot_id": [None, slot.id]},
    )
    raise LinkLost()


def say_lost(
    session: Session, *, organization: Organization, actor: Actor, now: dt.datetime
) -> bool:
    """There is no link to this organization nor to what is under it; False if that was said already."""
    return _say(session, organization, now, actor=actor, now=now)


def say_restored(
    session: Session, *, organization: Organization, actor: Actor, now: dt.datetime
) -> bool:
    """The link is back, there and under it; False if it was up."""
    return _say(session, organization, None, actor=actor, now=now)


def _say(
    session: Session,
    organization: Organization,
    since: dt.datetime | None,
    *,
    actor: Actor,
    now: dt.datetime,
) -> bool:
    """Each row has its own mark, so that a booking reads no more than the organization it is about."""
    below = access.subtree(session, [organization.id])
    rows = session.scalars(
        select(Organization)
        .where(Organization.id.in_(below))
        .order_by(Organization.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    changed = [row for row in rows if (row.link_lost_at is None) != (since is None)]
    verb = "organization.link_lost" if since else "organization.link_restored"
    for row in changed:
        row.link_lost_at = since
        audit.record(session, verb=verb, subject=row, actor=actor, now=now, tenant_id=row.tenant_id)
    return bool(changed)


def lost(session: Session) -> list[Organization]:
    """Organizations in scope without a link, the longest first; branches of a lost one are not repeated."""
    rows = session.scalars(
        select(Organization)
        .where(Organization.link_lost_at.is_not(None), Organization.takes_patients)
        .order_by(Organization.link_lost_at, Organization.id)
    ).all()
    known = {row.id for row in rows}
    return [row for row in rows if row.part_of_id not in known]


def under_desk(session: Session) -> list[Organization]:
    """Those that take patients, in scope: what the switch is offered for."""
    return list(
        session.scalars(
            select(Organization)
            .where(Organization.takes_patients, Organization.is_active)
            .order_by(Organization.short_name, Organization.id)
        )
    )


def named(session: Session, uid: object) -> Organization:
    """Raises NotFound."""
    found = next((row for row in under_desk(session) if row.uid == uid), None)
    if found is None:
        raise NotFound()
    return found
