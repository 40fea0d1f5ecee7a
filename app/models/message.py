"""The outbox and ledger of messages, their texts, and the development mailbox."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import JSON

from app.models.account import Account
from app.models.appointment import Appointment
from app.models.base import Base, BigKey, HasUid, Line, stored_by_value
from app.models.enums import MessageChannel, MessageKind, MessageStatus
from app.models.scope import StaffOnly
from app.models.staff import StaffUser


class Message(StaffOnly, HasUid, Base):
    """Something to be sent, written in the transaction that causes it. Holds ids, never contents."""

    __tablename__ = "message"
    __table_args__ = (
        Index(
            "ix_message_due",
            "run_at",
            postgresql_where=text("status = 'due'"),
            sqlite_where=text("status = 'due'"),
        ),
        Index("ix_message_tenant_created", "tenant_id", "id"),
        Index(
            "ix_message_dead",  # counted on staff's first page
            "tenant_id",
            "id",
            postgresql_where=text("status = 'dead'"),
            sqlite_where=text("status = 'dead'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    key: Mapped[str] = mapped_column(String(80), unique=True)
    """Names the consequence once («approved:17:2»): a repeat of the cause adds nothing."""
    kind: Mapped[MessageKind] = mapped_column(stored_by_value(MessageKind))
    channel: Mapped[MessageChannel] = mapped_column(
        stored_by_value(MessageChannel), default=MessageChannel.EMAIL
    )
    """E-mail goes to the account, the member of staff or the writer; an SMS to the booking's person."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    staff_user_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"), index=True)
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"), index=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Ids and dates that the text needs and that may change later. No personal data, no codes."""
    status: Mapped[MessageStatus] = mapped_column(
        stored_by_value(MessageStatus), default=MessageStatus.DUE
    )
    run_at: Mapped[dt.datetime]
    useless_after: Mapped[dt.datetime | None]
    locked_until: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[Line] = mapped_column(default="")
    created_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]

    account: Mapped[Account | None] = relationship()
    staff_user: Mapped[StaffUser | None] = relationship()
    appointment: Mapped[Appointment | None] = relationship()


class MessageTemplate(StaffOnly, HasUid, Base):
    """The text of one kind of letter in one language, as staff of a tenant edited it.

    Where there is none, the text from app/data/letters is used.
    """

    __tablename__ = "message_template"
    __table_args__ = (UniqueConstraint("tenant_id", "kind", "locale"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    kind: Mapped[MessageKind] = mapped_column(stored_by_value(MessageKind))
    locale: Mapped[str] = mapped_column(String(5))
    subject: Mapped[Line]
    body: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[dt.datetime]


class MailboxLetter(Base):
    """A letter or an SMS «sent» by the development mailbox. The table stays empty in production."""

    __tablename__ = "mailbox_letter"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), unique=True)
    sent_at: Mapped[dt.datetime]
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[Line]
    source: Mapped[str] = mapped_column(Text)
    """The whole letter as RFC 5322 text, or the text of the SMS."""
