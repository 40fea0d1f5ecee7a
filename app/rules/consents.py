"""Consent that somebody gives at the desk, on paper or by word (N22), and what stands on a card already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models.consent import Consent, ConsentText
from app.models.enums import ActorKind, ConsentChannel, ConsentPurpose
from app.models.person import Person
from app.models.policy import BookingPolicy
from app.models.policy_choices import ConsentStep
from app.rules import audit
from app.rules.actor import Actor
from app.rules.consent_texts import current_consent
from app.rules.errors import N_, RuleError

AT_DESK = (ConsentChannel.PAPER, ConsentChannel.ORAL)
MOST = 30


class NoText(RuleError):
    code = "no_consent_text"
    text = N_(
        "This organization has no text of the consent yet. The administrator writes it under “Consent texts”."
    )


class NotSaid(RuleError):
    code = "consent_not_said"
    text = N_(
        "Read the consent out or have it signed, and mark how it was given: without it nobody is booked here."
    )


def of_person(session: Session, *, person_id: int) -> Sequence[Consent]:
    """What this person has agreed to, the latest first, with the texts."""
    return session.scalars(
        select(Consent)
        .options(joinedload(Consent.text))
        .where(Consent.person_id == person_id)
        .order_by(Consent.id.desc())
        .limit(MOST)
    ).all()


def stands(session: Session, *, person_id: int) -> bool:
    """Whether a consent to the processing for booking is given and not withdrawn."""
    found = session.scalar(
        select(Consent.id)
        .join(Consent.text)
        .where(
            Consent.person_id == person_id,
            Consent.withdrawn_at.is_(None),
            ConsentText.purpose == ConsentPurpose.BOOKING,
        )
        .limit(1)
    )
    return found is not None


class ConsentGone(RuleError):
    code = "consent_gone"
    text = N_(
        "You have withdrawn your consent to booking with this organization. To book again, agree anew: “Profile”, “Your data and your rights”."
    )


def demand(session: Session, *, policy: BookingPolicy, person_id: int, actor: Actor) -> None:
    """Who agreed as he registered, and has withdrawn that, books nothing from his cabinet. Raises ConsentGone."""
    asks = policy.consent is ConsentStep.REGISTRATION and actor.kind is ActorKind.ACCOUNT
    if asks and withdrawn(session, person_id=person_id):
        raise ConsentGone()


def withdrawn(
    session: Session, *, person_id: int, purpose: ConsentPurpose = ConsentPurpose.BOOKING
) -> bool:
    """There were consents to this, and none of them stands."""
    ends = session.scalars(
        select(Consent.withdrawn_at)
        .join(Consent.text)
        .where(Consent.person_id == person_id, ConsentText.purpose == purpose)
    ).all()
    return bool(ends) and None not in ends


def asked(
    session: Session, *, policy: BookingPolicy, person: Person, now: dt.datetime
) -> ConsentText | None:
    """The text that the desk has to ask about: the site would, and nothing stands yet."""
    if policy.consent is ConsentStep.REGISTRATION or stands(session, person_id=person.id):
        return None
    return text_of(session, tenant_id=person.tenant_id, now=now)


def text_of(session: Session, *, tenant_id: int, now: dt.datetime) -> ConsentText | None:
    """The text that is read out or signed."""
    return current_consent(session, tenant_id=tenant_id, purpose=ConsentPurpose.BOOKING, now=now)


def record(
    session: Session,
    *,
    person: Person,
    channel: ConsentChannel,
    by: Actor,
    now: dt.datetime,
    purpose: ConsentPurpose = ConsentPurpose.BOOKING,
) -> Consent:
    """A member of staff writes down that the person has agreed, on paper or by word. Raises NoText."""
    assert channel in AT_DESK, "on the site one agrees by oneself"
    text = current_consent(session, tenant_id=person.tenant_id, purpose=purpose, now=now)
    if text is None:
        raise NoText()
    consent = Consent(
        tenant_id=person.tenant_id,
        person_id=person.id,
        text_id=text.id,
        sha256=text.sha256,
        given_at=now,
        channel=channel,
        recorded_by_id=by.id,
    )
    session.add(consent)
    session.flush()  # the audit line needs the id
    audit.record(
        session,
        verb="consent.record",
        subject=person,
        actor=by,
        now=now,
        changes={"consent": [None, channel.value]},
    )
    return consent
