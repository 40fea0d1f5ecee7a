"""What a donor says of himself, what the blood service's file says, deferrals and donations."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, BigKey, Folded, HasUid, Line, Note, stored_by_value
from app.models.blood import BloodType
from app.models.enums import BloodGroup, DeferralKind, DonationKind, FactSource, Sex, Sign
from app.models.person import Person
from app.models.scope import PersonOwned, StaffOnly, TenantScoped


class Donor(PersonOwned, TenantScoped, Base):
    """The donor's own words at registration (seed A, row A11). Only the code is his to change (A12)."""

    __tablename__ = "donor"
    __table_args__ = (Index(None, "tenant_id", "donor_code"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    donor_code: Mapped[str] = mapped_column(String(20))
    blood_group: Mapped[BloodGroup] = mapped_column(stored_by_value(BloodGroup))
    rh: Mapped[Sign] = mapped_column(stored_by_value(Sign))
    kell: Mapped[Sign] = mapped_column(stored_by_value(Sign))

    person: Mapped[Person] = relationship()

    @property
    def blood_type(self) -> BloodType:
        return BloodType(self.blood_group, self.rh)


class DonorRecord(StaffOnly, TenantScoped, HasUid, Base):
    """A row of the blood service's file («информационная система трансфузиологии», row A26).

    ``person_id`` is set when a registrar has accepted that this record is that person: only then do
    its deferrals and donations speak to the donor. Before that they are for staff's eyes alone,
    because anybody can type anybody's code.
    """

    __tablename__ = "donor_record"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        Index(None, "tenant_id", "search_name"),
        Index(None, "tenant_id", "birth_date"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    code: Mapped[str] = mapped_column(String(20))
    family_name: Mapped[str] = mapped_column(String(80), default="")
    given_name: Mapped[str] = mapped_column(String(80), default="")
    patronymic: Mapped[str] = mapped_column(String(80), default="")
    search_name: Mapped[str] = mapped_column(Folded, default="")
    birth_date: Mapped[dt.date | None] = mapped_column(Date)
    sex: Mapped[Sex | None] = mapped_column(stored_by_value(Sex))
    blood_group: Mapped[BloodGroup] = mapped_column(stored_by_value(BloodGroup))
    rh: Mapped[Sign] = mapped_column(stored_by_value(Sign))
    kell: Mapped[Sign | None] = mapped_column(stored_by_value(Sign))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), unique=True)
    filled: Mapped[str] = mapped_column(String(80), default="")
    """Fields of the linked card that were empty and took this record's values, by commas: they follow
    the record, and are emptied again if the link is undone."""
    updated_at: Mapped[dt.datetime]

    @property
    def blood_type(self) -> BloodType:
        return BloodType(self.blood_group, self.rh)

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.family_name, self.given_name, self.patronymic)))

    def __str__(self) -> str:
        return f"{self.code} {self.full_name}".strip()


class Deferral(PersonOwned, TenantScoped, HasUid, Base):
    """«Медицинский отвод»: no donation from ``starts_on`` to ``ends_on`` inclusive (none: for ever)."""

    __tablename__ = "deferral"
    __table_args__ = (CheckConstraint("person_id IS NOT NULL OR record_id IS NOT NULL", "owner"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    record_id: Mapped[int | None] = mapped_column(ForeignKey("donor_record.id"), index=True)
    kind: Mapped[DeferralKind] = mapped_column(stored_by_value(DeferralKind))
    reason: Mapped[Line] = mapped_column(default="")
    starts_on: Mapped[dt.date] = mapped_column(Date)
    ends_on: Mapped[dt.date | None] = mapped_column(Date)
    source: Mapped[FactSource] = mapped_column(stored_by_value(FactSource))
    withdrawn_at: Mapped[dt.datetime | None]


class Donation(PersonOwned, TenantScoped, HasUid, Base):
    """Blood or a component was given on this day (the organization's own date)."""

    __tablename__ = "donation"
    __table_args__ = (
        CheckConstraint("person_id IS NOT NULL OR record_id IS NOT NULL", "owner"),
        Index(None, "person_id", "on_date"),
        Index(None, "record_id", "on_date"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    record_id: Mapped[int | None] = mapped_column(ForeignKey("donor_record.id"))
    kind: Mapped[DonationKind] = mapped_column(stored_by_value(DonationKind))
    on_date: Mapped[dt.date] = mapped_column(Date)
    source: Mapped[FactSource] = mapped_column(stored_by_value(FactSource))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"), index=True)
    note: Mapped[Note] = mapped_column(default="")
