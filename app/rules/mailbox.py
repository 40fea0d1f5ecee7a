"""The development mailbox: letters and SMS kept instead of sent, and staff's current one-time codes.

Only where TALON_MAILBOX is set, which production refuses: these pages are open to everybody.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import pyotp
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.models.enums import MessageChannel, MessageKind
from app.models.message import MailboxLetter, Message
from app.models.scope import widened
from app.models.staff import StaffUser
from app.rules.errors import NotFound

REASON = "the development mailbox is open to everybody"
STEP = 30
"""Seconds a code is valid."""


@dataclass(frozen=True)
class Code:
    """What the authenticator application of a member of staff shows now."""

    user: StaffUser
    code: str
    seconds_left: int


def keep(
    session: Session,
    *,
    message_id: int,
    recipient: str,
    subject: str,
    source: str,
    now: dt.datetime,
) -> None:
    """Take a letter or an SMS in. The same letter again replaces the first: a mail reader does that by Message-ID."""
    letter = session.scalars(
        select(MailboxLetter).where(MailboxLetter.message_id == message_id)
    ).one_or_none()
    if letter is None:
        letter = MailboxLetter(message_id=message_id)
        session.add(letter)
    letter.recipient = recipient[:254]
    letter.subject = subject[:200]
    letter.source = source
    letter.sent_at = now


def letters(
    session: Session, *, recipient: str = "", page: int = 1, size: int = 30
) -> tuple[Sequence[Row[MailboxLetter, uuid.UUID, MessageKind]], bool]:
    """One page of letters with their outside ids and kinds, newest first; whether older ones follow."""
    query = (
        select(MailboxLetter, Message.uid, Message.kind)
        .join(Message, Message.id == MailboxLetter.message_id)
        .order_by(MailboxLetter.sent_at.desc(), MailboxLetter.id.desc())
        .offset((page - 1) * size)
        .limit(size + 1)
    )
    if recipient:
        query = query.where(MailboxLetter.recipient.contains(recipient.lower(), autoescape=True))
    with widened(session, REASON):
        rows = session.execute(query).all()
    return rows[:size], len(rows) > size


def letter(session: Session, *, uid: uuid.UUID) -> Row[MailboxLetter, MessageChannel]:
    """The letter or the SMS, and which of the two it is. Raises NotFound."""
    query = select(MailboxLetter, Message.channel).join(
        Message, Message.id == MailboxLetter.message_id
    )
    with widened(session, REASON):
        found = session.execute(query.where(Message.uid == uid)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def codes(session: Session, *, now: dt.datetime) -> list[Code]:
    """The code of each member of staff who has a second factor."""
    left = STEP - int(now.timestamp()) % STEP
    with widened(session, REASON):
        users = session.scalars(
            select(StaffUser)
            .where(StaffUser.is_active, StaffUser.totp_confirmed_at.is_not(None))
            .order_by(StaffUser.id)
            .limit(50)
        ).all()
    return [
        Code(user, pyotp.TOTP(user.totp_seed, interval=STEP).at(now), left)
        for user in users
        if user.totp_seed
    ]
