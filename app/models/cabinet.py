"""What an account is told and has done: choices of notices, the event log."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BigKey, stored_by_value
from app.models.cabinet_choices import AccountEventKind, NoticeEvent
from app.models.enums import MessageChannel
from app.models.scope import AccountOwned


class NoticeChoice(AccountOwned, Base):
    """Told or not told of this by that channel; where there is no row, the default of the data holds."""

    __tablename__ = "notice_choice"
    __table_args__ = (UniqueConstraint("account_id", "event", "channel"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    event: Mapped[NoticeEvent] = mapped_column(stored_by_value(NoticeEvent))
    channel: Mapped[MessageChannel] = mapped_column(stored_by_value(MessageChannel))
    is_on: Mapped[bool]
    changed_at: Mapped[dt.datetime]


class AccountEvent(AccountOwned, Base):
    """One line of «Журнал событий» (E55): date, address, action. Never updated."""

    __tablename__ = "account_event"
    __table_args__ = (Index("ix_account_event_account", "account_id", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    at: Mapped[dt.datetime]
    kind: Mapped[AccountEventKind] = mapped_column(stored_by_value(AccountEventKind))
    ip: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """About whose card, if about one."""
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"), index=True)
