"""Whether Talon is in a condition to work: what /readyz and doctor ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.enums import MessageStatus, OrganizationKind
from app.models.heartbeat import Heartbeat
from app.models.message import Message
from app.models.organization import Organization
from app.rules import ledger

OLDEST_MESSAGE = dt.timedelta(minutes=5)
LATEST_BEAT = dt.timedelta(minutes=2)
LOOKED_BACK = dt.timedelta(days=7)
MOST_NAMED = 10


def lacking(session: Session, *, now: dt.datetime) -> list[str]:
    """Names of what stands still: ``outbox`` (a due letter is waiting), or a periodic job's name."""
    found = []
    oldest = session.scalar(
        select(func.min(Message.run_at)).where(Message.status == MessageStatus.DUE)
    )
    if oldest is not None and oldest < now - OLDEST_MESSAGE:
        found.append("outbox")
    beats = session.scalars(select(Heartbeat)).all()
    if not beats:
        found.append("worker")
    found += [beat.name for beat in beats if beat.at < now - LATEST_BEAT or beat.error]
    return found


def given_up(session: Session, *, now: dt.datetime) -> Sequence[Message]:
    """Talon's own tasks of the last days that ended after every try: staff's ledger shows letters alone."""
    return session.scalars(
        select(Message)
        .where(
            Message.status == MessageStatus.DEAD,
            Message.kind.in_(ledger.TASKS),
            Message.ended_at > now - LOOKED_BACK,
        )
        .order_by(Message.id.desc())
        .limit(MOST_NAMED)
    ).all()


def sms_needed(session: Session) -> bool:
    """Whether SMS are to go out: there is a polyclinic, whose bookings are confirmed by a code."""
    polyclinic = select(Organization.id).where(
        Organization.kind == OrganizationKind.POLYCLINIC, Organization.is_active
    )
    return session.scalar(polyclinic.limit(1)) is not None
