"""One try at one SMS: sent once, tried again, dead with its reason, of no use; nothing leaks on the way."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs import gateway
from app.jobs.deliver import deliver
from app.models import Appointment, Base, MailboxLetter, Message
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageChannel, MessageStatus
from app.models.enums import MessageKind as K
from app.rules import outbox
from app.rules.codes import code_of
from tests import make
from tests.conftest import Clock
from tests.jobs.gateway import FakeGateway, open_gateway

NOW = make.NOW
HOUR = dt.timedelta(hours=1)
NUMBER = "+79001234567"


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    with open_gateway() as made:
        yield made


@pytest.fixture
def sms_app(app: Flask, fake: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application, sending to ``fake``, with its context."""
    monkeypatch.setitem(app.config, "MAILBOX", False)
    monkeypatch.setitem(app.config, "SMS_URL", fake.url)
    with app.app_context():
        yield app


@pytest.fixture
def waiting(store: Session) -> Callable[..., Message]:
    """A booking that awaits its code, and the SMS about it, leased."""

    def one(phone: str | None = NUMBER, kind: K = K.CONFIRM_CODE) -> Message:
        tenant = make.make_tenant(store)
        donor = make.make_donor(store, tenant, phone=phone)
        day = make.make_schedule(store, tenant)
        held = make.make_appointment(store, tenant, donor, day, status=A.HELD)
        booking = make.make_proposed(store, held, code_until=NOW + HOUR)
        message = outbox.tell_by_sms(store, booking, kind, now=NOW)
        store.flush()
        outbox.lease(store, now=NOW)
        store.commit()
        return message

    return one


def after(store: Session, message: Message) -> Message:
    store.rollback()
    store.refresh(message)
    return message


def try_again(store: Session, message: Message, clock: Clock) -> None:
    clock.now = after(store, message).run_at
    ((_, attempt),) = outbox.lease(store, now=clock.now)
    store.commit()
    deliver(message.id, attempt)


def test_a_code_is_sent_once_and_marked(
    sms_app: Flask, fake: FakeGateway, store: Session, waiting: Callable[..., Message]
) -> None:
    message = waiting()
    deliver(message.id, 1)
    deliver(message.id, 1)
    assert after(store, message).status is MessageStatus.SENT
    (form,) = fake.forms
    code = code_of(message.appointment)
    assert form == {
        "to": NUMBER,
        "text": f"Код подтверждения записи: {code}. Действует до 11:00.",
        "id": str(message.uid),
    }


def test_the_number_is_the_one_on_the_card_when_it_is_sent(
    sms_app: Flask, fake: FakeGateway, store: Session, waiting: Callable[..., Message]
) -> None:
    message = waiting()
    message.appointment.person.phone = "+79990000000"
    store.commit()
    deliver(message.id, 1)
    assert [form["to"] for form in fake.forms] == ["+79990000000"]


@pytest.mark.parametrize("mood", ["busy", "many", "drop", "hang", "redirect"])
def test_what_fails_is_tried_again_with_the_same_id(
    sms_app: Flask,
    fake: FakeGateway,
    store: Session,
    waiting: Callable[..., Message],
    clock: Clock,
    mood: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway, "STEP_SECONDS", 0.3)
    fake.mood = mood
    message = waiting()
    deliver(message.id, 1)
    assert after(store, message).status is MessageStatus.DUE
    assert message.last_error.startswith("SMS ")
    assert 8 < (message.run_at - NOW).total_seconds() < 12
    fake.mood = "accept"
    monkeypatch.setattr(gateway, "STEP_SECONDS", 10)
    try_again(store, message, clock)
    assert after(store, message).status is MessageStatus.SENT
    assert fake.ids() == {str(message.uid): 2}, "the gateway sends an id once"


def test_a_refusal_is_dead_at_once(
    sms_app: Flask, fake: FakeGateway, store: Session, waiting: Callable[..., Message]
) -> None:
    fake.mood = "refuse"
    message = waiting()
    deliver(message.id, 1)
    assert after(store, message).status is MessageStatus.DEAD
    assert (message.last_error, message.ended_at) == ("SMS 403", NOW)


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        (None, "no phone number"),
        ("", "no phone number"),
        ("+74951234567", "not a mobile number"),
        ("+78001234567", "not a mobile number"),
        ("+7900123456", "not a mobile number"),
        ("+79001234567\n", "not a mobile number"),
    ],
)
def test_a_number_that_no_sms_reaches_is_dead_with_its_reason(
    sms_app: Flask,
    fake: FakeGateway,
    store: Session,
    waiting: Callable[..., Message],
    phone: str | None,
    reason: str,
) -> None:
    message = waiting(phone)
    deliver(message.id, 1)
    assert after(store, message).status is MessageStatus.DEAD
    assert message.last_error == reason
    assert fake.forms == []


def test_without_a_gateway_an_sms_is_dead(
    sms_app: Flask,
    store: Session,
    waiting: Callable[..., Message],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sms_app.config, "SMS_URL", "")
    message = waiting()
    deliver(message.id, 1)
    assert after(store, message).status is MessageStatus.DEAD
    assert message.last_error == "SMS is not set up"


def test_a_code_after_its_hour_is_not_sent(
    sms_app: Flask, fake: FakeGateway, store: Session, waiting: Callable[..., Message], clock: Clock
) -> None:
    message = waiting()
    clock.now = NOW + HOUR
    deliver(message.id, 1)
    assert after(store, message).status is MessageStatus.OBSOLETE
    assert fake.forms == []


def test_failures_end_with_the_hour(
    sms_app: Flask, fake: FakeGateway, store: Session, waiting: Callable[..., Message], clock: Clock
) -> None:
    fake.mood = "busy"
    message = waiting()
    deliver(message.id, 1)
    for _ in range(20):
        if after(store, message).status is not MessageStatus.DUE:
            break
        try_again(store, message, clock)
    assert message.status is MessageStatus.DEAD
    assert message.ended_at < NOW + HOUR


@pytest.mark.parametrize("kind", [K.CONFIRM_CODE, K.BOOKING_LAPSED])
def test_neither_number_nor_code_is_logged_or_kept(
    sms_app: Flask,
    fake: FakeGateway,
    store: Session,
    waiting: Callable[..., Message],
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    kind: K,
) -> None:
    caplog.set_level("DEBUG", logger="")
    message = waiting(kind=kind)
    if kind is K.BOOKING_LAPSED:
        message.appointment.status = A.EXPIRED
        store.commit()
    attempt = 1
    for mood in ("noise", "busy", "drop", "accept"):
        fake.mood = mood
        if attempt == 1:
            deliver(message.id, 1)
        else:
            try_again(store, message, clock)
        attempt += 1
    assert after(store, message).status is MessageStatus.SENT
    code = code_of(store.get_one(Appointment, message.appointment_id))
    assert f"message {message.id}, try 2: SMS 503" in caplog.text
    told = caplog.text + dump(store)
    for secret in (NUMBER, NUMBER[2:], "9001234567", "s@cret", "s%40cret"):
        assert secret not in told
    assert not re.search(rf"(?<![0-9a-f]){code}(?![0-9a-f])", told)
    assert ("код не введён" in fake.forms[-1]["text"]) == (kind is K.BOOKING_LAPSED)


def dump(store: Session) -> str:
    """Every row of every table in words; of bytes their hexadecimal form."""
    lines = []
    for table in Base.metadata.sorted_tables:
        for row in store.connection().execute(sa.select(table)):
            lines.append(" ".join(v.hex() if isinstance(v, bytes) else str(v) for v in row))
    return "\n".join(lines)


def test_the_mailbox_keeps_an_sms(
    app: Flask, store: Session, waiting: Callable[..., Message]
) -> None:
    message = waiting("+74951234567")
    with app.app_context():
        deliver(message.id, 1)
    assert after(store, message).status is MessageStatus.DEAD, "what could not be sent is not kept"
    message = waiting()
    with app.app_context():
        deliver(message.id, 1)
    kept = store.scalars(select(MailboxLetter)).one()
    assert (kept.recipient, kept.source) == (NUMBER, kept.subject)
    assert code_of(message.appointment) in kept.source


def test_sending_again_is_an_sms_again(store: Session, waiting: Callable[..., Message]) -> None:
    message = waiting()
    again = outbox.send_again(store, message, now=NOW)
    store.flush()
    assert again.channel is MessageChannel.SMS
    assert again.facts["code_sent"] == message.facts["code_sent"]
