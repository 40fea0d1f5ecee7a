"""Taking every encrypted value from old keys to the one that encrypts now, a portion at a time.

How far it has come stands in the values themselves: each names its key. Killed at any moment, it is simply
started again. Nothing is ever lost on the way: a value is opened before it is sealed anew, and what cannot
be opened stays as it is and is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import LargeBinary, func, select, update
from sqlalchemy.orm import Session

from app.models.base import Base
from app.models.crypto import (
    CannotDecrypt,
    Encrypted,
    blind_index,
    bound_to,
    decrypt,
    encrypt,
    is_current,
    key_of,
    keys,
    prefix,
)

PORTION = 500
"""Values sealed anew in one transaction: some hundredths of a second."""
MOST_BYTES = 16 * 2**20
"""Of sealed values read at once: two of the largest documents, and what they are sealed into. One value is
always taken."""


@dataclass(frozen=True)
class Kind:
    """An encrypted attribute of a model."""

    model: Any
    name: str
    indexed: bool

    @property
    def sealed(self) -> Any:
        return getattr(self.model, f"{self.name}_ciphertext")

    @property
    def index(self) -> Any:
        return getattr(self.model, f"{self.name}_index")

    def __str__(self) -> str:
        return f"{self.model.__tablename__}.{self.name}"


@dataclass(frozen=True)
class Portion:
    """What one transaction did. ``last`` is where the next one begins, None: there is nothing more."""

    last: int | None
    changed: int
    unreadable: tuple[int, ...]
    """Rows whose value no key opens, or that is not theirs."""


def kinds() -> list[Kind]:
    """Every encrypted attribute there is, by table: found in the models, so that none is forgotten."""
    found = [
        Kind(mapper.class_, name, attribute.indexed)
        for mapper in Base.registry.mappers
        for name, attribute in vars(mapper.class_).items()
        if isinstance(attribute, Encrypted)
    ]
    return sorted(found, key=str)


def counts(session: Session, kind: Kind) -> Counter[int]:
    """How many values are sealed by each key (by its id). One look at the whole table."""
    head = func.substr(kind.sealed, 1, 2, type_=LargeBinary)
    rows = session.execute(
        select(head, func.count()).where(kind.sealed.is_not(None)).group_by(head)
    )
    return Counter({key_of(start): number for start, number in rows})


def step(
    session: Session, kind: Kind, *, after: int, limit: int = PORTION, indexes: bool = False
) -> Portion:
    """The next portion after the row ``after``: values of old keys; with ``indexes`` also look-up indexes
    that another index key made. At most ``limit`` values and MOST_BYTES of them. Commit after each."""
    model, sealed = kind.model, kind.sealed
    reindexes = indexes and kind.indexed
    index = kind.index if reindexes else sealed
    wanted = [model.id > after, sealed.is_not(None)]
    if not reindexes:
        wanted.append(func.substr(sealed, 1, 2, type_=LargeBinary) != prefix(keys().current))
    last, is_end = _portion(session, kind, wanted, limit)
    if last is None:
        return Portion(None, 0, ())
    rows = session.execute(
        select(model.id, model.uid, sealed, index)
        .where(*wanted, model.id <= last)
        .order_by(model.id)
        .with_for_update()
    ).all()
    changes, unreadable = [], []
    for row_id, uid, value, found in rows:
        bound = bound_to(model.__tablename__, kind.name, uid)
        try:
            opened = decrypt(value, bound)
        except CannotDecrypt:
            unreadable.append(row_id)
            continue
        change: dict[str, Any] = {}
        if not is_current(value):
            change[sealed.key] = encrypt(opened, bound)
        if reindexes and found != blind_index(kind.name, opened):
            change[index.key] = blind_index(kind.name, opened)
        if change:
            changes.append({"id": row_id, **change})
    for each in _alike(changes):
        session.execute(update(model), each)
    return Portion(None if is_end else last, len(changes), tuple(unreadable))


def _portion(
    session: Session, kind: Kind, wanted: list[Any], limit: int
) -> tuple[int | None, bool]:
    """The last row of the next portion, by the sizes of its values; whether there is nothing after it."""
    rows = session.execute(
        select(kind.model.id, func.length(kind.sealed))
        .where(*wanted)
        .order_by(kind.model.id)
        .limit(limit)
    ).all()
    taken, size = 0, 0
    for _, length in rows:
        if taken and size + length > MOST_BYTES:
            break
        taken, size = taken + 1, size + length
    return (rows[taken - 1].id if taken else None), taken == len(rows) < limit


def _alike(changes: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """In groups that set the same columns: each is one statement for many rows."""
    for names in {tuple(change) for change in changes}:
        yield [change for change in changes if tuple(change) == names]


def stale_indexes(session: Session) -> list[Kind]:
    """Kinds whose newest value is not found by its own index: another index key is set now."""
    found = []
    for kind in kinds():
        if not kind.indexed:
            continue
        row = session.execute(
            select(kind.model.uid, kind.sealed, kind.index)
            .where(kind.sealed.is_not(None))
            .order_by(kind.model.id.desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            continue
        try:
            opened = decrypt(row[1], bound_to(kind.model.__tablename__, kind.name, row[0]))
        except CannotDecrypt:
            continue  # said by the counts of keys
        if row[2] != blind_index(kind.name, opened):
            found.append(kind)
    return found
