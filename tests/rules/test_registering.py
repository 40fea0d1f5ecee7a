"""Registering somebody once (B15): the documents checked, duplicates shown before, the consent written down."""

from __future__ import annotations

import datetime as dt
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Person, PersonDocument
from app.models.enums import ConsentChannel, DocumentKind, Role, Sex
from app.models.scope import SYSTEM, set_scope
from app.rules import access, consents, registering
from app.rules.actor import SYSTEM as NOBODY
from app.rules.actor import actor_of
from app.rules.documents import BadDocument
from app.rules.errors import RuleError
from app.rules.registering import DocumentOfAnother, NewCard, PerhapsKnown
from tests import make
from tests.make import NOW

SNILS = (DocumentKind.SNILS, "112-233-445 95")


def card(**changes) -> NewCard:
    fields = {
        "family_name": "Рябинина",
        "given_name": "Алёна",
        "patronymic": "",
        "birth_date": dt.date(1985, 7, 3),
        "sex": Sex.FEMALE,
        "phone": "+79001234567",
        "documents": (SNILS,),
        "consent": ConsentChannel.PAPER,
    }
    return NewCard(**fields | changes)


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    tenant = make.make_polyclinic(session)
    registrar = make.make_staff(session, Role.OPERATOR, tenant.branch)
    set_scope(session, access.staff_scope(session, registrar))
    return SimpleNamespace(session=session, tenant=tenant, actor=actor_of(registrar))


def register(world: SimpleNamespace, is_another: bool = False, **changes) -> Person:
    return registering.register(
        world.session,
        tenant_id=world.tenant.id,
        card=card(**changes),
        is_another=is_another,
        actor=world.actor,
        now=NOW,
    )


def test_a_new_card_with_its_document_and_consent(world):
    person = register(world)
    assert (person.full_name, person.search_name) == ("Рябинина Алёна", "рябинина алена")
    assert (person.phone, person.sex) == ("+79001234567", Sex.FEMALE)
    (document,) = world.session.scalars(select(PersonDocument))
    assert (document.person_id, document.number) == (person.id, "11223344595")
    (consent,) = consents.of_person(world.session, person_id=person.id)
    assert (consent.channel, consent.recorded_by_id) == (ConsentChannel.PAPER, world.actor.id)


def test_a_slip_in_a_number_makes_no_card(world):
    with pytest.raises(BadDocument):
        register(world, documents=((DocumentKind.SNILS, "112-233-445 96"),))
    assert world.session.scalars(select(Person)).all() == []


def test_the_same_document_is_refused_with_the_way_to_that_card(world):
    first = register(world)
    with pytest.raises(DocumentOfAnother) as refused:
        register(world, family_name="Другая", is_another=True)
    assert (refused.value.person.id, refused.value.kind) == (first.id, DocumentKind.SNILS)


def test_the_same_name_and_birth_date_are_shown_first(world):
    first = register(world)
    with pytest.raises(PerhapsKnown) as refused:
        register(world, given_name="Алена", documents=())
    assert [person.id for person in refused.value.people] == [first.id]
    assert register(world, is_another=True, documents=()).id != first.id


def test_a_document_of_another_registry_stands_against_nobody(world):
    set_scope(world.session, SYSTEM)
    foreign = make.make_polyclinic(world.session, name="Речная поликлиника")
    make.make_document(world.session, make.make_person(world.session, foreign), *SNILS)
    register(world)


def test_two_desks_register_one_person_at_once(engine, store):
    tenant = make.make_polyclinic(store)
    store.commit()
    gate, found = threading.Barrier(2), []

    def run() -> None:
        with Session(engine, expire_on_commit=False) as mine:
            set_scope(mine, SYSTEM)
            gate.wait()
            try:
                made = registering.register(
                    mine, tenant_id=tenant.id, card=card(), is_another=False,
                    actor=NOBODY, now=NOW,
                )  # fmt: skip
                mine.commit()
                found.append(made)
            except RuleError as error:
                found.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(one).__name__ for one in found) == ["DocumentOfAnother", "Person"]
    assert store.scalar(select(func.count(Person.id))) == 1
