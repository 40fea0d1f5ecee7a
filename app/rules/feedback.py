"""What people write to staff by the form (rows E57, E58): taken, assigned, answered by letter, closed.

Name, phone and address are encrypted; the audit and the outbox hold ids only.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.enums import FeedbackStatus as F
from app.models.enums import MessageKind
from app.models.message import Message
from app.models.organization import Organization
from app.models.page import Feedback
from app.models.staff import RoleAssignment, StaffUser
from app.rules import access, audit, outbox
from app.rules.actor import Actor
from app.rules.donors import folded
from app.rules.errors import N_, NotFound, RuleError

LONGEST_QUESTION = 4000
LONGEST_ANSWER = 2000
ON_A_PAGE = 30
OPEN = (F.NEW, F.ASSIGNED)
LETTERS = frozenset({MessageKind.FEEDBACK_RECEIVED, MessageKind.FEEDBACK_ANSWERED})


class AnsweredMeanwhile(RuleError):
    code = "answered_meanwhile"
    text = N_("Somebody has answered or closed this meanwhile: it is now “%(status)s”.")


class AnswerNeeded(RuleError):
    code = "answer_needed"
    text = N_("Write the answer, please: the person will read it in a letter.")


class AnswerTooLong(RuleError):
    code = "answer_too_long"
    text = N_("The answer is longer than %(most)s characters: shorten it, please.")


# --- the public


def organizations(session: Session) -> list[Organization]:
    """Whom one can write to: every legal body that works."""
    return list(
        session.scalars(
            select(Organization)
            .where(Organization.root_id.is_(None), Organization.is_active)
            .order_by(Organization.short_name, Organization.id)
        )
    )


@dataclass(frozen=True)
class Letter:
    """What the form has asked for; ``phone`` as typed or normal, whatever the number."""

    family_name: str
    given_name: str
    patronymic: str
    phone: str
    email: str
    question: str

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.family_name, self.given_name, self.patronymic)))


def send(
    session: Session, *, tenant_id: int, letter: Letter, locale: str, now: dt.datetime
) -> Feedback:
    """Keep a letter to staff and tell its writer that it has come."""
    row = Feedback(uid=uuid.uuid4(), tenant_id=tenant_id, locale=locale, created_at=now)
    row.name, row.phone, row.email = letter.name, letter.phone, letter.email
    row.question = letter.question[:LONGEST_QUESTION]
    session.add(row)
    session.flush()  # the outbox names it by its id
    _tell(session, row, MessageKind.FEEDBACK_RECEIVED, now)
    return row


def _tell(session: Session, row: Feedback, kind: MessageKind, now: dt.datetime) -> None:
    outbox.add(
        session,
        kind=kind,
        key=f"{kind}:{row.id}",
        now=now,
        tenant_id=row.tenant_id,
        facts={"feedback_id": row.id},
    )


def of_message(session: Session, message: Message) -> Feedback | None:
    """What a letter of the outbox is about, if it is one of these."""
    if message.kind not in LETTERS:
        return None
    row = session.get(Feedback, message.facts.get("feedback_id", 0))
    return row if row is not None and row.tenant_id == message.tenant_id else None


# --- the inbox


@dataclass(frozen=True)
class Inbox:
    """A page of the list, newest first; ``after`` is the key of the next one."""

    rows: list[Feedback]
    after: int | None


def inbox(session: Session, *, status: F | None, before_id: int | None = None) -> Inbox:
    """Letters in one state (None: in any), as far as the reader's roles reach."""
    query = select(Feedback).options(joinedload(Feedback.assigned_to)).order_by(Feedback.id.desc())
    if status is not None:
        query = query.where(Feedback.status == status)
    if before_id is not None:
        query = query.where(Feedback.id < before_id)
    rows = list(session.scalars(query.limit(ON_A_PAGE + 1)))
    more, rows = len(rows) > ON_A_PAGE, rows[:ON_A_PAGE]
    return Inbox(rows, rows[-1].id if more else None)


def waiting(session: Session) -> dict[F, int]:
    """How many are new and in progress."""
    rows = session.execute(
        select(Feedback.status, func.count())
        .where(Feedback.status.in_(OPEN))
        .group_by(Feedback.status)
    )
    return {status: number for status, number in rows}


def named(session: Session, *, uid: uuid.UUID) -> Feedback:
    """Raises NotFound if it is not there or not the reader's to see."""
    query = (
        select(Feedback)
        .where(Feedback.uid == uid)
        .options(joinedload(Feedback.assigned_to), joinedload(Feedback.answered_by))
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound()
    return row


def colleagues(session: Session, *, tenant_id: int) -> list[StaffUser]:
    """Who may be given a letter of this organization: whose role lets him answer it there."""
    roles = [role for role, may in access.PERMISSIONS.items() if "feedback.answer" in may]
    there = select(Organization.id).where(
        or_(Organization.id == tenant_id, Organization.root_id == tenant_id)
    )
    able = select(RoleAssignment.staff_user_id).where(
        RoleAssignment.role.in_(roles),
        or_(RoleAssignment.organization_id.is_(None), RoleAssignment.organization_id.in_(there)),
    )
    rows = session.scalars(select(StaffUser).where(StaffUser.is_active, StaffUser.id.in_(able)))
    return sorted(rows, key=lambda user: (folded(user.full_name), user.id))


def take(session: Session, *, uid: uuid.UUID, actor: Actor, now: dt.datetime) -> Feedback:
    """The reader answers it. Raises NotFound, AnsweredMeanwhile."""
    row = _open(session, uid)
    row.status, row.assigned_to_id = F.ASSIGNED, actor.id
    audit.record(session, verb="feedback.take", subject=row, actor=actor, now=now)
    return row


def assign(
    session: Session, *, uid: uuid.UUID, to_id: int, actor: Actor, now: dt.datetime
) -> Feedback:
    """A colleague is to answer it. Raises NotFound (also of the colleague), AnsweredMeanwhile."""
    row = _open(session, uid)
    if to_id not in {user.id for user in colleagues(session, tenant_id=row.tenant_id)}:
        raise NotFound()
    row.status, row.assigned_to_id = F.ASSIGNED, to_id
    audit.record(session, verb="feedback.assign", subject=row, actor=actor, now=now)
    return row


def answer(
    session: Session, *, uid: uuid.UUID, text: str, actor: Actor, now: dt.datetime
) -> Feedback:
    """Answer by letter, once. Raises NotFound, AnswerNeeded, AnswerTooLong, AnsweredMeanwhile."""
    if not text.strip():
        raise AnswerNeeded()
    if len(text.strip()) > LONGEST_ANSWER:
        raise AnswerTooLong(most=LONGEST_ANSWER)
    row = _open(session, uid)
    row.status, row.answer = F.ANSWERED, text.strip()
    row.answered_at, row.answered_by_id = now, actor.id
    audit.record(session, verb="feedback.answer", subject=row, actor=actor, now=now)
    _tell(session, row, MessageKind.FEEDBACK_ANSWERED, now)
    return row


def close(session: Session, *, uid: uuid.UUID, actor: Actor, now: dt.datetime) -> Feedback:
    """Nothing more is to be done: answered, or answered by phone. Raises NotFound, AnsweredMeanwhile."""
    row = _locked(session, uid)
    if row.status is F.CLOSED:
        raise AnsweredMeanwhile(status=row.status)
    row.status = F.CLOSED
    audit.record(session, verb="feedback.close", subject=row, actor=actor, now=now)
    return row


def _open(session: Session, uid: uuid.UUID) -> Feedback:
    row = _locked(session, uid)
    if row.status not in OPEN:
        raise AnsweredMeanwhile(status=row.status)
    return row


def _locked(session: Session, uid: uuid.UUID) -> Feedback:
    """The row as it is now, locked: two answers to one question never leave."""
    query = select(Feedback).where(Feedback.uid == uid).with_for_update()
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound()
    return row
