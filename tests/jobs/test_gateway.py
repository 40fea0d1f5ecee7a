"""Handing an SMS in: what the gateway sees, what is tried again, what the ledger is told."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator

import pytest

from app.documents.sms import Sms
from app.jobs import gateway
from app.jobs.gateway import Gateway, Mailbox, SmsFailed, sms_sender_of
from app.rules.sms import NeverSent
from config import sms_gateway
from tests.jobs.gateway import FakeGateway, open_gateway

SMS = Sms("0f6c", "+79001234567", "Код: 123456 & ещё «слова»")


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    with open_gateway() as made:
        yield made


def send(fake: FakeGateway) -> None:
    Gateway(sms_gateway(fake.url)).send(SMS, message_id=1)


def test_an_sms_arrives_as_a_form_with_its_id_and_the_password_in_a_header(
    fake: FakeGateway,
) -> None:
    send(fake)
    assert fake.forms == [{"to": SMS.number, "text": SMS.text, "id": SMS.id}]
    assert fake.paths == ["/send?v=1"]
    pair = fake.headers[0]["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(pair) == b"talon:s@cret"


@pytest.mark.parametrize(
    ("mood", "noted"),
    [
        ("busy", "SMS 503"),
        ("many", "SMS 429"),
        ("redirect", "SMS 302"),
        ("hang", "SMS no answer"),
        ("drop", "SMS RemoteDisconnected"),
        ("noise", "SMS BadStatusLine"),
    ],
)
def test_what_may_pass_is_noted_and_tried_again(
    fake: FakeGateway, mood: str, noted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "STEP_SECONDS", 0.3)
    fake.mood = mood
    with pytest.raises(SmsFailed) as failed:
        send(fake)
    assert str(failed.value) == noted
    assert len(fake.forms) == 1, "a redirect is not followed"


def test_a_refusal_is_for_good(fake: FakeGateway) -> None:
    fake.mood = "refuse"
    with pytest.raises(NeverSent) as refused:
        send(fake)
    assert str(refused.value) == "SMS 403"


def test_the_whole_exchange_has_an_end(fake: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "SMS_SECONDS", 0.4)
    fake.mood = "drip"
    with pytest.raises(SmsFailed, match="SMS no answer"):
        send(fake)


def test_a_gateway_that_is_away_is_an_error_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(SmsFailed, match=r"^SMS ConnectionRefusedError 111$"):
            Gateway(sms_gateway(url)).send(SMS, message_id=1)


def test_a_gateway_whose_name_nobody_vouches_for_gets_nothing(fake: FakeGateway) -> None:
    url = fake.url.replace("http:", "https:")
    with pytest.raises(SmsFailed, match="SMS SSLError"):
        Gateway(sms_gateway(url)).send(SMS, message_id=1)
    assert fake.forms == []


def test_an_sms_prints_neither_number_nor_text() -> None:
    assert repr(SMS) == "Sms(id='0f6c')"
    server = sms_gateway("https://u:secret@h.ru/")
    assert "secret" not in repr(server)


def test_the_settings_choose_the_sender() -> None:
    given = {"MAILBOX": True, "SMS_URL": "https://u:p@sms.example.ru/send"}
    assert isinstance(sms_sender_of(given), Mailbox)
    assert isinstance(sms_sender_of(given | {"MAILBOX": False}), Gateway)
    with pytest.raises(NeverSent, match="SMS is not set up"):
        sms_sender_of({"MAILBOX": False, "SMS_URL": ""})
