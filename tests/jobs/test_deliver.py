"""One try at one message: sent once, dropped when untrue, postponed when it fails, dead in the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.jobs import deliver as jobs
from app.jobs import senders
from app.jobs.deliver import deliver
from app.models import MailboxLetter, Message
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind as K
from app.models.enums import MessageStatus
from app.rules import outbox
from tests import make
from tests.conftest import Clock
from tests.jobs.conftest import waiting
from tests.jobs.sink import Sink

Leased = Callable[..., tuple[Message, int]]
NOW = make.NOW


def again(store: Session, message: Message) -> Message:
    store.rollback()
    store.refresh(message)
    return message


def test_a_message_is_sent_and_marked(
    mail_app: Flask, sink: Sink, store: Session, leased: Leased
) -> None:
    message, attempt = leased()
    deliver(message.id, attempt)
    assert again(store, message).status is MessageStatus.SENT
    assert message.ended_at == NOW
    assert message.locked_until is None
    assert list(sink.ids()) == [f"<{message.uid}@localhost>"]


def test_the_same_job_run_twice_sends_once(
    mail_app: Flask, sink: Sink, store: Session, leased: Leased
) -> None:
    message, attempt = leased()
    deliver(message.id, attempt)
    deliver(message.id, attempt)
    assert len(sink.letters) == 1


def test_a_job_whose_lease_another_has_taken_sends_nothing(
    mail_app: Flask, sink: Sink, store: Session, leased: Leased, clock: Clock
) -> None:
    message, attempt = leased()
    clock.forward(seconds=121)
    assert outbox.lease(store, now=clock.now) == [(message.id, attempt + 1)]
    store.commit()
    deliver(message.id, attempt)
    assert sink.letters == []
    deliver(message.id, attempt + 1)
    assert len(sink.letters) == 1


def test_a_late_job_renews_its_lease_before_it_sends(
    mail_app: Flask, store: Session, leased: Leased, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, attempt = leased()
    clock.forward(seconds=121)
    seen: list[list[tuple[int, int]]] = []

    def look(_message_id: int) -> None:
        seen.append(outbox.lease(store, now=clock.now))
        store.commit()

    monkeypatch.setattr(jobs, "_hand_in", look)
    deliver(message.id, attempt)
    assert seen == [[]], "nobody else gets it while it is being sent"


@pytest.mark.parametrize("mood", ["greylist", "reject", "busy", "reset", "hang"])
def test_a_failure_is_postponed_with_growing_waits(
    mail_app: Flask,
    sink: Sink,
    store: Session,
    leased: Leased,
    mood: str,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(senders, "STEP_SECONDS", 0.1)
    sink.mood = mood
    message, attempt = leased()
    waits = []
    for _ in range(3):
        deliver(message.id, attempt)
        again(store, message)
        assert message.status is MessageStatus.DUE
        assert message.last_error
        assert "@" not in message.last_error
        waits.append((message.run_at - clock.now).total_seconds())
        clock.now = message.run_at
        ((_, attempt),) = outbox.lease(store, now=clock.now)
        store.commit()
    assert [round(wait, -1) for wait in waits[:2]] == [10.0, 30.0]
    assert 100 < waits[2] < 140
    sink.mood = "accept"
    monkeypatch.setattr(senders, "STEP_SECONDS", 10)
    deliver(message.id, attempt)
    assert again(store, message).status is MessageStatus.SENT


def test_after_a_day_of_failures_a_message_is_dead_and_on_the_list(
    mail_app: Flask, sink: Sink, store: Session, leased: Leased, clock: Clock
) -> None:
    sink.mood = "reject"
    message, attempt = leased()
    for _ in range(40):
        deliver(message.id, attempt)
        if again(store, message).status is not MessageStatus.DUE:
            break
        clock.now = message.run_at
        ((_, attempt),) = outbox.lease(store, now=clock.now)
        store.commit()
    assert message.status is MessageStatus.DEAD
    assert message.last_error == "SMTP 550 5.1.1"
    assert dt.timedelta(hours=20) < message.ended_at - NOW < dt.timedelta(hours=24, minutes=5)


def test_a_message_is_dead_when_the_next_try_would_come_too_late(
    mail_app: Flask, sink: Sink, store: Session, leased: Leased
) -> None:
    sink.mood = "reject"
    message, attempt = leased(useless_after=NOW + dt.timedelta(seconds=5))
    deliver(message.id, attempt)
    assert again(store, message).status is MessageStatus.DEAD


def test_a_message_that_is_too_late_is_not_sent(
    mail_app: Flask, sink: Sink, store: Session, leased: Leased, clock: Clock
) -> None:
    message, attempt = leased(useless_after=NOW + dt.timedelta(minutes=1))
    clock.forward(minutes=1)
    deliver(message.id, attempt)
    assert again(store, message).status is MessageStatus.OBSOLETE
    assert sink.letters == []


def test_a_letter_taken_without_a_word_is_sent_again_as_the_same_letter(
    mail_app: Flask, sink: Sink, store: Session, leased: Leased, clock: Clock
) -> None:
    sink.mood = "drop"
    message, attempt = leased()
    deliver(message.id, attempt)
    sink.mood = "accept"
    clock.now = again(store, message).run_at
    ((_, attempt),) = outbox.lease(store, now=clock.now)
    store.commit()
    deliver(message.id, attempt)
    assert list(sink.ids().values()) == [2]


def test_without_a_ticket_the_approval_does_not_leave(
    mail_app: Flask, sink: Sink, store: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make.make_tenant(store)
    donor = make.make_donor(store, tenant)
    booking = make.make_appointment(
        store, tenant, donor, make.make_schedule(store, tenant), status=A.BOOKED
    )
    message = outbox.tell(store, booking, K.APPROVED, now=NOW)
    assert message is not None
    outbox.lease(store, now=NOW)
    store.commit()
    from app.documents import ticket

    def broken(*_: object) -> bytes:
        raise ticket.TicketFailed("no font")

    monkeypatch.setattr(ticket, "drawn", broken)
    deliver(message.id, 1)
    assert again(store, message).status is MessageStatus.DUE
    assert message.last_error == "TicketFailed"
    assert sink.letters == []


def test_no_transaction_is_open_while_the_mail_server_thinks(
    mail_app: Flask, sink: Sink, store: Session, leased: Leased, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, attempt = leased()
    wrote: list[int] = []

    class Slow:
        def send(self, _letter: object, *, message_id: int) -> None:
            store.rollback()
            other = make.make_account(store)  # somebody else writes meanwhile: nobody is locked out
            store.commit()
            wrote.append(other.id)

    monkeypatch.setattr(jobs, "sender_of", lambda _settings: Slow())
    deliver(message.id, attempt)
    assert len(wrote) == 1
    assert again(store, message).status is MessageStatus.SENT


def test_a_database_that_is_away_after_sending_is_asked_again(
    mail_app: Flask, sink: Sink, store: Session, leased: Leased, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, attempt = leased()
    real, tries = jobs.delivery.succeed, []

    def flaky(session: Session, **given: object) -> None:
        tries.append(given)
        if len(tries) < 3:
            raise OperationalError("update", {}, Exception("away"))
        real(session, **given)

    monkeypatch.setattr(jobs.delivery, "succeed", flaky)
    monkeypatch.setattr(jobs.time, "sleep", lambda _seconds: None)
    deliver(message.id, attempt)
    assert again(store, message).status is MessageStatus.SENT
    assert len(sink.letters) == 1


def test_the_log_names_rows_and_kinds_of_errors_only(
    mail_app: Flask, sink: Sink, store: Session, leased: Leased, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="")
    sink.mood = "reject"
    message, attempt = leased()
    deliver(message.id, attempt)
    assert f"message {message.id}, try 1: SMTP 550 5.1.1" in caplog.text
    assert message.account.email not in caplog.text


def test_the_mailbox_keeps_each_letter_once(app: Flask, store: Session, leased: Leased) -> None:
    message, attempt = leased()
    with app.app_context():
        deliver(message.id, attempt)
    kept = store.scalars(select(MailboxLetter)).one()
    assert kept.recipient == message.account.email
    assert kept.subject == "Пароль изменён"
    assert kept.source.isascii()
    assert again(store, message).status is MessageStatus.SENT


def test_what_nobody_can_send_waits(
    mail_app: Flask, store: Session, leased: Leased, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(mail_app.config, "MAIL_URL", "")
    message, attempt = leased()
    deliver(message.id, attempt)
    assert again(store, message).last_error == "NoSender"
    assert message.status is MessageStatus.DUE


def test_a_row_that_is_gone_or_ended_is_left_alone(
    mail_app: Flask, sink: Sink, store: Session
) -> None:
    message = waiting(store)[0]
    outbox.finish(store, message, MessageStatus.OBSOLETE, now=NOW)
    store.commit()
    deliver(message.id, 0)
    deliver(10**9, 1)
    assert sink.letters == []
