"""Documents on a card: put there by the desk, masked, shown for a purpose, in the journal without numbers."""

from __future__ import annotations

import json
import uuid

import pytest
from sqlalchemy import select

from app.models import AuditEvent, PersonDocument
from app.models.enums import DocumentKind, Role
from tests import make
from tests.client import words

ENP, SNILS = "8451 9991 2289 9990", "112-233-445 95"


@pytest.fixture
def tenant(store):
    return make.make_tenant(store)


@pytest.fixture
def registrar(as_staff, tenant):
    return as_staff(Role.REGISTRAR, tenant.root)


@pytest.fixture
def person(store, tenant):
    return make.make_donor(store, tenant).person


def url(person, *more: str) -> str:
    return "/".join(["/staff/donors", str(person.uid), *more, ""])


def numbers(store, person) -> dict[DocumentKind, str]:
    rows = store.scalars(select(PersonDocument).where(PersonDocument.person_id == person.id))
    return {row.kind: row.number for row in rows}


def audited(store) -> list[tuple[str, dict]]:
    rows = store.scalars(
        select(AuditEvent).where(AuditEvent.verb.like("document.%")).order_by(AuditEvent.id)
    )
    return [(row.verb, row.changes) for row in rows]


def test_a_document_is_added_corrected_and_taken_off(registrar, store, person):
    add = url(person, "documents")
    assert registrar.submit(add, {"kind": "oms", "number": "11111111"}).status_code == 303
    document = store.scalars(select(PersonDocument)).one()
    correct = url(person, "documents", str(document.uid), "correct")
    assert "11111111" not in registrar.page(correct).text
    assert registrar.submit(correct, {"number": ENP}).status_code == 303
    assert numbers(store, person) == {DocumentKind.OMS: "8451999122899990"}
    withdraw = url(person, "documents", str(document.uid), "withdraw")
    assert "845*****990" in words(registrar.page(withdraw))
    assert registrar.submit(withdraw, {}).status_code == 303
    assert numbers(store, person) == {}
    assert audited(store) == [
        ("document.add", {"document": [None, "oms"]}),
        ("document.correct", {"document": [None, "oms"]}),
        ("document.withdraw", {"document": ["oms", None]}),
    ]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"kind": "snils", "number": "112-233-445 96"}, "две последние цифры"),
        ({"kind": "", "number": SNILS}, "Выберите"),
        ({"kind": "snils", "number": ""}, "Заполните"),
        ({"kind": "x", "number": "<script>"}, "Выберите"),
    ],
)
def test_a_faulty_number_is_not_kept(registrar, store, person, typed, said):
    refused = registrar.submit(url(person, "documents"), typed)
    assert refused.status_code == 422
    assert said in words(refused)
    assert numbers(store, person) == {}


def test_a_document_stands_on_one_card_once(registrar, store, tenant, person):
    make.make_document(store, person, DocumentKind.SNILS, SNILS)
    twice = registrar.submit(url(person, "documents"), {"kind": "snils", "number": SNILS})
    assert twice.status_code == 422 and "уже есть в карте" in words(twice)
    other = make.make_donor(store, tenant).person
    there = registrar.submit(url(other, "documents"), {"kind": "snils", "number": SNILS})
    assert there.status_code == 422 and "в другой карте" in words(there)
    elsewhere = make.make_donor(store, make.make_tenant(store, name="Другой центр")).person
    make.make_document(store, elsewhere, DocumentKind.OMS, ENP)
    own = registrar.submit(url(person, "documents"), {"kind": "oms", "number": ENP})
    assert own.status_code == 303, "another organization's registry is its own"


def test_a_number_is_masked_until_a_purpose_is_given(registrar, store, clock, person):
    document = make.make_document(store, person, DocumentKind.SNILS, SNILS)
    card = registrar.page(url(person))
    assert "112*****595" in words(card) and "112-233-445" not in card.text
    show = url(person, "documents", str(document.uid), "show")
    refused = registrar.submit(url(person), {"reason": ""}, form=show)
    assert refused.status_code == 422 and "112-233-445" not in refused.text
    assert registrar.get(show).location == url(person)
    shown = registrar.submit(url(person), {"reason": "asked"}, form=show).location
    assert "445" not in shown
    assert SNILS in words(registrar.page(shown))
    assert audited(store) == [
        ("document.shown", {"document": [None, "snils"], "reason": [None, "asked"]})
    ]
    clock.forward(minutes=6)
    assert SNILS not in words(registrar.page(shown))


def test_being_shown_one_number_shows_no_other(registrar, store, tenant, person):
    mine = make.make_document(store, person, DocumentKind.SNILS, SNILS)
    make.make_document(store, person, DocumentKind.PASSPORT, "45 08 123456")
    other = make.make_donor(store, tenant).person
    make.make_document(store, other, DocumentKind.SNILS, "087-654-303 00")
    show = url(person, "documents", str(mine.uid), "show")
    shown = registrar.submit(url(person), {"reason": "asked"}, form=show).location
    assert "45 08 123456" not in words(registrar.page(shown))
    query = shown.partition("?")[2]
    assert "087-654-303 00" not in words(registrar.page(f"{url(other)}?{query}"))


def test_no_number_is_written_anywhere_else(registrar, store, person):
    registrar.submit(url(person, "documents"), {"kind": "snils", "number": SNILS})
    told = json.dumps([row.changes for row in store.scalars(select(AuditEvent))])
    assert "445" not in told


@pytest.mark.parametrize("name", ["correct", "withdraw", "show"])
def test_documents_of_other_cards_and_organizations_are_not_there(
    registrar, as_staff, store, tenant, person, name
):
    other = make.make_donor(store, tenant).person
    document = make.make_document(store, other, DocumentKind.SNILS, SNILS)
    typed = {"number": SNILS, "reason": "asked"}
    for fact in (str(document.uid), str(uuid.UUID(int=7))):
        assert registrar.send(url(person, "documents", fact, name), typed).status_code == 404
    stranger = as_staff(Role.REGISTRAR, make.make_tenant(store, name="Другой центр").root)
    path = url(other, "documents", str(document.uid), name)
    assert stranger.send(path, typed).status_code == 404
    assert numbers(store, other) == {DocumentKind.SNILS: "11223344595"}


def test_who_may_only_look_sees_masks_and_may_ask(as_staff, store, tenant, person):
    document = make.make_document(store, person, DocumentKind.SNILS, SNILS)
    operator = as_staff(Role.OPERATOR, tenant.root)
    card = words(operator.page(url(person)))
    assert "112*****595" in card and "Добавить документ" not in card
    for name in ("correct", "withdraw"):
        path = url(person, "documents", str(document.uid), name)
        assert operator.send(path, {"number": SNILS}).status_code == 403
    assert operator.send(url(person, "documents"), {"kind": "oms"}).status_code == 403
