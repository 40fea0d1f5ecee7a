"""One line for whatever is said or shown at the desk: names, dates, telephones, documents, tickets."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy.orm import Session

from app.models.enums import AppointmentStatus, DocumentKind, Role
from app.models.scope import set_scope
from app.rules import access, person_search
from app.rules.person_search import wanted
from tests import make
from tests.statements import statements

BORN = dt.date(1988, 2, 14)


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """Two namesakes, one with documents, a telephone and a visit; and a stranger of another registry."""
    tenant = make.make_polyclinic(session)
    known = make.make_person(
        session, tenant, family_name="Алёнова", given_name="Анна", patronymic="Ивановна",
        birth_date=BORN,
    )  # fmt: skip
    known.phone = "+79001234567"
    make.make_document(session, known, number="7700 0000 0000 0024")
    make.make_document(session, known, DocumentKind.SNILS, "112-233-445 95")
    make.make_document(session, known, DocumentKind.PASSPORT, "45 08 123456")
    make.make_document(session, known, DocumentKind.BIRTH_CERTIFICATE, "II-АБ 654321")
    other = make.make_person(
        session, tenant, family_name="Аленова", given_name="Анна", patronymic="Петровна",
        birth_date=dt.date(1990, 1, 1),
    )  # fmt: skip
    foreign = make.make_polyclinic(session, name="Речная поликлиника")
    make.make_document(
        session, make.make_person(session, foreign), DocumentKind.SNILS, "112-233-445 95"
    )
    day = make.make_sitting(session, make.make_role(session, tenant))
    visit = make.make_appointment(session, tenant, known, day, status=AppointmentStatus.BOOKED)
    session.flush()
    registrar = make.make_staff(session, Role.REGISTRAR, tenant.branch)
    set_scope(session, access.staff_scope(session, registrar))
    return SimpleNamespace(session=session, tenant=tenant, known=known, other=other, visit=visit)


def found(world: SimpleNamespace, line: str, born: dt.date | None = None) -> list[int]:
    return [one.person.id for one in person_search.find(world.session, wanted(line, born))]


@pytest.mark.parametrize(
    "line",
    [
        "аленова анна ивановна",
        "Алёнова Анна И.",
        "Алёнова 14.02.1988",
        "Алёнова, 1988-02-14",
        "14.02.1988",
        "+7 900 123-45-67",
        "8 (900) 123 45 67",
        "7700000000000024",
        "полис 7700 0000 0000 0024",
        "112-233-445 95",
        "11223344595",
        "СНИЛС 112-233-445 95",
        "тел. 8 900 123-45-67",
        "Алёнова 112-233-445 95",
        "4508 123456",
        "45 08 123456",
        "II-АБ 654321",
        "2аб654321",
    ],
)
def test_each_of_these_finds_the_one(world, line):
    if line == "2аб654321":  # no Roman number: nobody
        assert found(world, line) == []
        return
    assert found(world, line) == [world.known.id]


def test_a_ticket_finds_its_owner(world):
    for line in (f"{world.visit.number}", f"№ {world.visit.number}", f"№{world.visit.number}"):
        assert found(world, line) == [world.known.id]


def test_a_name_alone_finds_both_and_the_birth_date_apart_one(world):
    assert found(world, "аленова") == [world.known.id, world.other.id]
    assert found(world, "Алёнова Анна", BORN) == [world.known.id]
    assert found(world, "", BORN) == [world.known.id]
    assert found(world, "Алёнова 112-233-445 95", dt.date(1990, 1, 1)) == []


@pytest.mark.parametrize("line", ["", " ", "№", "%", "112-233-445 96", "\0", "9" * 90, "Ё'"])
def test_nothing_finds_nobody(world, line):
    assert found(world, line) == []


def test_what_tells_namesakes_apart(world):
    first, second = person_search.find(world.session, wanted("аленова"))
    assert dict(first.documents) == {
        DocumentKind.OMS: "770*****024",
        DocumentKind.SNILS: "112*****595",
    }
    assert first.next_visit == world.visit
    assert (second.documents, second.next_visit) == ((), None)


def test_a_list_takes_three_queries(world, engine):
    with statements(engine) as seen:
        person_search.find(world.session, wanted("аленова"))
    assert len(seen) == 3
