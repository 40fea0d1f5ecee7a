"""Signing in through ESIA: the first time and again, cards found and made, linking and unlinking."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Account, AccountPerson, Consent, Message, Person, WebSession
from app.models.cabinet import AccountEvent
from app.models.cabinet_choices import AccountEventKind, SecondFactor
from app.models.enums import DocumentKind, MessageKind, Relation
from app.models.identity import PersonDocument
from app.models.sign_in import AccountIdentity, ContactProof, OidcAttempt
from app.rules import account_factor
from tests import make
from tests.client import Visitor, words
from tests.conftest import Clock
from tests.esia import ANNA, QUESTION, Served, agreed, enter, esia, person, served, there, told
from tests.public.clinic import Clinic, make_account, make_clinic

__all__ = ["esia", "served"]
KINDS = AccountEventKind
NEW = "esia2@example.ru"
"""Somebody whom no registry has."""


def accounts(store: Session) -> list[Account]:
    return list(store.scalars(select(Account).order_by(Account.id)))


def identities(store: Session) -> list[tuple[int, str]]:
    return [(row.account_id, row.subject) for row in store.scalars(select(AccountIdentity))]


def own_cards(store: Session) -> list[tuple[int, int]]:
    rows = store.scalars(
        select(AccountPerson)
        .where(AccountPerson.relation == Relation.SELF)
        .order_by(AccountPerson.id)
    )
    return [(row.account_id, row.person_id) for row in rows]


def log(store: Session) -> list[AccountEventKind]:
    return list(store.scalars(select(AccountEvent.kind).order_by(AccountEvent.id)))


def own_account(store: Session, clinic: Clinic) -> Account:
    """Anna's own cabinet, with e-mail and password."""
    account = make_account(store, clinic)
    account.email_confirmed_at = make.NOW
    return account


# --- the first time ---------------------------------------------------------------------------


def test_without_settings_there_is_no_button_and_no_page(client: Visitor, store: Session) -> None:
    assert "ЕСИА" not in words(client.get("/sign-in"))
    for path in ("/sign-in/esia", "/sign-in/esia/back?state=x"):
        assert client.get(path).status_code == 404


def test_nothing_is_kept_before_the_consent(client: Visitor, store: Session, esia: Served) -> None:
    clinic = make_clinic(store, "esia")
    asked = enter(client, agree=False)
    said = words(asked)
    assert "Вы входите через ЕСИА впервые" in said
    assert "Рябинина Анна Петровна" in said
    assert "***-***-*45 95" in said
    assert "11223344595" not in asked.get_data(as_text=True)
    assert clinic.tenant.root.name in said  # whose card was found by the SNILS
    anew = words(client.get(f"{QUESTION}?lang=en"))
    assert "You come through ESIA for the first time" in anew and "Рябинина Анна Петровна" in anew
    assert (accounts(store), identities(store), own_cards(store)) == ([], [], [])
    assert client.get("/cabinet").status_code == 303


def test_the_consent_opens_a_cabinet_and_links_the_card(
    client: Visitor, store: Session, esia: Served
) -> None:
    clinic = make_clinic(store, "esia")
    answer = enter(client, "/visits")
    assert (answer.status_code, answer.location) == (303, "/visits")
    (account,) = accounts(store)
    assert (account.email, account.password_hash, account.login) == (None, None, None)
    assert identities(store) == [(account.id, ANNA.subject)]
    assert own_cards(store) == [(account.id, clinic.patient.id)]
    consent = store.scalars(select(Consent)).one()
    assert (consent.person_id, consent.account_id) == (clinic.patient.id, account.id)
    assert log(store) == [KINDS.SIGN_IN, KINDS.CONSENT_GIVEN]
    assert client.get(QUESTION).location == "/profile"  # answered
    assert "ваш личный кабинет открыт" in words(client.get("/visits")).casefold()


def test_again_it_opens_at_once(
    client: Visitor, new_client: Callable[[], Visitor], store: Session, esia: Served
) -> None:
    make_clinic(store, "esia")
    enter(client)
    assert enter(new_client(), agree=False).location == "/cabinet"
    later = new_client()
    answer = enter(later, "/cabinet/events", agree=False)
    assert (answer.status_code, answer.location) == (303, "/cabinet/events")
    assert len(accounts(store)) == 1
    assert "Вход в систему" in words(later.get("/cabinet/events"))


def test_whoever_has_no_card_is_called_by_name_until_he_signs_out(
    client: Visitor, store: Session, esia: Served
) -> None:
    """Row D4; the name is in the browser alone. Patients come to the cabinet."""
    make.make_polyclinic(store)
    for answer in (enter(client), client.send("/sign-out", {}) and enter(client, agree=False)):
        assert (answer.status_code, answer.location) == (303, "/cabinet")
        assert client.page("/cabinet/events").xpath("string(//p[@class='own-name'])").endswith("Рябинина А. П.")  # fmt: skip
    client.send("/sign-out", {})
    assert "Рябинина" not in words(client.get("/"))
    assert own_cards(store) == []


def test_who_refuses_leaves_nothing_behind(client: Visitor, store: Session, esia: Served) -> None:
    asked = enter(client, agree=False)
    assert "Отказаться" in words(asked)
    client.get("/institutions")
    assert accounts(store) == []


def test_the_answer_counts_once_and_not_for_ever(
    client: Visitor, store: Session, clock: Clock, esia: Served
) -> None:
    asked = enter(client, agree=False)
    clock.forward(minutes=16)
    late = agreed(client, asked)
    assert late.location == "/sign-in"
    assert "начат слишком давно или в другом браузере" in words(client.get("/sign-in"))
    assert accounts(store) == []


def test_a_sealed_answer_is_nobody_elses(
    client: Visitor, new_client: Callable[[], Visitor], store: Session, esia: Served
) -> None:
    asked = enter(client, agree=False)
    other = new_client()
    enter(other, agree=False, login=NEW)  # it has a token of its own
    agreed(other, asked)
    assert accounts(store) == []
    client.send(
        "/sign-in/esia/agree",
        {
            "attempt": str(store.scalars(select(OidcAttempt.uid)).first()),
            "sealed": "00ff",
            "texts": "",
        },
    )
    assert accounts(store) == []


# --- cards ------------------------------------------------------------------------------------


def test_a_card_is_made_where_one_books(client: Visitor, store: Session, esia: Served) -> None:
    clinic = make_clinic(store, "esia")
    asked = enter(client, clinic.doctor, login=NEW, agree=False)
    assert clinic.tenant.root.name in words(asked)
    assert agreed(client, asked).location == clinic.doctor
    (account,) = accounts(store)
    ((_, person_id),) = own_cards(store)
    card = store.get_one(Person, person_id)
    assert (card.full_name, card.birth_date) == ("Жуков Артём Павлович", dt.date(1991, 11, 21))
    assert (card.tenant_id, card.phone) == (clinic.tenant.id, "+79460009002")
    document = store.scalars(
        select(PersonDocument).where(PersonDocument.person_id == card.id)
    ).one()
    assert (document.kind, document.number) == (DocumentKind.SNILS, "90010000289")
    assert store.scalars(select(Consent.account_id)).all() == [account.id]


def test_whoever_is_signed_in_gets_a_card_of_another_institution_after_its_own_consent(
    client: Visitor, store: Session, esia: Served
) -> None:
    first = make_clinic(store, "esia")
    enter(client, first.doctor, login=NEW)
    second = make.make_polyclinic(store, name="Берёзовая поликлиника", **make_way("esia"))
    back = f"/institutions/{second.branch.uid}"
    asked = enter(client, back, login=NEW, agree=False)
    assert "Ваша карта" in words(asked)
    assert agreed(client, asked).location == back
    tenants = set(store.scalars(select(AccountPerson.tenant_id)))
    assert tenants == {first.tenant.id, second.id}
    assert len(accounts(store)) == 1


def make_way(way: str) -> dict[str, Any]:
    from app.rules import starters

    return starters.way(way)


def test_choosing_a_time_without_a_card_leads_to_esia(
    client: Visitor, store: Session, esia: Served
) -> None:
    clinic = make_clinic(store, "esia")
    enter(client, login=NEW)
    answer = client.send("/visits", {"slot": str(clinic.slots[0].uid)})
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in/esia?next=/institutions/")


@pytest.mark.parametrize(
    "changes",
    [
        {"birthdate": "1985-02-15"},
        {"family_name": "Рябинин"},
        {"snils": "90010000289"},
        {"snils": "112-233-445 96"},
        {"trusted": False},
        {"birthdate": "not a date"},
    ],
)
def test_a_card_that_does_not_agree_in_everything_is_not_linked(
    client: Visitor, store: Session, esia: Served, changes: dict[str, Any]
) -> None:
    make_clinic(store, "esia")
    esia.people = [person(**changes)]
    enter(client)
    assert len(accounts(store)) == 1
    assert own_cards(store) == []


def test_a_registry_with_other_data_under_the_snils_makes_no_second_card(
    client: Visitor, store: Session, esia: Served
) -> None:
    clinic = make_clinic(store, "esia")
    esia.people = [person(birthdate="1985-02-15")]
    before = len(store.scalars(select(Person.id)).all())
    answer = enter(client, clinic.doctor)
    assert answer.location == clinic.doctor
    assert "в регистратуре этого учреждения" in words(client.get(clinic.place)).casefold()
    assert len(store.scalars(select(Person.id)).all()) == before
    assert len(accounts(store)) == 1


def test_an_unconfirmed_account_is_told_why_it_has_no_card(
    client: Visitor, store: Session, esia: Served
) -> None:
    clinic = make_clinic(store, "esia")
    esia.people = [person(trusted=False)]
    asked = enter(client, clinic.doctor, agree=False)
    assert "не подтверждена" in words(asked)
    agreed(client, asked)
    assert own_cards(store) == []


def test_cards_registered_later_are_found_at_the_next_sign_in(
    client: Visitor, store: Session, esia: Served
) -> None:
    enter(client)
    assert own_cards(store) == []
    clinic = make_clinic(store, "esia")
    client.send("/sign-out")
    enter(client)
    assert [person_id for _, person_id in own_cards(store)] == [clinic.patient.id]


# --- never by e-mail --------------------------------------------------------------------------


def test_an_equal_email_merges_nothing(client: Visitor, store: Session, esia: Served) -> None:
    known = make.make_account(store, email=ANNA.email)
    enter(client)
    assert len(accounts(store)) == 2
    assert identities(store) != [(known.id, ANNA.subject)]


# --- linking ----------------------------------------------------------------------------------


def test_a_cabinet_is_linked_from_inside_with_its_password(
    as_account: Callable[..., Visitor], store: Session, esia: Served
) -> None:
    account = own_account(store, make_clinic(store, "esia"))
    visitor = as_account(account)
    refused = visitor.send("/sign-in/esia", {"next": "/profile", "current": "wrong"})
    assert (refused.status_code, "Текущий пароль" in words(refused)) == (400, True)
    answer = enter(visitor, "/visits", current=make.PASSWORD)
    assert answer.location == "/visits"
    assert identities(store) == [(account.id, ANNA.subject)]
    assert len(accounts(store)) == 1
    assert store.scalars(select(Message.kind)).all() == [MessageKind.ESIA_LINKED]
    assert log(store) == [KINDS.SECOND_FACTOR]
    visitor.send("/sign-out")
    assert enter(visitor, "/visits").location == "/visits"
    assert len(accounts(store)) == 1


def test_a_subject_of_another_cabinet_is_refused(
    client: Visitor, as_account: Callable[..., Visitor], store: Session, esia: Served
) -> None:
    clinic = make_clinic(store, "esia")
    enter(client)
    (first,) = accounts(store)
    second = make.make_account(store)
    visitor = as_account(second)
    answer = enter(visitor, current=make.PASSWORD)
    assert answer.location == "/profile"
    assert identities(store) == [(first.id, ANNA.subject)]
    assert "уже открывает другой кабинет" in words(visitor.get("/institutions"))
    assert clinic.patient


def test_another_persons_esia_is_not_linked(
    as_account: Callable[..., Visitor], store: Session, esia: Served
) -> None:
    visitor = as_account(own_account(store, make_clinic(store, "esia")))
    enter(visitor, login=NEW, current=make.PASSWORD)
    assert identities(store) == []
    assert "другое имя или другая дата рождения" in words(visitor.get("/institutions"))


def test_unlinking_needs_another_way_in_and_the_password(
    client: Visitor, as_account: Callable[..., Visitor], store: Session, esia: Served
) -> None:
    account = own_account(store, make_clinic(store, "esia"))
    visitor = as_account(account)
    enter(visitor, current=make.PASSWORD)
    wrong = visitor.submit("/profile/esia/unlink", {"current": "wrong"})
    assert wrong.status_code == 400
    assert len(identities(store)) == 1
    visitor.submit("/profile/esia/unlink", {"current": make.PASSWORD})
    assert identities(store) == []
    kinds = store.scalars(select(Message.kind).order_by(Message.id)).all()
    assert kinds == [MessageKind.ESIA_LINKED, MessageKind.ESIA_UNLINKED]

    enter(client, login=NEW)  # ESIA alone
    assert "единственный вход" in words(client.get("/profile/esia/unlink"))
    assert client.send("/profile/esia/unlink").status_code == 409
    assert len(identities(store)) == 1


def test_esia_stands_for_the_password_and_not_for_the_second_factor(
    client: Visitor, store: Session, esia: Served
) -> None:
    enter(client)
    client.send("/sign-out")
    (account,) = accounts(store)
    account.second_factor, account.phone = SecondFactor.SMS, ANNA.phone_number
    answer = enter(client, "/cabinet/events")
    assert answer.location == "/sign-in/code?next=/cabinet/events"
    assert client.get("/cabinet/events").status_code == 303
    assert store.scalars(select(WebSession.half_open)).all() == [True]
    message = store.scalars(select(Message)).one()
    assert message.kind is MessageKind.SIGN_IN_CODE
    proof = store.scalars(select(ContactProof)).one()
    code = account_factor.code_of(proof)
    assert client.send(answer.location, {"code": code}).location == "/cabinet/events"
    assert client.get("/cabinet/events").status_code == 200
    assert log(store).count(KINDS.SIGN_IN) == 2


# --- what the log tells -----------------------------------------------------------------------


def test_logs_name_nobody(
    client: Visitor, store: Session, esia: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "talon")
    make_clinic(store, "esia")
    enter(client)
    client.send("/sign-out")
    esia.orders.claims = {"iss": "https://example.org/Рябинина"}
    enter(client)
    assert caplog.text.count("not believed") == 1
    for word in ("Рябинина", ANNA.snils, ANNA.subject, ANNA.email, "1985"):
        assert word not in caplog.text


def test_pages_of_an_account_of_esia_alone_do_not_break(
    client: Visitor, store: Session, esia: Served
) -> None:
    make.make_tenant(store)
    clinic = make_clinic(store, "esia")
    enter(client, login=NEW)
    for path in (
        "/", "/cabinet", "/cabinet/events", "/visits", "/bookings",
        "/institutions", clinic.place, clinic.doctor, "/appointment", "/settings", "/sign-in/esia",
        "/register", "/sign-in",
    ):  # fmt: skip
        answer = client.get(path, follow_redirects=True)
        assert answer.status_code == 200, path


def test_old_attempts_are_swept(
    client: Visitor, store: Session, clock: Clock, esia: Served
) -> None:
    from app.rules import esia as rules

    there(client)
    told(there(client))
    assert len(store.scalars(select(OidcAttempt)).all()) == 2
    assert rules.sweep(store, now=clock.forward(minutes=10)) == 2
    assert store.scalars(select(WebSession)).all() == []
