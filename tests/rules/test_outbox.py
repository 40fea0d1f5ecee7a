"""The outbox: leases, waiting between tries, and the three ends of a message."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.models import Message
from app.models.enums import MessageKind, MessageStatus
from app.rules import outbox
from tests import make
from tests.make import NOW

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def message(session):
    account = make.make_account(session)
    made = outbox.add(
        session, kind=MessageKind.RESET_PASSWORD, key="one", now=NOW, account_id=account.id
    )
    session.flush()
    return made


def test_a_due_message_is_leased_once_until_its_lease_is_over(session, message):
    assert outbox.lease(session, now=NOW) == [(message.id, 1)]
    assert outbox.lease(session, now=NOW + MINUTE) == []
    assert outbox.lease(session, now=NOW + outbox.LEASE) == [(message.id, 2)]


def test_a_message_for_later_is_not_due(session, message):
    message.run_at = NOW + MINUTE
    assert outbox.lease(session, now=NOW) == []
    assert outbox.lease(session, now=NOW + MINUTE) == [(message.id, 1)]


def test_one_consequence_is_written_once(session, message):
    outbox.add(session, kind=MessageKind.RESET_PASSWORD, key="one", now=NOW)
    with pytest.raises(IntegrityError):
        session.flush()


def test_failed_tries_wait_longer_and_longer(session, message):
    waits = []
    now = NOW
    for _ in range(4):
        outbox.lease(session, now=now)
        outbox.postpone(session, message, now=now, error="451")
        waits.append((message.run_at - now).total_seconds())
        now = message.run_at
    assert message.status is MessageStatus.DUE
    for wait, wanted in zip(waits, (10, 30, 120, 600), strict=True):
        assert 0.9 * wanted <= wait <= 1.1 * wanted


def test_after_a_day_of_tries_somebody_has_to_phone(session, message):
    now, tries = NOW, 0
    while message.status is MessageStatus.DUE:
        outbox.lease(session, now=now)
        outbox.postpone(session, message, now=now, error="timed out")
        now, tries = max(message.run_at, now), tries + 1
        assert tries < 60
    assert message.status is MessageStatus.DEAD
    assert message.last_error == "timed out"
    assert NOW + dt.timedelta(hours=20) < now < NOW + dt.timedelta(hours=25)


def test_what_would_come_too_late_is_given_up(session, message):
    message.useless_after = NOW + dt.timedelta(seconds=5)
    outbox.lease(session, now=NOW)
    outbox.postpone(session, message, now=NOW, error="451")
    assert message.status is MessageStatus.DEAD


def test_sending_again_is_a_row_of_its_own(session, message):
    outbox.finish(session, message, MessageStatus.DEAD, now=NOW, error="550")
    again = outbox.send_again(session, message, now=NOW + MINUTE)
    session.flush()
    assert (again.kind, again.account_id) == (message.kind, message.account_id)
    assert message.status is MessageStatus.DEAD
    keys = session.scalars(select(Message.key)).all()
    assert len(set(keys)) == 2
