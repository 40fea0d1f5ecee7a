"""Sessions of jobs that only look: no lock, no transaction that others wait for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from app.extensions import db, writes
from app.models.scope import SYSTEM, set_scope


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading alone. On SQLite it does not begin IMMEDIATE, so it holds nobody up."""
    token = writes.set(False)
    try:
        with Session(db.engine, expire_on_commit=False) as session:
            set_scope(session, SYSTEM)
            yield session
    finally:
        writes.reset(token)
