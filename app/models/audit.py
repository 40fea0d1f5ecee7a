"""What was changed, by whom; and whose card was seen."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import JSON

from app.models.base import Base, BigKey, stored_by_value
from app.models.enums import ActorKind
from app.models.scope import StaffOnly


class AuditEvent(StaffOnly, Base):
    """One change, in the same transaction as the change itself. Never updated."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_tenant", "tenant_id", "id"),
        Index("ix_audit_event_subject", "subject", "subject_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    at: Mapped[dt.datetime]
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    actor_kind: Mapped[ActorKind] = mapped_column(stored_by_value(ActorKind))
    actor_id: Mapped[int | None]
    verb: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(40))
    """The table's name."""
    subject_id: Mapped[int | None]
    changes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Field → [before, after]; personal values are masked (app.rules.audit)."""


class AccessEvent(StaffOnly, Base):
    """A member of staff saw personal data: one event per page, with the cards on it."""

    __tablename__ = "access_event"
    __table_args__ = (
        Index("ix_access_event_tenant", "tenant_id", "id"),
        Index("ix_access_event_staff", "staff_user_id", "tenant_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    at: Mapped[dt.datetime]
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    staff_user_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))
    action: Mapped[str] = mapped_column(String(40))
    ip: Mapped[str] = mapped_column(String(45), default="")

    subjects: Mapped[list[AccessSubject]] = relationship(back_populates="event")


class AccessSubject(StaffOnly, Base):
    """A card, a record of the blood service's file, or what somebody wrote to staff, that was on the page."""

    __tablename__ = "access_subject"
    __table_args__ = (
        Index("ix_access_subject_person", "person_id", "event_id"),
        Index("ix_access_subject_record", "record_id", "event_id"),
        Index("ix_access_subject_feedback", "feedback_id", "event_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("access_event.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    record_id: Mapped[int | None] = mapped_column(ForeignKey("donor_record.id"))
    feedback_id: Mapped[int | None] = mapped_column(ForeignKey("feedback.id"))

    event: Mapped[AccessEvent] = relationship(back_populates="subjects")
