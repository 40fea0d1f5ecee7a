"""One screen of the queue: a page of requests with their checks, the open one and its neighbours (N2)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.enums import AppointmentStatus
from app.rules import examination, lookup, queue
from app.rules.checks import Examined
from app.rules.errors import NotFound
from app.rules.queue import Position, QueueFilter


@dataclass(frozen=True)
class Asked:
    """Where in the queue the reader stands, by outside names of requests."""

    size: int
    after: uuid.UUID | None = None
    before: uuid.UUID | None = None
    open: uuid.UUID | None = None


@dataclass(frozen=True)
class Screen:
    """What the registrar sees at once."""

    rows: tuple[Examined, ...]
    opened: Examined | None
    """The request on the right: the one asked for, or the first of the page."""
    ended: Appointment | None
    """Asked for, but not awaiting a decision any more."""
    previous: uuid.UUID | None
    next: uuid.UUID | None
    page_before: bool
    page_after: bool
    total: int
    overdue: int


def screen(session: Session, chosen: QueueFilter, asked: Asked, *, now: dt.datetime) -> Screen:
    """The number of queries does not depend on how many requests there are. Raises NotFound."""
    wanted = None if asked.open is None else lookup.booking(session, uid=asked.open)
    is_open = wanted is not None and _waits(wanted, now)
    rows = _page(session, chosen, asked, now)
    moved = is_open and wanted not in rows
    if moved and wanted is not None:  # the list has moved on, or the address came from elsewhere
        here = Position(wanted.starts_at, wanted.id - 1)
        rows = queue.page(session, chosen, now=now, size=asked.size, after=here) or rows
    opened = wanted if is_open else (rows[0] if rows and wanted is None else None)
    listed = [*rows, opened] if opened is not None and opened not in rows else rows
    examined = {e.appointment.id: e for e in examination.examine(session, listed, now=now)}
    first, last = (Position.of(rows[0]), Position.of(rows[-1])) if rows else (None, None)
    turned = moved or asked.after is not None or asked.before is not None
    before = (
        queue.beside(session, chosen, first, now=now, ahead=False) if first and turned else None
    )
    after = queue.beside(session, chosen, last, now=now, ahead=True) if last else None
    uids = [before, *(row.uid for row in rows), after]
    place = uids.index(opened.uid) if opened is not None and opened.uid in uids else 0
    return Screen(
        rows=tuple(examined[row.id] for row in rows),
        opened=examined[opened.id] if opened is not None else None,
        ended=wanted if wanted is not None and not is_open else None,
        previous=uids[place - 1] if place else None,
        next=uids[place + 1] if place or not rows else _following(rows, wanted),
        page_before=before is not None,
        page_after=after is not None,
        total=queue.count(session, replace(chosen, overdue=False), now=now),
        overdue=queue.overdue(session, chosen, now=now),
    )


def _following(rows: list[Appointment], ended: Appointment | None) -> uuid.UUID:
    """Where to go on from a request that is not in the list: the first one after its place."""
    if ended is not None:
        for row in rows:
            if (row.starts_at, row.id) > (ended.starts_at, ended.id):
                return row.uid
    return rows[0].uid


def _waits(appointment: Appointment, now: dt.datetime) -> bool:
    return appointment.status is AppointmentStatus.PENDING and appointment.starts_at > now


def _page(
    session: Session, chosen: QueueFilter, asked: Asked, now: dt.datetime
) -> list[Appointment]:
    """The page after or before a request, which may have been decided since."""
    at = asked.after or asked.before
    position = None if at is None else queue.position_of(session, at)
    if at is not None and position is None:
        raise NotFound()
    if position is None:
        return queue.page(session, chosen, now=now, size=asked.size)
    if asked.after is not None:
        rows = queue.page(session, chosen, now=now, size=asked.size, after=position)
        here = Position(position.starts_at, position.id + 1)  # that request too, if it still waits
        return rows or queue.page(session, chosen, now=now, size=asked.size, before=here)
    rows = queue.page(session, chosen, now=now, size=asked.size, before=position)
    return (
        rows if len(rows) == asked.size else queue.page(session, chosen, now=now, size=asked.size)
    )
