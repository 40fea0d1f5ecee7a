"""Confirming a booking by the code of an SMS (rows E27–E29): held → proposed → booked, or annulled.

The code is derived from the row's nonce when it is needed and stored nowhere. Every try is counted before
it is compared, so that many at once have no more tries than one after another.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.crypto import derived_digits
from app.models.enums import AppointmentStatus, MessageKind
from app.rules import audit, outbox, transitions
from app.rules.actor import SYSTEM, Actor
from app.rules.errors import N_, AlreadyChanged, NotFound, RuleError

A = AppointmentStatus
DIGITS = 6


class WrongCode(RuleError):
    code = "wrong_code"
    text = N_("This is not the code from the SMS. Tries left: %(left)s.")


class NoTriesLeft(RuleError):
    code = "no_tries_left"
    text = N_("Too many wrong codes. Ask for another one, please.")


class NoMoreCodes(RuleError):
    code = "no_more_codes"
    text = N_("No more codes are sent for this booking. Phone the registry desk, please.")


class CodeTooLate(RuleError):
    """E28: the booking is annulled, or is about to be."""

    code = "code_too_late"
    text = N_(
        "The time to enter the code is over and the booking is annulled. Choose a time again."
    )


def code_of(appointment: Appointment) -> str:
    """The six digits that are valid now."""
    return derived_digits("booking-code", appointment.id, appointment.code_nonce, DIGITS)


def first(held: Appointment, *, now: dt.datetime) -> dict[str, Any]:
    """What the row gets when it begins to await a code (app.rules.booking.confirm)."""
    return {
        "code_nonce": secrets.token_hex(16),
        "code_until": min(now + dt.timedelta(minutes=held.policy.code_minutes), held.starts_at),
        "code_tries": 0,
        "code_sent": 1,
    }


def another(session: Session, *, appointment_id: int, now: dt.datetime) -> Appointment:
    """Send a new code; the old one is void. The hour runs on. Raises NoMoreCodes, CodeTooLate, NotFound.

    As long as an approval can be undone no code leaves.
    """
    row = _awaiting(session, appointment_id, now)
    if row.code_sent > row.policy.code_resends:
        raise NoMoreCodes()
    asked = update(Appointment).where(
        Appointment.id == appointment_id,
        Appointment.status == A.PROPOSED,
        Appointment.code_until > now,
        Appointment.code_sent == row.code_sent,  # pressed twice is asked once
    )
    values = {"code_nonce": secrets.token_hex(16), "code_tries": 0, "code_sent": row.code_sent + 1}
    won = transitions.changed_rows(session, asked.values(values))
    row = _row(session, appointment_id)
    if won:
        leaves = max(now, row.undo_until or now)
        outbox.tell_by_sms(session, row, MessageKind.CONFIRM_CODE, now=now, run_at=leaves)
    return row


def enter(
    session: Session, *, appointment_id: int, code: str, actor: Actor, now: dt.datetime
) -> Appointment:
    """Proposed → booked by the right code; the right one again returns the same booking.

    The caller commits also when this raises WrongCode, or the try is not counted. Raises also
    NoTriesLeft, CodeTooLate, NotFound.
    """
    row = _row(session, appointment_id)
    typed = "".join(c for c in code if c.isdigit() and c.isascii())
    right = bool(row.code_nonce) and hmac.compare_digest(typed.encode(), code_of(row).encode())
    if row.status is A.BOOKED and right:
        return row
    row = _awaiting(session, appointment_id, now)
    tries = row.policy.code_tries
    counted = update(Appointment).where(
        Appointment.id == appointment_id,
        Appointment.status == A.PROPOSED,
        Appointment.code_nonce == row.code_nonce,
        Appointment.code_tries < tries,
    )
    if not transitions.changed_rows(session, counted.values(code_tries=Appointment.code_tries + 1)):
        _awaiting(session, appointment_id, now)  # annulled or booked meanwhile: said as such
        raise NoTriesLeft()
    row = _row(session, appointment_id)
    if not right:
        raise WrongCode(left=tries - row.code_tries) if row.code_tries < tries else NoTriesLeft()
    try:
        done = transitions.move(
            session,
            appointment_id=appointment_id,
            event="code",
            actor=actor,
            now=now,
            only_if=Appointment.code_until > now,
        )
    except AlreadyChanged as error:
        raise CodeTooLate() from error
    audit.record(session, verb="booking.code", subject=done, actor=actor, now=now, changes={})
    return done


def lapse(session: Session, *, now: dt.datetime, limit: int = 200) -> list[int]:
    """Annul what was not confirmed in time, with an SMS; each place is freed once. The ids annulled."""
    over = Appointment.code_until <= now
    late = session.scalars(
        select(Appointment.id)
        .where(Appointment.status == A.PROPOSED, over)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for appointment_id in late:
        done = transitions.move(
            session,
            appointment_id=appointment_id,
            event="lapse",
            actor=SYSTEM,
            now=now,
            only_if=over,
            ended_at=now,
            ended_by=SYSTEM.kind,
        )
        outbox.tell_by_sms(session, done, MessageKind.BOOKING_LAPSED, now=now)
    return list(late)


def _awaiting(session: Session, appointment_id: int, now: dt.datetime) -> Appointment:
    """Raises CodeTooLate once the hour is over, AlreadyChanged for what awaits no code."""
    row = _row(session, appointment_id)
    if row.status is A.EXPIRED or (
        row.status is A.PROPOSED and (row.code_until is None or row.code_until <= now)
    ):
        raise CodeTooLate()
    if row.status is not A.PROPOSED:
        raise AlreadyChanged(status=row.status)
    return row


def _row(session: Session, appointment_id: int) -> Appointment:
    """As it stands in the database now."""
    row = session.scalars(
        select(Appointment)
        .where(Appointment.id == appointment_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row
