"""Stars and words about a visit that took place: written once, read by staff before anybody else (E51–E52)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload
from sqlalchemy.orm.strategy_options import _AbstractLoad

from app.models.appointment import Appointment
from app.models.cabinet_choices import QuestionKind, ReviewStatus
from app.models.directory import Practitioner, PractitionerRole
from app.models.enums import AppointmentStatus as A
from app.models.organization import Organization
from app.models.review import Review, ReviewAnswer
from app.models.schedule import Schedule
from app.models.scope import widened
from app.rules import audit, surveys
from app.rules.actor import Actor
from app.rules.booking import lock_person_of
from app.rules.directory import taking_patients
from app.rules.errors import N_, NotFound, RuleError

MOST_STARS = 5
LONGEST_COMMENT = 2000
LONGEST_ANSWER = 1000
ON_A_PAGE = 30
YES, NO = "yes", "no"


class StarsNeeded(RuleError):
    code = "stars_needed"
    text = N_("Choose from one to five stars, please.")


class NotOverYet(RuleError):
    code = "not_over_yet"
    text = N_("A visit can be rated once it has taken place.")


class RatedAlready(RuleError):
    code = "rated_already"
    text = N_("This visit has been rated already: thank you.")


class ModeratedMeanwhile(RuleError):
    code = "moderated_meanwhile"
    text = N_("A colleague has dealt with this review meanwhile: it is now “%(status)s”.")


# --- whoever was there


def own(session: Session, *, uid: uuid.UUID) -> Appointment:
    """A visit of one of the reader's cards (the session's scope decides whose). Raises NotFound."""
    row = session.scalars(
        select(Appointment)
        .options(*_loaded())
        .where(Appointment.uid == uid, Appointment.status.not_in((A.HELD, A.RELEASED)))
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _loaded() -> tuple[_AbstractLoad, ...]:
    return (
        joinedload(Appointment.organization),
        joinedload(Appointment.policy),
        joinedload(Appointment.donation_type),
        joinedload(Appointment.service),
        joinedload(Appointment.schedule)
        .joinedload(Schedule.role)
        .options(joinedload(PractitionerRole.practitioner), joinedload(PractitionerRole.specialty)),
    )


def about(session: Session, *, appointment_id: int) -> Appointment:
    """The visit of a link that was found to be right, with what its page says."""
    with widened(session, "the link is the proof of whose visit it is"):
        return session.scalars(
            select(Appointment)
            .options(*_loaded())
            .where(Appointment.id == appointment_id)
            .execution_options(populate_existing=True)
        ).one()


def stars_of(session: Session, *, appointment_ids: Collection[int]) -> dict[int, int]:
    """How these visits were rated; those that were not are left out. One query."""
    rows = session.execute(
        select(Review.appointment_id, Review.stars).where(
            Review.appointment_id.in_(appointment_ids)
        )
    )
    return {row.appointment_id: row.stars for row in rows}


def write(
    session: Session,
    *,
    appointment_id: int,
    stars: int | None,
    comment: str,
    answers: Mapping[uuid.UUID, str],
    now: dt.datetime,
) -> Review:
    """Rate a visit, once. Answers to questions that are not asked any more are left out.

    Raises StarsNeeded, NotOverYet, RatedAlready.
    """
    if stars is None or not 1 <= stars <= MOST_STARS:
        raise StarsNeeded()
    with widened(session, "whose visit it is has been proved"):
        lock_person_of(session, appointment_id)  # of two at once the second sees the first
        booking = session.get_one(Appointment, appointment_id, populate_existing=True)
        if booking.status is not A.FULFILLED:
            raise NotOverYet()
        if stars_of(session, appointment_ids=[booking.id]):
            raise RatedAlready()
        day = session.get_one(Schedule, booking.schedule_id)
        row = Review(
            uid=uuid.uuid4(),
            tenant_id=booking.tenant_id,
            organization_id=booking.organization_id,
            appointment_id=booking.id,
            person_id=booking.person_id,
            role_id=day.role_id,
            stars=stars,
            comment=comment.strip()[:LONGEST_COMMENT],
            status=ReviewStatus.NEW,
            created_at=now,
        )
        session.add(row)
        session.flush()  # the answers need its key
        for question in surveys.questions(session, tenant_id=booking.tenant_id):
            value = _kept(question.kind, answers.get(question.uid, ""))
            if value:
                session.add(
                    ReviewAnswer(
                        organization_id=row.organization_id,
                        person_id=row.person_id,
                        review_id=row.id,
                        question_id=question.id,
                        value=value,
                    )
                )
        return row


def _kept(kind: QuestionKind, text: str) -> str:
    """An answer as it is kept; empty for one that does not fit its question."""
    text = text.strip()
    if kind is QuestionKind.TEXT:
        return text[:LONGEST_ANSWER]
    if kind is QuestionKind.YES_NO:
        return text if text in (YES, NO) else ""
    return text if text in {str(number) for number in range(1, MOST_STARS + 1)} else ""


# --- staff


@dataclass(frozen=True)
class Inbox:
    """A page of reviews, the newest first; ``after`` is the key of the next page."""

    rows: Sequence[Review]
    after: int | None


def inbox(session: Session, *, status: ReviewStatus, before_id: int | None = None) -> Inbox:
    """Reviews in one state, as far as the reader's roles reach, with their visits and answers."""
    query = (
        select(Review)
        .options(
            joinedload(Review.appointment).options(*_loaded()),
            selectinload(Review.answers).joinedload(ReviewAnswer.question),
        )
        .where(Review.status == status)
        .order_by(Review.id.desc())
        .limit(ON_A_PAGE + 1)
    )
    if before_id is not None:
        query = query.where(Review.id < before_id)
    rows = session.scalars(query).all()
    more = len(rows) > ON_A_PAGE
    return Inbox(rows[:ON_A_PAGE], rows[ON_A_PAGE - 1].id if more else None)


def moderate(
    session: Session,
    *,
    uid: uuid.UUID,
    seen: ReviewStatus,
    status: ReviewStatus,
    actor: Actor,
    now: dt.datetime,
) -> Review:
    """Publish or hide a review that the reader saw in the state ``seen``. Raises NotFound, ModeratedMeanwhile."""
    row = session.scalars(
        select(Review)
        .where(Review.uid == uid)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None or status is ReviewStatus.NEW:
        raise NotFound()
    if row.status is not seen:
        raise ModeratedMeanwhile(status=row.status)
    row.status, row.moderated_at, row.moderated_by_id = status, now, actor.id
    audit.record(
        session,
        verb=f"review.{status.value}",
        subject=row,
        actor=actor,
        now=now,
        changes={"status": [seen.value, status.value]},
    )
    return row


# --- everybody


@dataclass(frozen=True)
class Rating:
    """What patients say of a doctor: of every review, whatever is shown of it."""

    count: int
    average: float | None
    published: Sequence[Review]
    """The latest published ones with words."""


def role_of(session: Session, *, institution: uuid.UUID, role: uuid.UUID) -> PractitionerRole:
    """A doctor who receives there. Raises NotFound."""
    found = session.scalars(
        select(PractitionerRole)
        .join(PractitionerRole.organization)
        .join(PractitionerRole.practitioner)
        .options(
            contains_eager(PractitionerRole.organization),
            contains_eager(PractitionerRole.practitioner),
            joinedload(PractitionerRole.specialty),
        )
        .where(
            PractitionerRole.uid == role,
            PractitionerRole.is_active,
            Practitioner.is_active,
            Organization.uid == institution,
            taking_patients(),
        )
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def rating_of(session: Session, *, role_id: int, most: int = 10) -> Rating:
    """The rating of a doctor in one role, for everybody: nobody is named in it. Two queries."""
    with widened(session, "published reviews name nobody"):
        count, average = session.execute(
            select(func.count(), func.avg(Review.stars)).where(
                Review.role_id == role_id, Review.status != ReviewStatus.HIDDEN
            )
        ).one()
        rows = session.scalars(
            select(Review)
            .where(
                Review.role_id == role_id,
                Review.status == ReviewStatus.PUBLISHED,
                Review.comment != "",
            )
            .order_by(Review.id.desc())
            .limit(most)
        ).all()
    return Rating(count, None if average is None else float(average), rows)
