"""Reading donor files that were checked or applied: the list, one file, its lines page by page."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.models.donor import DonorRecord
from app.models.enums import ImportStatus, RowAction
from app.models.exchange import DonorImport, DonorImportRow
from app.models.person import Person
from app.rules.donor_cells import BadCell
from app.rules.errors import NotFound

COUNT_TO = 1000


def find(
    session: Session, *, uid: uuid.UUID, tenant_ids: Sequence[int] | None = None
) -> DonorImport:
    """With who uploaded and ended it. ``tenant_ids``: only of these. Raises NotFound."""
    query = (
        select(DonorImport)
        .options(joinedload(DonorImport.uploaded_by), joinedload(DonorImport.ended_by))
        .where(DonorImport.uid == uid)
    )
    if tenant_ids is not None:
        query = query.where(DonorImport.tenant_id.in_(tenant_ids))
    imported = session.scalars(query).one_or_none()
    if imported is None:
        raise NotFound()
    return imported


def newest(
    session: Session,
    *,
    tenant_ids: Sequence[int] | None = None,
    before: int | None = None,
    size: int = 50,
) -> list[DonorImport]:
    """The files of these organizations, newest first."""
    query = (
        select(DonorImport)
        .options(joinedload(DonorImport.uploaded_by), joinedload(DonorImport.ended_by))
        .order_by(DonorImport.id.desc())
        .limit(size)
    )
    if tenant_ids is not None:
        query = query.where(DonorImport.tenant_id.in_(tenant_ids))
    if before is not None:
        query = query.where(DonorImport.id < before)
    return list(session.scalars(query))


def records_held(session: Session) -> int:
    """How many records of the donor file the reader's organizations hold; counted up to ``COUNT_TO`` + 1."""
    some = select(DonorRecord.id).limit(COUNT_TO + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def same_file(session: Session, imported: DonorImport) -> DonorImport | None:
    """The last earlier upload of the very same file, if it was applied."""
    return session.scalars(
        select(DonorImport)
        .where(
            DonorImport.tenant_id == imported.tenant_id,
            DonorImport.sha256 == imported.sha256,
            DonorImport.status == ImportStatus.APPLIED,
            DonorImport.id < imported.id,
        )
        .order_by(DonorImport.id.desc())
        .limit(1)
    ).first()


def rows(
    session: Session,
    imported: DonorImport,
    *,
    action: RowAction,
    after: int = 0,
    size: int = 100,
) -> list[DonorImportRow]:
    """Lines of one kind in the order of the file, from the line after ``after``."""
    return list(
        session.scalars(
            select(DonorImportRow)
            .where(
                DonorImportRow.import_id == imported.id,
                DonorImportRow.action == action,
                DonorImportRow.line > after,
            )
            .order_by(DonorImportRow.line)
            .limit(size)
        )
    )


def problems_of(row: DonorImportRow) -> list[BadCell]:
    """Why a bad line is bad; once the import has ended, only the first reason without its words."""
    kept = row.values.get("problems")
    if kept is None:
        return [BadCell(row.reason)] if row.reason and "%(" not in row.reason else []
    return [BadCell(text, **params) for text, params in kept]


def records_of(
    session: Session, tenant_id: int, codes: Sequence[str]
) -> dict[str, tuple[DonorRecord, Person | None]]:
    """The organization's records with these codes, each with the card it is linked to."""
    rows = session.execute(
        select(DonorRecord, Person)
        .outerjoin(Person, Person.id == DonorRecord.person_id)
        .where(DonorRecord.tenant_id == tenant_id, DonorRecord.code.in_([c for c in codes if c]))
    )
    return {record.code: (record, person) for record, person in rows}
