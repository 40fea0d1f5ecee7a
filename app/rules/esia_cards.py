"""The cards of who has signed in through ESIA: found by what it asserts, or made where he wants to book.

The number of the document, the full name and the birth date must all agree: a number typed on another's
card by mistake opens nothing. Found is what the registries hold already; nothing of it is told to whom it
does not belong, and there is nothing to guess: the provider asserts one person.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from hmac import compare_digest

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, contains_eager

from app.models.account import Account, AccountPerson
from app.models.consent import Consent, ConsentText
from app.models.crypto import blind_index
from app.models.enums import ConsentPurpose, DocumentKind, Relation
from app.models.identity import PersonDocument
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import widened
from app.rules import audit, person_documents
from app.rules.actor import actor_of
from app.rules.consent_texts import TextChanged, current_consent
from app.rules.donors import folded
from app.rules.errors import N_, RuleError
from app.rules.esia import Asserted
from app.rules.identification import one_at_a_time
from app.rules.identities import AnotherPerson

WHOSE = "cards of who has signed in through ESIA"
MOST = 50


class RegistryDiffers(RuleError):
    """A document of this number stands on a card with another name or birth date."""

    code = "esia_registry_differs"
    text = N_(
        "The registry of this institution has other data under your SNILS or policy. Come to the registry "
        "desk with your documents, please: they will set it right, and then you can book here."
    )


def demand_same(session: Session, account: Account, asserted: Asserted) -> None:
    """Nobody else's ESIA account is linked with a cabinet that keeps a named card. Raises AnotherPerson."""
    with widened(session, WHOSE):
        own = session.execute(
            select(Person.search_name, Person.birth_date)
            .join(AccountPerson, AccountPerson.person_id == Person.id)
            .where(
                AccountPerson.account_id == account.id,
                AccountPerson.relation == Relation.SELF,
                Person.search_name != "",
                Person.birth_date.is_not(None),
            )
        ).all()
    said = (folded(asserted.full_name), asserted.birth_date)
    if any((name, born) != said for name, born in own):
        raise AnotherPerson()


def found(session: Session, asserted: Asserted) -> list[Person]:
    """The person's card in each registry where there is one, the oldest of two; in order of the tenants."""
    if not asserted.names_a_card:
        return []
    with widened(session, WHOSE):
        tenants = session.scalars(
            select(Organization.id).where(Organization.root_id.is_(None), Organization.is_active)
        ).all()
        rows = _with_its_documents(session, asserted, tenants)
    cards: dict[int, Person] = {}
    for row in rows:
        if _is(row.person, asserted) and _same_number(row, asserted):
            cards.setdefault(row.tenant_id, row.person)
    return [cards[tenant_id] for tenant_id in sorted(cards)]


def _with_its_documents(
    session: Session, asserted: Asserted, tenants: Collection[int]
) -> Sequence[PersonDocument]:
    numbers = [(DocumentKind.SNILS, asserted.snils), (DocumentKind.OMS, asserted.oms)]
    same = [
        and_(
            PersonDocument.kind == kind,
            PersonDocument.number_index == blind_index("number", number),
        )
        for kind, number in numbers
        if number
    ]
    return session.scalars(
        select(PersonDocument)
        .join(PersonDocument.person)
        .options(contains_eager(PersonDocument.person))
        .where(PersonDocument.tenant_id.in_(tenants), or_(*same))
        .order_by(PersonDocument.person_id, PersonDocument.id)
        .limit(MOST)
    ).all()


def _is(person: Person, asserted: Asserted) -> bool:
    return (
        person.search_name == folded(asserted.full_name)
        and person.birth_date == asserted.birth_date
    )


def _same_number(row: PersonDocument, asserted: Asserted) -> bool:
    """Opened and compared: an index copied to another row finds nobody."""
    given = asserted.snils if row.kind is DocumentKind.SNILS else asserted.oms
    return compare_digest(str(row.number), given)


def link(
    session: Session, account: Account, cards: Collection[Person], *, now: dt.datetime
) -> list[Person]:
    """The account keeps these cards as its own, where it keeps none yet; those that are new to it."""
    with widened(session, WHOSE):
        one_at_a_time(session, f"cards of account {account.id}")
        kept = session.execute(
            select(AccountPerson.tenant_id, AccountPerson.person_id, AccountPerson.relation).where(
                AccountPerson.account_id == account.id
            )
        ).all()
        own = {row.tenant_id for row in kept if row.relation is Relation.SELF}
        known = {row.person_id for row in kept}
        new = [card for card in cards if card.tenant_id not in own and card.id not in known]
        for card in new:
            _keep(session, account, card, now)
        return new


def own_tenants(session: Session, account: Account) -> set[int]:
    """Legal bodies in whose registry the account keeps a card of its own."""
    with widened(session, WHOSE):
        return set(
            session.scalars(
                select(AccountPerson.tenant_id).where(
                    AccountPerson.account_id == account.id,
                    AccountPerson.relation == Relation.SELF,
                )
            )
        )


def _keep(session: Session, account: Account, card: Person, now: dt.datetime) -> None:
    session.add(
        AccountPerson(
            account_id=account.id,
            person_id=card.id,
            tenant_id=card.tenant_id,
            relation=Relation.SELF,
            created_at=now,
            agreed_at=now,
        )
    )
    audit.record(
        session,
        verb="account.link_card",
        subject=card,
        actor=actor_of(account),
        now=now,
        changes={},
    )


def texts(
    session: Session, *, tenant_ids: Collection[int], now: dt.datetime
) -> dict[int, ConsentText]:
    """The texts of these legal bodies that one has to agree to, by tenant."""
    with widened(session, WHOSE):
        each = {
            tenant_id: current_consent(
                session, tenant_id=tenant_id, purpose=ConsentPurpose.BOOKING, now=now
            )
            for tenant_id in sorted(tenant_ids)
        }
    return {tenant_id: text for tenant_id, text in each.items() if text is not None}


def agree(
    session: Session,
    account: Account,
    cards: Collection[Person],
    *,
    shown: Collection[int],
    ip: str,
    user_agent: str,
    now: dt.datetime,
) -> None:
    """Write the agreement on each card whose legal body has a text. ``shown``: ids of the texts he has read.

    Raises TextChanged if one of them is not the one that holds now.
    """
    now_valid = texts(session, tenant_ids={card.tenant_id for card in cards}, now=now)
    with widened(session, WHOSE):
        for card in cards:
            text = now_valid.get(card.tenant_id)
            if text is None:
                continue
            if text.id not in shown:
                raise TextChanged()
            session.add(
                Consent(
                    tenant_id=card.tenant_id,
                    person_id=card.id,
                    account_id=account.id,
                    text_id=text.id,
                    sha256=text.sha256,
                    given_at=now,
                    ip=ip,
                    user_agent=user_agent[:200],
                )
            )


def make(
    session: Session, account: Account, asserted: Asserted, *, tenant_id: int, now: dt.datetime
) -> Person | None:
    """A card in the registry where he books, with what ESIA asserts; None if that is not enough.

    The one that is there is taken. Raises RegistryDiffers.
    """
    if not asserted.names_a_card:
        return None
    with widened(session, WHOSE):
        one_at_a_time(session, f"{tenant_id}|{asserted.snils}")
        rows = _with_its_documents(session, asserted, [tenant_id])
        own = [row for row in rows if _same_number(row, asserted)]
        there = next((row.person for row in own if _is(row.person, asserted)), None)
        if there is None and own:
            raise RegistryDiffers()
        card = there or _made(session, account, asserted, tenant_id, now)
        link(session, account, [card], now=now)
        return card


def _made(
    session: Session, account: Account, asserted: Asserted, tenant_id: int, now: dt.datetime
) -> Person:
    person = Person(
        uid=uuid.uuid4(),
        tenant_id=tenant_id,
        family_name=asserted.family_name,
        given_name=asserted.given_name,
        patronymic=asserted.patronymic,
        search_name=folded(asserted.full_name),
        birth_date=asserted.birth_date,
        sex=asserted.sex,
        created_at=now,
    )
    person.phone = asserted.phone or None
    session.add(person)
    session.flush()  # its id
    actor = actor_of(account)
    audit.record(session, verb="person.register", subject=person, actor=actor, now=now, changes={})
    for kind, number in ((DocumentKind.SNILS, asserted.snils), (DocumentKind.OMS, asserted.oms)):
        if number:
            person_documents.add(
                session, person=person, kind=kind, text=number, actor=actor, now=now
            )
    return person
