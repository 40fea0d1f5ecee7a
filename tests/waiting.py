"""People who wait, for tests of the waiting list."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Appointment, Message, WaitingEntry, WaitingOffer
from app.models.cabinet_choices import OfferStatus, WaitingStatus
from app.models.enums import MessageKind, MessageStatus
from app.rules import offers, outbox
from tests import make
from tests.make import NOW


def make_entry(
    session: Session, tenant: make.Tenant, known: make.KnownDonor, **changes: Any
) -> WaitingEntry:
    """Somebody who waits for platelets at the tenant's branch, with nothing asked beforehand."""
    fields: dict[str, Any] = {
        "organization_id": tenant.branch.id,
        "tenant_id": tenant.id,
        "account_id": known.account.id,
        "person_id": known.person.id,
        "status": WaitingStatus.WAITING,
        "created_at": NOW,
    }
    if not {"role_id", "specialty_id", "service_id"} & changes.keys():
        fields["donation_type_id"] = tenant.platelets.id
    entry = WaitingEntry(**fields | changes)
    session.add(entry)
    session.flush()
    return entry


def make_offer(
    session: Session, tenant: make.Tenant, known: make.KnownDonor, kept: Appointment
) -> WaitingOffer:
    """The place that ``kept`` keeps is offered to this donor."""
    entry = make_entry(session, tenant, known, status=WaitingStatus.OFFERED, offers=1)
    offer = WaitingOffer(
        organization_id=kept.organization_id,
        entry_id=entry.id,
        person_id=known.person.id,
        slot_id=kept.slot_id,
        appointment_id=kept.id,
        status=OfferStatus.OPEN,
        offered_at=NOW,
        expires_at=NOW + dt.timedelta(hours=2),
    )
    session.add(offer)
    session.flush()
    return offer


def wakes(session: Session) -> list[Message]:
    """Rows of the outbox that ask for a look, not done yet."""
    query = select(Message).where(
        Message.kind == MessageKind.PLACE_FREED, Message.status == MessageStatus.DUE
    )
    return list(session.scalars(query.order_by(Message.id)))


def work(session: Session, now: dt.datetime = NOW, *, rounds: int = 50) -> list[WaitingOffer]:
    """What the worker does: ends what is over, answers what asks for a look; the offers made."""
    made: list[WaitingOffer] = []
    offers.expire(session, now=now)
    for _ in range(rounds):
        rows = wakes(session)
        if not rows:
            return made
        for row in rows:
            made += offers.answer(session, row, now=now).offers
            outbox.finish(session, row, MessageStatus.SENT, now=now)
        session.flush()
    raise AssertionError("the looks never end")


def open_offers(session: Session) -> list[WaitingOffer]:
    query = select(WaitingOffer).where(WaitingOffer.status == OfferStatus.OPEN)
    return list(session.scalars(query.order_by(WaitingOffer.id)))


def letters(session: Session, kind: MessageKind) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.kind == kind).order_by(Message.id)))
