"""People who wait for a place, and the places offered to them, one after another (N6)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.account import Account
from app.models.appointment import Appointment
from app.models.base import Base, BigKey, HasUid, stored_by_value
from app.models.cabinet_choices import OfferStatus, WaitingStatus
from app.models.directory import HealthcareService, PractitionerRole, Specialty
from app.models.donation_type import DonationType
from app.models.organization import Organization
from app.models.person import Person
from app.models.schedule import Slot
from app.models.scope import BranchScoped, PersonOwned

WAITS = "status IN ('waiting', 'offered')"
DONORS_WAIT = "status = 'waiting' AND donation_type_id IS NOT NULL"


class WaitingEntry(BranchScoped, PersonOwned, HasUid, Base):
    """Somebody waits for a donor's place of a type, or for a doctor, a specialty or a service."""

    __tablename__ = "waiting_entry"
    __table_args__ = (
        CheckConstraint(
            "donation_type_id IS NOT NULL OR role_id IS NOT NULL OR specialty_id IS NOT NULL"
            " OR service_id IS NOT NULL",
            name="for_something",
        ),
        Index(
            "ix_waiting_entry_next",
            "organization_id",
            "priority",
            "id",
            postgresql_where=text("status = 'waiting'"),
            sqlite_where=text("status = 'waiting'"),
        ),
        Index(  # beside the other: a null among its columns would not keep PostgreSQL's order
            "ix_waiting_entry_donors",
            "organization_id",
            "donation_type_id",
            "priority",
            "id",
            postgresql_where=text(DONORS_WAIT),
            sqlite_where=text(DONORS_WAIT),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    donation_type_id: Mapped[int | None] = mapped_column(ForeignKey("donation_type.id"), index=True)
    role_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner_role.id"), index=True)
    specialty_id: Mapped[int | None] = mapped_column(ForeignKey("specialty.id"), index=True)
    service_id: Mapped[int | None] = mapped_column(ForeignKey("healthcare_service.id"), index=True)
    family: Mapped[uuid.UUID | None] = mapped_column(Uuid(), index=True)
    """Those who wish to come together bear the same one: nothing is offered to one of them alone."""
    first_day: Mapped[dt.date | None] = mapped_column(Date)
    last_day: Mapped[dt.date | None] = mapped_column(Date)
    priority: Mapped[int] = mapped_column(default=0)
    """Lower comes first; within it, who came first."""
    status: Mapped[WaitingStatus] = mapped_column(
        stored_by_value(WaitingStatus), default=WaitingStatus.WAITING
    )
    offers: Mapped[int] = mapped_column(default=0)
    """Places offered so far: the policy limits them."""
    created_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]

    organization: Mapped[Organization] = relationship(foreign_keys="WaitingEntry.organization_id")
    account: Mapped[Account] = relationship()
    person: Mapped[Person] = relationship()
    donation_type: Mapped[DonationType | None] = relationship()
    role: Mapped[PractitionerRole | None] = relationship()
    specialty: Mapped[Specialty | None] = relationship()
    service: Mapped[HealthcareService | None] = relationship()


class WaitingOffer(BranchScoped, PersonOwned, HasUid, Base):
    """This place is kept for that person until then: by a held appointment of the one engine."""

    __tablename__ = "waiting_offer"
    __table_args__ = (
        UniqueConstraint("entry_id", "slot_id"),
        Index(
            "uq_waiting_offer_open_slot",
            "slot_id",
            unique=True,
            postgresql_where=text("status = 'open'"),
            sqlite_where=text("status = 'open'"),
        ),
        Index(
            "ix_waiting_offer_due",
            "expires_at",
            postgresql_where=text("status = 'open'"),
            sqlite_where=text("status = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("waiting_entry.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"), unique=True)
    status: Mapped[OfferStatus] = mapped_column(stored_by_value(OfferStatus))
    offered_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]

    entry: Mapped[WaitingEntry] = relationship()
    slot: Mapped[Slot] = relationship()
    appointment: Mapped[Appointment] = relationship()
