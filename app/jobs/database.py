"""Sessions of jobs that only look: no lock, no transaction that others wait for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from app.extensions import db, own_reading
from app.models.scope import SYSTEM


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading alone. On SQLite it does not begin IMMEDIATE, so it holds nobody up."""
    with own_reading(db.engine, SYSTEM) as session:
        yield session
