"""The outbox: consequences written in the transaction that causes them, leased and marked later.

A row ends ``sent``, ``obsolete`` (no longer true, or too late to be of use) or ``dead`` (phone these people).
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any, NamedTuple

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.enums import MessageChannel, MessageKind, MessageStatus
from app.models.message import Message
from app.models.scope import widened
from app.rules import reach, sms
from app.rules.reach import Way
from app.rules.transitions import changed_rows

LEASE = dt.timedelta(minutes=2)
BACK_OFF = tuple(dt.timedelta(seconds=s) for s in (10, 30, 120, 600, 1800, 7200))
"""Waiting times between tries; the last one repeats (reliability.md 2.2)."""
GIVE_UP = dt.timedelta(hours=24)
"""A message without an own ``useless_after`` is dead this long after it was due."""


class Keeper(NamedTuple):
    """The account that keeps a person's card, and whether its address is confirmed; nobody is None twice."""

    account_id: int | None
    confirmed: bool | None


def add(
    session: Session,
    *,
    kind: MessageKind,
    key: str,
    now: dt.datetime,
    run_at: dt.datetime | None = None,
    useless_after: dt.datetime | None = None,
    tenant_id: int | None = None,
    account_id: int | None = None,
    staff_user_id: int | None = None,
    appointment_id: int | None = None,
    facts: dict[str, Any] | None = None,
    channel: MessageChannel | None = None,
) -> Message:
    """Write one message. ``key`` names the consequence; the unique index refuses it twice.

    ``channel`` is by default that of the kind: most are letters, some are SMS.
    """
    usual = MessageChannel.SMS if kind in sms.KINDS else MessageChannel.EMAIL
    message = Message(
        kind=kind,
        channel=channel or usual,
        key=key,
        tenant_id=tenant_id,
        account_id=account_id,
        staff_user_id=staff_user_id,
        appointment_id=appointment_id,
        facts=facts or {},
        run_at=run_at or now,
        useless_after=useless_after,
        created_at=now,
    )
    session.add(message)
    return message


def tell(
    session: Session,
    appointment: Appointment,
    kind: MessageKind,
    *,
    now: dt.datetime,
    run_at: dt.datetime | None = None,
    useless_after: dt.datetime | None = None,
    account_id: int | None = None,
    instead: bool = True,
    keeper: Keeper | None = None,
    **facts: Any,
) -> Message | None:
    """Tell the account that keeps this person's card, if there is one (or ``account_id``, if known).

    ``keeper``: who that is, if ``keeper_of`` has been asked already.

    What nobody may miss (``sms.INSTEAD``) goes by SMS where no letter reaches, unless ``instead`` is off;
    if that is in vain too, the person stands among those to phone. The key holds the instant of the change: an
    appointment changes in one way once at an instant.
    """
    if account_id is None:
        with widened(session, "whom to tell"):
            account_id, confirmed = keeper or keeper_of(session, appointment, now=now)
            if instead and kind in sms.INSTEAD:
                way = reach.way_of(appointment, confirmed=confirmed)
                if way is not Way.LETTER:
                    return _without_letter(
                        session, appointment, kind, account_id, now, run_at, useless_after
                    )
    if account_id is None:
        return None
    return add(
        session,
        kind=kind,
        key=f"{kind}:{appointment.id}:{int(now.timestamp() * 1000)}",
        now=now,
        run_at=run_at,
        useless_after=useless_after,
        tenant_id=appointment.tenant_id,
        account_id=account_id,
        appointment_id=appointment.id,
        facts=facts,
    )


def keeper_of(session: Session, appointment: Appointment, *, now: dt.datetime) -> Keeper:
    """Whom letters about this booking go to; nobody if no account keeps the person's card."""
    with widened(session, "whom to tell"):
        found = session.execute(reach.keeper(appointment.person_id, now=now)).one_or_none()
    return Keeper(None, None) if found is None else Keeper(*found)


def _without_letter(
    session: Session,
    appointment: Appointment,
    kind: MessageKind,
    account_id: int | None,
    now: dt.datetime,
    run_at: dt.datetime | None,
    useless_after: dt.datetime | None,
) -> Message:
    """An SMS. What can reach nobody stands in the list of people to phone at once, unless it may be undone."""
    message = tell_by_sms(
        session,
        appointment,
        sms.INSTEAD[kind],
        now=now,
        run_at=run_at,
        useless_after=useless_after,
        account_id=account_id,
    )
    if run_at is not None:
        return message
    try:
        sms.mobile(reach.number_of(appointment))
    except sms.NeverSent as reason:
        finish(session, message, MessageStatus.DEAD, now=now, error=str(reason))
    return message


def tell_by_sms(
    session: Session,
    appointment: Appointment,
    kind: MessageKind,
    *,
    now: dt.datetime,
    run_at: dt.datetime | None = None,
    useless_after: dt.datetime | None = None,
    account_id: int | None = None,
    **facts: Any,
) -> Message:
    """An SMS to the person of ``appointment``; the number is read when it is sent.

    A code is of no use after its hour, anything else after the visit. ``account_id`` or the fact
    ``locale`` say the language, else it is Russian.
    """
    if kind is MessageKind.CONFIRM_CODE:
        useless_after = useless_after or appointment.code_until
        facts["code_sent"] = appointment.code_sent  # a later code makes this message needless
    instant = int(now.timestamp() * 1000)
    return add(
        session,
        kind=kind,
        key=f"{kind}:{appointment.id}:{instant}:{facts.get('code_sent', 0)}",
        now=now,
        run_at=run_at,
        useless_after=useless_after or appointment.starts_at,
        tenant_id=appointment.tenant_id,
        account_id=account_id,
        appointment_id=appointment.id,
        facts=facts,
        channel=MessageChannel.SMS,
    )


def withdraw(
    session: Session, *, appointment_id: int, kinds: tuple[MessageKind, ...], now: dt.datetime
) -> int:
    """Make messages that are not sent yet obsolete (an undone decision, a cancelled visit); how many."""
    with widened(session, "a donor who cancels does not see the outbox"):
        return changed_rows(
            session,
            update(Message)
            .where(
                Message.appointment_id == appointment_id,
                Message.kind.in_(kinds),
                Message.status == MessageStatus.DUE,
            )
            .values(status=MessageStatus.OBSOLETE, ended_at=now),
        )


def lease(session: Session, *, now: dt.datetime, limit: int = 50) -> list[tuple[int, int]]:
    """Take due messages for ``LEASE``: [(message id, attempt)]. Commit before handing them on.

    Two dispatchers never get the same row: SKIP LOCKED on PostgreSQL, one writer on SQLite.
    """
    rows = session.scalars(
        select(Message)
        .where(
            Message.status == MessageStatus.DUE,
            Message.run_at <= now,
            or_(Message.locked_until.is_(None), Message.locked_until <= now),
        )
        .order_by(Message.run_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.locked_until = now + LEASE
        row.attempts += 1
    session.flush()
    return [(row.id, row.attempts) for row in rows]


def finish(
    session: Session, message: Message, status: MessageStatus, *, now: dt.datetime, error: str = ""
) -> None:
    """The end of a message: sent, obsolete or dead."""
    message.status = status
    message.ended_at = now
    message.locked_until = None
    message.last_error = error[:200]


def postpone(session: Session, message: Message, *, now: dt.datetime, error: str) -> None:
    """A try failed: wait and try again, or give up when it would be of no use any more."""
    wait = BACK_OFF[min(message.attempts, len(BACK_OFF)) - 1] * random.uniform(0.9, 1.1)  # noqa: S311 - jitter, not a secret
    end = message.useless_after or message.run_at + GIVE_UP
    if message.useless_after is None and message.facts.get("first_due"):
        end = dt.datetime.fromisoformat(message.facts["first_due"]) + GIVE_UP
    if now + wait >= end:
        finish(session, message, MessageStatus.DEAD, now=now, error=error)
        return
    message.facts = {"first_due": message.run_at.isoformat(), **message.facts}
    message.run_at = now + wait
    message.locked_until = None
    message.last_error = error[:200]


def send_again(session: Session, message: Message, *, now: dt.datetime) -> Message:
    """Staff's «send again»: a new row, so that the ledger keeps both."""
    count = message.facts.get("again", 0) + 1
    return add(
        session,
        kind=message.kind,
        channel=message.channel,
        key=f"again:{message.id}:{count}:{int(now.timestamp())}"[:80],
        now=now,
        tenant_id=message.tenant_id,
        account_id=message.account_id,
        staff_user_id=message.staff_user_id,
        appointment_id=message.appointment_id,
        useless_after=message.useless_after,
        facts={k: v for k, v in message.facts.items() if k != "first_due"} | {"again": count},
    )
