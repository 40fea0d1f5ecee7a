"""What is asked of a database meanwhile: for tests that count statements or read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session

from app.extensions import db
from app.models.scope import SYSTEM, Scope, set_scope


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


def analyze(session: Session, table: str) -> None:
    """Tell the planner what this table holds now. Of no other: PostgreSQL remembers that they are empty even
    after the transaction, and plans of later tests would go by it."""
    session.flush()
    session.execute(text(f"ANALYZE {table}"))


def plans(
    session: Session, ask: Callable[[], object], *, naming: str, scope: Scope = SYSTEM
) -> list[list[str]]:
    """How the database goes about each statement of ``ask()`` that says ``naming``, as lines, for a reader of
    that ``scope``."""
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if naming in statement:
            said.append((statement, parameters))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    set_scope(session, scope)
    try:
        ask()
    finally:
        set_scope(session, SYSTEM)
        event.remove(connection, "before_cursor_execute", note)
    explain = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    return [
        [str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters)]
        for statement, parameters in said
    ]


def _bind(of: Flask | Session | Engine | Connection) -> Engine | Connection:
    if isinstance(of, Flask):
        with of.app_context():
            return db.engine
    return of.get_bind() if isinstance(of, Session) else of
