"""The questionnaire after a visit: its questions, and the letter to whoever gave an address for it (E14, E52).

The letter is written when the visit is booked and leaves the day after it, if it has taken place, the
consent to be asked stands, and nobody has answered yet. Its link is derived, and answers one visit once.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.cabinet_choices import QuestionKind
from app.models.consent import Consent
from app.models.crypto import derived
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind
from app.models.guest import SurveyAddress
from app.models.message import Message
from app.models.review import Review, SurveyQuestion
from app.models.scope import widened
from app.rules import outbox
from app.rules.errors import N_, RuleError

DATA = Path(__file__).parent.parent / "data" / "survey.json"
PURPOSE = "survey"
AHEAD = (A.BOOKED, A.ARRIVED)
"""Nobody has marked yet that the visit took place."""
MOST = 12
"""Questions that are asked at once."""


@cache
def numbers() -> dict[str, Any]:
    """The file of data; not to be changed."""
    found: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


class SurveyOver(RuleError):
    code = "survey_over"
    text = N_("This link has been used or is too old. Thank you all the same.")


# --- the letter


def plan(
    session: Session,
    address: SurveyAddress,
    *,
    booking: Appointment,
    now: dt.datetime,
    locale: str = "ru",
) -> Message:
    """The letter about a visit just booked, in the transaction that keeps the address."""
    return outbox.add(
        session,
        kind=MessageKind.SURVEY,
        key=f"{MessageKind.SURVEY}:{address.id}",
        now=now,
        run_at=_asked_at(booking),
        useless_after=booking.starts_at + dt.timedelta(days=numbers()["useless_after_days"]),
        tenant_id=address.tenant_id,
        appointment_id=booking.id,
        facts={"survey_address_id": address.id, "locale": locale},
    )


def _asked_at(booking: Appointment) -> dt.datetime:
    return booking.starts_at + dt.timedelta(hours=numbers()["hours_after"])


def may_ask(session: Session, booking: Appointment) -> bool:
    """The visit took place or may still be marked so, the consent stands, nobody has answered."""
    if booking.status not in (*AHEAD, A.FULFILLED) or _answered(session, booking.id):
        return False
    withdrawn = session.execute(
        select(Consent.withdrawn_at)
        .join(SurveyAddress, SurveyAddress.consent_id == Consent.id)
        .where(SurveyAddress.appointment_id == booking.id)
    ).one_or_none()
    return withdrawn is not None and withdrawn[0] is None


def next_look(booking: Appointment, *, now: dt.datetime) -> dt.datetime | None:
    """When to look again; None: ask now. (The visit may have been moved since the letter was written.)"""
    if _asked_at(booking) > now:
        return _asked_at(booking)
    if booking.status in AHEAD:
        return now + dt.timedelta(hours=numbers()["asked_again_hours"])
    return None


def of_message(session: Session, message: Message) -> SurveyAddress | None:
    """Where a letter of the outbox goes, if it is one of these."""
    if message.kind is not MessageKind.SURVEY:
        return None
    row = session.get(SurveyAddress, message.facts.get("survey_address_id", 0))
    return row if row is not None and row.appointment_id == message.appointment_id else None


# --- the link


def token(address: SurveyAddress) -> str:
    """What stands in the letter's address."""
    return f"{address.id}.{derived(PURPOSE, address.id, address.uid.hex)}"


def ends_at(booking: Appointment) -> dt.datetime:
    """Until when the link works."""
    return booking.starts_at + dt.timedelta(days=numbers()["link_days"])


def find(session: Session, *, text: str, now: dt.datetime) -> Appointment:
    """The visit whose link this is. Raises SurveyOver for a wrong, used or old one alike."""
    number, _, proof = text.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        raise SurveyOver()
    with widened(session, "the link is the proof of whose visit it is"):
        address = session.get(SurveyAddress, int(number))
        mine = derived(PURPOSE, address.id, address.uid.hex) if address is not None else ""
        if address is None or not hmac.compare_digest(proof.encode(), mine.encode()):
            raise SurveyOver()
        booking = session.scalars(
            select(Appointment)
            .options(joinedload(Appointment.organization), joinedload(Appointment.policy))
            .where(Appointment.id == address.appointment_id)
        ).one()
        if (
            booking.status is not A.FULFILLED
            or ends_at(booking) <= now
            or not may_ask(session, booking)
        ):
            raise SurveyOver()
        return booking


def _answered(session: Session, appointment_id: int) -> bool:
    found = session.scalar(select(Review.id).where(Review.appointment_id == appointment_id))
    return found is not None


# --- the questions


def questions(session: Session, *, tenant_id: int) -> Sequence[SurveyQuestion]:
    """What is asked in this organization now, in its order."""
    return session.scalars(
        select(SurveyQuestion)
        .where(SurveyQuestion.tenant_id == tenant_id, SurveyQuestion.is_active)
        .order_by(SurveyQuestion.position, SurveyQuestion.id)
        .limit(MOST)
    ).all()


def begin(session: Session, tenant_id: int) -> None:
    """The questions a new organization starts with; staff edit them."""
    session.add_all(
        SurveyQuestion(
            tenant_id=tenant_id,
            text_ru=each["text_ru"],
            text_en=each["text_en"],
            kind=QuestionKind(each["kind"]),
            position=place,
        )
        for place, each in enumerate(numbers()["questions"])
    )
