"""Finding a person at the desk by whatever is said or shown: a name, a birth date, a telephone, the number of a
document or of a ticket. One line; what it looks like is what is looked for.

Every look-up goes through an index and is limited. Numbers are compared by their blind index.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from app.models.appointment import FIRST_NUMBER, Appointment
from app.models.audit import AccessEvent, AccessSubject
from app.models.crypto import blind_index
from app.models.donor import Donor
from app.models.enums import DocumentKind
from app.models.identity import PersonDocument
from app.models.organization import Organization
from app.models.person import Person
from app.rules import documents, donor_search, lookup
from app.rules.donors import folded, normal_phone
from app.rules.facts import COUNTED

MOST = 30
LONGEST_TICKET = 15
OPENED = ("donors.card", "desk.book")
"""Access events that mean: this person was before me."""
ANNOUNCED = documents.WORDS | {"ТАЛОН", "ТЕЛ", "ТЕЛЕФОН"}
SHOWN_KINDS = (DocumentKind.OMS, DocumentKind.SNILS)
"""What tells namesakes apart in a list, masked."""


@dataclass(frozen=True)
class Wanted:
    """What a line and a birth date mean. The name and the date narrow each other and the numbers."""

    words: tuple[str, ...] = ()
    """Of a name, folded; the first begins the family name."""
    born: dt.date | None = None
    phone: str = ""
    ticket: int | None = None
    code: str = ""
    """Of a donor."""
    numbers: tuple[tuple[DocumentKind, str], ...] = ()
    """What document the typed number may be, normalised."""

    @property
    def has_number(self) -> bool:
        return bool(self.phone or self.ticket or self.code or self.numbers)

    def __bool__(self) -> bool:
        return bool(self.words or self.born or self.has_number)


@dataclass(frozen=True)
class Found:
    """A card with what tells it from another one of the same name."""

    person: Person
    documents: tuple[tuple[DocumentKind, str], ...] = ()
    """Kinds with masked numbers."""
    next_visit: Appointment | None = None


def wanted(line: str, born: dt.date | None = None) -> Wanted:
    """Read a line. A date in it is a birth date, unless one is given apart.

    >>> wanted("Алёнова Анна 14.02.1988")
    Wanted(words=('аленова', 'анна'), born=datetime.date(1988, 2, 14), phone='', ticket=None, code='', numbers=())
    """
    in_line = donor_search.wanted(line)
    _, rest = donor_search.without_date(line[:100])
    born = born or in_line.born
    if not re.search(r"\d", rest):
        return Wanted(_folded(_names(rest)), born)
    whole = _documents(rest)
    if any(kind is DocumentKind.BIRTH_CERTIFICATE for kind, _ in whole):
        return Wanted((), born, numbers=whole)  # its letters are no name
    names = _names(rest)
    words = [word for word in rest.split() if word not in names]
    number = " ".join(word for word in words if word.strip(".,;").upper() not in ANNOUNCED)
    return Wanted(
        _folded(names),
        born,
        phone=normal_phone(number),
        ticket=_ticket(number.lstrip("№#Nn ").strip()),
        code=in_line.code if not names or in_line.code in number else "",
        numbers=_documents(number),
    )


def _names(text: str) -> list[str]:
    """Words of letters only, as names and initials are, without what a number is announced by."""
    return [
        word
        for word in text.split()
        if re.fullmatch(r"[^\W\d_](?:[^\W\d_]|['’-])*[.,;]?", word)
        and word.strip(".,;").upper() not in ANNOUNCED
    ]


def _folded(words: list[str]) -> tuple[str, ...]:
    return tuple(folded(word.strip(".,;")) for word in words[:4])


def _ticket(text: str) -> int | None:
    number = int(text) if re.fullmatch(rf"[0-9]{{1,{LONGEST_TICKET}}}", text) else 0
    return number if number > FIRST_NUMBER else None


def _documents(text: str) -> tuple[tuple[DocumentKind, str], ...]:
    """Each kind of document that this can be the number of."""
    found = []
    for kind in DocumentKind:
        try:
            found.append((kind, documents.normalised(kind, text)))
        except documents.BadDocument:
            continue
    return tuple(found)


def find(
    session: Session, wish: Wanted, *, tenant_id: int | None = None, limit: int = MOST
) -> list[Found]:
    """Cards that fit, by name, of one registry if it is named; at most ``limit`` + 1, so that the caller can
    say there are more. Three queries."""
    if not wish:
        return []
    conditions = donor_search.named(Person, words=wish.words, born=wish.born)
    if tenant_id is not None:
        conditions.append(Person.tenant_id == tenant_id)
    if wish.has_number:
        conditions.append(or_(*_numbered(wish)))
    people = session.scalars(
        select(Person)
        .where(*conditions)
        .order_by(Person.search_name, Person.birth_date, Person.id)
        .limit(limit + 1)
    ).all()
    return described(session, people)


def _numbered(wish: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wish.phone:
        found.append(Person.phone_index == blind_index("phone", wish.phone))
    if wish.numbers:
        same = [
            and_(
                PersonDocument.kind == kind,
                PersonDocument.number_index == blind_index("number", number),
            )
            for kind, number in wish.numbers
        ]
        # every tenant in scope: the index begins with it
        tenants = select(Organization.id).where(Organization.root_id.is_(None))
        bearers = select(PersonDocument.person_id).where(
            PersonDocument.tenant_id.in_(tenants), or_(*same)
        )
        found.append(Person.id.in_(bearers))
    if wish.ticket:
        whose = select(Appointment.person_id).where(
            Appointment.id == wish.ticket - FIRST_NUMBER,
            Appointment.status.not_in(lookup.UNCONFIRMED),
        )
        found.append(Person.id.in_(whose))
    if wish.code:
        found.append(Person.id.in_(select(Donor.person_id).where(Donor.donor_code == wish.code)))
    return found


def described(session: Session, people: Sequence[Person]) -> list[Found]:
    """The same cards with what tells them apart: two queries for all of them."""
    ids = [person.id for person in people]
    if not ids:
        return []
    marks = _marks(session, ids)
    visits = _next_visits(session, ids)
    return [
        Found(person, tuple(marks.get(person.id, ())), visits.get(person.id)) for person in people
    ]


def _marks(session: Session, ids: Collection[int]) -> dict[int, list[tuple[DocumentKind, str]]]:
    rows = session.scalars(
        select(PersonDocument)
        .where(PersonDocument.person_id.in_(ids), PersonDocument.kind.in_(SHOWN_KINDS))
        .order_by(PersonDocument.id)
    )
    found = defaultdict(list)
    for row in rows:
        found[row.person_id].append((row.kind, documents.masked(row.number)))
    return found


def _next_visits(session: Session, ids: Collection[int]) -> dict[int, Appointment]:
    first = (
        select(Appointment.person_id, func.min(Appointment.starts_at).label("at"))
        .where(Appointment.person_id.in_(ids), Appointment.status.in_(COUNTED))
        .group_by(Appointment.person_id)
        .subquery()
    )
    rows = session.scalars(
        select(Appointment)
        .join(
            first,
            and_(first.c.person_id == Appointment.person_id, first.c.at == Appointment.starts_at),
        )
        .where(Appointment.status.in_(COUNTED))
    )
    return {row.person_id: row for row in rows}


def last_opened(session: Session, *, staff_user_id: int, limit: int = 8) -> list[Found]:
    """The cards this member of staff had before him last, newest first."""
    opened = session.scalars(
        select(AccessSubject.person_id)
        .join(AccessEvent, AccessEvent.id == AccessSubject.event_id)
        .where(AccessEvent.staff_user_id == staff_user_id, AccessEvent.action.in_(OPENED))
        .order_by(AccessEvent.id.desc())
        .limit(limit * 4)
    )
    order = list(dict.fromkeys(person_id for person_id in opened if person_id))[:limit]
    people = {
        person.id: person for person in session.scalars(select(Person).where(Person.id.in_(order)))
    }
    return described(session, [people[key] for key in order if key in people])
