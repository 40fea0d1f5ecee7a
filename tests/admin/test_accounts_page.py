"""«Пользователи»: the call centre issues a sign-in after SNILS and policy are held against the card (E44–E45)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AccessEvent, Account, AccountEvent, AccountPerson, AuditEvent, WebSession
from app.models.cabinet_choices import SecondFactor
from app.models.enums import Role
from tests import make
from tests.client import Visitor, words
from tests.public.clinic import POLICY, SNILS, Clinic, make_clinic, make_patient

NUMBERS = {"snils": SNILS, "oms": POLICY}


@pytest.fixture
def clinic(store: Session) -> Clinic:
    return make_clinic(store)


@pytest.fixture
def operator(as_staff: Callable[..., Visitor], clinic: Clinic) -> Visitor:
    return as_staff(Role.OPERATOR, clinic.tenant.root)


def card(clinic: Clinic) -> str:
    return f"/staff/accounts/{clinic.patient.uid}/"


def issue(operator: Visitor, clinic: Clinic, **changes: str) -> Any:
    return operator.submit(card(clinic), NUMBERS | changes)


def password_on(answer: Any) -> str:
    from tests.client import parsed

    return str(parsed(answer).xpath("//*[@id='one-time']/text()")[0])


def test_found_checked_issued_shown_once_and_changed_at_the_first_sign_in(
    operator: Visitor, client: Visitor, store: Session, clinic: Clinic
) -> None:
    found = operator.submit(
        "/staff/accounts/", {"q": "Рябинина"}, form="/staff/accounts/search/", follow_redirects=True
    )
    assert "Рябинина Анна Петровна" in words(found)
    answer = issue(operator, clinic)
    password = password_on(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert SNILS in words(answer)
    assert password not in words(operator.page(card(clinic)))
    account = store.scalars(select(Account)).one()
    assert account.password_expires_at == make.NOW + dt.timedelta(days=3)
    assert password not in (account.password_hash or "")
    signed = client.submit("/sign-in", {"email": SNILS, "password": password})
    assert signed.headers["Location"].startswith("/sign-in/new-password")
    client.submit("/sign-in/new-password", {"password": "новая-тихая-фраза"}, form="password-form")
    assert "Рябинина А. П." in words(client.page("/cabinet"))
    verbs = store.scalars(select(AuditEvent.verb)).all()
    assert "account.issue" in verbs
    actions = store.scalars(select(AccessEvent.action)).all()
    assert "accounts.list" in actions and "accounts.card" in actions


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"snils": "087-654-303 00"}, "нет вместе на карте"),
        ({"oms": "7712345678901243"}, "нет вместе на карте"),
        ({"snils": "112-233-445 96"}, "две последние цифры"),
        ({"oms": ""}, "Введите номер полиса"),
    ],
)
def test_both_numbers_must_stand_on_the_card(
    operator: Visitor, store: Session, clinic: Clinic, changes: dict[str, str], said: str
) -> None:
    answer = issue(operator, clinic, **changes)
    assert answer.status_code == 422
    assert said in words(answer)
    assert not store.scalars(select(Account)).all()


def test_pressed_twice_nobody_gets_a_second_sign_in(
    operator: Visitor, store: Session, clinic: Clinic
) -> None:
    issue(operator, clinic)
    again = operator.send(f"{card(clinic)}issue/", NUMBERS)
    assert again.status_code == 422
    assert "уже открыта в кабинете" in words(again)
    assert len(store.scalars(select(Account)).all()) == 1


def test_a_cabinet_by_e_mail_is_closed_before_another_one_is_issued(
    operator: Visitor, client: Visitor, store: Session, clinic: Clinic
) -> None:
    """Somebody has registered with this person's three facts."""
    stranger = make.make_account(store, email="stranger@example.org")
    store.add(
        AccountPerson(
            account_id=stranger.id, person_id=clinic.patient.id, tenant_id=clinic.tenant.id
        )
    )
    client.sign_in(stranger, now=make.NOW)
    assert "Рябинина А. П." in words(client.page("/cabinet"))
    assert "s***@e***.org" in words(operator.page(card(clinic)))
    close = f"{card(clinic)}{stranger.uid}/close/"
    operator.send(close)
    assert client.get("/profile").status_code == 200  # the box was not ticked
    operator.send(close, {"checked": "y"})
    assert client.get("/profile").status_code == 303
    issue(operator, clinic)
    client.sign_in(stranger, now=make.NOW)
    assert "Рябинина" not in words(client.page("/cabinet"))


def test_issued_anew_whatever_was_open_is_shut_and_the_code_stays(
    operator: Visitor, client: Visitor, store: Session, clinic: Clinic
) -> None:
    issue(operator, clinic)
    account = store.scalars(select(Account)).one()
    account.password_expires_at, account.second_factor = None, SecondFactor.SMS
    client.sign_in(account, now=make.NOW)
    url = f"{card(clinic)}{account.uid}/reissue/"
    wrong = operator.send(url, NUMBERS | {"oms": "7712345678901243"})
    assert wrong.status_code == 422 and client.get("/profile").status_code == 200
    password = password_on(operator.send(url, NUMBERS))
    assert client.get("/profile").status_code == 303
    answer = client.send("/sign-in", {"email": SNILS, "password": password})
    assert answer.headers["Location"].startswith("/sign-in/code")
    lines = store.scalars(select(AccountEvent).order_by(AccountEvent.id)).all()
    assert all(not line.ip for line in lines[:2])


def test_blocked_means_out_everywhere_until_it_is_unblocked(
    operator: Visitor, client: Visitor, store: Session, clinic: Clinic
) -> None:
    issue(operator, clinic)
    account = store.scalars(select(Account)).one()
    account.password_expires_at = None
    account.password_hash = make.cheap_hash()
    client.sign_in(account, now=make.NOW)
    operator.send(f"{card(clinic)}{account.uid}/block/", {"checked": "y"})
    assert client.get("/profile").status_code == 303
    wrong = client.send("/sign-in", {"email": SNILS, "password": make.PASSWORD})
    assert "неверны" in words(wrong)
    operator.send(f"{card(clinic)}{account.uid}/unblock/", {"checked": "y"})
    assert client.send("/sign-in", {"email": SNILS, "password": make.PASSWORD}).status_code == 303


def test_a_lost_telephone_is_taken_off_after_a_look_at_the_passport(
    operator: Visitor, store: Session, clinic: Clinic
) -> None:
    issue(operator, clinic)
    account = store.scalars(select(Account)).one()
    account.second_factor = SecondFactor.SMS
    operator.send(f"{card(clinic)}{account.uid}/factor/", {"checked": "y"})
    store.refresh(account)
    assert account.second_factor is SecondFactor.NONE
    assert "account.second_factor" in store.scalars(select(AuditEvent.verb)).all()


def test_another_organization_s_sign_in_gets_this_card_and_keeps_its_password(
    operator: Visitor,
    client: Visitor,
    as_staff: Callable[..., Visitor],
    store: Session,
    clinic: Clinic,
) -> None:
    password = password_on(issue(operator, clinic))
    there = make.make_polyclinic(store, name="Речная поликлиника")
    person = make_patient(store, there)
    other = as_staff(Role.REGISTRAR, there.root)
    answer = other.submit(f"/staff/accounts/{person.uid}/", NUMBERS, follow_redirects=True)
    assert "пароль прежний" in words(answer)
    assert client.send("/sign-in", {"email": SNILS, "password": password}).status_code == 303
    assert len(store.scalars(select(Account)).all()) == 1
    assert len(store.scalars(select(AccountPerson)).all()) == 2


def test_an_account_of_nobody_here_is_not_found(
    operator: Visitor, store: Session, clinic: Clinic
) -> None:
    foreign = make.make_account(store, uid=uuid.uuid4())
    url = f"{card(clinic)}{foreign.uid}/block/"
    assert operator.send(url, {"checked": "y"}).status_code == 404
    assert operator.send(f"{card(clinic)}{make.NOBODYS_UID}/nothing/").status_code == 404
    store.refresh(foreign)
    assert foreign.is_active
    assert not store.scalars(select(WebSession).where(WebSession.account_id == foreign.id)).all()
