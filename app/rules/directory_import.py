"""A directory's file against what there is: the difference, applying it whole or not at all.

The dry run IS the run, taken back: every line goes through the rules that staff's forms go through, in a
savepoint that is rolled back, so that what is promised is what will happen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models.enums import ImportStatus, RowAction
from app.models.exchange import DirectoryImport
from app.models.staff import StaffUser
from app.rules import audit
from app.rules.actor import Actor, actor_of
from app.rules.directory_file import Bad, Line, Sheet
from app.rules.directory_rows import Rows, sheet_of
from app.rules.errors import N_, RuleError
from app.rules.organizations import demand_over
from app.rules.transitions import changed_rows


class FileEnded(RuleError):
    code = "directory_file_ended"
    text = N_("This file has been dealt with already.")


class LinesBad(RuleError):
    code = "directory_lines_bad"
    text = N_(
        "Some lines cannot be taken, so nothing was applied. Correct them and bring the file again."
    )


class DirectoryMoved(RuleError):
    code = "directory_moved"
    text = N_(
        "The directory has changed since this file was checked, so nothing was applied. "
        "Check the file once more, please."
    )


class _Undo(Exception):
    """Thrown to roll the savepoint of a dry run back."""


def workbook(session: Session, *, tenant_id: int) -> list[tuple[Sheet, list[list[str]]]]:
    """Every sheet with its rows in words, as ``directory_file.read`` reads them back."""
    demand_over(session, tenant_id)
    return Rows(session, tenant_id).in_words()


def check(
    session: Session,
    *,
    tenant_id: int,
    lines: Sequence[Line],
    bad: Sequence[Bad],
    file_name: str,
    by: StaffUser,
    now: dt.datetime,
) -> DirectoryImport:
    """The dry run, kept until it is applied or discarded. Raises NotAllowed."""
    demand_over(session, tenant_id)
    difference, refused = _trial(session, tenant_id, lines, actor_of(by), now)
    wrong = [each.as_json() for each in (*bad, *refused)]
    counts = _counts(difference, len(wrong))
    imported = DirectoryImport(
        tenant_id=tenant_id,
        file_name=file_name[:200],
        lines=[line.as_json() for line in lines],
        report={"counts": counts, "bad": wrong, "changes": difference},
        status=ImportStatus.CHECKED,
        created_at=now,
        created_by_id=by.id,
    )
    session.add(imported)
    session.flush()  # the audit line needs the id
    _note(session, "directory.check", imported, actor_of(by), now)
    return imported


def _trial(
    session: Session, tenant_id: int, lines: Sequence[Line], actor: Actor, now: dt.datetime
) -> tuple[list[dict[str, Any]], list[Bad]]:
    """What applying the lines would do, and which of them the rules refuse."""
    difference: list[dict[str, Any]] = []
    refused: list[Bad] = []
    try:
        with session.begin_nested():
            rows = Rows(session, tenant_id)
            for line in lines:
                try:
                    with session.begin_nested():
                        difference.append(rows.write(line, actor=actor, now=now))
                except RuleError as refusal:
                    params = {key: _plain(value) for key, value in refusal.params.items()}
                    refused.append(Bad(line.sheet, line.line, refusal.text, params))
            raise _Undo
    except _Undo:
        session.expire_all()
    return [each for each in difference if each["action"] != RowAction.SAME], refused


def _plain(value: Any) -> str:
    return f"{value:%d.%m.%Y}" if isinstance(value, dt.date) else str(value)


def _counts(difference: Sequence[dict[str, Any]], bad: int) -> dict[str, int]:
    counts = {action.value: 0 for action in RowAction}
    for each in difference:
        counts[each["action"]] += 1
    return counts | {RowAction.BAD.value: bad}


def apply(session: Session, *, imported: DirectoryImport, by: StaffUser, now: dt.datetime) -> None:
    """Do what the dry run shows, all of it or nothing. Twice applied is once.

    Raises FileEnded, LinesBad, DirectoryMoved if any line would do anything else than was shown,
    NotAllowed.
    """
    demand_over(session, imported.tenant_id)
    if imported.report["bad"]:
        raise LinesBad()
    lines = [Line(each["sheet"], each["line"], each["values"]) for each in imported.lines]
    shown = imported.report["changes"]
    _end(session, imported, ImportStatus.APPLIED, now)
    rows = Rows(session, imported.tenant_id)
    try:
        done = [rows.write(line, actor=actor_of(by), now=now) for line in lines]
    except RuleError as refusal:
        raise DirectoryMoved() from refusal
    if [each for each in done if each["action"] != RowAction.SAME] != shown:
        raise DirectoryMoved()
    imported.lines = []
    _note(session, "directory.apply", imported, actor_of(by), now)


def discard(
    session: Session, *, imported: DirectoryImport, by: StaffUser, now: dt.datetime
) -> None:
    """Do nothing with the file. Raises FileEnded."""
    demand_over(session, imported.tenant_id)
    _end(session, imported, ImportStatus.DISCARDED, now)
    imported.lines = []
    _note(session, "directory.discard", imported, actor_of(by), now)


def _end(
    session: Session, imported: DirectoryImport, status: ImportStatus, now: dt.datetime
) -> None:
    """Checked → ``status``: exactly one of two at once wins."""
    won = changed_rows(
        session,
        update(DirectoryImport)
        .where(DirectoryImport.id == imported.id, DirectoryImport.status == ImportStatus.CHECKED)
        .values(status=status, applied_at=now),
    )
    session.refresh(imported)
    if not won:
        raise FileEnded()


def _note(
    session: Session, verb: str, imported: DirectoryImport, actor: Actor, now: dt.datetime
) -> None:
    counts = imported.report["counts"]
    told = {name: [None, counts[name]] for name in ("new", "changed", "bad")}
    audit.record(session, verb=verb, subject=imported, actor=actor, now=now, changes=told)


def newest(session: Session) -> list[DirectoryImport]:
    """The latest files the reader may see."""
    query = select(DirectoryImport).order_by(DirectoryImport.id.desc()).limit(20)
    return list(session.scalars(query))


__all__ = ["apply", "check", "discard", "newest", "sheet_of", "workbook"]
