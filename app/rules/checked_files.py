"""Files that are compared first and then applied whole or not at all: what their kinds share."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.rules.errors import N_, NotFound, RuleError
from app.rules.transitions import changed_rows

T = TypeVar("T")


class LinesBad(RuleError):
    code = "lines_bad"
    text = N_("Some lines cannot be taken, so nothing was applied. Correct the file and load it again, please.")  # fmt: skip


class AppliedAlready(RuleError):
    code = "file_applied"
    text = N_("This file has been applied already.")


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
