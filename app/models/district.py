"""Districts of a polyclinic (участки): which houses, which doctor from when, how many web slots a day."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import JSON

from app.models.base import Base, BigKey, Folded, HasUid, Line, Note, stored_by_value
from app.models.directory import PractitionerRole
from app.models.enums import DistrictKind, Parity
from app.models.organization import Organization
from app.models.scope import BranchScoped, StaffOnly


class District(BranchScoped, HasUid, Base):
    """«Участок №91, Терапевтический» (row E42)."""

    __tablename__ = "district"
    __table_args__ = (UniqueConstraint("organization_id", "kind", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    kind: Mapped[DistrictKind] = mapped_column(stored_by_value(DistrictKind))
    number: Mapped[str] = mapped_column(String(20))
    note: Mapped[Note] = mapped_column(default="")
    web_quota: Mapped[int | None] = mapped_column(SmallInteger)
    """Slots a day for the web; the policy's number for its kind if empty (C13: 2 adult, 5 child)."""
    is_active: Mapped[bool] = mapped_column(default=True)

    organization: Mapped[Organization] = relationship(foreign_keys="District.organization_id")
    doctors: Mapped[list[DistrictDoctor]] = relationship(
        back_populates="district", order_by="DistrictDoctor.starts_on"
    )


class DistrictRange(BranchScoped, HasUid, Base):
    """Houses of one street: even, odd or all from–to, single houses beside, single houses left out."""

    __tablename__ = "district_range"
    __table_args__ = (Index(None, "organization_id", "street_key"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    district_id: Mapped[int] = mapped_column(ForeignKey("district.id"), index=True)
    settlement: Mapped[Line] = mapped_column(default="")
    street: Mapped[Line]
    street_key: Mapped[str] = mapped_column(Folded)
    """Settlement and street folded for look-up: «ул.» and «улица» off, ё → е (app.rules.streets)."""
    parity: Mapped[Parity] = mapped_column(stored_by_value(Parity), default=Parity.ALL)
    first_house: Mapped[int | None]
    last_house: Mapped[int | None]
    """Both empty with no single houses: the whole street. An empty end is open."""
    houses: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Single houses beside the range, «12/3», «7к2» (app.rules.houses gives their one spelling)."""
    except_houses: Mapped[list[str]] = mapped_column(JSON, default=list)

    district: Mapped[District] = relationship()


class DistrictDoctor(BranchScoped, Base):
    """Who is the district's doctor, from when to when."""

    __tablename__ = "district_doctor"

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    district_id: Mapped[int] = mapped_column(ForeignKey("district.id"), index=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("practitioner_role.id"), index=True)
    starts_on: Mapped[dt.date] = mapped_column(Date)
    ends_on: Mapped[dt.date | None] = mapped_column(Date)

    district: Mapped[District] = relationship(back_populates="doctors")
    role: Mapped[PractitionerRole] = relationship()


class DistrictImport(StaffOnly, BranchScoped, HasUid, Base):
    """A file of ranges that was checked: applied whole or not at all."""

    __tablename__ = "district_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    file_name: Mapped[Line]
    lines: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    report: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))
    applied_at: Mapped[dt.datetime | None]
