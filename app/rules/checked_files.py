"""Files that are compared first and then applied whole or not at all: what their kinds share."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models.staff import StaffUser
from app.rules import audit
from app.rules.actor import actor_of
from app.rules.csv_table import Line, kept
from app.rules.errors import N_, NotFound, RuleError
from app.rules.transitions import changed_rows

T = TypeVar("T")
Row = TypeVar("Row", bound=Line)


class LinesBad(RuleError):
    code = "lines_bad"
    text = N_("Some lines cannot be taken, so nothing was applied. Correct the file and load it again, please.")  # fmt: skip


class AppliedAlready(RuleError):
    code = "file_applied"
    text = N_("This file has been applied already.")


class Change(Protocol):
    """What a file does to one street."""

    @property
    def there(self) -> bool:
        """Whether the street is known already."""


Changed = TypeVar("Changed", bound=Change)


@dataclass
class Difference(Generic[Row, Changed]):
    """What a file would do to the streets as they are now."""

    bad: list[Row] = field(default_factory=list)
    changes: list[Changed] = field(default_factory=list)
    same: int = 0
    """Streets that the file says as they are."""

    def said(self) -> Iterable[str]:
        """Everything that it would write, a line for each piece."""
        raise NotImplementedError

    @property
    def fingerprint(self) -> str:
        """Two differences with the same one write the same."""
        return hashlib.sha256("\n".join(self.said()).encode()).hexdigest()[:20]

    @property
    def report(self) -> dict[str, int]:
        return {
            "new": sum(not change.there for change in self.changes),
            "changed": sum(change.there for change in self.changes),
            "same": self.same,
            "bad": len(self.bad),
        }


Found = TypeVar("Found", bound=Difference[Any, Any])


@dataclass(frozen=True)
class Kind:
    """What one kind of files has of its own here."""

    topic: str
    """Of its lines in the journal."""
    moved: type[RuleError]
    """What it says is another difference now than the one that was looked at."""


def keep(
    session: Session,
    kind: Kind,
    made: Any,
    *,
    rows: Sequence[Line],
    found: Difference[Any, Any],
    by: StaffUser,
    now: dt.datetime,
) -> None:
    """Keep what the file says until somebody applies it."""
    made.lines, made.report = kept(rows), found.report
    made.created_at, made.created_by_id = now, by.id
    session.add(made)
    session.flush()
    changes = {"file_name": [None, made.file_name]} | _figures(made.report)
    _note(session, f"{kind.topic}.check_file", made, changes, by, now)


def demand(
    session: Session,
    kind: Kind,
    imported: Any,
    compare: Callable[[], Found],
    *,
    seen: str,
    now: dt.datetime,
) -> Found:
    """The difference of now, claimed for this transaction, if it is the one ``seen`` (its fingerprint).

    Raises AppliedAlready, LinesBad, and what the ``kind`` raises for another one.
    """
    claim(session, imported, now=now)
    found = compare()
    if found.bad:
        raise LinesBad()
    if found.fingerprint != seen:
        raise kind.moved()
    return found


def conclude(
    session: Session,
    kind: Kind,
    imported: Any,
    found: Difference[Any, Any],
    *,
    by: StaffUser,
    now: dt.datetime,
) -> None:
    """Everything is written."""
    imported.report = found.report
    _note(session, f"{kind.topic}.apply_file", imported, _figures(found.report), by, now)


def _figures(report: dict[str, int]) -> dict[str, list[Any]]:
    return {name: [None, number] for name, number in report.items()}


def _note(
    session: Session,
    verb: str,
    imported: Any,
    changes: dict[str, list[Any]],
    by: StaffUser,
    now: dt.datetime,
) -> None:
    audit.record(session, verb=verb, subject=imported, actor=actor_of(by), now=now, changes=changes)


def claim(session: Session, imported: Any, *, now: dt.datetime) -> None:
    """Mark the file as applied: of several who press the button one gets it. Raises AppliedAlready."""
    model = type(imported)
    won = changed_rows(
        session,
        update(model)
        .where(model.id == imported.id, model.applied_at.is_(None))
        .values(applied_at=now),
    )
    if not won:
        raise AppliedAlready()


def find(session: Session, model: type[T], *, uid: uuid.UUID) -> T:
    """The file of that name. Raises NotFound."""
    named: Any = model
    row = session.scalars(select(model).where(named.uid == uid)).one_or_none()
    if row is None:
        raise NotFound()
    return row
