"""Weekly patterns of a practitioner's work, and what breaks them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, ForeignKey, Index, SmallInteger, Time
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import JSON

from app.models.base import Base, HasUid, Line, stored_by_value
from app.models.directory import HealthcareService, PractitionerRole
from app.models.enums import Channel, ExceptionKind, SlotKind
from app.models.scope import BranchScoped, StaffOnly


class ScheduleTemplate(StaffOnly, BranchScoped, HasUid, Base):
    """A weekly pattern; one may serve many practitioners. Changing it never moves a slot that exists."""

    __tablename__ = "schedule_template"

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    title: Mapped[Line]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))

    lines: Mapped[list[TemplateLine]] = relationship(
        back_populates="template",
        order_by="(TemplateLine.weekday, TemplateLine.start_time)",
        cascade="all, delete-orphan",
    )


class TemplateLine(StaffOnly, Base):
    """From when to when on one weekday, in what steps (or at which minutes), of which kind, for whom."""

    __tablename__ = "template_line"
    __table_args__ = (Index(None, "template_id", "weekday", "start_time"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("schedule_template.id"))
    weekday: Mapped[int] = mapped_column(SmallInteger)
    """1 = Monday … 7 = Sunday."""
    start_time: Mapped[dt.time] = mapped_column(Time)
    end_time: Mapped[dt.time] = mapped_column(Time)
    step_minutes: Mapped[int] = mapped_column(SmallInteger)
    times: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Irregular times, «09:00», «09:25» … (E25); where given, they rule and the step is the length of the last."""
    kind: Mapped[SlotKind] = mapped_column(stored_by_value(SlotKind), default=SlotKind.PLANNED)
    channel: Mapped[Channel] = mapped_column(stored_by_value(Channel), default=Channel.WEB)
    web_share: Mapped[int | None] = mapped_column(SmallInteger)
    """At most so many of a day's slots of this line are for the web, the earliest; the rest for the desk."""
    service_id: Mapped[int | None] = mapped_column(ForeignKey("healthcare_service.id"), index=True)
    """Only this service; any of the practitioner's if empty."""

    template: Mapped[ScheduleTemplate] = relationship(back_populates="lines")
    service: Mapped[HealthcareService | None] = relationship()


class ScheduleException(StaffOnly, BranchScoped, HasUid, Base):
    """Days on which the pattern does not hold: an absence of one practitioner, or a branch's own closed day."""

    __tablename__ = "schedule_exception"
    __table_args__ = (Index(None, "organization_id", "first_day", "last_day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    role_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner_role.id"), index=True)
    """Of one practitioner here; of the whole branch if empty."""
    kind: Mapped[ExceptionKind] = mapped_column(stored_by_value(ExceptionKind))
    first_day: Mapped[dt.date] = mapped_column(Date)
    last_day: Mapped[dt.date] = mapped_column(Date)
    reason: Mapped[Line] = mapped_column(default="")
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))

    role: Mapped[PractitionerRole | None] = relationship()
