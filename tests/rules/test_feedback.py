"""Letters to staff: kept encrypted, taken, given on, answered once; the outbox and the audit hold ids."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AuditEvent, Feedback, Message
from app.models.enums import FeedbackStatus, MessageKind, Role
from app.models.scope import PUBLIC, SYSTEM, Scope, set_scope
from app.rules import access, feedback
from app.rules.actor import actor_of
from app.rules.errors import NotFound
from app.rules.feedback import ON_A_PAGE, AnsweredMeanwhile, Letter
from tests import make

LETTER = Letter(
    family_name="Канарейкина",
    given_name="Анна",
    patronymic="",
    phone="+79001112233",
    email="canary@example.org",
    question="Когда приём хирурга?",
)


@pytest.fixture
def tenant(session: Session) -> make.Tenant:
    return make.make_tenant(session)


def sent(session: Session, tenant: make.Tenant, now: dt.datetime) -> Feedback:
    set_scope(session, PUBLIC)
    try:
        return feedback.send(session, tenant_id=tenant.id, letter=LETTER, locale="ru", now=now)
    finally:
        session.flush()
        set_scope(session, SYSTEM)


def test_the_public_writes_it_and_a_letter_is_due(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    row = sent(session, tenant, now)
    assert (row.name, row.phone, row.email) == ("Канарейкина Анна", LETTER.phone, LETTER.email)
    for stored in (row.name_ciphertext, row.phone_ciphertext, row.email_ciphertext):
        assert stored and b"canary" not in stored and "Канарейк".encode() not in stored
    [message] = session.scalars(select(Message)).all()
    assert message.kind is MessageKind.FEEDBACK_RECEIVED
    assert message.facts == {"feedback_id": row.id}
    set_scope(session, PUBLIC)
    assert session.scalars(select(Feedback)).all() == []
    set_scope(session, SYSTEM)


def test_it_is_taken_given_on_and_answered_once(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    row = sent(session, tenant, now)
    me = make.make_staff(session, Role.REGISTRAR, tenant.root)
    other = make.make_staff(session, Role.OPERATOR, tenant.branch)
    common = {"uid": row.uid, "actor": actor_of(me), "now": now}
    feedback.take(session, **common)
    assert (row.status, row.assigned_to_id) == (FeedbackStatus.ASSIGNED, me.id)
    feedback.assign(session, to_id=other.id, **common)
    assert row.assigned_to_id == other.id
    with pytest.raises(feedback.AnswerNeeded):
        feedback.answer(session, text=" \n ", **common)
    with pytest.raises(feedback.AnswerTooLong):
        feedback.answer(session, text="я" * 2001, **common)
    feedback.answer(session, text=" По средам. ", **common)
    assert (row.status, row.answer, row.answered_by_id) == (FeedbackStatus.ANSWERED, "По средам.", me.id)  # fmt: skip
    for again in (
        lambda: feedback.answer(session, text="Ещё раз", **common),
        lambda: feedback.take(session, **common),
        lambda: feedback.assign(session, to_id=other.id, **common),
    ):
        with pytest.raises(AnsweredMeanwhile):
            again()
    feedback.close(session, **common)
    with pytest.raises(AnsweredMeanwhile):
        feedback.close(session, **common)
    session.flush()
    kinds = [message.kind for message in session.scalars(select(Message).order_by(Message.id))]
    assert kinds == [MessageKind.FEEDBACK_RECEIVED, MessageKind.FEEDBACK_ANSWERED]


def test_the_audit_and_the_outbox_name_nobody(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    row = sent(session, tenant, now)
    me = make.make_staff(session, Role.MANAGER, tenant.root)
    common = {"uid": row.uid, "actor": actor_of(me), "now": now}
    feedback.take(session, **common)
    feedback.answer(session, text="Хирург: по средам.", **common)
    feedback.close(session, **common)
    session.flush()
    lines = session.scalars(select(AuditEvent).where(AuditEvent.subject == "feedback")).all()
    assert [line.verb for line in lines] == ["feedback.take", "feedback.answer", "feedback.close"]
    written = str([line.changes for line in lines]) + str(
        [(m.key, m.facts) for m in session.scalars(select(Message))]
    )
    for secret in ("Канарейк", "canary", "9001112233", "хирург", "Хирург"):
        assert secret not in written
    assert lines[0].changes["status"] == ["new", "assigned"]


def test_only_colleagues_who_may_answer_there_are_given_a_letter(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    row = sent(session, tenant, now)
    foreign = make.make_tenant(session, name="Речной центр")
    able = [make.make_staff(session, role, tenant.root) for role in (Role.MANAGER, Role.OPERATOR)]
    able.append(make.make_staff(session, Role.REGISTRAR, tenant.branch))
    unable = [
        make.make_staff(session, Role.ANALYST, tenant.root),
        make.make_staff(session, Role.REGISTRAR, tenant.root, is_active=False),
        make.make_staff(session, Role.REGISTRAR, foreign.root),
    ]
    found = {user.id for user in feedback.colleagues(session, tenant_id=tenant.id)}
    assert found == {user.id for user in able}
    common = {"uid": row.uid, "actor": actor_of(able[0]), "now": now}
    for user in unable:
        with pytest.raises(NotFound):
            feedback.assign(session, to_id=user.id, **common)


def test_staff_of_another_organization_see_and_do_nothing(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    row = sent(session, tenant, now)
    foreign = make.make_tenant(session, name="Речной центр")
    stranger = make.make_staff(session, Role.REGISTRAR, foreign.root)
    session.expire_all()
    uid = row.uid
    set_scope(session, access.staff_scope(session, stranger))
    assert feedback.inbox(session, status=None).rows == []
    for act in (feedback.take, feedback.close):
        with pytest.raises(NotFound):
            act(session, uid=uid, actor=actor_of(stranger), now=now)
    with pytest.raises(NotFound):
        feedback.named(session, uid=uid)
    set_scope(session, SYSTEM)


def test_the_list_is_paged_by_key_and_by_state(
    session: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    made = [make.make_feedback(session, tenant) for _ in range(ON_A_PAGE + 3)]
    made[0].status = FeedbackStatus.CLOSED
    session.flush()
    first = feedback.inbox(session, status=FeedbackStatus.NEW)
    assert len(first.rows) == ON_A_PAGE and first.after == first.rows[-1].id
    rest = feedback.inbox(session, status=FeedbackStatus.NEW, before_id=first.after)
    assert (len(rest.rows), rest.after) == (2, None)
    assert [row.id for row in first.rows + rest.rows] == [row.id for row in reversed(made[1:])]
    assert feedback.waiting(session) == {FeedbackStatus.NEW: ON_A_PAGE + 2}


def test_a_scope_without_rows_counts_nothing(session: Session, tenant: make.Tenant) -> None:
    make.make_feedback(session, tenant)
    set_scope(session, Scope("staff", staff_user_id=1))
    assert feedback.waiting(session) == {}
    set_scope(session, SYSTEM)
