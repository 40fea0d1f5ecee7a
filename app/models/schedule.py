"""Published donor days and their places."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, SmallInteger, Time, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import JSON

from app.models.base import Base, BigKey, HasUid, Line, stored_by_value
from app.models.blood import BloodType, BloodTypeSet
from app.models.donation_type import DonationType
from app.models.enums import (
    Channel,
    FirstTime,
    PublicationStatus,
    ScheduleStatus,
    Sex,
    Sign,
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
    status: Mapped[PublicationStatus] = mapped_column(stored_by_value(PublicationStatus))
    matrix: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What was filled in (app.rules.matrix.Matrix.as_json): days are made from it when it is published."""
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What publishing made, and what it had to leave out and why (app.rules.publishing)."""
    publish_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    published_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))


class Schedule(BranchScoped, HasUid, Base):
    """One published sitting: a donation type and the sets it is open to, on one date (row A3).

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
        Index("ix_schedule_date_status", "date", "status"),
        Index("ix_schedule_organization_date", "organization_id", "date"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    donation_type_id: Mapped[int] = mapped_column(ForeignKey("donation_type.id"), index=True)
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
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"))
    starts_at: Mapped[dt.datetime]
    place: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[SlotStatus] = mapped_column(stored_by_value(SlotStatus), default=SlotStatus.FREE)
    channel: Mapped[Channel] = mapped_column(stored_by_value(Channel), default=Channel.WEB)

    schedule: Mapped[Schedule] = relationship()
