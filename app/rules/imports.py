"""Donor files: the dry run that waits, the difference it shows, and letting it go (N13).

Reading them is in ``app.rules.import_pages``, applying in ``app.rules.import_apply``, what it means for
people already booked in ``app.rules.import_effects``. The file is read by ``app.rules.donor_file``.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from app.models.donation_type import DonationType
from app.models.enums import DonationKind, ImportStatus, RowAction
from app.models.exchange import DonorImport, DonorImportRow
from app.models.organization import Organization
from app.models.staff import StaffUser
from app.rules import audit
from app.rules.actor import SYSTEM, actor_of
from app.rules.clock import local, local_date
from app.rules.donor_cells import BadCell, words
from app.rules.donor_diff import difference, known_records
from app.rules.donor_file import DonorFile
from app.rules.donor_lines import FileLine
from app.rules.errors import N_, NotFound, RuleError
from app.rules.transitions import changed_rows

CHUNK = 1000
"""Lines compared at once: a few queries each."""
KEPT_FOR = dt.timedelta(days=14)
"""A dry run that nobody applied is emptied after this: it holds copies of personal data."""
T = TypeVar("T")


class ImportEnded(RuleError):
    """The second of two: nothing is done again."""

    code = "import_ended"
    text = N_("This file has been dealt with already: %(status)s, %(who)s, %(at)s.")


def own_names(session: Session, *, tenant_id: int) -> dict[str, DonationKind]:
    """What this organization calls its donations, for ``donor_file.read_file``."""
    rows = session.execute(
        select(DonationType.name_ru, DonationType.name_en, DonationType.kind).where(
            DonationType.tenant_id == tenant_id
        )
    )
    return {words(name): row.kind for row in rows for name in (row.name_ru, row.name_en)}


def today(session: Session, *, tenant_id: int, now: dt.datetime) -> dt.date:
    """The organization's own date. Raises NotFound."""
    zone = session.scalar(select(Organization.time_zone).where(Organization.id == tenant_id))
    if zone is None:
        raise NotFound()
    return local_date(now, zone)


def check(
    session: Session,
    *,
    tenant_id: int,
    file: DonorFile,
    file_name: str,
    sha256: str,
    by: StaffUser,
    now: dt.datetime,
) -> DonorImport:
    """The dry run: each line compared with the record it names, and kept until applied or discarded."""
    day = today(session, tenant_id=tenant_id, now=now)
    imported = DonorImport(
        tenant_id=tenant_id,
        file_name=file_name[:200],
        sha256=sha256,
        status=ImportStatus.CHECKED,
        uploaded_at=now,
        uploaded_by_id=by.id,
    )
    session.add(imported)
    session.flush()  # the rows need the id
    counts: Counter[RowAction] = Counter()
    for chunk in chunks(file.lines):
        rows = _compared(session, imported, chunk, day)
        counts.update(row["action"] for row in rows)
        session.execute(insert(DonorImportRow), rows)
    imported.summary = _summary(counts) | {
        "columns": list(file.columns),
        "unknown": list(file.unknown),
    }
    audit.record(
        session,
        verb="import.check",
        subject=imported,
        actor=actor_of(by),
        now=now,
        changes={action.value: [None, counts[action]] for action in RowAction},
    )
    return imported


def _compared(
    session: Session, imported: DonorImport, lines: Sequence[FileLine], day: dt.date
) -> list[dict[str, Any]]:
    good = [(line.code, line.values) for line in lines if not line.problems]
    known = known_records(session, tenant_id=imported.tenant_id, lines=good)
    rows = []
    for line in lines:
        row = {
            "import_id": imported.id,
            "line": line.number,
            "code": line.code,
            "reason": "",
            "values": line.values,
        }
        if line.problems:
            row |= {"action": RowAction.BAD, "changes": {}}
            row |= {"reason": line.problems[0].text[:200], "values": _kept(line.problems)}
        else:
            action, changes = difference(line.values, known.get(line.code), today=day)
            row |= {"action": action, "changes": changes}
        rows.append(row)
    return rows


def _kept(problems: Sequence[BadCell]) -> dict[str, Any]:
    return {"problems": [[problem.text, dict(problem.params)] for problem in problems]}


def _summary(counts: Mapping[RowAction, int]) -> dict[str, Any]:
    return {action.value: counts.get(action, 0) for action in RowAction}


def lines_of(session: Session, imported: DonorImport) -> Iterator[list[Any]]:
    """The good lines of a dry run, in chunks of (id, code, action, values, changes), as plain rows."""
    after = 0
    while True:
        found = session.execute(
            select(
                DonorImportRow.id,
                DonorImportRow.code,
                DonorImportRow.action,
                DonorImportRow.values,
                DonorImportRow.changes,
            )
            .where(
                DonorImportRow.import_id == imported.id,
                DonorImportRow.action != RowAction.BAD,
                DonorImportRow.id > after,
            )
            .order_by(DonorImportRow.id)
            .limit(CHUNK)
        ).all()
        if not found:
            return
        yield list(found)
        after = found[-1].id


def recheck(session: Session, *, imported: DonorImport, now: dt.datetime) -> int:
    """Compare again with the records as they are now; how many lines do something else than before."""
    day = today(session, tenant_id=imported.tenant_id, now=now)
    moved = 0
    for chunk in lines_of(session, imported):
        lines = [(row.code, row.values) for row in chunk]
        known = known_records(session, tenant_id=imported.tenant_id, lines=lines)
        different = []
        for row in chunk:
            action, changes = difference(row.values, known.get(row.code), today=day)
            if (action, changes) != (row.action, row.changes):
                different.append({"id": row.id, "action": action, "changes": changes})
        if different:
            session.execute(update(DonorImportRow), different)
            moved += len(different)
    if moved:
        imported.summary = imported.summary | _summary(_counted(session, imported))
    return moved


def _counted(session: Session, imported: DonorImport) -> dict[RowAction, int]:
    pairs = session.execute(
        select(DonorImportRow.action, func.count())
        .where(DonorImportRow.import_id == imported.id)
        .group_by(DonorImportRow.action)
    )
    return {action: number for action, number in pairs}


def discard(session: Session, *, imported: DonorImport, by: StaffUser, now: dt.datetime) -> None:
    """Do nothing with the file and empty what was kept of it. Raises ImportEnded."""
    end(session, imported, ImportStatus.DISCARDED, by=by, now=now)
    empty(session, imported)
    audit.record(
        session, verb="import.discard", subject=imported, actor=actor_of(by), now=now, changes={}
    )


def discard_old(session: Session, *, now: dt.datetime) -> int:
    """Discard dry runs nobody has applied in KEPT_FOR; how many. For the nightly job."""
    old = session.scalars(
        select(DonorImport).where(
            DonorImport.status == ImportStatus.CHECKED, DonorImport.uploaded_at <= now - KEPT_FOR
        )
    ).all()
    for imported in old:
        end(session, imported, ImportStatus.DISCARDED, by=None, now=now)
        empty(session, imported)
        audit.record(
            session, verb="import.discard", subject=imported, actor=SYSTEM, now=now, changes={}
        )
    return len(old)


def end(
    session: Session,
    imported: DonorImport,
    status: ImportStatus,
    *,
    by: StaffUser | None,
    now: dt.datetime,
) -> None:
    """Checked → ``status``: exactly one of two at once wins. Raises ImportEnded for the other."""
    won = changed_rows(
        session,
        update(DonorImport)
        .where(DonorImport.id == imported.id, DonorImport.status == ImportStatus.CHECKED)
        .values(status=status, applied_at=now, ended_by_id=by.id if by else None),
    )
    session.refresh(imported)
    if not won:
        who = imported.ended_by
        zone = session.scalar(
            select(Organization.time_zone).where(Organization.id == imported.tenant_id)
        )
        raise ImportEnded(
            status=imported.status,
            who=who.full_name if who else "Talon",
            at=local(imported.applied_at or now, zone or "Europe/Moscow"),
        )


def empty(session: Session, imported: DonorImport) -> None:
    """Forget what the lines said; how many of each kind there were stays."""
    session.execute(
        update(DonorImportRow)
        .where(DonorImportRow.import_id == imported.id)
        .values(code="", values={}, changes={}),
        execution_options={"synchronize_session": False},
    )


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
