"""Who holds a place, and everything that happened to that."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, BigKey, HasUid, Line, Note, stored_by_value
from app.models.crypto import Encrypted
from app.models.directory import HealthcareService
from app.models.donation_type import DonationType
from app.models.enums import ActorKind, AppointmentStatus, Channel
from app.models.organization import Organization
from app.models.person import Person
from app.models.policy import BookingPolicy
from app.models.schedule import Schedule, Slot
from app.models.scope import BranchScoped, PersonOwned, StaffOnly, TenantScoped

FIRST_NUMBER = 1000


class RejectionReason(TenantScoped, HasUid, Base):
    """Why a request is rejected: the editable list (row A32) and what the letter advises."""

    __tablename__ = "rejection_reason"

    id: Mapped[int] = mapped_column(primary_key=True)
    text_ru: Mapped[Line]
    text_en: Mapped[Line]
    advice_ru: Mapped[Note] = mapped_column(default="")
    advice_en: Mapped[Note] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)

    def __str__(self) -> str:
        return self.text_ru


class Appointment(BranchScoped, PersonOwned, HasUid, Base):
    """A booking, from the held place to the visit. Only app.rules.transitions writes ``status``."""

    __tablename__ = "appointment"
    __table_args__ = (
        Index(
            "uq_appointment_slot_kept",
            "slot_id",
            unique=True,
            postgresql_where=text("keeps_slot"),
            sqlite_where=text("keeps_slot = 1"),
        ),
        Index("ix_appointment_queue", "organization_id", "status", "starts_at", "id"),
        Index(
            "ix_appointment_overdue",
            "decide_by",
            postgresql_where=text("status = 'pending'"),
            sqlite_where=text("status = 'pending'"),
        ),
        Index("ix_appointment_decided", "decided_by_id", "decided_at"),
        Index("ix_appointment_person_starts", "person_id", "starts_at"),
        Index("ix_appointment_status_starts", "status", "starts_at", "id"),
        Index(
            "ix_appointment_holds",
            "hold_until",
            postgresql_where=text("status = 'held'"),
            sqlite_where=text("status = 'held'"),
        ),
        CheckConstraint("person_id IS NOT NULL OR status IN ('held', 'released')", name="somebody"),
        Index(
            "ix_appointment_holder",
            "holder",
            postgresql_where=text("holder IS NOT NULL"),
            sqlite_where=text("holder IS NOT NULL"),
        ),
        Index(
            "ix_appointment_codes",
            "code_until",
            postgresql_where=text("status = 'proposed'"),
            sqlite_where=text("status = 'proposed'"),
        ),
        Index(
            "ix_appointment_undo",
            "undo_until",
            postgresql_where=text("status = 'rejected' AND keeps_slot"),
            sqlite_where=text("status = 'rejected' AND keeps_slot = 1"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), nullable=True)
    """Empty only while a place is held by a browser whose owner has not said who he is (``holder``)."""
    holder: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Blind index of the token in that browser's cookie (app.rules.patients)."""
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"), index=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"), index=True)
    donation_type_id: Mapped[int] = mapped_column(ForeignKey("donation_type.id"), nullable=True)
    """Of a donor's booking; readers of it have filtered for those. A patient's has ``service_id``."""
    service_id: Mapped[int | None] = mapped_column(ForeignKey("healthcare_service.id"), index=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("booking_policy.id"))
    status: Mapped[AppointmentStatus] = mapped_column(stored_by_value(AppointmentStatus))
    channel: Mapped[Channel] = mapped_column(
        stored_by_value(Channel), default=Channel.WEB, server_default=Channel.WEB.value
    )
    """Where it was made: on the site, or at the desk on the person's behalf."""
    phone = Encrypted()
    phone_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The telephone given for this booking; SMS go there, else to the card's (rows D11–D13, E27)."""
    keeps_slot: Mapped[bool]
    """This appointment is why its slot is held or busy; at most one per slot, by index."""
    starts_at: Mapped[dt.datetime]
    """The slot's start, kept here so that queues page by one index."""
    created_at: Mapped[dt.datetime]
    requested_at: Mapped[dt.datetime | None]
    hold_until: Mapped[dt.datetime | None]
    hold_extended: Mapped[int] = mapped_column(default=0)
    held_from: Mapped[bytes | None]
    """Blind index of the network address that holds the place; emptied when the hold ends."""
    decide_by: Mapped[dt.datetime | None]
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"))
    undo_until: Mapped[dt.datetime | None]
    reason_id: Mapped[int | None] = mapped_column(ForeignKey("rejection_reason.id"))
    comment: Mapped[Note] = mapped_column(default="")
    """Of the rejection or the staff's cancel: the letter quotes it."""
    override_reason: Mapped[Line] = mapped_column(default="")
    """Why a failing check was overridden at approval."""
    linked_record_id: Mapped[int | None] = mapped_column(ForeignKey("donor_record.id"))
    """The record this approval accepted as the donor's; an undone approval lets go of it again."""
    code_nonce: Mapped[str] = mapped_column(String(32), default="")
    """The code sent by SMS is derived from it (app.rules.codes) and stored nowhere; empty: no code."""
    code_until: Mapped[dt.datetime | None]
    code_tries: Mapped[int] = mapped_column(default=0)
    """Wrong codes typed for the present nonce."""
    code_sent: Mapped[int] = mapped_column(default=0)
    """Codes sent so far."""
    moved_by_owner: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often its owner has moved it to another time (B17): the policy limits that."""
    ended_by: Mapped[ActorKind | None] = mapped_column(stored_by_value(ActorKind))
    ended_at: Mapped[dt.datetime | None]

    person: Mapped[Person] = relationship()
    slot: Mapped[Slot] = relationship()
    schedule: Mapped[Schedule] = relationship()
    donation_type: Mapped[DonationType] = relationship()
    """Of donors' bookings, which is what all readers of it have filtered for."""
    service: Mapped[HealthcareService | None] = relationship()
    organization: Mapped[Organization] = relationship(foreign_keys="Appointment.organization_id")
    policy: Mapped[BookingPolicy] = relationship()
    reason: Mapped[RejectionReason | None] = relationship()
    events: Mapped[list[AppointmentEvent]] = relationship(
        back_populates="appointment", order_by="AppointmentEvent.id"
    )

    @property
    def number(self) -> int:
        """«№ записи» (row A29): a label to say aloud, never a key to anything."""
        return FIRST_NUMBER + self.id


class AppointmentEvent(StaffOnly, Base):
    """One change of status: exactly one row each (reliability.md I4, I6)."""

    __tablename__ = "appointment_event"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"), index=True)
    at: Mapped[dt.datetime]
    event: Mapped[str] = mapped_column(String(24))
    from_status: Mapped[AppointmentStatus | None] = mapped_column(
        stored_by_value(AppointmentStatus)
    )
    to_status: Mapped[AppointmentStatus] = mapped_column(stored_by_value(AppointmentStatus))
    actor_kind: Mapped[ActorKind] = mapped_column(stored_by_value(ActorKind))
    actor_id: Mapped[int | None]

    appointment: Mapped[Appointment] = relationship(back_populates="events")
