"""What becomes of a request for a relative (C8): agreed to, confirmed by staff, refused, taken back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from app.models.account import AccountPerson
from app.models.cabinet_choices import AccountEventKind
from app.models.consent import Consent
from app.models.enums import ActorKind, ConsentChannel, ConsentPurpose, MessageKind, Relation
from app.models.scope import widened
from app.rules import account_log, audit, booking, outbox
from app.rules.actor import Actor
from app.rules.consent_texts import current_consent
from app.rules.errors import N_, NotFound, RuleError
from app.rules.families import WHOSE
from app.rules.family import demand_attached, write_down

DECISIONS = {
    "agreed": N_("Your relative has agreed: you may book for him or her."),
    "confirmed": N_("The registry desk has seen the documents: you may book for this relative."),
    "refused": N_(
        "You may not act for this relative. If that is a mistake, come to the registry desk."
    ),
}
"""What a letter says has become of a request."""
ENDINGS = {
    "grown": N_(
        "Eighteen years old now: an adult books without you. To go on booking, add this relative under “Family” as "
        "an adult, who then agrees in person."
    ),
    "withdrawn": N_(
        "Your relative has closed the card to you: you may not book for him or her any more."
    ),
    "ended": N_(
        "The registry desk has closed the card: you may not book for this relative any more. If that is a mistake, "
        "come to the registry desk with the documents."
    ),
}
"""Why a card is closed that was open, in a letter."""


class LinkOver(RuleError):
    code = "family_link_over"
    text = N_("This link has ended meanwhile: nothing is left to do.")


def agree(
    session: Session,
    *,
    row: AccountPerson,
    actor: Actor,
    now: dt.datetime,
    ip: str = "",
    user_agent: str = "",
) -> None:
    """The adult himself agrees, in his cabinet or by the link. Raises NotFound, NotAttachedHere."""
    if row.relation is not Relation.PARENT:
        raise NotFound()
    with widened(session, WHOSE):
        _open(session, row, now)
        consent = _consent(
            session, row, now, account_id=actor.id, ip=ip, user_agent=user_agent[:200]
        )
        row.consent_id = consent.id if consent is not None else None
        write_down(session, row, "family.agree", actor, now)
        _tell(session, row, "agreed", now)


def confirm(session: Session, *, row: AccountPerson, actor: Actor, now: dt.datetime) -> None:
    """A member of staff has seen the paper: guardianship, or the consent signed. Raises NotAttachedHere."""
    _open(session, row, now)
    row.proved_by_id = actor.id
    if row.relation is Relation.PARENT:
        signed = ConsentChannel.PAPER
        consent = _consent(session, row, now, channel=signed, recorded_by_id=actor.id)
        row.consent_id = consent.id if consent is not None else None
    write_down(session, row, "family.confirm", actor, now)
    _tell(session, row, "confirmed", now)


def _open(session: Session, row: AccountPerson, now: dt.datetime) -> None:
    booking.lock_person(session, row.person_id)
    session.refresh(row)
    if row.agreed_at is not None or row.ends_at is not None:
        raise NotFound()
    demand_attached(session, row.person)
    row.agreed_at = now


def _consent(session: Session, row: AccountPerson, now: dt.datetime, **how: Any) -> Consent | None:
    """The consent to row C8, by the text that holds; none where the organization has no text."""
    text = current_consent(session, tenant_id=row.tenant_id, purpose=ConsentPurpose.FAMILY, now=now)
    if text is None:
        return None
    consent = Consent(
        tenant_id=row.tenant_id,
        person_id=row.person_id,
        text_id=text.id,
        sha256=text.sha256,
        given_at=now,
        **how,
    )
    session.add(consent)
    session.flush()
    return consent


def refuse(session: Session, *, row: AccountPerson, actor: Actor, now: dt.datetime) -> None:
    """Asked in vain: the relative or a member of staff says no."""
    with widened(session, WHOSE):
        booking.lock_person(session, row.person_id)
        session.refresh(row)
        if row.agreed_at is not None or row.ends_at is not None:
            raise NotFound()
        row.ends_at = now
        write_down(session, row, "family.refuse", actor, now)
        _tell(session, row, "refused", now)


def withdraw(session: Session, *, row: AccountPerson, actor: Actor, now: dt.datetime) -> None:
    """It ends now, by whoever keeps the card or whose card it is. Said twice it changes nothing."""
    with widened(session, WHOSE):
        if _closed(session, row, now):
            write_down(session, row, "family.withdraw", actor, now)
            if actor.kind is not ActorKind.ACCOUNT or actor.id != row.account_id:
                _tell(session, row, "withdrawn", now, kind=MessageKind.FAMILY_ENDED)


def end(
    session: Session, *, row: AccountPerson, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Staff close an open card to a relative: a guardianship has ended, a parent's rights, or the adult has
    signed that on paper. The reason is for the journal alone: the relatives may be at odds. What is booked
    stays. Raises LinkOver."""
    with widened(session, WHOSE):
        if not _closed(session, row, now):
            raise LinkOver()
        audit.record(
            session,
            verb="family.close",
            subject=row,
            actor=actor,
            now=now,
            changes={"reason": [None, reason.strip()[:200]]},
        )
        account_log.write(
            session,
            account_id=row.account_id,
            kind=AccountEventKind.FAMILY,
            now=now,
            person_id=row.person_id,
        )
        _tell(session, row, "ended", now, kind=MessageKind.FAMILY_ENDED)


def demand_open(row: AccountPerson, *, now: dt.datetime) -> None:
    """A card that is open to a relative can be closed. Raises NotFound for what was only asked, LinkOver."""
    if row.agreed_at is None:
        raise NotFound()
    if row.ends_at is not None and row.ends_at <= now:
        raise LinkOver()


def _closed(session: Session, row: AccountPerson, now: dt.datetime) -> bool:
    """End it now, with the consent it rests on; False if it is over already. Raises NotFound."""
    if row.relation is Relation.SELF:
        raise NotFound()
    booking.lock_person(session, row.person_id)
    session.refresh(row)
    if row.ends_at is not None and row.ends_at <= now:
        return False
    row.ends_at = now
    if row.consent_id is not None:
        consent = session.get(Consent, row.consent_id)
        if consent is not None and consent.withdrawn_at is None:
            consent.withdrawn_at = now
    return True


def _tell(
    session: Session,
    row: AccountPerson,
    decision: str,
    now: dt.datetime,
    *,
    kind: MessageKind = MessageKind.FAMILY_DECIDED,
) -> None:
    outbox.add(
        session,
        kind=kind,
        key=f"family:{row.id}:{decision}:{int(now.timestamp() * 1000)}",
        now=now,
        tenant_id=row.tenant_id,
        account_id=row.account_id,
        facts={"person_id": row.person_id, "decision": decision},
    )
