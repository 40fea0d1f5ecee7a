"""How a booking of this person is confirmed: by its policy, and without an SMS from the cabinet (E53)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import AccountPerson
from app.models.appointment import Appointment, AppointmentEvent
from app.models.enums import ActorKind, Channel, Confirmation
from app.rules import families

ASKED = "confirm_to_pending"
"""The event by which a request is made (app.rules.transitions)."""


def mode_of(row: Appointment, *, from_cabinet: bool) -> Confirmation:
    """By the policy; at the desk, and by an account that is sent no SMS, without a code."""
    wanted = row.policy.confirmation
    if row.channel is Channel.DESK:
        return Confirmation.NONE
    if from_cabinet and wanted is Confirmation.CODE and not row.policy.account_sms:
        return Confirmation.NONE
    return wanted


def wants_code(session: Session, request: Appointment, *, now: dt.datetime) -> bool:
    """Whether a code has to follow the approval: where there is no number to send it to, the registrar, who
    has overridden that check, has spoken with the person. An account that keeps the card and whose policy
    sends no SMS to accounts is asked for none."""
    if request.policy.confirmation is not Confirmation.APPROVAL_CODE:
        return False
    if request.channel is not Channel.WEB:
        return False
    return request.policy.account_sms or not _from_cabinet(session, request, now)


def _from_cabinet(session: Session, request: Appointment, now: dt.datetime) -> bool:
    found = session.scalar(
        select(AppointmentEvent.id)
        .join(AccountPerson, AccountPerson.account_id == AppointmentEvent.actor_id)
        .where(
            AppointmentEvent.appointment_id == request.id,
            AppointmentEvent.event == ASKED,
            AppointmentEvent.actor_kind == ActorKind.ACCOUNT,
            AccountPerson.person_id == request.person_id,
            families.open_at(now),
        )
        .limit(1)
    )
    return found is not None
