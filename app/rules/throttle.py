"""Limits on guessing, counted in the database: they hold for every process and fail closed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
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
}


def count(session: Session, *, kind: str, value: str, now: dt.datetime) -> None:
    """Count one try. Raises TooManyTries over the limit; the caller commits in both cases."""
    limit = LIMITS[kind]
    start = _window(limit, now)
    bucket = blind_index(f"throttle {kind}", value)
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(Throttle).values(bucket=bucket, window_start=start, tries=1)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["bucket", "window_start"], set_={"tries": Throttle.tries + 1}
        )
    )
    tries = session.scalar(
        select(Throttle.tries).where(Throttle.bucket == bucket, Throttle.window_start == start)
    )
    if (tries or 0) > limit.tries:
        raise TooManyTries(minutes=-(-int((start + limit.window - now).total_seconds()) // 60))


def spent(session: Session, tries: Iterable[tuple[str, str]], *, now: dt.datetime) -> int:
    """How many tries of these (kind, value) are counted in the windows of ``now``, all together."""
    there = [
        and_(
            Throttle.bucket == blind_index(f"throttle {kind}", value),
            Throttle.window_start == _window(LIMITS[kind], now),
        )
        for kind, value in tries
    ]
    return (
        session.scalar(select(func.coalesce(func.sum(Throttle.tries), 0)).where(or_(*there))) or 0
    )


def take_back(session: Session, *, kind: str, value: str, now: dt.datetime, tries: int = 1) -> None:
    """Uncount what ``count`` has just counted at ``now``: it was no guess. 0 is the same work for nothing."""
    session.execute(
        update(Throttle)
        .where(
            Throttle.bucket == blind_index(f"throttle {kind}", value),
            Throttle.window_start == _window(LIMITS[kind], now),
        )
        .values(tries=Throttle.tries - tries)
        .execution_options(synchronize_session=False)
    )


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
