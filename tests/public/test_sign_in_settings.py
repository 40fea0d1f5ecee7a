"""The profile's sections: the second factor switched on and off, the devices."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Account, Message, WebSession
from app.models.cabinet_choices import SecondFactor
from app.models.enums import MessageKind
from app.models.sign_in import ContactProof
from app.rules import account_factor
from app.rules.devices import in_words
from tests import make
from tests.client import Visitor, words

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36"
)
YANDEX = CHROME.replace("Safari", "YaBrowser/24.6 Safari")
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def account(store: Session) -> Account:
    return make.make_account(store, uid=uuid.uuid4())


@pytest.fixture
def client(as_account: Callable[..., Visitor], account: Account) -> Visitor:
    return as_account(account)


def code(store: Session) -> str:
    return account_factor.code_of(store.scalars(select(ContactProof)).one())


def begin(client: Visitor, factor: str, **more: str) -> Any:
    answers = {"by-factor": factor, "by-current": make.PASSWORD, "by-phone": "", **more}
    return client.send("/profile/second-factor", answers)


def switch_on_sms(client: Visitor, store: Session) -> None:
    assert begin(client, "sms", **{"by-phone": "+7 900 123-45-67"}).status_code == 303
    client.submit("/profile/second-factor/confirm", {"code": code(store)})


def test_an_sms_proves_the_number_and_ends_other_sessions(
    client: Visitor, as_account: Callable[..., Visitor], account: Account, store: Session
) -> None:
    elsewhere = as_account(account)
    before = client.get_cookie("talon")
    switch_on_sms(client, store)
    store.refresh(account)
    assert (account.second_factor, account.phone) == (SecondFactor.SMS, "+79001234567")
    assert account.phone_confirmed_at == make.NOW
    assert elsewhere.get("/profile").status_code == 303
    after = client.get_cookie("talon")
    assert before is not None and after is not None and before.value != after.value
    assert "После пароля нужен код" in words(client.page("/profile"))
    kinds = store.scalars(select(Message.kind).order_by(Message.id)).all()
    assert kinds == [MessageKind.SIGN_IN_CODE, MessageKind.SIGN_IN_CHANGED]


def test_nothing_is_switched_without_the_password_and_the_code(
    client: Visitor, account: Account, store: Session
) -> None:
    wrong = begin(client, "sms", **{"by-phone": "+79001234567", "by-current": "wrong-wrong"})
    assert wrong.status_code == 409
    assert "Текущий пароль" in words(wrong)
    assert not store.scalars(select(Message)).all()
    assert client.get("/profile/second-factor/confirm").headers["Location"] == "/profile"
    begin(client, "sms", **{"by-phone": "+79001234567"})
    assert client.send("/profile/second-factor/confirm", {"code": "000"}).status_code == 400
    store.refresh(account)
    assert account.second_factor is SecondFactor.NONE


def test_the_password_typed_counts_for_ten_minutes(
    client: Visitor, account: Account, store: Session, clock: Any
) -> None:
    begin(client, "totp")
    store.refresh(account)
    clock.forward(minutes=10)
    six = pyotp.TOTP(account.totp_seed).at(clock.now)
    answer = client.send("/profile/second-factor/confirm", {"code": six})
    assert answer.headers["Location"] == "/profile"
    store.refresh(account)
    assert account.second_factor is SecondFactor.NONE


def test_an_application_is_set_up_by_its_first_code_and_switched_off_by_another(
    client: Visitor, account: Account, store: Session, clock: Any
) -> None:
    begin(client, "totp")
    store.refresh(account)
    assert account.totp_seed[:4] in words(client.page("/profile/second-factor/confirm"))
    six = pyotp.TOTP(account.totp_seed).at(clock.now)
    client.submit("/profile/second-factor/confirm", {"code": six})
    store.refresh(account)
    assert account.second_factor is SecondFactor.TOTP
    clock.forward(minutes=1)
    client.submit("/profile", {"off-current": make.PASSWORD}, form="/profile/second-factor/off")
    assert client.send("/profile/second-factor/confirm", {"code": six}).status_code == 400
    fresh = pyotp.TOTP(account.totp_seed).at(clock.now)
    client.submit("/profile/second-factor/confirm", {"code": fresh})
    store.refresh(account)
    assert (account.second_factor, account.totp_seed) == (SecondFactor.NONE, None)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ({"by-factor": ""}, "Выберите способ"),
        ({"by-factor": "none"}, "Профиль"),
        ({"by-phone": ""}, "мобильн"),
        ({"by-phone": "+7 495 111-22-33"}, "мобильн"),
        ({"by-current": ""}, "Введите пароль"),
    ],
)
def test_what_is_left_out_is_said_at_its_field(
    client: Visitor, left: dict[str, str], said: str
) -> None:
    answers = {"by-phone": "+79001234567"} | left
    answer = client.send(
        "/profile/second-factor",
        {"by-factor": "sms", "by-current": make.PASSWORD, **answers},
        follow_redirects=True,
    )
    assert said in words(answer)


def test_devices_are_listed_in_words_and_ended_one_by_one_or_all(
    client: Visitor, as_account: Callable[..., Visitor], account: Account, store: Session
) -> None:
    second, third = as_account(account), as_account(account)
    rows = store.scalars(select(WebSession).order_by(WebSession.id)).all()
    for row, agent in zip(rows, (FIREFOX, CHROME, IPHONE), strict=True):
        row.user_agent = agent
    page = client.page("/profile")
    devices = [words(item) for item in page.xpath("//ul[@class='devices']/li")]
    assert "Firefox, Linux" in devices[0] and "это устройство" in devices[0]
    assert "Safari, iPhone" in devices[1] + devices[2]
    keys = page.xpath("//ul[@class='devices']//input[@name='key']/@value")
    assert len(keys) == 2
    client.send("/profile/devices", {"key": keys[0]})
    assert sorted((second.get("/profile").status_code, third.get("/profile").status_code)) == [
        200,
        303,
    ]
    client.send("/profile/devices")
    assert (second.get("/profile").status_code, third.get("/profile").status_code) == (303, 303)
    assert client.get("/profile").status_code == 200
    gone = client.send("/profile/devices", {"key": keys[0]}, follow_redirects=True)
    assert "уже закрыт" in words(gone)


def test_nobody_ends_a_device_of_another_account(
    client: Visitor, as_account: Callable[..., Visitor], store: Session
) -> None:
    other = make.make_account(store)
    theirs = as_account(other)
    as_account(other)
    [key] = theirs.page("/profile").xpath("//ul[@class='devices']//input[@name='key']/@value")
    client.send("/profile/devices", {"key": key})
    rows = select(WebSession).where(WebSession.account_id == other.id)
    assert len(store.scalars(rows).all()) == 2


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (FIREFOX, "Firefox, Linux"),
        (CHROME, "Chrome, Windows"),
        (YANDEX, "Yandex Browser, Windows"),
        (IPHONE, "Safari, iPhone"),
        ("curl/8", ""),
        ("", ""),
    ],
)
def test_a_browser_in_words(agent: str, said: str) -> None:
    assert in_words(agent) == said
