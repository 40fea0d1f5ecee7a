"""Stars and words about a visit that took place, and the survey's questions that staff edit (E14, E51–E52)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.appointment import Appointment
from app.models.base import Base, BigKey, HasUid, Line, Note, stored_by_value
from app.models.cabinet_choices import QuestionKind, ReviewStatus
from app.models.scope import BranchScoped, PersonOwned, TenantScoped


class SurveyQuestion(TenantScoped, HasUid, Base):
    """One question of an organization's survey."""

    __tablename__ = "survey_question"

    id: Mapped[int] = mapped_column(primary_key=True)
    text_ru: Mapped[Line]
    text_en: Mapped[Line] = mapped_column(default="")
    kind: Mapped[QuestionKind] = mapped_column(stored_by_value(QuestionKind))
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)

    def __str__(self) -> str:
        return self.text_ru


class Review(BranchScoped, PersonOwned, HasUid, Base):
    """What somebody says of one visit: once."""

    __tablename__ = "review"
    __table_args__ = (
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        Index("ix_review_organization", "organization_id", "status", "id"),
        Index("ix_review_role", "role_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner_role.id"))
    stars: Mapped[int] = mapped_column(SmallInteger)
    comment: Mapped[Note] = mapped_column(default="")
    status: Mapped[ReviewStatus] = mapped_column(
        stored_by_value(ReviewStatus), default=ReviewStatus.NEW
    )
    created_at: Mapped[dt.datetime]
    moderated_at: Mapped[dt.datetime | None]
    moderated_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"), index=True)

    appointment: Mapped[Appointment] = relationship()
    answers: Mapped[list[ReviewAnswer]] = relationship(back_populates="review")


class ReviewAnswer(BranchScoped, PersonOwned, Base):
    """The answer to one question, as it was typed or ticked."""

    __tablename__ = "review_answer"
    __table_args__ = (UniqueConstraint("review_id", "question_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    question_id: Mapped[int] = mapped_column(ForeignKey("survey_question.id"), index=True)
    value: Mapped[Note]

    review: Mapped[Review] = relationship(back_populates="answers")
    question: Mapped[SurveyQuestion] = relationship()
