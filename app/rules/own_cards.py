"""A patient's own card in his cabinet (C1–C7): asked for by policy, birth date and full name together, opened
after the address is confirmed, and in each organization by itself (docs/decisions/0016).

Until then the claim lies encrypted beside the account; nothing is looked up for it, so that registering
tells nobody whether a policy is known.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson
from app.models.cabinet_choices import AccountEventKind, ContactKind
from app.models.consent import Consent
from app.models.enums import DocumentKind, IdentifyBy, Relation
from app.models.organization import Organization
from app.models.person import Person
from app.models.policy import BookingPolicy
from app.models.scope import widened
from app.models.sign_in import ContactProof
from app.rules import (
    account_log,
    accounts,
    audit,
    consent_texts,
    families,
    identification,
    policies,
)
from app.rules.actor import actor_of
from app.rules.booking import lock_person
from app.rules.errors import N_, RuleError
from app.rules.identification import Given, NotIdentified
from app.rules.links import LIFETIMES
from app.rules.policies import NoPolicy

METHODS = {DocumentKind.OMS: IdentifyBy.OMS, DocumentKind.DMS: IdentifyBy.DMS}
"""Policies one may register with, and how a card is found by them."""
WHOSE = "a patient's own card"


class HasCard(RuleError):
    code = "has_card"
    text = N_("Your card of this organization is in the cabinet already.")


@dataclass(frozen=True)
class Claim:
    """What a patient says of himself, the number normalised. Not shown in a traceback."""

    tenant_id: int
    kind: DocumentKind
    number: str = field(repr=False)
    birth_date: dt.date = field(repr=False)
    family_name: str = field(repr=False)
    given_name: str = field(repr=False)
    patronymic: str = field(repr=False)
    text_id: int
    """The consent that was ticked, on its own."""
    agreed_at: dt.datetime
    ip: str = ""
    user_agent: str = ""

    @property
    def given(self) -> Given:
        return Given(
            birth_date=self.birth_date,
            number=self.number,
            family_name=self.family_name,
            given_name=self.given_name,
            patronymic=self.patronymic,
        )

    def sealed(self) -> str:
        """As text, to be encrypted."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def opened(cls, text: str) -> Claim:
        kept = json.loads(text)
        kept["kind"] = DocumentKind(kept["kind"])
        kept["birth_date"] = dt.date.fromisoformat(kept["birth_date"])
        kept["agreed_at"] = dt.datetime.fromisoformat(kept["agreed_at"])
        return cls(**kept)


def offered(session: Session) -> list[Organization]:
    """Legal bodies that take patients themselves or in a branch, by name."""
    taking = (
        select(Organization.root_id)
        .where(
            Organization.is_active, Organization.takes_patients, Organization.root_id.is_not(None)
        )
        .distinct()
    )
    return list(
        session.scalars(
            select(Organization)
            .where(
                Organization.part_of_id.is_(None),
                Organization.is_active,
                Organization.takes_patients | Organization.id.in_(taking),
            )
            .order_by(Organization.short_name)
        )
    )


def kinds_of(session: Session, *, root: Organization, now: dt.datetime) -> Sequence[DocumentKind]:
    """Policies that this organization takes: OMS always, DMS where its rules of booking name it (C1)."""
    try:
        policy: BookingPolicy = policies.versions(
            session, tenant_ids={root.id}, now=now, numbers=False, departments={}
        ).policy(tenant_id=root.id, organization_id=root.id)
    except NoPolicy:
        return (DocumentKind.OMS,)
    return tuple(
        kind
        for kind, method in METHODS.items()
        if kind is DocumentKind.OMS or method in policy.methods
    )


def register(
    session: Session,
    *,
    email: str,
    password_hash: str,
    claim: Claim,
    locale: str,
    now: dt.datetime,
) -> None:
    """An account that waits for its link, and beside it the claim; a known address gets a letter instead.

    Raises ConsentNeeded, TextChanged, RegisteredMeanwhile.
    """
    consent_texts.demand_text(session, tenant_id=claim.tenant_id, text_id=claim.text_id, now=now)
    with widened(session, "registration"):
        account = accounts.begin(
            session,
            email=email,
            password_hash=password_hash,
            tenant_id=claim.tenant_id,
            locale=locale,
            now=now,
        )
        if account is None:
            return
        session.execute(delete(ContactProof).where(*_asked(account)))
        proof = ContactProof(
            uid=uuid.uuid4(),
            account_id=account.id,
            kind=ContactKind.CARD,
            nonce=secrets.token_hex(16),
            created_at=now,
            expires_at=now + LIFETIMES[accounts.CONFIRMS],
        )
        proof.value = claim.sealed()
        session.add(proof)
        accounts.registered(session, account, tenant_id=claim.tenant_id, now=now)
        account_log.write(
            session,
            account_id=account.id,
            kind=AccountEventKind.CONSENT_GIVEN,
            now=now,
            ip=claim.ip,
            user_agent=claim.user_agent,
        )


def _asked(account: Account) -> tuple[ColumnElement[bool], ...]:
    return (ContactProof.account_id == account.id, ContactProof.kind == ContactKind.CARD)


def settle(
    session: Session, *, account: Account, address: str, now: dt.datetime
) -> Organization | None:
    """The address is confirmed: open the card that was asked for at registration; None if none was.

    The claim is gone afterwards, whatever came of it. The caller commits also when this raises
    NotIdentified, TooManyTries, HasCard.
    """
    with widened(session, WHOSE):
        proof = session.scalars(
            select(ContactProof)
            .where(*_asked(account))
            .order_by(ContactProof.id.desc())
            .limit(1)
            .with_for_update()
        ).first()
        if proof is None:
            return None
        claim, lives = Claim.opened(proof.value), proof.expires_at > now
        session.execute(delete(ContactProof).where(*_asked(account)))
        if not lives:
            return None
        root = session.get_one(Organization, claim.tenant_id)
    find(session, account=account, claim=claim, address=address, now=now)
    return root


def find(
    session: Session, *, account: Account, claim: Claim, address: str, now: dt.datetime
) -> Person:
    """Open the card that policy, birth date and full name agree on. One answer whatever does not.

    A card that another cabinet keeps as its own is opened at the desk only. The caller commits also when
    this raises NotIdentified, TooManyTries, or the try is not counted. Raises also HasCard.
    """
    with widened(session, WHOSE):
        own = session.scalar(
            select(AccountPerson.id)
            .where(
                AccountPerson.account_id == account.id,
                AccountPerson.tenant_id == claim.tenant_id,
                AccountPerson.relation == Relation.SELF,
                families.open_at(now),
            )
            .limit(1)
        )
    if own is not None:
        raise HasCard()
    person_id = identification.identify(
        session,
        organization_id=claim.tenant_id,
        method=METHODS[claim.kind],
        given=claim.given,
        address=address,
        now=now,
        by_name_too=True,
    )
    with widened(session, WHOSE):
        lock_person(session, person_id)
        if _kept_by_another(session, account, person_id, now):
            raise NotIdentified()
        return _open(session, account, person_id, claim, now)


def _kept_by_another(session: Session, account: Account, person_id: int, now: dt.datetime) -> bool:
    other = session.scalar(
        select(AccountPerson.id)
        .join(Account, Account.id == AccountPerson.account_id)
        .where(
            AccountPerson.person_id == person_id,
            AccountPerson.account_id != account.id,
            AccountPerson.relation == Relation.SELF,
            families.open_at(now),
            Account.erased_at.is_(None),
        )
        .limit(1)
    )
    return other is not None


def _open(
    session: Session, account: Account, person_id: int, claim: Claim, now: dt.datetime
) -> Person:
    person = session.get_one(Person, person_id)
    link = session.scalars(
        select(AccountPerson).where(
            AccountPerson.account_id == account.id, AccountPerson.person_id == person_id
        )
    ).one_or_none()
    if link is None:
        link = AccountPerson(
            account_id=account.id,
            person_id=person_id,
            tenant_id=person.tenant_id,
            created_at=now,
        )
        session.add(link)
    elif link.ends_at is not None:
        raise NotIdentified()  # staff have closed it to this cabinet
    link.relation, link.agreed_at, link.proof = Relation.SELF, now, claim.kind
    text = consent_texts.text_of_id(session, claim.text_id)
    consent = Consent(
        tenant_id=person.tenant_id,
        person_id=person_id,
        account_id=account.id,
        text_id=text.id,
        sha256=text.sha256,
        given_at=claim.agreed_at,
        ip=claim.ip,
        user_agent=claim.user_agent[:200],
    )
    session.add(consent)
    session.flush()
    link.consent_id = consent.id
    audit.record(
        session,
        verb="account.card",
        subject=account,
        actor=actor_of(account),
        now=now,
        tenant_id=person.tenant_id,
        changes={},
    )
    return person
