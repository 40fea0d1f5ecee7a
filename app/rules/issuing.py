"""A sign-in issued by the call centre (E44–E45): SNILS and policy are held against the card, the login is the
SNILS, the password works once and expires. Issuing anew, blocking, closing a card, a lost telephone.

One card is kept as one's own by one account at a time: whoever has issued a sign-in to the wrong one of two
namesakes closes the card to it first (docs/decisions/0016).
"""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson
from app.models.cabinet_choices import AccountEventKind
from app.models.crypto import blind_index
from app.models.enums import DocumentKind, Relation
from app.models.identity import PersonDocument
from app.models.person import Person
from app.models.scope import widened
from app.rules import (
    account_factor,
    account_log,
    accounts,
    audit,
    card_keepers,
    documents,
    families,
    sms,
)
from app.rules.actor import Actor
from app.rules.booking import lock_person
from app.rules.errors import N_, RuleError
from app.rules.identification import one_at_a_time
from app.rules.sign_ins import ONE_TIME_LASTS

FOR_PERSON = "the sign-in of a person at the call centre"


class NotOnCard(RuleError):
    """Staff see the card anyway: nothing is given away."""

    code = "not_on_card"
    text = N_(
        "This SNILS and this policy do not both stand on the card. Compare the numbers; if they are "
        "right, add the document to the card first."
    )


class Kept(RuleError):
    code = "card_kept"
    text = N_(
        "The card is open in a cabinet already. If that cabinet is this person's, a new password is all "
        "that is needed; if it is not, close the card to it first."
    )


class OtherCard(RuleError):
    code = "login_of_other_card"
    text = N_(
        "This SNILS signs in to a cabinet that keeps another card of your organization. Find that card: "
        "it may be the same person's."
    )


class NoLogin(RuleError):
    code = "no_login"
    text = N_(
        "Whoever signs in by e-mail asks for a new password on the sign-in page: “I have forgotten the password”."
    )


def issue(
    session: Session,
    *,
    person: Person,
    snils: str,
    oms: str,
    password_hash: str,
    by: Actor,
    now: dt.datetime,
) -> tuple[Account, bool]:
    """The account and whether it is new: then, and only then, the one-time password opens it.

    Somebody who has a sign-in from another organization keeps it and its password; this card is added.
    Raises BadDocument, NotOnCard, Kept, OtherCard.
    """
    number = documents.normalised(DocumentKind.SNILS, snils)
    policy = documents.normalised(DocumentKind.OMS, oms)
    one_at_a_time(session, f"login|{number}")
    lock_person(session, person.id)
    _demand_on_card(session, person, {DocumentKind.SNILS: number, DocumentKind.OMS: policy})
    with widened(session, FOR_PERSON):
        known = session.scalars(
            select(Account).where(Account.login_index == blind_index("login", number))
        ).one_or_none()
        kept = card_keepers.keepers(session, person=person, now=now)
        if kept:
            raise Kept()
        account = known or _made(session, person, number, password_hash, now)
        _demand_no_other(session, account, person, now)
        _link(session, account, person, by, now)
        changes = {"is_new": [None, known is None]}
        _note(session, "account.issue", account, person, by, now, changes)
        if known is None:
            _tell(session, account, AccountEventKind.PASSWORD, now)
    return account, known is None


def _demand_on_card(session: Session, person: Person, numbers: dict[DocumentKind, str]) -> None:
    """Raises NotOnCard."""
    rows = session.execute(
        select(PersonDocument.kind, PersonDocument.number_index).where(
            PersonDocument.person_id == person.id, PersonDocument.kind.in_(numbers)
        )
    ).all()
    for kind, number in numbers.items():
        wanted = blind_index("number", number)
        if not any(row.kind is kind and hmac.compare_digest(row[1], wanted) for row in rows):
            raise NotOnCard()


def _demand_no_other(session: Session, account: Account, person: Person, now: dt.datetime) -> None:
    """An account has one own card in an organization. Raises OtherCard."""
    other = session.scalar(
        select(AccountPerson.id)
        .where(
            AccountPerson.account_id == account.id,
            AccountPerson.tenant_id == person.tenant_id,
            AccountPerson.person_id != person.id,
            AccountPerson.relation == Relation.SELF,
            families.open_at(now),
        )
        .limit(1)
    )
    if other is not None:
        raise OtherCard()


def _made(
    session: Session, person: Person, number: str, password_hash: str, now: dt.datetime
) -> Account:
    account = Account(
        uid=uuid.uuid4(),
        password_hash=password_hash,
        password_changed_at=now,
        password_expires_at=now + ONE_TIME_LASTS,
        created_at=now,
    )
    account.login = number
    try:
        account.phone = sms.mobile(person.phone)
    except sms.NeverSent:
        account.phone = None
    session.add(account)
    session.flush()  # its id
    return account


def _link(session: Session, account: Account, person: Person, by: Actor, now: dt.datetime) -> None:
    """The card is this account's own; a link that was closed once is opened again."""
    link = session.scalars(
        select(AccountPerson).where(
            AccountPerson.account_id == account.id, AccountPerson.person_id == person.id
        )
    ).one_or_none()
    if link is None:
        link = AccountPerson(
            account_id=account.id,
            person_id=person.id,
            tenant_id=person.tenant_id,
            created_at=now,
        )
        session.add(link)
    link.relation, link.agreed_at, link.ends_at = Relation.SELF, now, None
    link.proof, link.proved_by_id = DocumentKind.SNILS, by.id


def reissue(
    session: Session,
    *,
    person: Person,
    account: Account,
    snils: str,
    oms: str,
    password_hash: str,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Another one-time password in place of whatever there was. The caller ends all sessions.

    Raises NoLogin, BadDocument, NotOnCard.
    """
    if account.login is None:
        raise NoLogin()
    number = documents.normalised(DocumentKind.SNILS, snils)
    policy = documents.normalised(DocumentKind.OMS, oms)
    _demand_on_card(session, person, {DocumentKind.SNILS: number, DocumentKind.OMS: policy})
    if number != account.login:
        raise NotOnCard()
    with widened(session, FOR_PERSON):
        account.password_hash = password_hash
        account.password_changed_at = now
        account.password_expires_at = now + ONE_TIME_LASTS
        _note(session, "account.reissue", account, person, by, now)
        _tell(session, account, AccountEventKind.PASSWORD, now)
        accounts.tell_of_sign_in(session, account, now=now)


def block(
    session: Session, *, person: Person, account: Account, by: Actor, now: dt.datetime
) -> None:
    """Nobody signs in with it. The caller ends all sessions."""
    _switch(session, person, account, False, by, now)


def unblock(
    session: Session, *, person: Person, account: Account, by: Actor, now: dt.datetime
) -> None:
    """It opens again with the password it had; one that was erased stays so."""
    if account.erased_at is None:
        _switch(session, person, account, True, by, now)


def _switch(
    session: Session, person: Person, account: Account, on: bool, by: Actor, now: dt.datetime
) -> None:
    if account.is_active is on:
        return
    with widened(session, FOR_PERSON):
        account.is_active = on
        _note(session, f"account.{'unblock' if on else 'block'}", account, person, by, now)


def close_card(
    session: Session, *, person: Person, account: Account, by: Actor, now: dt.datetime
) -> None:
    """The account keeps its other cards; this one is shown to it no more. The caller ends all sessions."""
    with widened(session, FOR_PERSON):
        link = session.scalars(
            select(AccountPerson).where(
                AccountPerson.account_id == account.id, AccountPerson.person_id == person.id
            )
        ).one()
        link.ends_at = now
        _note(session, "account.close_card", account, person, by, now)


def reset_factor(
    session: Session, *, person: Person, account: Account, by: Actor, now: dt.datetime
) -> None:
    """The telephone is lost and its owner has shown the passport. The caller ends all sessions."""
    account_factor.reset(session, account=account, by=by, now=now, tenant_id=person.tenant_id)
    _tell(session, account, AccountEventKind.SECOND_FACTOR, now)


def _tell(session: Session, account: Account, kind: AccountEventKind, now: dt.datetime) -> None:
    """A line of the owner's event log, without an address: the staff's is none of his."""
    account_log.write(session, account_id=account.id, kind=kind, now=now)


def _note(
    session: Session,
    verb: str,
    account: Account,
    person: Person,
    by: Actor,
    now: dt.datetime,
    changes: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        verb=verb,
        subject=account,
        actor=by,
        now=now,
        tenant_id=person.tenant_id,
        changes=changes or {},
    )
