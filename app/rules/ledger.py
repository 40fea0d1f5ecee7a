"""The ledger of letters: sending one again, and the people to phone because no letter reached them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.enums import MessageKind, MessageStatus
from app.models.message import Message
from app.models.person import Person
from app.rules import audit, delivery, outbox, reach
from app.rules.actor import Actor
from app.rules.errors import N_, RuleError

MOST_COUNTED = 1000


class StillWaiting(RuleError):
    code = "still_waiting"
    text = N_("This letter is still on its way: Talon tries again by itself.")


class NoLongerTrue(RuleError):
    code = "no_longer_true"
    text = N_(
        "Sending it again would help nobody: what it says is no longer true, or its link is over."
    )


class NotDead(RuleError):
    code = "not_dead"
    text = N_("This letter has been delivered or dealt with meanwhile.")


TASKS = (MessageKind.PLACE_FREED, MessageKind.DATA_WANTED)
"""Of Talon's own, no letters."""


def seen_in_scope() -> ColumnElement[bool]:
    """Letters about no booking, or about one the reader may see (the scope narrows the inner query)."""
    return and_(
        Message.kind.not_in(TASKS),
        or_(
            Message.appointment_id.is_(None),
            Message.appointment_id.in_(select(Appointment.id)),
        ),
    )


def send_again(session: Session, *, message: Message, actor: Actor, now: dt.datetime) -> Message:
    """A new row with the same contents, if they are still true. Raises StillWaiting, NoLongerTrue."""
    if message.status is MessageStatus.DUE:
        raise StillWaiting()
    if delivery.verdict(session, message, now=now) is delivery.Verdict.DROP:
        raise NoLongerTrue()
    again = outbox.send_again(session, message, now=now)
    if message.status is MessageStatus.DEAD:
        message.status = MessageStatus.OBSOLETE
    session.flush()  # the audit line needs the id
    audit.record(
        session,
        verb="message.send_again",
        subject=again,
        actor=actor,
        now=now,
        tenant_id=message.tenant_id,
        changes={"kind": [None, message.kind.value]},
    )
    return again


def told_by_phone(session: Session, *, message: Message, actor: Actor, now: dt.datetime) -> None:
    """Somebody has phoned: the letter is needed no longer. Raises NotDead."""
    if message.status is not MessageStatus.DEAD:
        raise NotDead()
    outbox.finish(session, message, MessageStatus.OBSOLETE, now=now, error="told by phone")
    audit.record(
        session,
        verb="message.told_by_phone",
        subject=message,
        actor=actor,
        now=now,
        tenant_id=message.tenant_id,
        changes={"status": ["dead", "obsolete"]},
    )


@dataclass(frozen=True)
class Call:
    """Whom to phone about what."""

    message: Message
    appointment: Appointment
    person: Person

    @property
    def phone(self) -> str | None:
        return reach.number_of(self.appointment)


def calls(session: Session, *, now: dt.datetime, limit: int = 200) -> list[Call]:
    """Letters that failed for good about visits still to come, soonest visit first."""
    rows = session.scalars(
        select(Message)
        .join(Appointment, Appointment.id == Message.appointment_id)
        .options(
            joinedload(Message.appointment).joinedload(Appointment.person),
            joinedload(Message.appointment).joinedload(Appointment.organization),
            joinedload(Message.appointment).joinedload(Appointment.donation_type),
        )
        .where(Message.status == MessageStatus.DEAD, Appointment.starts_at > now)
        .order_by(Appointment.starts_at, Message.id)
        .limit(limit)
    ).all()
    return [
        Call(row, row.appointment, row.appointment.person)
        for row in rows
        if row.appointment is not None
    ]


def count_dead(session: Session) -> int:
    """How many letters failed for good, counted up to MOST_COUNTED + 1."""
    some = (
        select(Message.id)
        .where(Message.status == MessageStatus.DEAD, seen_in_scope())
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(some)) or 0


def latest_dead(session: Session, limit: int = 5) -> list[Message]:
    return list(
        session.scalars(
            select(Message)
            .options(joinedload(Message.appointment))
            .where(Message.status == MessageStatus.DEAD, seen_in_scope())
            .order_by(Message.id.desc())
            .limit(limit)
        )
    )
