"""What somebody says to an offered place: yes, by the policy's way of confirming, or no (N6).

A family answers as one. The page that a letter leads to is opened by a key that only the letter has.
"""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.cabinet_choices import OfferStatus
from app.models.crypto import derived
from app.models.directory import PractitionerRole
from app.models.enums import Confirmation
from app.models.person import Person
from app.models.schedule import Schedule
from app.models.scope import widened
from app.models.waiting import WaitingEntry, WaitingOffer
from app.rules import booking, holding, offers, reach, sms
from app.rules.actor import Actor
from app.rules.errors import N_, HoldEnded, NotFound, Refused, RuleError

O = OfferStatus  # noqa: E741
REASON = "the offer is answered by whom it was made to, or by the key in his letter"
KEY_LENGTH = 22
BY_CODE = (Confirmation.CODE, Confirmation.APPROVAL_CODE)


class OfferOver(RuleError):
    code = "offer_over"
    text = N_(
        "This place is kept for you no longer: the time to answer is over. You will be told of the next one."
    )


class NoNumberForCode(RuleError):
    """The policy confirms by a code, and there is nowhere to send it."""

    code = "no_number_for_code"
    text = N_(
        "This booking is confirmed by the code of an SMS, and there is no mobile number for it. "
        "Phone the registry desk, please: %(phone)s."
    )


def key_of(offer: WaitingOffer) -> str:
    """For the address in the letter; nobody can guess it, and it is stored nowhere."""
    return derived("offer", offer.id, str(offer.uid))[:KEY_LENGTH]


def by_key(session: Session, *, uid: uuid.UUID, key: str) -> WaitingOffer:
    """Raises NotFound for an unknown offer and for a wrong key alike."""
    with widened(session, REASON):
        offer = session.scalars(_whole().where(WaitingOffer.uid == uid)).unique().one_or_none()
        if offer is None or not hmac.compare_digest(key.encode(), key_of(offer).encode()):
            raise NotFound()
        return offer


def of_account(session: Session, *, uid: uuid.UUID, account_id: int) -> WaitingOffer:
    """An offer made to this account. Raises NotFound."""
    with widened(session, REASON):
        offer = (
            session.scalars(
                _whole().where(WaitingOffer.uid == uid, WaitingEntry.account_id == account_id)
            )
            .unique()
            .one_or_none()
        )
        if offer is None:
            raise NotFound()
        return offer


def open_of(session: Session, *, account_id: int, now: dt.datetime) -> Sequence[WaitingOffer]:
    """What this account may answer now, the soonest to end first. One query."""
    with widened(session, REASON):
        return (
            session.scalars(
                _whole()
                .where(
                    WaitingEntry.account_id == account_id,
                    WaitingOffer.status == O.OPEN,
                    WaitingOffer.expires_at > now,
                )
                .order_by(WaitingOffer.expires_at, WaitingOffer.id)
            )
            .unique()
            .all()
        )


def together(session: Session, offer: WaitingOffer) -> Sequence[WaitingOffer]:
    """The open offers that are answered with this one, itself among them; by time."""
    with widened(session, REASON):
        rows = session.scalars(
            _whole().where(_family_of(offer), WaitingOffer.status == O.OPEN)
        ).unique()
        return sorted(rows, key=lambda row: (row.appointment.starts_at, row.id))


def again(session: Session, *, offer_id: int) -> WaitingOffer:
    """An offer as it stands now."""
    with widened(session, REASON):
        return session.scalars(_whole().where(WaitingOffer.id == offer_id)).unique().one()


def accept(session: Session, *, offer_id: int, actor: Actor, now: dt.datetime) -> list[Appointment]:
    """The kept places become bookings, by the policy's way; said again, it returns the same ones.

    Raises OfferOver, NoNumberForCode, LinkLost, and Refused when a rule has come to stand against it: then
    the place goes on to the next in line, and the caller commits all the same.
    """
    with widened(session, REASON):
        rows = _locked(session, offer_id)
        if all(row.status is O.ACCEPTED for row in rows):
            return [row.appointment for row in rows]
        rows = [row for row in rows if row.status is O.OPEN]
        asked = [row for row in rows if row.id == offer_id]
        if not asked or any(row.expires_at <= now for row in rows):
            raise OfferOver()
        for row in rows:
            _demand_number(row.appointment)
        _lock_people(session, rows)
        try:
            done = _confirmed(session, rows, actor, now)
        except HoldEnded as error:
            raise OfferOver() from error
        except Refused:
            for row in rows:
                _give_back(session, row, actor, now)
            raise
        for row in rows:
            offers.end(session, row, O.ACCEPTED, now=now)
        return done


def _confirmed(
    session: Session, rows: Sequence[WaitingOffer], actor: Actor, now: dt.datetime
) -> list[Appointment]:
    if len(rows) == 1:
        return [
            booking.confirm(session, appointment_id=rows[0].appointment_id, actor=actor, now=now)
        ]
    with session.begin_nested():  # all of a family, or nobody
        return [
            booking.confirm(session, appointment_id=row.appointment_id, actor=actor, now=now)
            for row in rows
        ]


def decline(session: Session, *, offer_id: int, actor: Actor, now: dt.datetime) -> bool:
    """Let the place go to the next in line; False if there was nothing to decline any more."""
    with widened(session, REASON):
        rows = [row for row in _locked(session, offer_id) if row.status is O.OPEN]
        for row in rows:
            _give_back(session, row, actor, now)
        return bool(rows)


def decline_all_of(
    session: Session, entry: WaitingEntry, *, actor: Actor, now: dt.datetime
) -> bool:
    """The open offer of somebody who leaves the line, with his family's; False if there is none."""
    offer_id = session.scalar(
        select(WaitingOffer.id).where(
            WaitingOffer.entry_id == entry.id, WaitingOffer.status == O.OPEN
        )
    )
    if offer_id is None:
        return False
    return decline(session, offer_id=offer_id, actor=actor, now=now)


def _give_back(session: Session, row: WaitingOffer, actor: Actor, now: dt.datetime) -> None:
    holding.release(session, appointment_id=row.appointment_id, actor=actor, now=now)
    offers.end(session, row, O.DECLINED, now=now)


def _locked(session: Session, offer_id: int) -> list[WaitingOffer]:
    """This offer and its family's, locked in the order of their ids, as they stand now."""
    offer = session.scalars(
        select(WaitingOffer)
        .options(joinedload(WaitingOffer.entry))
        .where(WaitingOffer.id == offer_id)
    ).one_or_none()
    if offer is None:
        raise NotFound()
    mine = WaitingOffer.id == offer_id
    if offer.entry.family is not None:
        entries = select(WaitingEntry.id).where(WaitingEntry.family == offer.entry.family)
        mine = WaitingOffer.entry_id.in_(entries) & (WaitingOffer.offered_at == offer.offered_at)
    return list(
        session.scalars(
            select(WaitingOffer)
            .options(joinedload(WaitingOffer.appointment))
            .where(mine)
            .order_by(WaitingOffer.id)
            .with_for_update(of=WaitingOffer)
            .execution_options(populate_existing=True)
        ).unique()
    )


def _lock_people(session: Session, rows: Sequence[WaitingOffer]) -> None:
    ids = {row.person_id for row in rows}
    session.scalars(
        select(Person.id)
        .where(Person.id.in_(ids))
        .order_by(Person.id)
        .with_for_update(key_share=True)
    ).all()


def _demand_number(row: Appointment) -> None:
    if row.policy.confirmation not in BY_CODE:
        return
    try:
        sms.mobile(reach.number_of(row))
    except sms.NeverSent as problem:
        place = row.organization
        raise NoNumberForCode(phone=place.phones or place.phone) from problem


def _family_of(offer: WaitingOffer) -> ColumnElement[bool]:
    if offer.entry.family is None:
        return WaitingOffer.id == offer.id
    return (WaitingEntry.family == offer.entry.family) & (
        WaitingOffer.offered_at == offer.offered_at
    )


def _whole() -> Select[WaitingOffer]:
    return (
        select(WaitingOffer)
        .join(WaitingOffer.entry)
        .options(
            joinedload(WaitingOffer.entry).joinedload(WaitingEntry.person),
            joinedload(WaitingOffer.appointment).options(
                joinedload(Appointment.organization),
                joinedload(Appointment.donation_type),
                joinedload(Appointment.service),
                joinedload(Appointment.policy),
                joinedload(Appointment.slot),
                joinedload(Appointment.schedule)
                .joinedload(Schedule.role)
                .options(
                    joinedload(PractitionerRole.practitioner),
                    joinedload(PractitionerRole.specialty),
                    joinedload(PractitionerRole.department),
                ),
            ),
        )
        .execution_options(populate_existing=True)
    )
