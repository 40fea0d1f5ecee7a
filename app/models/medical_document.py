"""Copies of medical documents, the paper consent that lets them go by e-mail, and prescriptions (C16–C17, E56)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import JSON

from app.models.account import Account
from app.models.base import Base, BigKey, HasUid, Line, Note, stored_by_value
from app.models.cabinet_choices import ConfirmationStatus, PaperKind
from app.models.consent import Consent
from app.models.crypto import Encrypted
from app.models.person import Person
from app.models.scope import PersonOwned, TenantScoped


class ProfileConfirmation(PersonOwned, TenantScoped, HasUid, Base):
    """A request to confirm a profile: staff compare the paper consent within three working days (C16)."""

    __tablename__ = "profile_confirmation"
    __table_args__ = (Index("ix_profile_confirmation_due", "tenant_id", "status", "due_on", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    status: Mapped[ConfirmationStatus] = mapped_column(stored_by_value(ConfirmationStatus))
    requested_at: Mapped[dt.datetime]
    due_on: Mapped[dt.date] = mapped_column(Date)
    """The last working day for staff to answer, by the Russian calendar."""
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"), index=True)
    reason: Mapped[Note] = mapped_column(default="")
    consent_id: Mapped[int | None] = mapped_column(ForeignKey("consent.id"))
    """The paper, written down when it was confirmed."""

    account: Mapped[Account] = relationship()
    person: Mapped[Person] = relationship()
    consent: Mapped[Consent | None] = relationship()


class MedicalDocument(PersonOwned, TenantScoped, HasUid, Base):
    """A file about somebody's health, encrypted; its deliveries are messages (app.models.message)."""

    __tablename__ = "medical_document"
    __table_args__ = (Index("ix_medical_document_person", "person_id", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[PaperKind] = mapped_column(stored_by_value(PaperKind))
    title: Mapped[Line]
    content = Encrypted()
    """The file in Base64 (app.rules.medical_documents)."""
    content_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """Empty once it has been withdrawn or its time of keeping is over."""
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    """Bytes of the file itself."""
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"), index=True)
    withdrawn_at: Mapped[dt.datetime | None]

    person: Mapped[Person] = relationship()


class Prescription(PersonOwned, TenantScoped, HasUid, Base):
    """«Назначение»: a medicine and its hours, for reminders by SMS if they are asked for (E56)."""

    __tablename__ = "prescription"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    medicine: Mapped[Line]
    dose: Mapped[Line] = mapped_column(default="")
    hours: Mapped[list[str]] = mapped_column(JSON, default=list)
    """«08:00», in the organization's own zone."""
    first_day: Mapped[dt.date] = mapped_column(Date)
    last_day: Mapped[dt.date] = mapped_column(Date, index=True)
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"), index=True)
    stopped_at: Mapped[dt.datetime | None]

    person: Mapped[Person] = relationship()
