"""A patient without an account, as one browser has said who he is; and the address for his questionnaire."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, BigKey, HasUid, stored_by_value
from app.models.consent import ConsentText
from app.models.crypto import Encrypted
from app.models.enums import IdentifyBy
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import PersonOwned, StaffOnly, TenantScoped


class Guest(StaffOnly, TenantScoped, HasUid, Base):
    """What is known about whoever sits at one browser, for half an hour; wiped when he leaves.

    Found by the token in that browser's cookie. Never read but by app.rules.guests, for that browser.
    """

    __tablename__ = "guest"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    holder: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """Blind index of the browser's token: the same as on the places it holds (Appointment.holder)."""
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    """Where he is booking: leaving for another institution begins anew."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """Whose card was found; empty until he has said who he is."""
    method: Mapped[IdentifyBy | None] = mapped_column(stored_by_value(IdentifyBy))
    consent_text_id: Mapped[int | None] = mapped_column(ForeignKey("consent_text.id"))
    """What he agreed to, on a screen of its own or by a box."""
    agreed_at: Mapped[dt.datetime | None]
    phone = Encrypted()
    phone_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_settled: Mapped[bool] = mapped_column(default=False)
    """He has given a telephone or said that he wants to give none (row D13)."""
    email = Encrypted()
    email_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    """For the questionnaire (E14); kept only once a visit is booked."""
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"), index=True)
    """A booking found again by its number and the birth date."""
    locale: Mapped[str] = mapped_column(String(2), default="ru")
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)

    organization: Mapped[Organization] = relationship(foreign_keys="Guest.organization_id")
    person: Mapped[Person | None] = relationship()
    consent_text: Mapped[ConsentText | None] = relationship()


class SurveyAddress(PersonOwned, TenantScoped, HasUid, Base):
    """Where the questionnaire about one visit goes, with its own consent (row E14)."""

    __tablename__ = "survey_address"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"), unique=True)
    consent_id: Mapped[int] = mapped_column(ForeignKey("consent.id"))
    email = Encrypted()
    email_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[dt.datetime]
