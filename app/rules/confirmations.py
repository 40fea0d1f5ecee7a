"""Confirming a profile by a paper consent, so that copies of medical documents may go by e-mail (C16).

Asked for in the cabinet; staff compare the signed paper and the passport within the working days that
app/data/medical_documents.json names. Nothing about health leaves before that.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models.account import Account, AccountPerson
from app.models.cabinet_choices import AccountEventKind
from app.models.cabinet_choices import ConfirmationStatus as S
from app.models.consent import Consent, ConsentText
from app.models.enums import ConsentChannel, ConsentPurpose, MessageKind
from app.models.medical_document import ProfileConfirmation
from app.models.organization import Organization
from app.models.person import Person
from app.rules import account_log, audit, consents, families, holidays, outbox
from app.rules.actor import Actor
from app.rules.booking import lock_person
from app.rules.clock import local_date
from app.rules.consent_texts import current_consent
from app.rules.errors import N_, NotFound, ReasonNeeded, RuleError

DATA = Path(__file__).parent.parent / "data" / "medical_documents.json"
LONGEST_REASON = 500


@cache
def numbers() -> dict[str, Any]:
    """The file of data; not to be changed."""
    found: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


class EmailNeeded(RuleError):
    code = "email_needed"
    text = N_(
        "Copies of documents go by e-mail: first give an address in the profile and confirm it by the link."
    )


class NoDocumentsText(RuleError):
    code = "no_documents_text"
    text = N_(
        "This organization has not written its consent to copies by e-mail yet. Ask at its registry desk, please."
    )


class AskedAlready(RuleError):
    code = "asked_already"
    text = N_("It has been asked for already: bring the signed consent to the registry desk.")


class ConfirmedAlready(RuleError):
    code = "confirmed_already"
    text = N_("This profile is confirmed already.")


class DecidedMeanwhile(RuleError):
    code = "confirmation_decided"
    text = N_("This request has been dealt with meanwhile: it is now “%(status)s”.")


class PaperNotSeen(RuleError):
    code = "paper_not_seen"
    text = N_("Mark that the signed consent is here and the passport was compared.")


def text_of(session: Session, *, tenant_id: int, now: dt.datetime) -> ConsentText | None:
    """The text that is printed and signed."""
    return current_consent(session, tenant_id=tenant_id, purpose=ConsentPurpose.DOCUMENTS, now=now)


# --- the account


def latest(session: Session, *, account_id: int, person_id: int) -> ProfileConfirmation | None:
    """How the account's last request about this card stands; None: never asked."""
    return session.scalars(
        select(ProfileConfirmation)
        .options(joinedload(ProfileConfirmation.consent))
        .where(
            ProfileConfirmation.account_id == account_id,
            ProfileConfirmation.person_id == person_id,
        )
        .order_by(ProfileConfirmation.id.desc())
        .limit(1)
    ).one_or_none()


def request(
    session: Session, *, account: Account, person: Person, now: dt.datetime
) -> ProfileConfirmation:
    """Ask staff to confirm. Raises EmailNeeded, NoDocumentsText, AskedAlready, ConfirmedAlready."""
    if account.email is None or account.email_confirmed_at is None:
        raise EmailNeeded()
    if text_of(session, tenant_id=person.tenant_id, now=now) is None:
        raise NoDocumentsText()
    lock_person(session, person.id)  # pressed twice it is one request
    before = latest(session, account_id=account.id, person_id=person.id)
    if before is not None and before.status is S.WAITING:
        raise AskedAlready()
    if before is not None and stands(before):
        raise ConfirmedAlready()
    root = session.get_one(Organization, person.tenant_id)
    row = ProfileConfirmation(
        uid=uuid.uuid4(),
        tenant_id=person.tenant_id,
        account_id=account.id,
        person_id=person.id,
        status=S.WAITING,
        requested_at=now,
        due_on=holidays.after_working_days(
            local_date(now, root.time_zone), numbers()["working_days"]
        ),
    )
    session.add(row)
    session.flush()
    return row


def take_back(session: Session, *, row: ProfileConfirmation, now: dt.datetime) -> None:
    """The person no longer wishes it. Raises DecidedMeanwhile unless it still waits."""
    row = _locked(session, row.uid)
    if row.status is not S.WAITING:
        raise DecidedMeanwhile(status=row.status)
    row.status, row.decided_at = S.WITHDRAWN, now


def stands(row: ProfileConfirmation) -> bool:
    """Confirmed, and its paper is not withdrawn: copies may go by e-mail."""
    return (
        row.status is S.CONFIRMED and row.consent is not None and row.consent.withdrawn_at is None
    )


def is_confirmed(session: Session, *, account_id: int, person_id: int) -> bool:
    """Staff have once seen who keeps this account: its owner may read the copies in the cabinet."""
    row = latest(session, account_id=account_id, person_id=person_id)
    return row is not None and row.status is S.CONFIRMED


def readers(session: Session, *, person_id: int, now: dt.datetime) -> Sequence[Account]:
    """Accounts to which copies about this person may go by e-mail now: confirmed, the paper stands, the
    card is open to them, and the address is proven. One query."""
    return session.scalars(
        select(Account)
        .join(ProfileConfirmation, ProfileConfirmation.account_id == Account.id)
        .join(Consent, Consent.id == ProfileConfirmation.consent_id)
        .join(
            AccountPerson,
            (AccountPerson.account_id == Account.id)
            & (AccountPerson.person_id == ProfileConfirmation.person_id),
        )
        .where(
            ProfileConfirmation.person_id == person_id,
            ProfileConfirmation.status == S.CONFIRMED,
            Consent.person_id == person_id,
            Consent.withdrawn_at.is_(None),
            families.open_at(now),
            Account.is_active,
            Account.erased_at.is_(None),
            Account.email_confirmed_at.is_not(None),
        )
        .order_by(Account.id)
        .distinct()
    ).all()


# --- staff


def named(session: Session, *, uid: uuid.UUID) -> ProfileConfirmation:
    """Raises NotFound if it is not there or not the reader's to see."""
    row = session.scalars(
        select(ProfileConfirmation)
        .options(
            joinedload(ProfileConfirmation.person).joinedload(Person.tenant),
            joinedload(ProfileConfirmation.account),
            joinedload(ProfileConfirmation.consent),
        )
        .where(ProfileConfirmation.uid == uid)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def confirm(
    session: Session, *, uid: uuid.UUID, seen: bool, actor: Actor, now: dt.datetime
) -> ProfileConfirmation:
    """The signed paper is here: it becomes a consent of the card, and the account is told.

    Raises NotFound, PaperNotSeen, DecidedMeanwhile, NoText.
    """
    if not seen:
        raise PaperNotSeen()
    row = _waiting(session, uid)
    consent = consents.record(
        session,
        person=row.person,
        channel=ConsentChannel.PAPER,
        purpose=ConsentPurpose.DOCUMENTS,
        by=actor,
        now=now,
    )
    consent.account_id = row.account_id
    row.consent_id = consent.id
    _decide(session, row, S.CONFIRMED, MessageKind.PROFILE_CONFIRMED, actor, now)
    account_log.write(
        session,
        account_id=row.account_id,
        kind=AccountEventKind.CONSENT_GIVEN,
        person_id=row.person_id,
        now=now,
    )
    return row


def refuse(
    session: Session, *, uid: uuid.UUID, reason: str, actor: Actor, now: dt.datetime
) -> ProfileConfirmation:
    """It cannot be confirmed; the person reads the reason. Raises NotFound, ReasonNeeded, DecidedMeanwhile."""
    if not reason.strip():
        raise ReasonNeeded()
    row = _waiting(session, uid)
    row.reason = reason.strip()[:LONGEST_REASON]
    _decide(session, row, S.REFUSED, MessageKind.PROFILE_REFUSED, actor, now)
    return row


def of_message(session: Session, facts: dict[str, Any]) -> ProfileConfirmation | None:
    """What a letter of the outbox is about."""
    return session.get(ProfileConfirmation, facts.get("confirmation_id", 0))


def _decide(
    session: Session,
    row: ProfileConfirmation,
    status: S,
    kind: MessageKind,
    actor: Actor,
    now: dt.datetime,
) -> None:
    row.status, row.decided_at, row.decided_by_id = status, now, actor.id
    audit.record(
        session, verb=f"profile.{status.value}", subject=row, actor=actor, now=now, changes={}
    )
    outbox.add(
        session,
        kind=kind,
        key=f"{kind}:{row.id}",
        now=now,
        tenant_id=row.tenant_id,
        account_id=row.account_id,
        facts={"confirmation_id": row.id},
    )


def _waiting(session: Session, uid: uuid.UUID) -> ProfileConfirmation:
    row = _locked(session, uid)
    if row.status is not S.WAITING:
        raise DecidedMeanwhile(status=row.status)
    return row


def _locked(session: Session, uid: uuid.UUID) -> ProfileConfirmation:
    """The row as it is now, locked: it is decided once."""
    row = session.scalars(
        select(ProfileConfirmation)
        .where(ProfileConfirmation.uid == uid)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row
