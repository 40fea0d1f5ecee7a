"""Migrations make exactly the models' tables, on both engines, and can be taken back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import config
from app import extensions
from app.cli import alembic_config
from app.factory import key_ring
from app.models import Base
from app.models.crypto import use_keys
from app.models.enums import AppointmentStatus
from tests import make, stores
from tests.live import environment
from tests.public.clinic import make_clinic


@pytest.fixture
def fresh(databases: stores.Store) -> Iterator[sa.Engine]:
    """A database without any table."""
    engine = sa.create_engine(databases.empty(f"m{uuid.uuid4().hex[:8]}"), poolclass=sa.NullPool)
    yield engine
    engine.dispose()


def run(engine: sa.Engine, verb: str, revision: str) -> None:
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        getattr(command, verb)(config, revision)


def tables(engine: sa.Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_newest_migration_has_no_sibling() -> None:
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


def test_the_migrations_make_the_models(fresh: sa.Engine) -> None:
    run(fresh, "upgrade", "head")
    with fresh.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert tables(fresh) == set(Base.metadata.tables)


def test_partial_indexes_keep_their_conditions(fresh: sa.Engine) -> None:
    """Alembic does not compare them, and without its condition the guard against overbooking is another."""
    run(fresh, "upgrade", "head")
    dialect = fresh.dialect.name
    inspector = sa.inspect(fresh)
    for table in Base.metadata.tables.values():
        made = {index["name"]: index for index in inspector.get_indexes(table.name)}
        for index in table.indexes:
            wanted = index.dialect_options[dialect].get("where")
            got = made[index.name]["dialect_options"].get(f"{dialect}_where")
            assert (wanted is None) == (got is None), index.name
            assert index.unique == bool(made[index.name]["unique"]), index.name


def test_migrations_can_be_taken_back_and_run_again(fresh: sa.Engine) -> None:
    run(fresh, "upgrade", "head")
    run(fresh, "downgrade", "base")
    assert tables(fresh) == set()
    run(fresh, "upgrade", "head")
    assert tables(fresh) == set(Base.metadata.tables)


def test_migrating_twice_changes_nothing(fresh: sa.Engine) -> None:
    run(fresh, "upgrade", "head")
    run(fresh, "upgrade", "head")
    assert tables(fresh) == set(Base.metadata.tables)


@pytest.fixture
def used(databases: stores.Store) -> Iterator[sa.Engine]:
    """A database with today's schema, opened as the application does (SQLite: foreign keys are on)."""
    url = databases.create(f"m{uuid.uuid4().hex[:8]}")
    use_keys(key_ring(config.load(environment(url))))
    engine = sa.create_engine(url, **extensions.engine_options(url))
    if engine.dialect.name == "sqlite":
        extensions.prepare_sqlite(engine)
    yield engine
    engine.dispose()


def test_a_database_in_use_goes_back_and_forth_and_loses_no_row(used: sa.Engine) -> None:
    with stores.system_session(used) as session:
        clinic = make_clinic(session)
        make.make_appointment(
            session, clinic.tenant, clinic.patient, clinic.day, status=AppointmentStatus.BOOKED
        )
        donor = make.make_donor(session, clinic.tenant)
        make.make_appointment(
            session, clinic.tenant, donor, make.make_schedule(session, clinic.tenant)
        )
        session.commit()
    before = rows(used)
    run(used, "downgrade", "0001")
    run(used, "upgrade", "head")
    assert rows(used) == before


def rows(engine: sa.Engine) -> dict[str, int]:
    """How many rows each table has."""
    with engine.connect() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }
