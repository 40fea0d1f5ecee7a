"""Donor files on their way in: a dry run that waits to be applied."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import JSON

from app.models.base import Base, BigKey, HasUid, Line, stored_by_value
from app.models.enums import ImportStatus, RowAction
from app.models.scope import StaffOnly, TenantScoped


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

    rows: Mapped[list[DonorImportRow]] = relationship(
        back_populates="donor_import", order_by="DonorImportRow.line"
    )


class DonorImportRow(StaffOnly, Base):
    """One line of the file and what it would do; its contents are emptied once the import has ended."""

    __tablename__ = "donor_import_row"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("donor_import.id"), index=True)
    line: Mapped[int]
    action: Mapped[RowAction] = mapped_column(stored_by_value(RowAction))
    reason: Mapped[Line] = mapped_column(default="")
    """Why a bad line is bad."""
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    changes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Field → [before, after]."""

    donor_import: Mapped[DonorImport] = relationship(back_populates="rows")
