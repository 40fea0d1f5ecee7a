"""Who receives patients, where, in what and with what: the directory of a polyclinic (seeds B, D, E)."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Folded, HasUid, Line, Note, Word, stored_by_value
from app.models.enums import Payment
from app.models.organization import Organization
from app.models.scope import BranchScoped, TenantScoped


class Specialty(HasUid, Base):
    """A doctor's specialty, one list for the whole installation (row E61): patients search across bodies."""

    __tablename__ = "specialty"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[Word] = mapped_column(unique=True)
    name_ru: Mapped[Line]
    name_en: Mapped[Line] = mapped_column(default="")
    is_active: Mapped[bool] = mapped_column(default=True)

    def __str__(self) -> str:
        return self.name_ru


class Department(BranchScoped, HasUid, Base):
    """A department of a branch; the tree of rows E19–E21 («Детская поликлиника. Участок №1»)."""

    __tablename__ = "department"
    __table_args__ = (Index(None, "organization_id", "part_of_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    part_of_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"), index=True)
    code: Mapped[Word] = mapped_column(default="")
    """The source systems' number of it, shown in brackets: «Амбулаторно-поликлиническая служба (292)»."""
    name: Mapped[Line]
    kind: Mapped[Word] = mapped_column(default="")
    """A key of app/data/department_kinds.json (row E62); empty if none fits."""
    address: Mapped[Line] = mapped_column(default="")
    """Only where it is not the branch's own (E20: «Адрес амбулатории»)."""
    phone: Mapped[str] = mapped_column(String(80), default="")
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)

    organization: Mapped[Organization] = relationship(foreign_keys="Department.organization_id")
    part_of: Mapped[Department | None] = relationship(remote_side=[id])

    def __str__(self) -> str:
        return self.name


class HealthcareService(TenantScoped, HasUid, Base):
    """A service as this organization names it: code, name and the edition both are taken from (D19).

    The names of the nomenclature differ between editions, so neither is derived from the other.
    """

    __tablename__ = "healthcare_service"
    __table_args__ = (UniqueConstraint("tenant_id", "code", "name_ru"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[Word]
    """«B01.064.001»; may be empty for services outside the nomenclature."""
    name_ru: Mapped[Line]
    name_en: Mapped[Line] = mapped_column(default="")
    edition: Mapped[Line] = mapped_column(default="")
    specialty_id: Mapped[int | None] = mapped_column(ForeignKey("specialty.id"), index=True)
    payment: Mapped[Payment] = mapped_column(stored_by_value(Payment), default=Payment.OMS)
    memo_ru: Mapped[Note] = mapped_column(default="")
    """How to prepare: goes onto the ticket."""
    memo_en: Mapped[Note] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    """Inactive services are not offered for booking (B4: «среди открытых для записи»)."""

    specialty: Mapped[Specialty | None] = relationship()

    def __str__(self) -> str:
        return f"{self.code} {self.name_ru}".strip()


class Practitioner(TenantScoped, HasUid, Base):
    """A doctor or feldsher of one organization. The name is public: it stands on the door."""

    __tablename__ = "practitioner"
    __table_args__ = (Index(None, "tenant_id", "search_name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[Word] = mapped_column(default="")
    """The staff number, by which an import knows the doctor again."""
    family_name: Mapped[str] = mapped_column(String(80))
    given_name: Mapped[str] = mapped_column(String(80), default="")
    patronymic: Mapped[str] = mapped_column(String(80), default="")
    search_name: Mapped[str] = mapped_column(Folded, default="")
    """Full name folded for search: lower case, ё → е (app.rules.donors.folded)."""
    position: Mapped[Line] = mapped_column(default="")
    """«врач-терапевт участковый»: stands before the surname (B5)."""
    note_ru: Mapped[Line] = mapped_column(default="")
    """«прием по полису ОМС» (D20): in brackets after the name."""
    note_en: Mapped[Line] = mapped_column(default="")
    is_active: Mapped[bool] = mapped_column(default=True)

    roles: Mapped[list[PractitionerRole]] = relationship(back_populates="practitioner")
    services: Mapped[list[HealthcareService]] = relationship(
        secondary="practitioner_service", viewonly=True, order_by="HealthcareService.position"
    )

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.family_name, self.given_name, self.patronymic)))

    def __str__(self) -> str:
        return self.full_name


class PractitionerRole(BranchScoped, HasUid, Base):
    """Where a practitioner receives, in which department and specialty: one row of the picker (E19)."""

    __tablename__ = "practitioner_role"
    __table_args__ = (
        Index("ix_practitioner_role_picker", "organization_id", "specialty_id", "practitioner_id"),
        Index(
            "uq_practitioner_role",
            "practitioner_id",
            "organization_id",
            "department_id",
            "specialty_id",
            unique=True,
        ),
        Index(
            "uq_practitioner_role_without_department",
            "practitioner_id",
            "organization_id",
            "specialty_id",
            unique=True,
            postgresql_where=text("department_id IS NULL"),
            sqlite_where=text("department_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioner.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"), index=True)
    specialty_id: Mapped[int] = mapped_column(ForeignKey("specialty.id"), index=True)
    room: Mapped[Word] = mapped_column(default="")
    is_active: Mapped[bool] = mapped_column(default=True)

    practitioner: Mapped[Practitioner] = relationship(back_populates="roles")
    department: Mapped[Department | None] = relationship()
    specialty: Mapped[Specialty] = relationship()
    organization: Mapped[Organization] = relationship(
        foreign_keys="PractitionerRole.organization_id"
    )


class PractitionerService(TenantScoped, Base):
    """This practitioner gives this service (B5: «только те, кто её оказывает»)."""

    __tablename__ = "practitioner_service"
    __table_args__ = (UniqueConstraint("practitioner_id", "service_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioner.id"))
    service_id: Mapped[int] = mapped_column(ForeignKey("healthcare_service.id"), index=True)
