"""Rows copied in the database from one that was made: millions within a minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from app.models import Base

Changes = Mapping[str, sql.Composable]
UID = sql.SQL("gen_random_uuid()")


def copy(
    db: psycopg.Connection[Any],
    model: type[Base],
    numbers: range,
    changes: Changes,
    *,
    of: int,
    first: int,
) -> None:
    """Copy the row ``of`` of ``model`` for each number ``n``, under the id ``first`` + n and with ``changes``."""
    table = Base.metadata.tables[model.__tablename__]
    values: dict[str, sql.Composable] = {"id": sql.SQL("{} + n").format(first)}
    if "uid" in table.columns:
        values["uid"] = UID
    values.update(changes)
    names = [column.name for column in table.columns]
    db.execute(
        sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {values} "
            "FROM {table} t, generate_series({start}::bigint, {stop}, {step}) n WHERE t.id = {of}"
        ).format(
            table=sql.Identifier(table.name),
            names=sql.SQL(", ").join(map(sql.Identifier, names)),
            values=sql.SQL(", ").join(
                values.get(name, sql.SQL("t.") + sql.Identifier(name)) for name in names
            ),
            start=numbers.start,
            stop=numbers.stop - 1,
            step=numbers.step,
            of=of,
        )
    )


@contextmanager
def in_bulk(db: psycopg.Connection[Any], *models: type[Base]) -> Iterator[None]:
    """These tables are filled without their indexes, which are made anew at the end, and without asking
    whether the rows that keys name are there."""
    names = [model.__tablename__ for model in models]
    there = db.execute(
        "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid"
        " LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid"
        " WHERE t.relname = ANY(%s) AND k.oid IS NULL",
        (names,),
    ).fetchall()
    for name, _ in there:
        db.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    db.execute("SET session_replication_role = replica")
    db.execute("SET maintenance_work_mem = '256MB'")
    yield
    for _, made in there:
        db.execute(made)
    db.execute("RESET session_replication_role")
