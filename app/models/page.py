"""Pages that staff write (information, questions, news, hotline) and what people write to staff."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, BigKey, HasUid, Line, Note, stored_by_value
from app.models.crypto import Encrypted
from app.models.enums import FeedbackStatus, PageKind
from app.models.scope import StaffOnly, TenantScoped
from app.models.staff import StaffUser


class Page(TenantScoped, HasUid, Base):
    """«Информация для населения», FAQ, news, hotline (rows E1, E57): cleaned HTML, versions by audit."""

    __tablename__ = "page"
    __table_args__ = (
        UniqueConstraint("tenant_id", "slug"),
        Index(None, "tenant_id", "kind", "published_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[PageKind] = mapped_column(stored_by_value(PageKind))
    slug: Mapped[str] = mapped_column(String(80))
    title_ru: Mapped[Line]
    title_en: Mapped[Line] = mapped_column(default="")
    body_ru: Mapped[str] = mapped_column(Text, default="")
    """HTML as app.rules.pages.cleaned left it."""
    body_en: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
    published_at: Mapped[dt.datetime | None]
    """Not shown before; a draft if empty."""
    updated_at: Mapped[dt.datetime]


class Feedback(StaffOnly, TenantScoped, HasUid, Base):
    """A question or a complaint from the form (E58). Name, phone and address are kept encrypted."""

    __tablename__ = "feedback"
    __table_args__ = (Index(None, "tenant_id", "status", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    status: Mapped[FeedbackStatus] = mapped_column(
        stored_by_value(FeedbackStatus), default=FeedbackStatus.NEW
    )
    name = Encrypted()
    name_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone = Encrypted()
    phone_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    email = Encrypted(indexed=True)
    email_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[Note] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(String(5), default="ru")
    created_at: Mapped[dt.datetime]
    assigned_to_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"), index=True)
    answered_at: Mapped[dt.datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"))

    assigned_to: Mapped[StaffUser | None] = relationship(foreign_keys=[assigned_to_id])
    answered_by: Mapped[StaffUser | None] = relationship(foreign_keys=[answered_by_id])
