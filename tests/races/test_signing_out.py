"""Signing out, everywhere and here, in the very moment in which the session is replaced."""

from __future__ import annotations

import datetime as dt
from functools import partial

from sqlalchemy import select

from app.models import WebSession
from tests import make
from tests.races.clients import Client, at_once

TIMES = 4


def test_nobody_is_signed_in_again_by_a_session_that_was_ended_meanwhile(live):
    """Many press «Выход» and many replace the session: at most one of those has won, and the cookie that all
    of them bore opens nothing any more."""
    now = dt.datetime.now(dt.UTC)
    with live.session() as session:
        account = make.make_account(session, now=now)
        account_id = account.id
    given = live.pass_for(account)
    clients = [Client(live.url, given) for _ in range(2 * TIMES)]
    calls = [partial(client.post, "/sign-out") for client in clients[:TIMES]]
    calls += [
        partial(
            client.post,
            "/profile/password",
            current=make.PASSWORD,
            password=f"новая-тихая-фраза-{number}",
        )
        for number, client in enumerate(clients[TIMES:])
    ]
    answers = at_once(calls)
    assert {answer.status for answer in answers} <= {303, 409}
    with live.session() as session:
        rows = select(WebSession).where(WebSession.account_id == account_id)
        assert len(session.scalars(rows).all()) <= 1
    assert Client(live.url, given).get("/profile").status == 303
