"""What is asked of a database meanwhile: for tests that count statements or read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from app.extensions import db


@contextmanager
def statements(of: Flask | Session | Engine | Connection) -> Iterator[list[str]]:
    """The statements of an application, a session or a whole engine, without their values."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    bind = _bind(of)
    event.listen(bind, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(bind, "before_cursor_execute", note)


def _bind(of: Flask | Session | Engine | Connection) -> Engine | Connection:
    if isinstance(of, Flask):
        with of.app_context():
            return db.engine
    return of.get_bind() if isinstance(of, Session) else of
