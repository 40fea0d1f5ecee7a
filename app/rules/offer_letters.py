"""What is told of offered places, as each account wishes: by letter and SMS, not at night by SMS (N6)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.cabinet_choices import NoticeEvent
from app.models.enums import MessageChannel, MessageKind
from app.models.policy import BookingPolicy
from app.models.waiting import WaitingEntry
from app.rules import in_line, notices, outbox, reach, sms

OFFER = NoticeEvent.OFFER


def tell_offer(
    session: Session,
    entry: WaitingEntry,
    row: Appointment,
    *,
    policy: BookingPolicy,
    now: dt.datetime,
) -> None:
    """By letter and SMS, as the account wishes. Whom neither reaches a colleague has to phone."""
    wishes = notices.choices(session, account_id=entry.account_id)
    texted = policy.account_sms and _has_mobile(row) and wishes[OFFER, MessageChannel.SMS]
    if wishes[OFFER, MessageChannel.EMAIL] and (entry.account.email or not texted):
        outbox.tell(
            session,
            row,
            MessageKind.PLACE_OFFERED,
            now=now,
            useless_after=row.hold_until,
            account_id=entry.account_id,
        )
    if texted:
        outbox.tell_by_sms(
            session,
            row,
            MessageKind.VISIT_OFFERED,
            now=now,
            run_at=in_line.after_quiet(now, row.organization.time_zone),
            useless_after=row.hold_until,
            account_id=entry.account_id,
        )


def _has_mobile(row: Appointment) -> bool:
    try:
        sms.mobile(reach.number_of(row))
    except sms.NeverSent:
        return False
    return True


def tell_end(
    session: Session, entry: WaitingEntry, row: Appointment, *, over: bool, now: dt.datetime
) -> None:
    """The place is kept no more; ``over``: and it was the last one to be offered."""
    kind = MessageKind.TURN_OVER if over else MessageKind.OFFER_LAPSED
    account_id, letter = entry.account_id, MessageChannel.EMAIL
    if notices.wants(session, account_id=account_id, kind=kind, channel=letter):
        tomorrow = now + dt.timedelta(days=1)
        outbox.tell(session, row, kind, now=now, useless_after=tomorrow, account_id=account_id)
