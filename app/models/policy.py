"""How an organization books: the settings that make one engine five systems (design.md)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Dialect, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from app.models.base import Base, HasUid, Line, stored_by_value
from app.models.directory import Department, HealthcareService
from app.models.donation_type import DonationType
from app.models.enums import Confirmation, IdentifyBy
from app.models.organization import Organization
from app.models.policy_choices import ConsentStep, Entry, PhoneRule, Wording
from app.models.scope import TenantScoped


class Methods(TypeDecorator[tuple[IdentifyBy, ...]]):
    """Ways to say who one is, in the order they are offered: «oms snils» in the database."""

    impl = String(120)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return " ".join(IdentifyBy(each).value for each in value or ())

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[IdentifyBy, ...]:
        return tuple(IdentifyBy(word) for word in (value or "").split())


class BookingPolicy(TenantScoped, HasUid, Base):
    """One version, valid from an instant on; never edited, only followed by the next one.

    It holds for the tenant, or for one organization, department, service or donation type of it: the
    most specific wins (app.rules.policies.rank). An appointment keeps the version it was made under.
    """

    __tablename__ = "booking_policy"
    __table_args__ = (Index(None, "tenant_id", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    """Also that of the department, if that is a branch's; empty for the legal body itself."""
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"), index=True)
    service_id: Mapped[int | None] = mapped_column(ForeignKey("healthcare_service.id"), index=True)
    donation_type_id: Mapped[int | None] = mapped_column(ForeignKey("donation_type.id"), index=True)
    valid_from: Mapped[dt.datetime]
    source: Mapped[Line] = mapped_column(default="")
    """Where the numbers come from: a seed's row, an order, a decision of the centre."""
    confirmation: Mapped[Confirmation] = mapped_column(stored_by_value(Confirmation))
    hold_minutes: Mapped[int]
    hold_extensions: Mapped[int]
    holds_per_address: Mapped[int]
    """Held, not yet confirmed places at once from one network address."""
    live_limit: Mapped[int]
    """Live appointments of one person at once."""
    days_after_own_cancel: Mapped[int]
    """A34: 1 = again on the next day."""
    days_after_donation: Mapped[int]
    """A35: 10, counted at booking time; the medical interval counts at the visit's date."""
    cabinet_days: Mapped[int]
    """A33: a booking stays in the list this many days after its date."""
    book_days_ahead: Mapped[int]
    decide_within_hours: Mapped[int]
    """After that the request is flagged overdue to the registrar; nothing else happens."""
    undo_seconds: Mapped[int]
    remind_hours_before: Mapped[int]
    min_age: Mapped[int]
    code_minutes: Mapped[int] = mapped_column(default=60)
    """E28: a booking that asks for a code is annulled this many minutes after its first one."""
    code_tries: Mapped[int] = mapped_column(default=5)
    """Wrong codes before another one has to be sent."""
    code_resends: Mapped[int] = mapped_column(default=3)
    entry: Mapped[Entry] = mapped_column(
        stored_by_value(Entry), default=Entry.ACCOUNT, server_default=Entry.ACCOUNT.value
    )
    methods: Mapped[tuple[IdentifyBy, ...]] = mapped_column(Methods, default=(), server_default="")
    """How somebody without an account may say who he is (E8, B9); DMS is refused by leaving it out (C1)."""
    consent: Mapped[ConsentStep] = mapped_column(
        stored_by_value(ConsentStep),
        default=ConsentStep.REGISTRATION,
        server_default=ConsentStep.REGISTRATION.value,
    )
    phone: Mapped[PhoneRule] = mapped_column(
        stored_by_value(PhoneRule), default=PhoneRule.NONE, server_default=PhoneRule.NONE.value
    )
    kiosk_seconds: Mapped[int] = mapped_column(default=0, server_default="0")
    """After success a guest is signed out by itself after so many seconds (B12: 21, D15: 18); 0: by hand."""
    kiosk_dark: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The dark blue of row D16, for screens in a hall."""
    wording: Mapped[Wording] = mapped_column(
        stored_by_value(Wording), default=Wording.DONATION, server_default=Wording.DONATION.value
    )
    for_family: Mapped[bool] = mapped_column(default=False, server_default=false())
    """An account may book for its family too (C8–C10)."""
    attachment_required: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Only who is attached here, and only with the doctor of one's own district (C9, C11–C12)."""
    referral_required: Mapped[bool] = mapped_column(default=False, server_default=false())
    """To anybody but the district doctor only by a referral (C14)."""
    move_hours: Mapped[int] = mapped_column(default=0, server_default="0")
    """B17: until so many hours before the visit its owner may move it."""
    move_limit: Mapped[int] = mapped_column(default=0, server_default="0")
    """B17: how often; 0: not at all."""
    remind_again_hours: Mapped[int] = mapped_column(default=0, server_default="0")
    """A second reminder so many hours before the visit; 0: none."""
    account_sms: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether accounts get SMS at all; E53: «из личного кабинета СМС не отправляются»."""
    offer_minutes: Mapped[int] = mapped_column(default=120, server_default="120")
    """How long a place is kept for who waits for one (N6)."""
    offer_limit: Mapped[int] = mapped_column(default=3, server_default="3")
    """How many places are offered to one who waits before his turn is over; 0: no waiting list."""
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"))

    organization: Mapped[Organization | None] = relationship(foreign_keys=[organization_id])
    department: Mapped[Department | None] = relationship()
    service: Mapped[HealthcareService | None] = relationship()
    donation_type: Mapped[DonationType | None] = relationship()
