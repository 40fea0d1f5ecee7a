"""Marks of life of the periodic jobs; also what makes each run once per turn, however many offer to."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models.heartbeat import Heartbeat
from app.rules.transitions import changed_rows


def claim(session: Session, *, name: str, every: dt.timedelta, now: dt.datetime) -> bool:
    """Whether the caller is to run the job ``name`` now: True for one of all that ask within ``every``."""
    won = changed_rows(
        session,
        update(Heartbeat).where(Heartbeat.name == name, Heartbeat.at <= now - every).values(at=now),
    )
    if won:
        return True
    if session.scalar(select(Heartbeat.at).where(Heartbeat.name == name)) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(Heartbeat(name=name, at=now))
    except IntegrityError:  # somebody else was the first
        return False
    return True


def report(session: Session, *, name: str, error: str = "") -> None:
    """How the last run ended: empty, or the kind of error (never its words)."""
    changed_rows(
        session,
        update(Heartbeat)
        .where(Heartbeat.name == name, Heartbeat.error != error[:200])
        .values(error=error[:200]),
    )
