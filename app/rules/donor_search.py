"""Finding donors and records: one line of words, a code, an address, a telephone or a birth date.

Every look-up goes through an index and is limited; the reader narrows it instead of paging through people.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson
from app.models.audit import AccessEvent, AccessSubject
from app.models.crypto import blind_index
from app.models.donor import Donor, DonorRecord
from app.models.person import Person
from app.rules.donor_cells import CODE, DATE
from app.rules.donors import folded, normal_phone

MOST = 50
LOOKED_AT = 2000
LAST = "\U0010ffff"
"""Sorts after every letter: «begins with» is a range of the index, alike on both engines."""


@dataclass(frozen=True)
class Wanted:
    """What a line of search means. Several kinds narrow each other."""

    words: tuple[str, ...] = ()
    """Of a name, folded; the first begins the family name."""
    code: str = ""
    email: str = ""
    phone: str = ""
    born: dt.date | None = None

    def __bool__(self) -> bool:
        return bool(self.words or self.code or self.email or self.phone or self.born)


@dataclass(frozen=True)
class Found:
    """A card with what the list shows of it."""

    person: Person
    donor: Donor | None
    email: str
    record_code: str


@dataclass(frozen=True)
class FoundRecord:
    """A record, and the card it is linked to or the one whose donor gives its code."""

    record: DonorRecord
    person: Person | None
    claimed_by: Person | None


def wanted(line: str) -> Wanted:
    """Read a line: dates, an address, a telephone or code, and the rest as a name."""
    born, rest = without_date(line[:100])
    words: list[str] = []
    code = email = phone = ""
    if (number := normal_phone(rest)) and not re.search(r"[^\W\d_]", rest):
        return Wanted(phone=number, code="" if "+" in rest else rest.replace(" ", ""), born=born)
    for word in rest.split():
        if "@" in word:
            email = word.strip(".,;").casefold()
        elif re.search(r"[0-9]", word) and CODE.fullmatch(word):
            code = word
        elif folded(word.strip(".,;")):
            words.append(folded(word.strip(".,;")))
    return Wanted(tuple(words[:4]), code, email, phone, born)


def without_date(line: str) -> tuple[dt.date | None, str]:
    """The first date in a line, and the rest of it."""
    for found in DATE.finditer(line):
        parts = [found[n] for n in (("y", "m", "d") if found["y"] else ("iy", "im", "id"))]
        try:
            return dt.date(*(int(part) for part in parts)), line.replace(found[0], " ")
        except ValueError:
            continue
    return None, line


def donors(session: Session, wish: Wanted, *, limit: int = MOST) -> list[Found]:
    """Cards that fit, by name; at most ``limit`` + 1, so that the caller can say there are more."""
    if not wish:
        return []
    conditions = named(Person, words=wish.words, born=wish.born)
    if wish.email:
        owners = (
            select(AccountPerson.person_id)
            .join(Account, Account.id == AccountPerson.account_id)
            .where(Account.email == wish.email)
        )
        conditions.append(Person.id.in_(owners))
    numbers: list[ColumnElement[bool]] = []
    if wish.code:
        givers = select(Donor.person_id).where(Donor.donor_code == wish.code)
        linked = select(DonorRecord.person_id).where(
            DonorRecord.code == wish.code, DonorRecord.person_id.is_not(None)
        )
        numbers += [Person.id.in_(givers), Person.id.in_(linked)]
    if wish.phone:
        numbers.append(Person.phone_index == blind_index("phone", wish.phone))
    if numbers:
        conditions.append(or_(*numbers))
    return _cards(session, select(Person.id).where(*conditions), limit)


def named(
    model: type[Person] | type[DonorRecord],
    *,
    words: tuple[str, ...],
    born: dt.date | None,
) -> list[ColumnElement[bool]]:
    """SQL: the family name begins with the first of ``words``, the others begin other names; born then."""
    conditions: list[ColumnElement[bool]] = []
    if words:
        first, *others = words
        conditions.append(and_(model.search_name >= first, model.search_name < first + LAST))
        conditions += [model.search_name.contains(f" {word}", autoescape=True) for word in others]
    if born:
        conditions.append(model.birth_date == born)
    return conditions


def _cards(session: Session, ids: Select[int], limit: int) -> list[Found]:
    """The cards of ``ids`` with code, address and linked record: one query."""
    rows = session.execute(
        select(Person, Donor, Account.email, DonorRecord.code)
        .outerjoin(Donor, Donor.person_id == Person.id)
        .outerjoin(AccountPerson, AccountPerson.person_id == Person.id)
        .outerjoin(Account, Account.id == AccountPerson.account_id)
        .outerjoin(DonorRecord, DonorRecord.person_id == Person.id)
        .where(Person.id.in_(ids.order_by(Person.search_name, Person.id).limit(limit + 1)))
        .order_by(Person.search_name, Person.id)
    )
    found: dict[int, Found] = {}
    for person, donor, email, code in rows:
        found.setdefault(person.id, Found(person, donor, email or "", code or ""))
    return list(found.values())


def last_opened(session: Session, *, staff_user_id: int, limit: int = 10) -> list[Found]:
    """The cards this member of staff opened last, newest first."""
    opened = session.scalars(
        select(AccessSubject.person_id)
        .join(AccessEvent, AccessEvent.id == AccessSubject.event_id)
        .where(AccessEvent.staff_user_id == staff_user_id, AccessEvent.action == "donors.card")
        .order_by(AccessEvent.id.desc())
        .limit(limit * 4)
    )
    order = list(dict.fromkeys(person_id for person_id in opened if person_id))[:limit]
    cards = {card.person.id: card for card in _some(session, order)}
    return [cards[key] for key in order if key in cards]


def _some(session: Session, ids: list[int]) -> list[Found]:
    if not ids:
        return []
    return _cards(session, select(Person.id).where(Person.id.in_(ids)), len(ids))


def records(session: Session, wish: Wanted, *, limit: int = MOST) -> list[FoundRecord]:
    """Records that fit, by name; at most ``limit`` + 1. They have no address and no telephone."""
    if not (wish.words or wish.code or wish.born):
        return []
    conditions = named(DonorRecord, words=wish.words, born=wish.born)
    if wish.code:
        conditions.append(DonorRecord.code == wish.code)
    if wish.email:
        conditions.append(false())
    query = select(DonorRecord).where(*conditions)
    rows = session.scalars(
        query.order_by(DonorRecord.search_name, DonorRecord.id).limit(limit + 1)
    ).all()
    return _with_people(session, list(rows))


def unlinked(session: Session, *, limit: int = MOST) -> list[FoundRecord]:
    """Records whose code a registered donor gives, but that nobody has accepted yet; newest donors first.

    Looks at the LOOKED_AT newest donors only: most records are of people who never register.
    """
    newest = (
        select(Donor.id, Donor.tenant_id, Donor.donor_code)
        .order_by(Donor.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    rows = session.scalars(
        select(DonorRecord)
        .join(
            newest,
            and_(
                newest.c.tenant_id == DonorRecord.tenant_id, newest.c.donor_code == DonorRecord.code
            ),
        )
        .where(DonorRecord.person_id.is_(None))
        .order_by(newest.c.id.desc())
        .limit(limit + 1)
    ).unique()
    return _with_people(session, list(dict.fromkeys(rows)))


def _with_people(session: Session, rows: list[DonorRecord]) -> list[FoundRecord]:
    """The linked cards and those that give the same codes: two queries."""
    linked = {r.person_id for r in rows if r.person_id is not None}
    people = {
        p.id: p
        for p in (session.scalars(select(Person).where(Person.id.in_(linked))) if linked else ())
    }
    free = [r for r in rows if r.person_id is None]
    claims: dict[tuple[int, str], Person] = {}
    if free:
        pairs = session.execute(
            select(Donor.tenant_id, Donor.donor_code, Person)
            .join(Person, Person.id == Donor.person_id)
            .where(
                Donor.tenant_id.in_({r.tenant_id for r in free}),
                Donor.donor_code.in_([r.code for r in free]),
            )
        )
        for tenant_id, code, person in pairs:
            claims.setdefault((tenant_id, code), person)
    return [
        FoundRecord(r, people.get(r.person_id or 0), claims.get((r.tenant_id, r.code)))
        for r in rows
    ]
