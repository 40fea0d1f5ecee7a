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
    """The reminders some hours before the visit, by letter and by SMS, unless it is too near for one.

    What the account has switched off, and SMS that the policy does not let it have, are dropped as they are
    sent (app.rules.delivery): both may change meanwhile.
    """
    keeper = keeper or outbox.keeper_of(session, appointment, now=now)
    policy = appointment.policy
    ahead = {policy.remind_hours_before, policy.remind_again_hours} - {0}
    coming = [h for h in sorted(ahead) if appointment.starts_at - dt.timedelta(hours=h) > now]
    if keeper.account_id is None or not coming:
        return
    kinds = [MessageKind.REMINDER, *([MessageKind.VISIT_REMINDER] if policy.account_sms else [])]
    for hours in coming:
        for kind in kinds:
            outbox.add(
                session,
                kind=kind,
                key=f"{kind}:{appointment.id}:{int(now.timestamp() * 1000)}:{hours}",
                now=now,
                run_at=appointment.starts_at - dt.timedelta(hours=hours),
                useless_after=appointment.starts_at,
                tenant_id=appointment.tenant_id,
                account_id=keeper.account_id,
                appointment_id=appointment.id,
            )
