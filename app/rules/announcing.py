"""Telling of a booking that stands: the letter with the ticket, and the reminder before the visit."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.enums import MessageKind
from app.rules import outbox


def announce_booked(
    session: Session, appointment: Appointment, *, now: dt.datetime, run_at: dt.datetime
) -> None:
    """The letter with the ticket, and the reminder. Whoever sees his ticket at once needs no SMS."""
    keeper = outbox.keeper_of(session, appointment, now=now)
    outbox.tell(
        session,
        appointment,
        MessageKind.APPROVED,
        now=now,
        run_at=run_at,
        useless_after=appointment.starts_at,
        instead=run_at > now,
        keeper=keeper,
    )
    remind(session, appointment, now=now, keeper=keeper)


def remind(
    session: Session,
    appointment: Appointment,
    *,
    now: dt.datetime,
    keeper: outbox.Keeper | None = None,
) -> None:
    """The reminder some hours before the visit, unless it is too near for one."""
    remind_at = appointment.starts_at - dt.timedelta(hours=appointment.policy.remind_hours_before)
    if remind_at > now:
        outbox.tell(
            session,
            appointment,
            MessageKind.REMINDER,
            now=now,
            run_at=remind_at,
            useless_after=appointment.starts_at,
            keeper=keeper,
        )
