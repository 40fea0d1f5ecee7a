"""Published donor days and practitioners' sittings, and their places."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import JSON

from app.models.base import Base, BigKey, HasUid, Line, stored_by_value
from app.models.blood import BloodType, BloodTypeSet
from app.models.directory import HealthcareService, PractitionerRole
from app.models.donation_type import DonationType
from app.models.enums import (
    Channel,
    FirstTime,
    PublicationKind,
    PublicationStatus,
    ScheduleStatus,
    Sex,
    Sign,
    SlotKind,
    SlotStatus,
)
from app.models.organization import Organization
from app.models.scope import BranchScoped, StaffOnly, TenantScoped

OPEN = "status IN ('published', 'paused')"


class Publication(StaffOnly, TenantScoped, HasUid, Base):
    """One filled-in matrix: draft, then published at once or at a set hour."""

    __tablename__ = "publication"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[Line]
    kind: Mapped[PublicationKind] = mapped_column(
        stored_by_value(PublicationKind), default=PublicationKind.DONORS
    )
    status: Mapped[PublicationStatus] = mapped_column(stored_by_value(PublicationStatus))
    matrix: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What was filled in (app.rules.matrix.Matrix.as_json, or app.rules.sittings.Plan.as_json): days
    are made from it when it is published."""
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What publishing made, and what it had to leave out and why (app.rules.publishing)."""
    publish_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    published_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))


class Schedule(BranchScoped, HasUid, Base):
    """One published sitting on one date: a donation type and the sets it is open to (row A3), or a
    practitioner's work in one role, for one service or any of his.

    Empty ``blood_types``, ``kell`` or ``sex`` mean anybody.
    """

    __tablename__ = "schedule"
    __table_args__ = (
        Index(
            "uq_schedule_open_day",
            "organization_id",
            "donation_type_id",
            "date",
            "blood_types",
            "kell_key",
            "sex_key",
            "first_time",
            "start_time",
            unique=True,
            postgresql_where=text(OPEN),
            sqlite_where=text(OPEN),
        ),
        Index(
            "uq_schedule_open_sitting",
            "role_id",
            "date",
            "start_time",
            unique=True,
            postgresql_where=text(f"role_id IS NOT NULL AND {OPEN}"),
            sqlite_where=text(f"role_id IS NOT NULL AND {OPEN}"),
        ),
        CheckConstraint(
            "(donation_type_id IS NULL) <> (role_id IS NULL)", name="donors_or_patients"
        ),
        Index("ix_schedule_date_status", "date", "status"),
        Index("ix_schedule_organization_date", "organization_id", "date"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    donation_type_id: Mapped[int] = mapped_column(
        ForeignKey("donation_type.id"), index=True, nullable=True
    )
    """Of a donor day; readers of it have filtered for those. A practitioner's sitting has ``role_id``
    instead; never both."""
    role_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner_role.id"), index=True)
    service_id: Mapped[int | None] = mapped_column(ForeignKey("healthcare_service.id"), index=True)
    """Of a sitting: only this service; any of the practitioner's if empty."""
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("publication.id"), index=True)
    date: Mapped[dt.date] = mapped_column(Date)
    start_time: Mapped[dt.time] = mapped_column(Time)
    end_time: Mapped[dt.time] = mapped_column(Time)
    step_minutes: Mapped[int] = mapped_column(SmallInteger)
    places_per_time: Mapped[int] = mapped_column(SmallInteger)
    total: Mapped[int]
    """Places published now: what «Всего слотов» says (row A2)."""
    blood_types: Mapped[frozenset[BloodType]] = mapped_column(BloodTypeSet, default=frozenset)
    kell_key: Mapped[str] = mapped_column(default="")
    sex_key: Mapped[str] = mapped_column(default="")
    first_time: Mapped[FirstTime] = mapped_column(stored_by_value(FirstTime), default=FirstTime.ANY)
    status: Mapped[ScheduleStatus] = mapped_column(stored_by_value(ScheduleStatus))
    closed_reason: Mapped[Line] = mapped_column(default="")

    donation_type: Mapped[DonationType] = relationship()
    """Of donor days, which is what all readers of it have filtered for."""
    role: Mapped[PractitionerRole] = relationship()
    service: Mapped[HealthcareService | None] = relationship()
    organization: Mapped[Organization] = relationship(foreign_keys="Schedule.organization_id")

    @property
    def kell(self) -> Sign | None:
        return Sign(self.kell_key) if self.kell_key else None

    @property
    def sex(self) -> Sex | None:
        return Sex(self.sex_key) if self.sex_key else None


class Slot(BranchScoped, HasUid, Base):
    """ONE place at ONE time: «8:00 (2)» is ``place`` 2 (row A18)."""

    __tablename__ = "slot"
    __table_args__ = (
        UniqueConstraint("schedule_id", "starts_at", "place"),
        Index(
            "ix_slot_free",
            "schedule_id",
            "starts_at",
            "place",
            postgresql_where=text("status = 'free'"),
            sqlite_where=text("status = 'free'"),
        ),
        Index(
            "uq_slot_role_time",
            "role_id",
            "starts_at",
            unique=True,
            postgresql_where=text("role_id IS NOT NULL AND status <> 'closed'"),
            sqlite_where=text("role_id IS NOT NULL AND status <> 'closed'"),
        ),
        Index(
            "ix_slot_role_free",
            "role_id",
            "starts_at",
            postgresql_where=text("role_id IS NOT NULL AND status = 'free' AND channel = 'web'"),
            sqlite_where=text("role_id IS NOT NULL AND status = 'free' AND channel = 'web'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"))
    starts_at: Mapped[dt.datetime]
    place: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[SlotStatus] = mapped_column(stored_by_value(SlotStatus), default=SlotStatus.FREE)
    channel: Mapped[Channel] = mapped_column(stored_by_value(Channel), default=Channel.WEB)
    role_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner_role.id"))
    """The sitting's role again: the nearest free time of a doctor is one step in one index."""
    minutes: Mapped[int | None] = mapped_column(SmallInteger)
    """How long it lasts; empty for a donor's place, whose step stands in the day."""
    kind: Mapped[SlotKind] = mapped_column(stored_by_value(SlotKind), default=SlotKind.PLANNED)

    schedule: Mapped[Schedule] = relationship()
