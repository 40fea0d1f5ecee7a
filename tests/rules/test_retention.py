"""Terms of keeping: what is over them goes, and nothing else; the dry run changes nothing (N15)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.rules import retention
from tests.make import NOW
from tests.rules.own_rows import Filled

TERMS = {term.name: term for term in retention.terms()}


def test_every_term_of_the_data_is_done_and_has_its_source() -> None:
    assert list(TERMS) == list(retention.ACTS)
    assert all("проверить" in term.source and term.days > 0 for term in TERMS.values())


@pytest.mark.parametrize("name", TERMS)
def test_what_is_over_its_term_goes_and_what_is_not_stays(session: Session, name: str) -> None:
    filled = Filled(session, medical=True)
    act, term = retention.ACTS[name], TERMS[name]
    model: Any = act.model
    row = filled.rows.get(model.__tablename__, [None])[0]
    if row is None:
        pytest.skip("no such row of an account")
    if name == "holds":
        pytest.skip("a booking that was made; see the next test")
    if name == "feedback":
        row.status = "answered"
    if name == "messages":
        row.status, row.ended_at = "sent", NOW
    session.flush()
    late = NOW + dt.timedelta(days=term.days + 400)
    early = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
    assert dict(dry(session, early))[name] == 0
    assert dict(dry(session, late))[name] == 1
    done = retention.run(session, now=late)
    assert done[name] >= 1
    assert dict(dry(session, late))[name] == 0


def dry(session: Session, now: dt.datetime) -> list[tuple[str, int]]:
    return [(term.name, count) for term, count in retention.dry_run(session, now=now)]


def test_a_turn_takes_a_portion(session: Session) -> None:
    from app.models import AccountEvent
    from app.models.cabinet_choices import AccountEventKind
    from tests import make

    account = make.make_account(session)
    for _ in range(5):
        session.add(AccountEvent(account_id=account.id, at=NOW, kind=AccountEventKind.SIGN_IN))
    session.flush()
    late = NOW + dt.timedelta(days=366)
    assert [retention.run(session, now=late, limit=2)["events"] for _ in range(4)] == [2, 2, 1, 0]
