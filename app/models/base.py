"""The declarative base and the column types every table shares."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, MetaData, String, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import JSON, TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An instant. Aware on the Python side, UTC in the database; a naive value is an error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def stored_by_value(enum_class: type[enum.Enum]) -> Enum:
    """A text column that holds the values of ``enum_class`` (not its Python names)."""
    return Enum(
        enum_class,
        native_enum=False,
        length=24,
        values_callable=lambda members: [str(member.value) for member in members],
    )


BigKey = BigInteger().with_variant(Integer, "sqlite")
"""Keys of tables that grow for ever; SQLite only counts up on a plain INTEGER."""

Line = Annotated[str, mapped_column(String(200))]
"""One line of text that people type: names, titles, addresses."""
Word = Annotated[str, mapped_column(String(40))]
"""A code or a key from our own lists."""
Note = Annotated[str, mapped_column(String(2000))]
"""A few sentences."""
Folded = String(250).with_variant(String(250, collation="C"), "postgresql")
"""A name folded for search (app.rules.donors.folded). Byte order on both engines, so that a plain
index serves «begins with» and paging by key, and both sort alike."""


class Base(DeclarativeBase):
    """Every table. Constraints are named by convention so that migrations can find them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {
        dt.datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        uuid.UUID: Uuid(),
    }


class HasUid:
    """A row with a name for the outside: a random UUID made by the client, before the insert.

    Integer keys never leave the house. The UUID is there from construction on, because encrypted
    columns bind their text to it.
    """

    uid: Mapped[uuid.UUID] = mapped_column(Uuid(), unique=True, default=uuid.uuid4)
