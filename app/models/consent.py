"""Texts of consent in versions, and who agreed to which (152-FZ, features.md 5.6)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, BigKey, HasUid, stored_by_value
from app.models.enums import ConsentChannel, ConsentPurpose
from app.models.scope import PersonOwned, TenantScoped


class ConsentText(TenantScoped, HasUid, Base):
    """One version for one purpose; never edited, only followed by the next."""

    __tablename__ = "consent_text"
    __table_args__ = (UniqueConstraint("tenant_id", "purpose", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[ConsentPurpose] = mapped_column(stored_by_value(ConsentPurpose))
    version: Mapped[int]
    text_ru: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the Russian text, UTF-8."""
    valid_from: Mapped[dt.datetime]


class Consent(PersonOwned, TenantScoped, Base):
    """This person agreed to that text, then and from there."""

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    text_id: Mapped[int] = mapped_column(ForeignKey("consent_text.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    given_at: Mapped[dt.datetime]
    ip: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    channel: Mapped[ConsentChannel] = mapped_column(
        stored_by_value(ConsentChannel),
        default=ConsentChannel.SITE,
        server_default=ConsentChannel.SITE.value,
    )
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"), index=True)
    """Who of the staff wrote it down, when it was given on paper or by word."""
    withdrawn_at: Mapped[dt.datetime | None]

    text: Mapped[ConsentText] = relationship()
