"""Places that have become free, noted for those who wait: a row of the outbox in the transaction that frees them.

Nothing is written where nobody waits. Who is offered the place is found later, by app.rules.offers.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models.cabinet_choices import WaitingStatus
from app.models.enums import (
    Channel,
    MessageChannel,
    MessageKind,
    MessageStatus,
    ScheduleStatus,
    SlotStatus,
)
from app.models.message import Message
from app.models.schedule import Schedule, Slot
from app.models.scope import widened
from app.models.waiting import WaitingEntry

KIND = MessageKind.PLACE_FREED
REASON = "whoever frees a place does not see who waits for it"


def note_slot(session: Session, slot_id: int, *, now: dt.datetime) -> None:
    """One place is free, or may be (its day can be closed meanwhile): one statement."""
    there = (
        select(*_row({"slot": slot_id}, now))
        .select_from(Slot)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .where(
            Slot.id == slot_id,
            Slot.channel == Channel.WEB,
            Slot.starts_at > now,
            Schedule.status == ScheduleStatus.PUBLISHED,
            _somebody_waits(),
        )
    )
    _write(session, there)


def note_day(session: Session, schedule_id: int, *, now: dt.datetime) -> None:
    """Places of one day were opened, given back or put on the web."""
    there = select(*_row({"day": schedule_id}, now)).where(
        Schedule.id == schedule_id, Schedule.status == ScheduleStatus.PUBLISHED, _somebody_waits()
    )
    _write(session, there)


def note_publication(session: Session, publication_id: int, *, now: dt.datetime) -> None:
    """New days are open. One row for all of them; ``days_of`` says later which ones somebody waits for."""
    there = (
        select(*_row({"publication": publication_id}, now))
        .where(Schedule.publication_id == publication_id, _somebody_waits())
        .limit(1)
    )
    _write(session, there)


def days_of(session: Session, publication_id: int, *, now: dt.datetime, limit: int) -> list[int]:
    """The days of a publication that somebody may wait for, the nearest first."""
    yesterday = (now - dt.timedelta(days=1)).date()
    return list(
        session.scalars(
            select(Schedule.id)
            .where(
                Schedule.publication_id == publication_id,
                Schedule.status == ScheduleStatus.PUBLISHED,
                Schedule.date >= yesterday,
                _somebody_waits(),
            )
            .order_by(Schedule.date, Schedule.id)
            .limit(limit)
        )
    )


def daily(session: Session, *, now: dt.datetime, limit: int = 500) -> int:
    """Once a day every day with free places is looked at that somebody waits for: dates open, intervals
    and pauses end without any place becoming free. How many days were noted just now."""
    key = f"{KIND}:daily:{now.date()}"
    nobody = ~select(WaitingEntry.id).where(WaitingEntry.status == WaitingStatus.WAITING).exists()
    done = select(Message.id).where(Message.key == key).exists()
    if session.scalar(select(or_(nobody, done))):
        return 0
    free = (
        select(Slot.id)
        .where(
            Slot.schedule_id == Schedule.id,
            Slot.status == SlotStatus.FREE,
            Slot.channel == Channel.WEB,
        )
        .correlate(Schedule)
        .exists()
    )
    days = session.execute(
        select(Schedule.id, Schedule.tenant_id)
        .where(
            Schedule.status == ScheduleStatus.PUBLISHED,
            Schedule.date >= now.date(),
            _somebody_waits(),
            free,
        )
        .order_by(Schedule.date, Schedule.id)
        .limit(limit)
    ).all()
    for schedule_id, tenant_id in days:
        add(session, {"day": schedule_id}, tenant_id=tenant_id, now=now)
    session.add(
        Message(
            kind=KIND,
            channel=MessageChannel.EMAIL,
            key=key,
            status=MessageStatus.SENT,
            run_at=now,
            created_at=now,
            ended_at=now,
        )
    )
    return len(days)


def add(session: Session, facts: dict[str, Any], *, tenant_id: int, now: dt.datetime) -> None:
    """One more look: the rest of a queue, or of a publication."""
    session.add(
        Message(
            kind=KIND,
            channel=MessageChannel.EMAIL,
            key=f"{KIND}:{uuid.uuid4()}",
            tenant_id=tenant_id,
            facts=facts,
            run_at=now,
            created_at=now,
        )
    )


def _somebody_waits() -> ColumnElement[bool]:
    """For places like those of the Schedule of the enclosing query, roughly: the look knows better."""
    donors = WaitingEntry.donation_type_id == Schedule.donation_type_id
    patients = WaitingEntry.donation_type_id.is_(None)
    of_donors, of_patients = (
        or_(*(_first(place, which) for place in (Schedule.organization_id, Schedule.tenant_id)))
        for which in (donors, patients)
    )
    return or_(
        and_(Schedule.donation_type_id.is_not(None), of_donors),
        and_(Schedule.role_id.is_not(None), of_patients),
    )


def _first(place: InstrumentedAttribute[int], which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Somebody is first in the line of that place. Asked for by the line's order, and in one place at a time:
    a mere «exists» is answered by reading the table from its beginning, however many have left the line there.
    """
    return (
        select(WaitingEntry.id)
        .where(
            WaitingEntry.status == WaitingStatus.WAITING,
            WaitingEntry.organization_id == place,
            which,
        )
        .order_by(WaitingEntry.priority, WaitingEntry.id)
        .limit(1)
        .correlate(Schedule)
        .scalar_subquery()
        .is_not(None)
    )


COLUMNS = (
    "uid", "key", "tenant_id", "kind", "channel", "facts", "status", "run_at", "created_at",
    "attempts", "last_error",
)  # fmt: skip


def _row(facts: dict[str, Any], now: dt.datetime) -> list[Any]:
    name = uuid.uuid4()
    values: dict[str, Any] = {
        "uid": name,
        "key": f"{KIND}:{name}",
        "kind": KIND,
        "channel": MessageChannel.EMAIL,
        "facts": facts,
        "status": MessageStatus.DUE,
        "run_at": now,
        "created_at": now,
        "attempts": 0,
        "last_error": "",
    }
    return [
        Schedule.tenant_id
        if column == "tenant_id"
        else literal(values[column], getattr(Message, column).type)
        for column in COLUMNS
    ]


def _write(session: Session, rows: Any) -> None:
    with widened(session, REASON):
        session.execute(insert(Message).from_select(list(COLUMNS), rows, include_defaults=False))


def day_of(session: Session, slot_id: int) -> int | None:
    """The day a noted place belongs to."""
    return session.scalar(select(Slot.schedule_id).where(Slot.id == slot_id))
