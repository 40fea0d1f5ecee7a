"""The objects every entry point shares: database, translations, CSRF, sign-in; the clock; transactions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import Flask
from flask_babel import Babel
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from flask_wtf import CSRFProtect
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import DeclarativeBase, Session

from app.models.narrowing import install
from app.models.scope import Scope, set_scope
from app.rules.errors import RuleError

writes: ContextVar[bool] = ContextVar("writes", default=True)
"""Whether this request or job may write. A reading one opens no transaction at all."""


class TalonSession(FlaskSession):
    """A session whose reading requests run without BEGIN and ROLLBACK (half the round trips)."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        bind = super().get_bind(*args, **kwargs)
        if writes.get() or not isinstance(bind, Engine) or bind.dialect.name == "sqlite":
            return bind
        return _autocommit(bind)


_readers: dict[int, Engine] = {}


def _autocommit(engine: Engine) -> Engine:
    if id(engine) not in _readers:
        _readers[id(engine)] = engine.execution_options(isolation_level="AUTOCOMMIT")
    return _readers[id(engine)]


install(Session)  # and with it every subclass


class NoModels(DeclarativeBase):
    """Flask-SQLAlchemy wants a base of its own; our tables stand on app.models.base.Base."""


db = SQLAlchemy(
    model_class=NoModels, session_options={"class_": TalonSession, "expire_on_commit": False}
)
babel = Babel()
csrf = CSRFProtect()
login_manager = LoginManager()


def utcnow() -> dt.datetime:
    """The only clock. Entry points read it once and pass ``now`` on."""
    return dt.datetime.now(dt.UTC)


@contextmanager
def saved() -> Iterator[Session]:
    """Commit what a rule did, or roll it back and let the refusal through (a noted one is committed)."""
    session: Any = db.session()
    try:
        yield session
        session.commit()
    except RuleError as refusal:
        session.commit() if refusal.is_noted else session.rollback()
        raise
    except BaseException:
        session.rollback()
        raise


def only_reads() -> None:
    """From here on this request only reads: making its page holds up no writer (SQLite has one)."""
    writes.set(False)


def now_writes() -> None:
    """From here on this GET writes: another site has led the browser here, and only by a GET can it do so."""
    db.session.commit()  # what was read so far was read without a transaction
    writes.set(True)


@contextmanager
def own_transaction(scope: Scope) -> Iterator[Session]:
    """A session beside the request's, committed at once: for what a GET has to write down."""
    token = writes.set(True)
    try:
        with Session(db.engine, expire_on_commit=False) as session:
            set_scope(session, scope)
            yield session
            session.commit()
    finally:
        writes.reset(token)


@contextmanager
def own_reading(engine: Engine, scope: Scope) -> Iterator[Session]:
    """A session beside the request's that only reads: also after the request is over, for a body sent in portions."""
    token = writes.set(False)
    try:
        with Session(engine, expire_on_commit=False) as session:
            set_scope(session, scope)
            yield session
    finally:
        writes.reset(token)


def engine_options(url: str) -> dict[str, Any]:
    """Pool and time limits for the engine of ``url``."""
    if url.startswith("sqlite"):
        return {
            "hide_parameters": True,
            # Writers queue for the file, and not in order: in a rush one may wait for long.
            "connect_args": {"timeout": 30, "check_same_thread": False},
        }
    limits = (
        "-c statement_timeout=15000 -c lock_timeout=8000 "
        "-c idle_in_transaction_session_timeout=30000 -c timezone=UTC"
    )
    return {
        "hide_parameters": True,  # an error names the statement, never what a person typed
        "pool_pre_ping": True,
        "pool_size": 8,
        "max_overflow": 8,
        "pool_recycle": 1800,
        "connect_args": {"connect_timeout": 3, "options": limits},
    }


def prepare_sqlite(engine: Engine) -> None:
    """WAL, foreign keys, Cyrillic ``lower`` and BEGIN IMMEDIATE for whoever may write; what is deleted is
    overwritten in the file (not every SQLite is built so).

    SQLAlchemy's default begins lazily and oversells: two readers both see the last place free.
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.create_function("lower", 1, _lower, deterministic=True)
        for pragma in (
            "journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL", "secure_delete=ON",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if writes.get():
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def _lower(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def init_database(app: Flask) -> None:
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)
