"""Is it still true? Asked just before sending, for every kind and every turn the world may take."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Consent, Message
from app.models.cabinet_choices import NoticeEvent
from app.models.enums import AppointmentStatus as A
from app.models.enums import LinkPurpose, MessageChannel, MessageStatus
from app.models.enums import MessageKind as K
from app.rules import approval, booking, delivery, heartbeats, links, notices, outbox
from app.rules.actor import actor_of
from app.rules.delivery import GRACE, TOLD, Verdict, verdict
from tests import make

NOW = make.NOW


def told(session: Session, kind: K, status: A) -> Message:
    """A message about a booking that is in ``status`` now."""
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    day = make.make_schedule(session, tenant)
    made = make.make_appointment(session, tenant, donor, day, status=status)
    made.undo_until = None
    if kind is K.VISIT_REMINDER:
        tenant.policy.account_sms = True
        wish = {"event": NoticeEvent.REMINDER, "channel": MessageChannel.SMS}
        notices.choose(session, account_id=donor.account.id, on=True, now=NOW, **wish)
    message = outbox.tell(session, made, kind, now=NOW)
    assert message is not None
    session.flush()
    return message


@pytest.mark.parametrize(
    "status", [A.PENDING, A.BOOKED, A.REJECTED, A.CANCELLED, A.EXPIRED, A.ARRIVED]
)
@pytest.mark.parametrize("kind", list(TOLD))
def test_a_letter_is_sent_while_the_booking_is_as_it_says(
    session: Session, kind: K, status: A
) -> None:
    wanted = Verdict.SEND if TOLD[kind] is status else Verdict.DROP
    assert verdict(session, told(session, kind, status), now=NOW) is wanted


def test_a_reminder_is_no_use_once_the_visit_has_begun(session: Session) -> None:
    message = told(session, K.REMINDER, A.BOOKED)
    starts = message.appointment.starts_at
    assert verdict(session, message, now=starts - dt.timedelta(seconds=1)) is Verdict.SEND
    assert verdict(session, message, now=starts) is Verdict.DROP


def test_useless_after_ends_any_letter(session: Session) -> None:
    account = make.make_account(session)
    end = NOW + dt.timedelta(hours=1)
    message = outbox.add(
        session, kind=K.PASSWORD_CHANGED, key="x", now=NOW, account_id=account.id, useless_after=end
    )
    session.flush()
    assert verdict(session, message, now=end - dt.timedelta(seconds=1)) is Verdict.SEND
    assert verdict(session, message, now=end) is Verdict.DROP


@pytest.mark.parametrize("state", ["live", "used", "old", "replaced"])
def test_a_link_is_only_sent_while_it_opens_something(session: Session, state: str) -> None:
    account = make.make_account(session)
    link = links.issue(session, purpose=LinkPurpose.RESET_PASSWORD, account_id=account.id, now=NOW)
    message = outbox.add(
        session,
        kind=K.RESET_PASSWORD,
        key="x",
        now=NOW,
        account_id=account.id,
        facts={"link_id": link.id},
    )
    session.flush()
    later = NOW
    if state == "used":
        links.use(session, link, now=NOW)
        session.refresh(link)
    elif state == "old":
        later = link.expires_at
    elif state == "replaced":
        later = NOW + dt.timedelta(seconds=1)
        links.issue(session, purpose=LinkPurpose.RESET_PASSWORD, account_id=account.id, now=later)
    wanted = Verdict.SEND if state == "live" else Verdict.DROP
    assert verdict(session, message, now=later) is wanted


@pytest.mark.parametrize("purpose", list(LinkPurpose))
def test_nobody_gets_the_link_of_another_who_inherited_its_number(
    session: Session, purpose: LinkPurpose
) -> None:
    """SQLite numbers a new row as the deleted one was."""
    account, other = make.make_account(session), make.make_account(session)
    link = links.issue(session, purpose=purpose, account_id=other.id, now=NOW)
    message = outbox.add(
        session,
        kind=K.RESET_PASSWORD,
        key="x",
        now=NOW,
        account_id=account.id,
        facts={"link_id": link.id},
    )
    session.flush()
    assert delivery.link_of(session, message) is None
    assert verdict(session, message, now=NOW) is Verdict.DROP


def test_a_reminder_stops_with_the_consent(session: Session) -> None:
    message = told(session, K.REMINDER, A.BOOKED)
    consent = session.scalars(
        select(Consent).where(Consent.person_id == message.appointment.person_id)
    ).one()
    consent.withdrawn_at = NOW
    session.flush()
    assert verdict(session, message, now=NOW) is Verdict.DROP


def test_what_has_become_of_the_request_is_told_all_the_same(session: Session) -> None:
    message = told(session, K.CANCELLED_BY_STAFF, A.CANCELLED)
    for consent in session.scalars(select(Consent)).all():
        consent.withdrawn_at = NOW
    session.flush()
    assert verdict(session, message, now=NOW) is Verdict.SEND


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_leaves_only_when_nobody_can_undo_it_any_more(
    session: Session, decision: str
) -> None:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    day = make.make_schedule(session, tenant)
    request = make.make_appointment(session, tenant, donor, day)
    by = make.make_staff(session)
    if decision == "approve":
        approval.approve(session, appointment_id=request.id, by=by, now=NOW, override_reason="x")
    else:
        approval.reject(
            session,
            appointment_id=request.id,
            reason_id=tenant.reasons[0].id,
            comment="",
            by=by,
            now=NOW,
        )
    kind = K.APPROVED if decision == "approve" else K.REJECTED
    message = session.scalars(select(Message).where(Message.kind == kind)).one()
    over = message.run_at
    assert outbox.lease(session, now=over - dt.timedelta(seconds=1)) == []
    ((_, attempt),) = outbox.lease(session, now=over)
    assert not delivery.begin(session, message_id=message.id, attempt=attempt, now=over)
    assert (message.status, message.run_at) == (MessageStatus.DUE, over + GRACE)
    ((_, attempt),) = outbox.lease(session, now=over + GRACE)
    assert delivery.begin(session, message_id=message.id, attempt=attempt, now=over + GRACE)


def test_an_undone_decision_is_never_told(session: Session) -> None:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    day = make.make_schedule(session, tenant)
    request = make.make_appointment(session, tenant, donor, day)
    by = make.make_staff(session)
    approval.approve(session, appointment_id=request.id, by=by, now=NOW, override_reason="x")
    approval.undo(session, appointment_id=request.id, by=by, now=NOW + dt.timedelta(seconds=59))
    assert outbox.lease(session, now=NOW + dt.timedelta(days=30)) == []


def test_an_approval_cancelled_at_once_tells_the_cancel_alone(session: Session) -> None:
    message = told(session, K.APPROVED, A.BOOKED)
    booked = message.appointment
    actor = actor_of(make.make_staff(session))
    booking.cancel(session, appointment_id=booked.id, actor=actor, now=NOW, comment="Ремонт")
    due = [
        session.get_one(Message, message_id).kind
        for message_id, _ in outbox.lease(session, now=NOW)
    ]
    assert due == [K.CANCELLED_BY_STAFF]


def test_a_lease_keeps_others_away_until_it_is_over_or_given_back(session: Session) -> None:
    first, second = (told(session, K.APPROVED, A.BOOKED) for _ in range(2))
    leased = outbox.lease(session, now=NOW)
    assert {row for row, _ in leased} == {first.id, second.id}
    assert not delivery.anything_due(session, now=NOW)
    delivery.give_back(session, [leased[0]])
    assert outbox.lease(session, now=NOW) == [(leased[0][0], 2)]
    delivery.give_back(session, [leased[0]])  # that try is over: it is not his any more
    assert outbox.lease(session, now=NOW) == []
    assert delivery.end_leases(session) == 2
    assert delivery.anything_due(session, now=NOW)


def test_a_periodic_job_is_claimed_once_a_turn(session: Session) -> None:
    every = dt.timedelta(seconds=30)

    def claim(seconds: int) -> bool:
        at = NOW + dt.timedelta(seconds=seconds)
        return heartbeats.claim(session, name="x", every=every, now=at)

    assert [claim(s) for s in (0, 0, 29, 30, 30, 59, 60)] == [
        True, False, False, True, False, False, True,
    ]  # fmt: skip
