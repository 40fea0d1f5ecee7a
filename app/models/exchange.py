"""Files on their way in: a dry run that waits to be applied."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import JSON

from app.models.base import Base, BigKey, HasUid, Line, stored_by_value
from app.models.enums import ImportStatus, RowAction
from app.models.scope import StaffOnly, TenantScoped
from app.models.staff import StaffUser


class DonorImport(StaffOnly, TenantScoped, HasUid, Base):
    """One uploaded file (N13)."""

    __tablename__ = "donor_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    file_name: Mapped[Line]
    sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[ImportStatus] = mapped_column(stored_by_value(ImportStatus))
    uploaded_at: Mapped[dt.datetime]
    uploaded_by_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))
    applied_at: Mapped[dt.datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"))
    """Who applied or discarded it."""
    summary: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """How many lines of each action, and which headings were not understood. No personal data."""
    affected: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Once applied: «appointments», pairs of an appointment's id and the checks that newly fail."""

    uploaded_by: Mapped[StaffUser] = relationship(foreign_keys=[uploaded_by_id])
    ended_by: Mapped[StaffUser | None] = relationship(foreign_keys=[ended_by_id])
    rows: Mapped[list[DonorImportRow]] = relationship(
        back_populates="donor_import", order_by="DonorImportRow.line"
    )


class DonorImportRow(StaffOnly, Base):
    """One line of the file and what it would do; its contents are emptied once the import has ended."""

    __tablename__ = "donor_import_row"
    __table_args__ = (
        Index(None, "import_id", "action", "line"),
        Index(None, "import_id", "code"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("donor_import.id"))
    line: Mapped[int]
    code: Mapped[str] = mapped_column(String(20), default="")
    action: Mapped[RowAction] = mapped_column(stored_by_value(RowAction))
    reason: Mapped[Line] = mapped_column(default="")
    """Why a bad line is bad."""
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    changes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Field → [before, after]."""

    donor_import: Mapped[DonorImport] = relationship(back_populates="rows")


class DirectoryImport(StaffOnly, TenantScoped, HasUid, Base):
    """A file of a polyclinic's directory that was checked: applied whole or not at all."""

    __tablename__ = "directory_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    file_name: Mapped[Line]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """Good lines as app.rules.directory_file read them; emptied once applied or discarded."""
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """The difference and the bad lines, as they were shown."""
    status: Mapped[ImportStatus] = mapped_column(stored_by_value(ImportStatus))
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))
    applied_at: Mapped[dt.datetime | None]

    created_by: Mapped[StaffUser] = relationship()
