"""Invented patients: cards with documents, and accounts where a polyclinic books from one.

Numbers have valid forms and check digits, and belong to nobody: no policy and no passport begins with
region 00, no SNILS with 9, and the code 946 is no operator's.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson
from app.models.consent import Consent, ConsentText
from app.models.enums import ActorKind, ConsentChannel, ConsentPurpose, DocumentKind, Relation, Sex
from app.models.identity import PersonDocument
from app.models.person import Person
from app.rules import documents, family, issuing, person_documents, registering
from app.rules.actor import Actor, actor_of
from app.rules.family_age import grown_at
from app.rules.registering import NewCard
from app.seeds.centre import password_hash
from app.seeds.clinics import Clinic, read
from app.seeds.names import Somebody, somebody

ADULTS = {"B": 60, "C": 30, "D": 40, "E": 130}
CHILDREN = {"C": 24, "D": 14, "E": 40}
BY_ACCOUNT = ("C", "D")
"""Columns that book from an account; a child's is a parent's."""
CHILD, GROWN, OLD = 1, 18, 86
"""Ages in years."""
ISSUED = ("E", 1)
"""Column and number of the patient whom the call centre has issued a sign-in (E44–E45)."""
SNILS_OF_ISSUED = "900000001"
D = DocumentKind


@dataclass(frozen=True)
class Patient:
    """A card, and the account that books for it, if the polyclinic books from one."""

    person: Person
    account: Account | None = None
    child: bool = False

    @property
    def actor(self) -> Actor:
        return actor_of(self.account) if self.account else Actor(ActorKind.GUEST)


@dataclass
class Numbers:
    """Numbers of documents, none twice."""

    rng: random.Random
    given: set[str] = field(default_factory=set)

    def _new(self, prefix: str, length: int) -> str:
        while True:
            rest = "".join(self.rng.choice("0123456789") for _ in range(length - len(prefix)))
            if prefix + rest not in self.given:
                self.given.add(prefix + rest)
                return prefix + rest

    def oms(self) -> str:
        head = self._new("00", 15)
        return f"{head}{documents.policy_check_digit(head)}"

    def snils(self) -> str:
        head = self._new("9", 9)
        return head + documents.snils_check(head)

    def passport(self) -> str:
        return self._new("00", 10)

    def dms(self) -> str:
        return self._new("DMS", 11)

    def birth_certificate(self) -> str:
        return "I-ЩЩ " + self._new("", 6)


def make(
    session: Session, clinic: Clinic, *, now: dt.datetime, today: dt.date, rng: random.Random
) -> list[Patient]:
    """Adults, then children; the very first has every document that the polyclinic asks about."""
    numbers, text = Numbers(rng), _text(session, clinic)
    found: list[Patient] = []
    for number in range(ADULTS[clinic.column]):
        who = somebody(today=today, ages=(GROWN, OLD), rng=rng)
        person = _card(session, clinic, who, number, numbers, now)
        account = None
        if clinic.column in BY_ACCOUNT:
            account = _account(session, f"patient-{clinic.column.lower()}{number + 1:02d}", now)
            _link(session, account, person, Relation.SELF, text, now)
        if (clinic.column, number) == ISSUED:
            account = _issued(session, clinic, person, now)
        found.append(Patient(person, account))
    for number in range(CHILDREN.get(clinic.column, 0)):
        parent = found[number]
        who = somebody(today=today, ages=(CHILD, GROWN), rng=rng, family=_family(parent.person))
        person = _card(session, clinic, who, len(found), numbers, now, child=True)
        if parent.account is not None:
            _link(session, parent.account, person, Relation.CHILD, text, now)
        found.append(Patient(person, parent.account, child=True))
    _of_esia(session, clinic, now)
    return found


def of_esia() -> list[dict[str, Any]]:
    """The people of the demo's ESIA (app.provider)."""
    found: list[dict[str, Any]] = read("esia_people")["people"]
    return found


def _of_esia(session: Session, clinic: Clinic, now: dt.datetime) -> None:
    """Those of them who are registered here: ESIA's sign-in finds their cards by SNILS."""
    for each in of_esia():
        if each["card"] != clinic.column:
            continue
        card = NewCard(
            each["family_name"],
            each["given_name"],
            each["middle_name"],
            dt.date.fromisoformat(each["birthdate"]),
            Sex(each["gender"]),
            phone=each["phone_number"],
            documents=((D.SNILS, each["snils"]),),
            consent=ConsentChannel.PAPER,
        )
        registering.register(
            session,
            tenant_id=clinic.root.id,
            card=card,
            is_another=True,
            actor=actor_of(clinic.registrar),
            now=now,
        )


def again(session: Session, clinic: Clinic) -> list[Patient]:
    """The same as they stand in the database."""
    rows = session.execute(
        select(Person, Account, AccountPerson.relation)
        .outerjoin(AccountPerson, AccountPerson.person_id == Person.id)
        .outerjoin(Account, Account.id == AccountPerson.account_id)
        .where(Person.tenant_id == clinic.root.id)
        .order_by(Person.id)
        .limit(ADULTS[clinic.column] + CHILDREN.get(clinic.column, 0))
    )
    return [Patient(row[0], row[1], row[2] is Relation.CHILD) for row in rows]


def _documents(column: str, number: int, child: bool) -> list[DocumentKind]:
    """Column B looks people up by two documents; elsewhere the policy alone is known of every third."""
    if number == 0:
        return [D.OMS, D.SNILS, D.PASSPORT, D.DMS]
    if number % 3 == 0 and column != "B":
        return [D.OMS]
    return [D.OMS, D.BIRTH_CERTIFICATE if child else D.PASSPORT]


def _family(parent: Person) -> str:
    """The family name as a man has it."""
    name = parent.family_name
    return name.removesuffix("а") if parent.sex is Sex.FEMALE else name


def _card(
    session: Session,
    clinic: Clinic,
    who: Somebody,
    number: int,
    numbers: Numbers,
    now: dt.datetime,
    *,
    child: bool = False,
) -> Person:
    """Registered at the desk with documents in hand (B15)."""
    kinds = _documents(clinic.column, number, child)
    card = NewCard(
        who.family_name,
        who.given_name,
        who.patronymic,
        who.birth_date,
        who.sex,
        phone=f"+7946000{list(ADULTS).index(clinic.column) + 1}{number + 1:03d}",
        documents=tuple((kind, getattr(numbers, kind.value)()) for kind in kinds),
        consent=ConsentChannel.PAPER,
    )
    return registering.register(
        session,
        tenant_id=clinic.root.id,
        card=card,
        is_another=True,
        actor=actor_of(clinic.registrar),
        now=now,
    )


def _text(session: Session, clinic: Clinic) -> ConsentText:
    """What one agrees to as one registers on the site."""
    query = select(ConsentText).where(
        ConsentText.tenant_id == clinic.root.id, ConsentText.purpose == ConsentPurpose.BOOKING
    )
    return session.scalars(query).one()


def _account(session: Session, name: str, now: dt.datetime) -> Account:
    account = Account(
        email=f"{name}@example.ru",
        email_confirmed_at=now,
        password_hash=password_hash(),
        password_changed_at=now,
        created_at=now,
    )
    session.add(account)
    session.flush()
    return account


def _issued(session: Session, clinic: Clinic, person: Person, now: dt.datetime) -> Account:
    """A sign-in by SNILS, its one-time password replaced already by the one of everybody here."""
    by = actor_of(clinic.registrar)
    snils = SNILS_OF_ISSUED + documents.snils_check(SNILS_OF_ISSUED)
    person_documents.add(session, person=person, kind=D.SNILS, text=snils, actor=by, now=now)
    oms = session.scalars(
        select(PersonDocument).where(
            PersonDocument.person_id == person.id, PersonDocument.kind == D.OMS
        )
    ).one()
    account, _ = issuing.issue(
        session,
        person=person,
        snils=snils,
        oms=oms.number,
        password_hash=password_hash(),
        by=by,
        now=now,
    )
    account.password_expires_at = None
    return account


def _link(
    session: Session,
    account: Account,
    person: Person,
    relation: Relation,
    text: ConsentText,
    now: dt.datetime,
) -> None:
    """The account keeps this card, and has agreed to that as one registers (C1–C8)."""
    session.add_all(
        [
            AccountPerson(
                account_id=account.id,
                person_id=person.id,
                tenant_id=person.tenant_id,
                relation=relation,
                basis=family.BASIS.get(relation),
                proof=family.PROOFS[relation][0] if relation in family.PROOFS else None,
                created_at=now,
                agreed_at=now,
                ends_at=grown_at(person) if relation is Relation.CHILD else None,
            ),
            Consent(
                tenant_id=person.tenant_id,
                person_id=person.id,
                account_id=account.id,
                text_id=text.id,
                sha256=text.sha256,
                given_at=now,
            ),
        ]
    )
