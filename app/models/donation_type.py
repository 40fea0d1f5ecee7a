"""What can be donated, pauses with a public notice, and the medical numbers as data."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, HasUid, Line, Note, Word, stored_by_value
from app.models.enums import DonationKind, Sex
from app.models.organization import Organization
from app.models.scope import TenantScoped


class DonationType(TenantScoped, HasUid, Base):
    """A kind of donation as this organization names it («Тромбоцитаферез», seed A, row A9)."""

    __tablename__ = "donation_type"
    __table_args__ = (UniqueConstraint("tenant_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[Word]
    kind: Mapped[DonationKind] = mapped_column(stored_by_value(DonationKind))
    name_ru: Mapped[Line]
    name_en: Mapped[Line]
    memo_ru: Mapped[Note] = mapped_column(default="")
    """How to prepare: goes into the letter and onto the ticket."""
    memo_en: Mapped[Note] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)

    def __str__(self) -> str:
        return self.name_ru


class DonationPause(TenantScoped, HasUid, Base):
    """One donation type is not booked for a while; the notice is public."""

    __tablename__ = "donation_pause"
    __table_args__ = (Index(None, "tenant_id", "ends_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    donation_type_id: Mapped[int] = mapped_column(ForeignKey("donation_type.id"), index=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    """Only at this branch; everywhere if empty."""
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime | None]
    notice_ru: Mapped[Note]
    notice_en: Mapped[Note] = mapped_column(default="")

    donation_type: Mapped[DonationType] = relationship()
    organization: Mapped[Organization | None] = relationship(foreign_keys=[organization_id])


class DonationInterval(TenantScoped, Base):
    """Calendar days from a donation of one kind to the next of another (features.md 5.1)."""

    __tablename__ = "donation_interval"
    __table_args__ = (UniqueConstraint("tenant_id", "from_kind", "to_kind", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    from_kind: Mapped[DonationKind] = mapped_column(stored_by_value(DonationKind))
    to_kind: Mapped[DonationKind] = mapped_column(stored_by_value(DonationKind))
    days: Mapped[int]
    valid_from: Mapped[dt.date] = mapped_column(Date)
    source: Mapped[Line]
    to_check: Mapped[bool] = mapped_column(default=True)
    """«Проверить»: nobody has held this number against the official text yet."""


class DonationLimit(TenantScoped, Base):
    """At most ``times`` donations of a kind in any 365 days; by sex where the order says so."""

    __tablename__ = "donation_limit"
    __table_args__ = (UniqueConstraint("tenant_id", "kind", "sex", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DonationKind] = mapped_column(stored_by_value(DonationKind))
    sex: Mapped[Sex | None] = mapped_column(stored_by_value(Sex))
    times: Mapped[int]
    valid_from: Mapped[dt.date] = mapped_column(Date)
    source: Mapped[Line]
    to_check: Mapped[bool] = mapped_column(default=True)
