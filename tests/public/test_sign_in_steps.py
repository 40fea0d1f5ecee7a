"""Signing in by SNILS, with a one-time password, with a second factor: half-open sessions and what opens them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pyotp
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Account, AccountEvent, Message, Throttle, WebSession
from app.models.cabinet_choices import AccountEventKind, SecondFactor
from app.models.enums import MessageKind
from app.models.sign_in import ContactProof, SignInRefusal
from app.rules import account_factor, account_log, passwords
from tests import make
from tests.client import Visitor, words
from tests.public.clinic import SNILS, make_account, make_clinic
from tests.statements import statements

NEW = "новая-тихая-фраза-7"
LOGIN = SNILS.replace("-", "").replace(" ", "")


def with_login(store: Session, **changes: Any) -> Account:
    """A sign-in by SNILS; ``PASSWORD`` unless told otherwise."""
    fields = {"uid": uuid.uuid4(), "email": None, "email_confirmed_at": None} | changes
    account = make.make_account(store, **fields)
    account.login = LOGIN
    store.flush()
    return account


def one_time(store: Session, **changes: Any) -> Account:
    return with_login(store, password_expires_at=make.NOW + dt.timedelta(days=3), **changes)


def by_sms(store: Session, **changes: Any) -> Account:
    account = make.make_account(store, uid=uuid.uuid4(), second_factor=SecondFactor.SMS, **changes)
    account.phone = "+79001234567"
    store.flush()
    return account


def code(store: Session) -> str:
    return account_factor.code_of(store.scalars(select(ContactProof)).one())


def enter(client: Visitor, name: str, password: str = make.PASSWORD, **more: Any) -> Any:
    return client.send("/sign-in", {"email": name, "password": password, **more})


def open_sessions(store: Session) -> list[WebSession]:
    return list(store.scalars(select(WebSession).order_by(WebSession.id)))


@pytest.mark.parametrize("typed", [SNILS, LOGIN, f" СНИЛС {SNILS} "])
def test_a_snils_signs_in_however_it_is_typed(client: Visitor, store: Session, typed: str) -> None:
    with_login(store)
    assert enter(client, typed).headers["Location"] == "/"
    assert client.get("/profile").status_code == 200


def test_whoever_has_no_address_has_a_cabinet_and_a_profile_all_the_same(
    client: Visitor, store: Session
) -> None:
    make.make_tenant(store)
    with_login(store)
    enter(client, SNILS)
    for path in ("/cabinet", "/profile", "/cabinet/events", "/"):
        client.page(path)


def test_what_is_wrong_is_never_told_and_costs_the_same_statements_and_one_hash(
    app: Flask, new_client: Callable[[], Visitor], as_account: Callable[..., Visitor], store: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Wrong password, blocked, unknown e-mail, unknown SNILS: equal pages by equal work. The owner of the
    first reads of it in his log; of names that nobody has no row stays."""
    known = with_login(store)
    make.make_account(store, email="blocked@example.org", is_active=False)
    verified: list[str | None] = []
    real = passwords.HASHER.verify

    class Counting:
        hash = passwords.HASHER.hash

        def verify(self, known: str, typed: str) -> bool:
            verified.append(known)
            return bool(real(known, typed))

    monkeypatch.setattr(passwords, "HASHER", Counting())
    pages, asked = [], []
    rows = store.scalar(select(func.count(AccountEvent.id)))
    new_client().submit("/sign-in", {"email": "nobody@example.org", "password": "x"})  # compiled
    for name, password in (
        (SNILS, "wrong-wrong"),
        ("blocked@example.org", make.PASSWORD),
        ("nobody@example.org", make.PASSWORD),
        ("087-654-303 00", make.PASSWORD),
    ):
        before, visitor = len(verified), new_client()
        visitor.page("/sign-in")
        with statements(app) as seen:
            answer = visitor.submit("/sign-in", {"email": name, "password": password})
        assert (answer.status_code, len(verified) - before) == (400, 1)
        pages.append(words(answer))
        asked.append(list(seen))
    assert len(set(pages)) == 1
    assert "Логин или пароль неверны" in pages[0]
    by_snils, blocked, by_email, stranger = asked
    assert by_snils == stranger and blocked == by_email
    assert len(by_snils) == len(by_email) > 5
    assert store.scalar(select(func.count(AccountEvent.id))) == rows
    owners = select(SignInRefusal.account_id).order_by(SignInRefusal.id)
    assert store.scalars(owners).all() == [None, known.id, None, None, None]
    assert "Отказ во входе" in words(as_account(known).page("/cabinet/events"))
    account_log.sweep(store, now=make.NOW + dt.timedelta(minutes=1))
    assert store.scalars(owners).all() == [known.id]


def test_in_a_crowd_the_door_says_so_keeps_the_name_and_counts_no_try(
    client: Visitor, store: Session
) -> None:
    with_login(store)
    with ExitStack() as crowd:
        for _ in range(passwords.SEATS):
            assert passwords._queue.seats.acquire(blocking=False)
            crowd.callback(passwords._queue.seats.release)
        answer = client.submit("/sign-in", {"email": SNILS, "password": make.PASSWORD})
        assert answer.status_code == 503
        assert "Сейчас входит очень много людей" in words(answer)
        assert SNILS in answer.get_data(as_text=True)
    assert store.scalar(select(func.count()).select_from(Throttle)) == 0
    assert enter(client, SNILS).status_code == 303


def test_a_one_time_password_opens_nothing_but_the_page_that_replaces_it(
    client: Visitor, store: Session
) -> None:
    account = one_time(store)
    answer = enter(client, SNILS, next="/cabinet/events")
    assert answer.headers["Location"] == "/sign-in/new-password?next=/cabinet/events"
    for path in ("/profile", "/cabinet", "/bookings", "/cabinet/events", "/sign-in/code"):
        assert client.get(path).headers["Location"].startswith("/sign-in/new-password")
    assert client.send("/sign-in/new-password", {"password": "short"}).status_code == 400
    same = client.send("/sign-in/new-password", {"password": make.PASSWORD})
    assert "придумайте другой" in words(same)
    done = client.send("/sign-in/new-password?next=/cabinet/events", {"password": NEW})
    assert done.headers["Location"] == "/cabinet/events"
    assert client.get("/profile").status_code == 200
    store.refresh(account)
    assert account.password_expires_at is None
    kinds = store.scalars(select(AccountEvent.kind).order_by(AccountEvent.id)).all()
    assert kinds == [AccountEventKind.PASSWORD, AccountEventKind.SIGN_IN]


def test_a_one_time_password_expires_to_the_second(
    new_client: Callable[[], Visitor], store: Session, clock: Any
) -> None:
    one_time(store)
    clock.forward(days=3, seconds=-1)
    half = new_client()
    assert enter(half, SNILS).status_code == 303
    clock.forward(seconds=1)
    late = enter(new_client(), SNILS)
    assert late.status_code == 409
    assert "Срок одноразового пароля истёк" in words(late)
    assert "неверны" in words(enter(new_client(), SNILS, "wrong-wrong"))
    slow = half.send("/sign-in/new-password", {"password": NEW})
    assert "Срок одноразового пароля истёк" in words(slow)


def test_a_half_open_session_lasts_a_quarter_of_an_hour(
    client: Visitor, store: Session, clock: Any
) -> None:
    one_time(store)
    enter(client, SNILS)
    clock.forward(minutes=15)
    assert client.get("/sign-in/new-password").headers["Location"] == "/sign-in"


def test_each_step_replaces_the_session(client: Visitor, store: Session) -> None:
    """Fixation and theft: a cookie seen before a step is nobody's after it."""
    one_time(store)
    enter(client, SNILS)
    stolen = client.get_cookie("talon")
    assert stolen is not None
    client.send("/sign-in/new-password", {"password": NEW})
    assert client.get("/profile").status_code == 200
    client.set_cookie("talon", stolen.value)
    assert client.get("/profile").headers["Location"] == "/sign-in?next=/profile"
    assert len(open_sessions(store)) == 1


def test_a_cookie_from_before_the_sign_in_is_worth_nothing(
    client: Visitor, new_client: Callable[[], Visitor], store: Session
) -> None:
    with_login(store)
    client.get("/sign-in")
    client.token()
    planted = client.get_cookie("talon")
    assert planted is not None
    enter(client, SNILS)
    attacker = new_client()
    attacker.set_cookie("talon", planted.value)
    assert attacker.get("/profile").status_code == 303


def test_a_stolen_cookie_is_worth_nothing_after_the_sign_out(
    as_account: Callable[..., Visitor], new_client: Callable[[], Visitor], store: Session
) -> None:
    client = as_account(make.make_account(store))
    cookie = client.get_cookie("talon")
    assert cookie is not None
    thief = new_client()
    thief.set_cookie("talon", cookie.value)
    assert thief.get("/profile").status_code == 200
    client.submit("/profile", form="/sign-out")
    assert thief.get("/profile").status_code == 303


def test_what_was_signed_out_elsewhere_does_not_come_back_under_a_new_token(
    client: Visitor, store: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is deleted between reading it and replacing it."""
    one_time(store)
    enter(client, SNILS)
    real = passwords.hashed

    def meanwhile(password: str) -> str:
        for row in open_sessions(store):
            store.delete(row)
        store.commit()
        return real(password)

    monkeypatch.setattr(passwords, "hashed", meanwhile)
    answer = client.send("/sign-in/new-password", {"password": NEW})
    assert answer.headers["Location"] == "/sign-in"
    assert not open_sessions(store)


def test_a_password_replaced_while_it_is_verified_signs_nobody_in(
    client: Visitor, store: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reset that ends all sessions is not outrun by a sign-in that has begun before it."""
    account = with_login(store)
    real = passwords.verified

    def slow(known: str | None, typed: str) -> bool:
        right = real(known, typed)
        account.password_hash = make.cheap_hash(NEW)
        store.commit()
        return right

    monkeypatch.setattr(passwords, "verified", slow)
    assert "неверны" in words(enter(client, SNILS))
    assert not open_sessions(store)


def test_the_code_of_an_sms_comes_after_the_password(client: Visitor, store: Session) -> None:
    account = by_sms(store)
    assert enter(client, account.email).headers["Location"].startswith("/sign-in/code")
    page = client.page("/profile")
    assert "+7 *** ***-45-67" in words(page)
    [message] = store.scalars(select(Message)).all()
    assert (message.kind, message.account_id) == (MessageKind.SIGN_IN_CODE, account.id)
    assert code(store) not in str(message.facts)
    client.submit("/sign-in/code", {"code": code(store)}, form="code-form")
    assert client.get("/profile").status_code == 200


def test_a_code_has_five_tries_and_works_once(
    client: Visitor, new_client: Callable[[], Visitor], store: Session
) -> None:
    account = by_sms(store)
    enter(client, account.email)
    right = code(store)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    said = [words(client.send("/sign-in/code", {"code": wrong})) for _ in range(5)]
    assert "Осталось попыток: 4" in said[0]
    assert "слишком много раз" in said[4]
    assert "слишком много раз" in words(client.send("/sign-in/code", {"code": right}))
    assert client.get("/profile").status_code == 303
    client.send("/sign-in/code/again")
    fresh = code(store)
    assert client.send("/sign-in/code", {"code": fresh}).status_code == 303
    assert client.get("/profile").status_code == 200
    other = new_client()
    enter(other, account.email)
    assert (
        "не тот код" in words(other.send("/sign-in/code", {"code": fresh})) or code(store) == fresh
    )
    refused = select(func.count(AccountEvent.id)).where(
        AccountEvent.kind == AccountEventKind.SIGN_IN_REFUSED
    )
    assert store.scalar(refused) == 7


def test_a_code_is_over_after_ten_minutes(client: Visitor, store: Session, clock: Any) -> None:
    account = by_sms(store)
    enter(client, account.email)
    clock.forward(minutes=10)
    assert "больше не действует" in words(client.send("/sign-in/code", {"code": code(store)}))


def test_sms_are_limited_and_the_page_says_when_to_try_again(
    client: Visitor, store: Session
) -> None:
    account = by_sms(store)
    enter(client, account.email)
    for _ in range(5):
        answer = client.send("/sign-in/code/again", follow_redirects=True)
    assert "Слишком много попыток" in words(answer)
    assert store.scalar(select(func.count(Message.id))) == 5


def test_a_code_of_one_account_opens_no_other(
    client: Visitor, new_client: Callable[[], Visitor], store: Session
) -> None:
    account = by_sms(store)
    enter(client, account.email)
    right = code(store)
    other = by_sms(store)
    stranger = new_client()
    enter(stranger, other.email)
    theirs = store.scalars(select(ContactProof).where(ContactProof.account_id == other.id)).one()
    if account_factor.code_of(theirs) != right:
        assert stranger.send("/sign-in/code", {"code": right}).status_code == 400
        assert stranger.get("/profile").status_code == 303


def test_an_application_s_code_works_once(
    new_client: Callable[[], Visitor], store: Session, clock: Any
) -> None:
    account = make.make_account(store, uid=uuid.uuid4(), second_factor=SecondFactor.TOTP)
    account.totp_seed = make.TOTP_SEED
    six = pyotp.TOTP(make.TOTP_SEED).at(clock.now)
    first, second = new_client(), new_client()
    for client in (first, second):
        enter(client, account.email)
    assert first.send("/sign-in/code", {"code": six}).status_code == 303
    assert first.get("/profile").status_code == 200
    assert second.send("/sign-in/code", {"code": six}).status_code == 400


def test_both_steps_one_after_the_other(client: Visitor, store: Session) -> None:
    account = one_time(store, second_factor=SecondFactor.SMS)
    account.phone = "+79001234567"
    enter(client, SNILS)
    answer = client.send("/sign-in/code", {"code": code(store)})
    assert answer.headers["Location"].startswith("/sign-in/new-password")
    assert client.get("/profile").status_code == 303
    client.send("/sign-in/new-password", {"password": NEW})
    assert client.get("/profile").status_code == 200


def test_a_new_password_by_letter_leaves_the_second_factor_on(
    client: Visitor, store: Session
) -> None:
    from app.models.enums import LinkPurpose
    from tests.public.test_accounts import link_in

    account = by_sms(store)
    client.submit("/forgot-password", {"email": account.email})
    client.submit(
        f"/reset-password/{link_in(store, LinkPurpose.RESET_PASSWORD)}", {"password": NEW}
    )
    assert enter(client, account.email, NEW).headers["Location"].startswith("/sign-in/code")
    assert client.get("/profile").status_code == 303


def test_a_forgotten_password_is_answered_alike_for_every_name(
    client: Visitor, store: Session
) -> None:
    with_login(store)
    mailed = make.make_account(store)
    for name in (SNILS, mailed.email, "nobody@example.org", "087-654-303 00", "что угодно"):
        answer = client.submit("/forgot-password", {"email": name})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/forgot-password/sent")
    assert store.scalars(select(Message.account_id)).all() == [mailed.id]


def test_a_letter_s_link_never_follows_the_host_header(client: Visitor, store: Session) -> None:
    """Links are made from the site's own address."""
    account = make.make_account(store)
    client.send("/forgot-password", {"email": account.email}, headers={"Host": "evil.example"})
    from app.documents.letters import render

    for message in store.scalars(select(Message)):
        with client.application.app_context():
            assert "evil.example" not in render(message, now=make.NOW).as_string()


def test_surname_and_initials_stand_on_top(client: Visitor, store: Session) -> None:
    """Row D4."""
    account = make_account(store, make_clinic(store))
    enter(client, account.email)
    [name] = client.page("/").xpath("//*[@class='own-name']")
    assert "Рябинина А. П." in words(name)
