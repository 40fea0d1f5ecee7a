"""Registering a person once at the desk (B15): the card, its documents, the consent; nobody twice."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.models.crypto import blind_index
from app.models.enums import ConsentChannel, DocumentKind, Sex
from app.models.identity import PersonDocument
from app.models.person import Person
from app.rules import audit, consents, documents, person_documents
from app.rules.actor import Actor
from app.rules.donors import folded
from app.rules.errors import N_, RuleError
from app.rules.identification import one_at_a_time

MOST = 10


class DocumentOfAnother(RuleError):
    """Staff may know whose it is: they see every card of their organization."""

    code = "document_of_another"
    text = N_(
        "A card with this document is there already. Open it: whoever has the document has been registered."
    )

    def __init__(self, person: Person, kind: DocumentKind) -> None:
        super().__init__()
        self.person = person
        self.kind = kind


class PerhapsKnown(RuleError):
    """Somebody of the same name was born on the same day."""

    code = "perhaps_known"
    text = N_(
        "There is a card with the same name and birth date. Open it; if that is another person, tick that it is and register once more."
    )

    def __init__(self, people: Sequence[Person]) -> None:
        super().__init__()
        self.people = people


@dataclass(frozen=True)
class NewCard:
    """What was typed, the telephone normal (app.rules.donors.normal_phone). Not shown in a traceback."""

    family_name: str = field(repr=False)
    given_name: str = field(repr=False)
    patronymic: str = field(repr=False)
    birth_date: dt.date = field(repr=False)
    sex: Sex | None
    phone: str = field(repr=False)
    documents: tuple[tuple[DocumentKind, str], ...] = field(repr=False)
    consent: ConsentChannel

    @property
    def search_name(self) -> str:
        return folded(f"{self.family_name} {self.given_name} {self.patronymic}")


def register(
    session: Session,
    *,
    tenant_id: int,
    card: NewCard,
    is_another: bool,
    actor: Actor,
    now: dt.datetime,
) -> Person:
    """Make the card with its documents and the consent. ``is_another``: the namesake has been looked at.

    Raises BadDocument, DocumentOfAnother, PerhapsKnown, NoText.
    """
    numbers = [(kind, documents.normalised(kind, text)) for kind, text in card.documents]
    for who in sorted([f"{card.search_name}|{card.birth_date}", *(n for _, n in numbers)]):
        one_at_a_time(session, f"{tenant_id}|{who}")
    _demand_new(session, tenant_id, numbers)
    known = namesakes(
        session, tenant_id=tenant_id, search_name=card.search_name, born=card.birth_date
    )
    if known and not is_another:
        raise PerhapsKnown(known)

    person = Person(
        uid=uuid.uuid4(),
        tenant_id=tenant_id,
        family_name=card.family_name,
        given_name=card.given_name,
        patronymic=card.patronymic,
        search_name=card.search_name,
        birth_date=card.birth_date,
        sex=card.sex,
        created_at=now,
    )
    person.phone = card.phone or None
    session.add(person)
    session.flush()  # its id
    audit.record(session, verb="person.register", subject=person, actor=actor, now=now, changes={})
    for kind, text in card.documents:
        person_documents.add(session, person=person, kind=kind, text=text, actor=actor, now=now)
    consents.record(session, person=person, channel=card.consent, by=actor, now=now)
    return person


def namesakes(
    session: Session, *, tenant_id: int, search_name: str, born: dt.date
) -> Sequence[Person]:
    """Cards with this name (ё is е) and birth date."""
    return session.scalars(
        select(Person)
        .where(
            Person.tenant_id == tenant_id,
            Person.search_name == search_name,
            Person.birth_date == born,
        )
        .order_by(Person.id)
        .limit(MOST)
    ).all()


def _demand_new(
    session: Session, tenant_id: int, numbers: Sequence[tuple[DocumentKind, str]]
) -> None:
    """Raises DocumentOfAnother."""
    if not numbers:
        return
    same = [
        and_(
            PersonDocument.kind == kind,
            PersonDocument.number_index == blind_index("number", number),
        )
        for kind, number in numbers
    ]
    row = session.execute(
        select(Person, PersonDocument.kind)
        .join(PersonDocument, PersonDocument.person_id == Person.id)
        .where(PersonDocument.tenant_id == tenant_id, or_(*same))
        .order_by(PersonDocument.id)
        .limit(1)
    ).first()
    if row is not None:
        raise DocumentOfAnother(*row)
