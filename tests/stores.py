"""Databases of the tests: migrated once into a template, copied and emptied from then on."""

from __future__ import annotations

import functools
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from sqlalchemy.orm import Session

from app.cli import alembic_config
from app.models import Base
from app.models.scope import SYSTEM, set_scope
from tests.servers import PostgreSQL

ENGINES = ("sqlite", "postgresql")


class SQLiteStore:
    """A folder of database files."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = folder / "template.db"
        migrate(self._url(self.template))

    def _url(self, path: Path) -> str:
        return f"sqlite:///{path}"

    def create(self, database: str) -> str:
        """A new database with today's schema, instead of one of that name; its URL."""
        path = self.folder / f"{database}.db"
        for left in self.folder.glob(f"{database}.db-*"):  # of one whose process was killed
            left.unlink()
        shutil.copyfile(self.template, path)
        return self._url(path)

    def empty(self, database: str = "") -> str:
        """A new database without any table (for tests of migrations); its URL."""
        path = self.folder / f"{database}.db"
        path.unlink(missing_ok=True)
        return self._url(path)


class PostgreSQLStore:
    """The databases of a private cluster."""

    name = "postgresql"

    def __init__(self, server: PostgreSQL) -> None:
        self.server = server
        migrate(server.create("template"))

    def create(self, database: str) -> str:
        """A new database with today's schema, instead of one of that name; its URL."""
        self.server.drop(database)
        return self.server.create(database, "template")

    def empty(self, database: str = "") -> str:
        """A new database without any table (for tests of migrations); its URL."""
        self.server.drop(database)
        return self.server.create(database)


Store = SQLiteStore | PostgreSQLStore


def migrate(url: str) -> None:
    """Run every migration on the database at ``url``, as ``flask migrate`` does."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


@functools.cache
def _emptying() -> tuple[str, ...]:
    """``DELETE FROM`` for every table, those that point to others first."""
    return tuple(f'DELETE FROM "{table.name}"' for table in reversed(Base.metadata.sorted_tables))


def wipe(engine: sa.Engine) -> None:
    """Delete every row of every table. Ids go on counting where the engine keeps sequences.

    In one go: it is done after every test of a page, and most tables are empty.
    A worker of a live site may be writing just now: then once more.
    """
    for tries_left in reversed(range(10)):
        try:
            with engine.begin() as connection:
                if engine.dialect.name == "sqlite":  # takes one statement at a time
                    cursor = connection.connection.cursor()
                    for statement in _emptying():
                        cursor.execute(statement)
                    cursor.close()
                else:
                    connection.exec_driver_sql("; ".join(_emptying()))
            return
        except (sa.exc.IntegrityError, sqlite3.IntegrityError):
            if not tries_left:
                raise


def system_session(bind: sa.Engine | sa.Connection, **options: Any) -> Session:
    """A plain session that sees and writes everything; close it, or use it in ``with``."""
    session = Session(bind=bind, expire_on_commit=False, **options)
    set_scope(session, SYSTEM)
    return session
