"""Limits on guessing, counted in the database: they hold for every process and fail closed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models.account import Throttle
from app.models.crypto import blind_index
from app.rules.errors import TooManyTries


@dataclass(frozen=True)
class Limit:
    tries: int
    window: dt.timedelta


DATA = Path(__file__).parent.parent / "data"


def _of_data(name: str) -> dict[str, Limit]:
    """The limits that a file of app/data names, each with its source beside it."""
    found = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))["limits"]
    return {
        each["kind"]: Limit(each["tries"], dt.timedelta(minutes=each["minutes"])) for each in found
    }


LIMITS: dict[str, Limit] = {
    # per account and address, so that a stranger cannot lock the owner out (reliability.md 2.4)
    "sign_in": Limit(10, dt.timedelta(minutes=5)),
    "sign_in_address": Limit(100, dt.timedelta(minutes=5)),
    "second_factor": Limit(5, dt.timedelta(minutes=5)),
    "register_address": Limit(30, dt.timedelta(hours=1)),
    "letter": Limit(5, dt.timedelta(hours=1)),
    "link_address": Limit(60, dt.timedelta(hours=1)),
    "feedback_address": Limit(20, dt.timedelta(hours=1)),
    # per question against robots, counted from when it was asked (app.rules.questions)
    "question_try": Limit(5, dt.timedelta(minutes=1)),
    "question_used": Limit(1, dt.timedelta(minutes=1)),
    **_of_data("identification"),
    **_of_data("contacts"),
    **_of_data("sign_in"),
    **_of_data("esia"),
}


def count(session: Session, *, kind: str, value: str, now: dt.datetime) -> None:
    """Count one try. Raises TooManyTries over the limit; the caller commits in both cases."""
    count_all(session, [(kind, value)], now=now)


def count_all(session: Session, tries: Sequence[tuple[str, str]], *, now: dt.datetime) -> None:
    """Count a try of each of these (kind, value), of different kinds, in one statement.

    Raises TooManyTries at the first that is over its limit, and then those behind it are not counted: who is
    blocked by his address blocks no document. The caller commits in both cases.
    """
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    places = [_place(kind, value, now) for kind, value in tries]
    statement = dialect.insert(Throttle).values(
        [{"bucket": bucket, "window_start": start, "tries": 1} for bucket, start in places]
    )
    counted = session.execute(
        statement.on_conflict_do_update(
            index_elements=["bucket", "window_start"], set_={"tries": Throttle.tries + 1}
        ).returning(Throttle.bucket, Throttle.tries)
    )
    by_bucket = {row.bucket: row.tries for row in counted}
    for number, (kind, _value) in enumerate(tries):
        bucket, start = places[number]
        limit = LIMITS[kind]
        if by_bucket[bucket] > limit.tries:
            _uncount(session, tries[number + 1 :], now)
            raise TooManyTries(minutes=-(-int((start + limit.window - now).total_seconds()) // 60))


def _uncount(session: Session, tries: Sequence[tuple[str, str]], now: dt.datetime) -> None:
    """As if they had never been counted: no row is left of what was not there before."""
    if not tries:
        return
    take_back(session, tries, now=now)
    session.execute(
        delete(Throttle)
        .where(_any_of(tries, now), Throttle.tries <= 0)
        .execution_options(synchronize_session=False)
    )


def spent(session: Session, tries: Iterable[tuple[str, str]], *, now: dt.datetime) -> int:
    """How many tries of these (kind, value) are counted in the windows of ``now``, all together."""
    query = select(func.coalesce(func.sum(Throttle.tries), 0)).where(_any_of(tries, now))
    return session.scalar(query) or 0


def take_back(
    session: Session, each: Iterable[tuple[str, str]], *, now: dt.datetime, tries: int = 1
) -> None:
    """Uncount what was just counted at ``now``: it was no guess. 0 is the same work for nothing."""
    session.execute(
        update(Throttle)
        .where(_any_of(each, now))
        .values(tries=Throttle.tries - tries)
        .execution_options(synchronize_session=False)
    )


def _any_of(tries: Iterable[tuple[str, str]], now: dt.datetime) -> ColumnElement[bool]:
    places = [_place(kind, value, now) for kind, value in tries]
    return or_(
        *(
            and_(Throttle.bucket == bucket, Throttle.window_start == start)
            for bucket, start in places
        )
    )


def _place(kind: str, value: str, now: dt.datetime) -> tuple[bytes, dt.datetime]:
    """Where tries of ``value`` are counted now: the bucket and its window."""
    return blind_index(f"throttle {kind}", value), _window(LIMITS[kind], now)


def _window(limit: Limit, now: dt.datetime) -> dt.datetime:
    """When the window that ``now`` lies in began."""
    seconds = int(limit.window.total_seconds())
    return dt.datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, dt.UTC)


def forgive(session: Session, *, kind: str, value: str) -> None:
    """Forget the tries of who has proved to be right."""
    session.execute(
        delete(Throttle).where(Throttle.bucket == blind_index(f"throttle {kind}", value))
    )


def sweep(session: Session, *, now: dt.datetime) -> None:
    """Drop windows that are over."""
    longest = max(limit.window for limit in LIMITS.values())
    session.execute(delete(Throttle).where(Throttle.window_start <= now - longest))
