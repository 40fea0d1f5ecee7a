"""What ``./talon run`` prints: where each way of booking can be walked, as whom, and who works in the back office."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.i18n import blood, label, say
from app.models.account import Account, AccountPerson
from app.models.enums import DocumentKind
from app.models.identity import PersonDocument
from app.models.organization import Organization
from app.models.person import Person
from app.rules import documents, donor_card
from app.rules.donor_card import Card
from app.seeds import clinic_patients, clinic_staff
from app.seeds.centre import CENTRE, PASSWORD, PEOPLE
from app.seeds.clinics import COLUMNS, read

LOOKED_AT = 40
"""The first donors; those of the queue come much later."""
DOCUMENTS = {
    DocumentKind.OMS: "полис",
    DocumentKind.SNILS: "СНИЛС",
    DocumentKind.PASSPORT: "паспорт",
}
WAYS = {
    "A": "Кабинет донора",
    "B": "Портал пациента",
    "C": "Кабинет поликлиники",
    "D": "Региональный портал",
    "E": "Электронная регистратура",
}
ASKED = {
    "B": (DocumentKind.OMS, DocumentKind.PASSPORT),
    "C": (),
    "D": (),
    "E": (DocumentKind.OMS, DocumentKind.SNILS, DocumentKind.PASSPORT),
}
"""Columns of the policy table; who books from an account has no numbers to type."""


def sign_ins(session: Session, *, now: dt.datetime, site: str = "") -> str:
    """Where to walk ways A to E (addresses on ``site``) and as whom; the staff by role; the one password."""
    lines = ["  Вход в демонстрацию", _headed("A", f"{site}/")]
    lines += [f"     {email}: {what}" for email, what in _donors(session, now)]
    for column in COLUMNS:
        lines += _way(session, column, site)
    lines += ["", "  Персонал", *_staff(), ""]
    lines += [
        f"  Пароль у всех один: {PASSWORD}",
        "  Код второго шага персонала и СМС пациентов: на странице писем и кодов",
    ]
    return "\n".join(lines)


def _way(session: Session, column: str, site: str) -> Iterator[str]:
    """The institution's address, and the first patient of its registry."""
    root = session.scalars(
        select(Organization).where(
            Organization.name == read(COLUMNS[column])["organization"]["name"]
        )
    ).first()
    if root is None:
        return
    yield _headed(column, f"{site}/institutions/{root.uid}")
    row = session.execute(
        select(Person, Account.email)
        .outerjoin(AccountPerson, AccountPerson.person_id == Person.id)
        .outerjoin(Account, Account.id == AccountPerson.account_id)
        .where(Person.tenant_id == root.id)
        .order_by(Person.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return
    person, email = row
    if column == "D":
        people = [f"{each['email']} ({each['note']})" for each in clinic_patients.of_esia()]
        yield f"     через ЕСИА: {', '.join(people)}; по почте: {email}"
        return
    if not ASKED[column]:
        yield f"     {email}"
        if column == "C":
            yield "     семья, участковый врач, направление к неврологу; patient-c07@example.ru ждёт прикрепления"
        return
    numbers = {
        each.kind: documents.shown(each.kind, each.number)
        for each in session.scalars(
            select(PersonDocument).where(PersonDocument.person_id == person.id)
        )
    }
    said = [f"{DOCUMENTS[kind]} {numbers[kind]}" for kind in ASKED[column] if kind in numbers]
    between = " и " if column == "B" else " или "
    yield f"     {between.join(said)}; дата рождения {person.birth_date:%d.%m.%Y}"
    if column == "B":
        yield "     платный приём невролога – после решения регистратора"
    if column == "E":
        yield "     с кодом из СМС – стоматология, после решения регистратора – консультативный центр"
        yield from _issued(session, root, person, numbers)


def _issued(
    session: Session, root: Organization, person: Person, numbers: dict[DocumentKind, str]
) -> Iterator[str]:
    """The cabinet by SNILS; and who has none yet: the staff issue one, or he registers by policy."""
    account = session.scalars(
        select(Account)
        .join(AccountPerson, AccountPerson.account_id == Account.id)
        .where(AccountPerson.tenant_id == root.id, Account.login_index.is_not(None))
        .order_by(Account.id)
        .limit(1)
    ).first()
    if account is not None and account.login:
        login = documents.shown(DocumentKind.SNILS, account.login)
        yield f"     личный кабинет, вход по СНИЛС: {login}"
    if DocumentKind.OMS in numbers and DocumentKind.SNILS in numbers:
        yield (
            f"     без кабинета – зарегистрировать по полису или выдать вход («Пользователи»): "
            f"{person.full_name}, СНИЛС {numbers[DocumentKind.SNILS]}"
        )


def _headed(column: str, address: str) -> str:
    return f"  {column}  {WAYS[column]:<26}{address}"


def _staff() -> Iterator[str]:
    """A line for each role: whose it is at the blood centre and at the polyclinics."""
    for role, (email, _) in PEOPLE.items():
        own = clinic_staff.PEOPLE.get(role)
        who = f"{email} (центр крови), {own[0]} (поликлиники)" if own else email
        yield f"  {label(role):<26}{who}"


def _donors(session: Session, now: dt.datetime) -> list[tuple[str, str]]:
    """By the rules of this very moment: a demo that has been used says what is true now."""
    free: tuple[str, str] | None = None
    refused: tuple[str, str] | None = None
    for email, uid in session.execute(
        select(Account.email, Person.uid)
        .join(AccountPerson, AccountPerson.account_id == Account.id)
        .join(Person, Person.id == AccountPerson.person_id)
        .join(Organization, Organization.id == Person.tenant_id)
        .where(Organization.name == CENTRE, Account.email.like("donor0%@example.ru"))
        .order_by(Account.id)
        .limit(LOOKED_AT)
    ).all():
        card = donor_card.card(session, uid=uid, now=now)
        why = _why_not(card)
        who = blood(card.donor.blood_type) if card.donor else ""
        if not why and free is None:
            free = (email, f"{who}, может записаться сегодня")
        elif why and refused is None:
            refused = (email, f"{who}, пока не может. {why}")
        if free and refused:
            break
    return [row for row in (free, refused) if row is not None]


def _why_not(card: Card) -> str:
    """The first reason that the site would give, or nothing."""
    if card.site:
        return say(card.site[0])
    reasons = [one.reasons[0] for one in card.standings if not one.possible(card.today)]
    return say(reasons[0]) if reasons else ""
