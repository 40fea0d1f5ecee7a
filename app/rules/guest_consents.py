"""What a guest has agreed to, written on his card once a visit is booked: the processing of his data (152-FZ),
and the questionnaire about the visit with the address for it (E14)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.consent import Consent, ConsentText
from app.models.enums import ConsentPurpose
from app.models.guest import Guest, SurveyAddress
from app.models.policy import BookingPolicy
from app.models.policy_choices import ConsentStep
from app.models.scope import widened
from app.rules import surveys
from app.rules.guests import WHOSE, text_of


def due(policy: BookingPolicy, guest: Guest | None) -> bool:
    """The screen of the consent comes next: the policy has one, or a box where one says who one is, and this
    guest has said so before, where no box was ticked. Pure."""
    if guest is not None and guest.agreed_at is not None:
        return False
    known = guest is not None and guest.person_id is not None
    return policy.consent is ConsentStep.SCREEN or (policy.consent is ConsentStep.BOX and known)


def write_down(
    session: Session,
    guest: Guest,
    booked: Appointment,
    *,
    account_id: int | None,
    ip: str,
    user_agent: str,
    now: dt.datetime,
) -> None:
    """What he agreed to, as rows of his card: to the processing (152-FZ), and to the questionnaire (E14)."""
    with widened(session, WHOSE):
        for text, email in (
            (session.get(ConsentText, guest.consent_text_id or 0), ""),
            (_survey_text(session, guest, now), guest.email or ""),
        ):
            if text is None or booked.person_id is None:
                continue
            consent = Consent(
                tenant_id=guest.tenant_id,
                person_id=booked.person_id,
                account_id=account_id,
                text_id=text.id,
                sha256=text.sha256,
                given_at=guest.agreed_at or now,
                ip=ip,
                user_agent=user_agent[:200],
            )
            session.add(consent)
            if email:
                session.flush()  # its id
                address = _address(guest, booked, consent, email, now)
                session.add(address)
                session.flush()  # the letter names it by its id
                surveys.plan(session, address, booking=booked, now=now, locale=guest.locale)


def _survey_text(session: Session, guest: Guest, now: dt.datetime) -> ConsentText | None:
    if not guest.email:
        return None
    return text_of(session, tenant_id=guest.tenant_id, now=now, purpose=ConsentPurpose.SURVEY)


def _address(
    guest: Guest, booked: Appointment, consent: Consent, email: str, now: dt.datetime
) -> SurveyAddress:
    row = SurveyAddress(
        uid=uuid.uuid4(),
        tenant_id=guest.tenant_id,
        person_id=booked.person_id,
        appointment_id=booked.id,
        consent_id=consent.id,
        created_at=now,
    )
    row.email = email
    return row
