"""The documents on a person's card, as the registry desk keeps them (rows B10, B15), each change in the audit.

The audit tells that a policy was added or corrected, never its number.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.crypto import blind_index
from app.models.enums import DocumentKind
from app.models.identity import PersonDocument
from app.models.person import Person
from app.rules import audit, documents
from app.rules.actor import Actor
from app.rules.booking import lock_person
from app.rules.errors import N_, NotFound, RuleError

MOST = 50


class DocumentThere(RuleError):
    code = "document_there"
    text = N_("This document stands on the card already.")


class DocumentElsewhere(RuleError):
    """Staff may know it: they see every card of their organization."""

    code = "document_elsewhere"
    text = N_(
        "Another card of your organization has this document. It may be the same person: find that "
        "card by name and birth date, or take the document off it first."
    )


@dataclass(frozen=True)
class Line:
    """One document as a page shows it: masked."""

    uid: uuid.UUID
    kind: DocumentKind
    masked: str
    created_at: dt.datetime


def lines(session: Session, *, person_id: int) -> list[Line]:
    """The documents of a card, in the order they were added."""
    rows = session.scalars(
        select(PersonDocument)
        .where(PersonDocument.person_id == person_id)
        .order_by(PersonDocument.id)
        .limit(MOST)
    )
    return [Line(row.uid, row.kind, documents.masked(row.number), row.created_at) for row in rows]


def document_of(session: Session, *, person: Person, uid: uuid.UUID) -> PersonDocument:
    """Raises NotFound, also for a document of another card."""
    found = session.scalars(
        select(PersonDocument).where(
            PersonDocument.uid == uid, PersonDocument.person_id == person.id
        )
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def add(
    session: Session,
    *,
    person: Person,
    kind: DocumentKind,
    text: str,
    actor: Actor,
    now: dt.datetime,
) -> PersonDocument:
    """Put a document on the card. Raises BadDocument, DocumentThere, DocumentElsewhere."""
    number = documents.normalised(kind, text)
    lock_person(session, person.id)
    _demand_free(session, person, kind, number)
    row = PersonDocument(
        uid=uuid.uuid4(),
        tenant_id=person.tenant_id,
        person_id=person.id,
        kind=kind,
        created_at=now,
    )
    row.number = number
    session.add(row)
    session.flush()
    _note(session, "document.add", person, [None, kind.value], actor, now)
    return row


def correct(
    session: Session,
    *,
    person: Person,
    document: PersonDocument,
    text: str,
    actor: Actor,
    now: dt.datetime,
) -> bool:
    """Give the document another number; False if it is the same. Raises as ``add``."""
    number = documents.normalised(document.kind, text)
    lock_person(session, person.id)
    session.refresh(document)
    if number == document.number:
        return False
    _demand_free(session, person, document.kind, number)
    document.number = number
    _note(session, "document.correct", person, [None, document.kind.value], actor, now)
    return True


def withdraw(
    session: Session, *, person: Person, document: PersonDocument, actor: Actor, now: dt.datetime
) -> None:
    """Take a document off the card: nobody is found by it any more."""
    _note(session, "document.withdraw", person, [document.kind.value, None], actor, now)
    session.delete(document)


def _demand_free(session: Session, person: Person, kind: DocumentKind, number: str) -> None:
    holders = session.scalars(
        select(PersonDocument.person_id)
        .where(
            PersonDocument.tenant_id == person.tenant_id,
            PersonDocument.kind == kind,
            PersonDocument.number_index == blind_index("number", number),
        )
        .limit(MOST)
    ).all()
    if person.id in holders:
        raise DocumentThere()
    if holders:
        raise DocumentElsewhere()


def _note(
    session: Session,
    verb: str,
    person: Person,
    kinds: list[str | None],
    actor: Actor,
    now: dt.datetime,
) -> None:
    audit.record(
        session, verb=verb, subject=person, actor=actor, now=now, changes={"document": kinds}
    )
