"""Limits on guessing, counted in the database: they hold for every process and fail closed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models.account import Throttle
from app.models.crypto import blind_index
from app.rules.errors import TooManyTries


@dataclass(frozen=True)
class Limit:
    tries: int
    window: dt.timedelta


LIMITS: dict[str, Limit] = {
    # per account and address, so that a stranger cannot lock the owner out (reliability.md 2.4)
    "sign_in": Limit(10, dt.timedelta(minutes=5)),
    "sign_in_address": Limit(100, dt.timedelta(minutes=5)),
    "second_factor": Limit(5, dt.timedelta(minutes=5)),
    "register_address": Limit(30, dt.timedelta(hours=1)),
    "letter": Limit(5, dt.timedelta(hours=1)),
    "link_address": Limit(60, dt.timedelta(hours=1)),
}


def count(session: Session, *, kind: str, value: str, now: dt.datetime) -> None:
    """Count one try. Raises TooManyTries over the limit; the caller commits in both cases."""
    limit = LIMITS[kind]
    seconds = int(limit.window.total_seconds())
    start = dt.datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, dt.UTC)
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


def forgive(session: Session, *, kind: str, value: str) -> None:
    """Forget the tries of who has proved to be right."""
    session.execute(
        delete(Throttle).where(Throttle.bucket == blind_index(f"throttle {kind}", value))
    )


def sweep(session: Session, *, now: dt.datetime) -> None:
    """Drop windows that are over."""
    longest = max(limit.window for limit in LIMITS.values())
    session.execute(delete(Throttle).where(Throttle.window_start < now - longest))
