"""Deciding many requests at once (N2): what fails a check or was decided meanwhile is left out, with why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.staff import StaffUser
from app.rules import approval
from app.rules.errors import RuleError

MOST_AT_ONCE = 2000
"""Requests of one go; the rest waits for the next one."""
CHUNK = 50
"""Requests of one transaction: the caller commits after each chunk, so that nobody waits for long."""


@dataclass
class Outcome:
    """What was done, and each that was left out (by id) with its refusal."""

    done: list[Appointment] = field(default_factory=list)
    left: list[tuple[int, RuleError]] = field(default_factory=list)


def approve_many(
    session: Session, *, appointment_ids: Sequence[int], by: StaffUser, now: dt.datetime
) -> Outcome:
    """Approve each by its own savepoint. Nothing is overridden: that is done singly."""
    return _each(
        session,
        appointment_ids,
        lambda one: approval.approve(session, appointment_id=one, by=by, now=now),
    )


def reject_many(
    session: Session,
    *,
    appointment_ids: Sequence[int],
    reason_id: int | None,
    comment: str,
    by: StaffUser,
    now: dt.datetime,
) -> Outcome:
    """Reject each for the same reason."""
    return _each(
        session,
        appointment_ids,
        lambda one: approval.reject(
            session, appointment_id=one, reason_id=reason_id, comment=comment, by=by, now=now
        ),
    )


def undo_many(
    session: Session, *, decided_at: dt.datetime, by: StaffUser, now: dt.datetime
) -> Outcome:
    """Take back all that ``by`` decided in one go at that instant, as far as its minute lasts."""
    together = session.scalars(
        select(Appointment.id)
        .where(
            Appointment.decided_by_id == by.id,
            Appointment.decided_at == decided_at,
            Appointment.undo_until > now,
        )
        .order_by(Appointment.starts_at, Appointment.id)
    ).all()
    return _each(
        session,
        together,
        lambda one: approval.undo(session, appointment_id=one, by=by, now=now),
    )


def _each(
    session: Session, appointment_ids: Sequence[int], decide: Callable[[int], Appointment]
) -> Outcome:
    outcome = Outcome()
    for appointment_id in appointment_ids:
        try:
            with session.begin_nested():
                outcome.done.append(decide(appointment_id))
        except RuleError as error:
            outcome.left.append((appointment_id, error))
    return outcome
