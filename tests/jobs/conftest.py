"""Fixtures of the jobs: a mail server, and messages that wait in the outbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.models import Message
from app.models.enums import MessageKind
from app.rules import outbox
from tests import make
from tests.jobs.sink import Sink, open_sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    with open_sink() as made:
        yield made


@pytest.fixture
def mail_app(app: Flask, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application, sending to ``sink``, with its context."""
    monkeypatch.setitem(app.config, "MAILBOX", False)
    monkeypatch.setitem(app.config, "MAIL_URL", sink.url)
    with app.app_context():
        yield app


def waiting(
    session: Session, count: int = 1, now: dt.datetime = make.NOW, **fields: object
) -> list[Message]:
    """``count`` plain letters to as many accounts, due at ``now``; committed."""
    made = []
    for _ in range(count):
        account = make.make_account(session, now=now)
        made.append(
            outbox.add(
                session,
                kind=MessageKind.PASSWORD_CHANGED,
                key=f"test:{account.id}",
                now=now,
                account_id=account.id,
                **fields,
            )
        )
    session.commit()
    return made


@pytest.fixture
def leased(store: Session) -> Callable[..., tuple[Message, int]]:
    """One waiting message, leased: the message and its try."""

    def one(now: dt.datetime = make.NOW, **fields: object) -> tuple[Message, int]:
        message = waiting(store, now=now, **fields)[0]
        found = outbox.lease(store, now=now)
        store.commit()
        assert found == [(message.id, 1)]
        return message, 1

    return one
