"""Alembic's entry: the application's engine and metadata, both engines, one at a time."""

from __future__ import annotations

from alembic import context

from app.extensions import db
from app.models import Base

LOCK = 748_120
"""PostgreSQL advisory lock: two hosts that migrate at once take turns."""


def run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    with db.engine.connect() as connection:
        _migrate(connection)


def _migrate(connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET lock_timeout = '10s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK})")
        connection.commit()
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:  # a table is changed by making it anew: its old self must be droppable meanwhile
        _foreign_keys(connection, "OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=sqlite,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    if sqlite:
        _foreign_keys(connection, "ON")
        if orphans := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5):
            raise RuntimeError(f"rows that point nowhere: {orphans}")
        connection.rollback()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK})")
        connection.commit()


def _foreign_keys(connection, state) -> None:
    """Past SQLAlchemy, which would begin a transaction, in which this says nothing."""
    connection.rollback()
    connection.connection.driver_connection.execute(f"PRAGMA foreign_keys={state}")


run()
