"""Sending one message of the outbox: is it still true, whose try is it, how did it end.

The outbox says that something was to be told; between that and the sending the world moves on.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.models.account import Account, OneTimeLink
from app.models.appointment import Appointment
from app.models.enums import AppointmentStatus as A
from app.models.enums import LinkPurpose, MessageChannel, MessageStatus
from app.models.enums import MessageKind as K
from app.models.message import Message
from app.models.sign_in import ContactProof
from app.rules import consents, data_archive, medical_documents, notices, outbox, reminders, surveys
from app.rules.transitions import changed_rows

GRACE = dt.timedelta(seconds=3)
"""An undo that was asked for in the last second of its minute may commit this much later."""
TOLD: dict[K, A] = {
    K.REQUEST_RECEIVED: A.PENDING,
    K.APPROVED: A.BOOKED,
    K.REMINDER: A.BOOKED,
    K.REJECTED: A.REJECTED,
    K.EXPIRED: A.EXPIRED,
    K.CANCELLED_BY_DONOR: A.CANCELLED,
    K.CANCELLED_BY_STAFF: A.CANCELLED,
    K.DAY_CLOSED: A.CANCELLED,
    K.BOOKING_LAPSED: A.EXPIRED,
    K.VISIT_CANCELLED: A.CANCELLED,
    K.VISIT_APPROVED: A.BOOKED,
    K.VISIT_REFUSED: A.REJECTED,
    K.VISIT_EXPIRED: A.EXPIRED,
    K.MOVED: A.BOOKED,
    K.VISIT_MOVED: A.BOOKED,
    K.VISIT_REMINDER: A.BOOKED,
    K.PLACE_OFFERED: A.HELD,
    K.VISIT_OFFERED: A.HELD,
    K.OFFER_LAPSED: A.RELEASED,
    K.TURN_OVER: A.RELEASED,
}
"""The status a letter speaks of: once the booking has another one, the letter is not true."""
LINKED: dict[K, LinkPurpose] = {
    K.CONFIRM_EMAIL: LinkPurpose.CONFIRM_EMAIL,
    K.RESET_PASSWORD: LinkPurpose.RESET_PASSWORD,
    K.STAFF_INVITE: LinkPurpose.STAFF_INVITE,
    K.DATA_READY: LinkPurpose.DATA_EXPORT,
    K.FAMILY_ASKED: LinkPurpose.JOIN_FAMILY,
}
DECISIONS = frozenset({K.APPROVED, K.REJECTED, K.VISIT_APPROVED, K.VISIT_REFUSED})
"""What tells of a decision waits until it can no longer be undone."""
PROVED = frozenset({K.EMAIL_CHANGE, K.PHONE_CODE, K.SIGN_IN_CODE})
"""What is of use only while its row waits (app.models.sign_in.ContactProof)."""
WISHED = frozenset({K.REMINDER, K.VISIT_REMINDER})
"""Letters that lean on the consent alone; the others tell what has become of one's own request."""


class Verdict(StrEnum):
    SEND = "send"
    WAIT = "wait"
    """The decision can still be undone."""
    DROP = "drop"
    """Too late, or no longer true."""
    HOLD = "hold"
    """Nobody has confirmed the address yet that staff entered: what tells of a person goes nowhere else."""


def verdict(session: Session, message: Message, *, now: dt.datetime) -> Verdict:
    """Whether to send ``message`` now, by the state of the world as it is now."""
    if message.useless_after is not None and message.useless_after <= now:
        return Verdict.DROP
    decided = _without_booking(session, message, now)
    if decided is not None:
        return decided
    booking = session.get(Appointment, message.appointment_id)
    told = booking is not None and booking.status is TOLD[message.kind]
    if booking is None or not told or not _may_leave(session, message, booking, now):
        return Verdict.DROP
    if message.channel is MessageChannel.EMAIL and _address_unproven(session, message):
        return Verdict.HOLD
    if message.kind in DECISIONS and _can_be_undone(booking, now):
        return Verdict.WAIT
    return Verdict.SEND


def _without_booking(session: Session, message: Message, now: dt.datetime) -> Verdict | None:
    """What is decided without looking at a booking; None for what tells of one."""
    if message.kind in (K.CONFIRM_CODE, K.SURVEY):
        asked = _code_verdict if message.kind is K.CONFIRM_CODE else _survey_verdict
        return asked(session, message, now)
    if message.kind in LINKED:
        good = _link_lives(session, message, now)
    elif message.kind in PROVED:
        good = _proof_waits(session, message, now)
    elif message.kind is K.DATA_WANTED:
        good = data_archive.wanted(session, message) is not None
    elif not _wished(session, message):
        good = False
    elif message.kind is K.DOCUMENT_COPY:
        good = medical_documents.may_go(session, message, now=now)
    elif message.kind in reminders.KINDS:
        good = reminders.still_true(session, message, now=now)
    elif message.kind in TOLD:
        return None
    else:
        good = True
    return Verdict.SEND if good else Verdict.DROP


def _may_leave(session: Session, message: Message, booking: Appointment, now: dt.datetime) -> bool:
    """Reminders lean on the consent and end with the visit's beginning; SMS on the policy (E53)."""
    if message.kind in WISHED and (
        booking.starts_at <= now or consents.withdrawn(session, person_id=booking.person_id)
    ):
        return False
    return _sms_allowed(message, booking)


def _wished(session: Session, message: Message) -> bool:
    """The account that it goes to has not switched such messages off (app.rules.notices)."""
    return message.account_id is None or notices.wants(
        session, account_id=message.account_id, kind=message.kind, channel=message.channel
    )


def _sms_allowed(message: Message, booking: Appointment) -> bool:
    """Row E53: SMS reminders only if the policy says so; what nobody may miss is told all the same (outbox.tell)."""
    return message.kind is not K.VISIT_REMINDER or booking.policy.account_sms


def proof_of(session: Session, message: Message) -> ContactProof | None:
    """The code or link this message was written for, if it has not been sent anew since; compared as in
    ``link_of``."""
    proof_id = message.facts.get("proof_id")
    proof = session.get(ContactProof, proof_id) if proof_id is not None else None
    if (
        proof is None
        or proof.account_id != message.account_id
        or proof.sent != message.facts.get("sent")
        or proof.created_at > message.created_at
    ):
        return None
    return proof


def _proof_waits(session: Session, message: Message, now: dt.datetime) -> bool:
    proof = proof_of(session, message)
    return proof is not None and proof.used_at is None and proof.expires_at > now


def _can_be_undone(booking: Appointment, now: dt.datetime) -> bool:
    return booking.undo_until is not None and now < booking.undo_until + GRACE


def _address_unproven(session: Session, message: Message) -> bool:
    account = session.get(Account, message.account_id) if message.account_id else None
    return account is not None and account.email_confirmed_at is None


def _code_verdict(session: Session, message: Message, now: dt.datetime) -> Verdict:
    booking = session.get(Appointment, message.appointment_id)
    if booking is None or not _code_awaited(booking, message, now):
        return Verdict.DROP
    return Verdict.WAIT if _can_be_undone(booking, now) else Verdict.SEND


def _code_awaited(booking: Appointment, message: Message, now: dt.datetime) -> bool:
    """The booking waits for a code, and for this one: a code sent later makes it void."""
    return (
        booking.status is A.PROPOSED
        and bool(booking.code_nonce)
        and booking.code_until is not None
        and booking.code_until > now
        and message.facts.get("code_sent", booking.code_sent) == booking.code_sent
    )


def _survey_verdict(session: Session, message: Message, now: dt.datetime) -> Verdict:
    """Asked once the visit has taken place; a visit that nobody has marked yet is waited for."""
    booking = session.get(Appointment, message.appointment_id)
    if booking is None or not surveys.may_ask(session, booking):
        return Verdict.DROP
    return Verdict.SEND if surveys.next_look(booking, now=now) is None else Verdict.WAIT


def link_of(session: Session, message: Message) -> OneTimeLink | None:
    """The one-time link this letter was written for, if it is still there.

    Whose it is, what for and since when is compared: SQLite gives the id of a deleted row to another.
    """
    link_id = message.facts.get("link_id")
    link = session.get(OneTimeLink, link_id) if link_id is not None else None
    if (
        link is None
        or link.purpose is not LINKED.get(message.kind)
        or link.account_id != message.account_id
        or link.staff_user_id != message.staff_user_id
        or link.created_at > message.created_at
    ):
        return None
    return link


def _link_lives(session: Session, message: Message, now: dt.datetime) -> bool:
    link = link_of(session, message)
    return link is not None and link.used_at is None and link.expires_at > now


def begin(session: Session, *, message_id: int, attempt: int, now: dt.datetime) -> bool:
    """Take this try up: True if it is ours and the message is to be sent now.

    A job that comes to run after its lease is over loses to the dispatcher that leased the row again,
    or wins before it: the attempt's number decides, in one statement. What is no longer true ends here.
    """
    won = changed_rows(
        session,
        update(Message)
        .where(
            Message.id == message_id,
            Message.status == MessageStatus.DUE,
            Message.attempts == attempt,
        )
        .values(locked_until=now + outbox.LEASE),
    )
    if not won:
        return False
    message = _fresh(session, message_id)
    found = verdict(session, message, now=now)
    if found is Verdict.DROP:
        outbox.finish(session, message, MessageStatus.OBSOLETE, now=now)
    elif found is Verdict.WAIT:
        message.run_at = _waits_until(message, now)
        message.locked_until = None
    elif found is Verdict.HOLD:
        outbox.postpone(session, message, now=now, error="the address is not confirmed")
    return found is Verdict.SEND


def _waits_until(message: Message, now: dt.datetime) -> dt.datetime:
    booking = message.appointment
    if message.kind is K.SURVEY and booking is not None:
        return surveys.next_look(booking, now=now) or now
    assert booking is not None and booking.undo_until is not None
    return booking.undo_until + GRACE


def succeed(session: Session, *, message_id: int, now: dt.datetime) -> None:
    """The letter was handed in. Whichever try did it, no other has to."""
    message = _fresh(session, message_id)
    if message.status is MessageStatus.DUE:
        outbox.finish(session, message, MessageStatus.SENT, now=now)
        medical_documents.note_sent(session, message, now=now)


def fail(session: Session, *, message_id: int, attempt: int, now: dt.datetime, error: str) -> None:
    """The try failed: later again, or dead. Another try's message is left alone."""
    message = _fresh(session, message_id)
    if message.status is MessageStatus.DUE and message.attempts == attempt:
        outbox.postpone(session, message, now=now, error=error)


def give_up(
    session: Session, *, message_id: int, attempt: int, now: dt.datetime, error: str
) -> None:
    """No try will ever succeed: dead at once. Another try's message is left alone."""
    message = _fresh(session, message_id)
    if message.status is MessageStatus.DUE and message.attempts == attempt:
        outbox.finish(session, message, MessageStatus.DEAD, now=now, error=error)


def anything_due(session: Session, *, now: dt.datetime) -> bool:
    """Whether a message waits to be leased."""
    return (
        session.scalar(
            select(Message.id)
            .where(
                Message.status == MessageStatus.DUE,
                Message.run_at <= now,
                or_(Message.locked_until.is_(None), Message.locked_until <= now),
            )
            .limit(1)
        )
        is not None
    )


def give_back(session: Session, leased: list[tuple[int, int]]) -> None:
    """Leased and not tried: somebody else may have them at once."""
    for message_id, attempt in leased:
        changed_rows(
            session,
            update(Message)
            .where(
                Message.id == message_id,
                Message.status == MessageStatus.DUE,
                Message.attempts == attempt,
            )
            .values(locked_until=None),
        )


def end_leases(session: Session) -> int:
    """Every lease ends: for the only worker of an installation, when it starts after a crash. How many."""
    return changed_rows(
        session,
        update(Message)
        .where(Message.status == MessageStatus.DUE, Message.locked_until.is_not(None))
        .values(locked_until=None),
    )


def _fresh(session: Session, message_id: int) -> Message:
    """The row as it is now, locked."""
    return session.get_one(Message, message_id, with_for_update=True, populate_existing=True)
