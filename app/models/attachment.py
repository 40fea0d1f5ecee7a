"""To which organization and district a card belongs, and what its district doctor lets it do."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, BigKey, HasUid, Line, stored_by_value
from app.models.cabinet_choices import AttachmentSource, AttachmentStatus
from app.models.crypto import Encrypted
from app.models.directory import HealthcareService, PractitionerRole, Specialty
from app.models.district import District
from app.models.enums import DistrictKind
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import PersonOwned, TenantScoped


class Attachment(PersonOwned, TenantScoped, HasUid, Base):
    """«Прикрепление» of a card to an organization and, of each kind, to one district (C9, C11)."""

    __tablename__ = "attachment"
    __table_args__ = (
        Index(
            "uq_attachment_active",
            "person_id",
            "kind",
            unique=True,
            postgresql_where=text("status = 'active'"),
            sqlite_where=text("status = 'active'"),
        ),
        Index("ix_attachment_waiting", "tenant_id", "status", "requested_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    kind: Mapped[DistrictKind] = mapped_column(stored_by_value(DistrictKind))
    district_id: Mapped[int | None] = mapped_column(ForeignKey("district.id"), index=True)
    """Empty: attached to the organization, the district is not known."""
    status: Mapped[AttachmentStatus] = mapped_column(stored_by_value(AttachmentStatus))
    source: Mapped[AttachmentSource] = mapped_column(stored_by_value(AttachmentSource))
    address = Encrypted()
    """Street and house as typed, where it was found by address."""
    address_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    requested_at: Mapped[dt.datetime]
    starts_at: Mapped[dt.datetime | None]
    ends_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"), index=True)
    note: Mapped[Line] = mapped_column(default="")
    """Why it was refused or ended, as the person is told."""

    person: Mapped[Person] = relationship()
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    district: Mapped[District | None] = relationship()


class Referral(PersonOwned, TenantScoped, HasUid, Base):
    """«Направление» to a specialist (C14): opens one booking, given back if that is cancelled."""

    __tablename__ = "referral"
    __table_args__ = (Index("ix_referral_person", "person_id", "specialty_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    specialty_id: Mapped[int] = mapped_column(ForeignKey("specialty.id"), index=True)
    service_id: Mapped[int | None] = mapped_column(ForeignKey("healthcare_service.id"), index=True)
    """Empty: any service of that specialty."""
    issued_at: Mapped[dt.datetime]
    issued_by_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"), index=True)
    role_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner_role.id"), index=True)
    """The doctor who refers."""
    valid_until: Mapped[dt.date] = mapped_column(Date)
    reason: Mapped[Line] = mapped_column(default="")
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"), unique=True)
    """The booking that has used it up."""
    withdrawn_at: Mapped[dt.datetime | None]

    person: Mapped[Person] = relationship()
    specialty: Mapped[Specialty] = relationship()
    service: Mapped[HealthcareService | None] = relationship()
    role: Mapped[PractitionerRole | None] = relationship()
