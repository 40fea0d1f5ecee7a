"""Nobody misses that a visit is cancelled: a letter, else an SMS, else a colleague phones."""

from __future__ import annotations

import datetime as dt
from functools import partial
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AccountPerson, Appointment, AuditEvent, Message, Schedule, Slot
from app.models.enums import AppointmentStatus as A
from app.models.enums import (
    Confirmation,
    MessageChannel,
    MessageStatus,
    Role,
    ScheduleStatus,
    SlotStatus,
)
from app.models.enums import MessageKind as K
from app.rules import approval, booking, closing, delivery, ledger
from app.rules.actor import actor_of
from app.rules.delivery import Verdict
from app.rules.invariants import check_invariants
from app.rules.reach import Way
from tests import make
from tests.make import NOW

REASON = "Врач заболел"
MOBILE, LANDLINE = "+79001234567", "+74951234567"


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """A doctor's sitting with eight times in a polyclinic."""
    tenant = make.make_polyclinic(session)
    role = make.make_role(session, tenant)
    times = [f"{hour:02}:{minute:02}" for hour in (9, 10) for minute in (0, 15, 30, 45)]
    day = make.make_sitting(session, role, times=times)
    scheduler = actor_of(make.make_staff(session, Role.SCHEDULER, tenant.root))
    return SimpleNamespace(session=session, tenant=tenant, role=role, day=day, scheduler=scheduler)


def visit(world: SimpleNamespace, *, account: str = "", status: A = A.BOOKED, own: str = "", **card: object) -> Appointment:  # fmt: skip
    """Somebody's booking; ``account``: "confirmed" or "unconfirmed", ``own``: the booking's telephone."""
    person = make.make_person(world.session, world.tenant, **card)
    if account:
        at = NOW if account == "confirmed" else None
        keeper = make.make_account(world.session, email_confirmed_at=at)
        kept = AccountPerson(account_id=keeper.id, person_id=person.id, tenant_id=world.tenant.id)
        world.session.add(kept)
    row = make.make_appointment(world.session, world.tenant, person, world.day, status=status)
    if own:
        row.phone = own
        world.session.flush()
    return row


def told(world: SimpleNamespace, row: Appointment) -> Message:
    [message] = world.session.scalars(select(Message).where(Message.appointment_id == row.id))
    return message


def close(world: SimpleNamespace) -> None:
    closing.close_day(
        world.session, schedule_id=world.day.id, reason=REASON, actor=world.scheduler, now=NOW
    )
    while closing.dismiss(
        world.session, schedule_id=world.day.id, actor=world.scheduler, now=NOW, limit=3
    ):
        pass


WAYS = [
    ({"account": "confirmed"}, Way.LETTER, K.DAY_CLOSED, ""),
    ({"account": "confirmed", "phone": MOBILE}, Way.LETTER, K.DAY_CLOSED, ""),
    ({"account": "unconfirmed"}, Way.LETTER, K.DAY_CLOSED, ""),
    ({"account": "unconfirmed", "phone": MOBILE}, Way.SMS, K.VISIT_CANCELLED, ""),
    ({"phone": MOBILE}, Way.SMS, K.VISIT_CANCELLED, ""),
    ({"own": MOBILE}, Way.SMS, K.VISIT_CANCELLED, ""),
    ({"own": MOBILE, "phone": LANDLINE}, Way.SMS, K.VISIT_CANCELLED, ""),
    ({"phone": LANDLINE}, Way.CALL, K.VISIT_CANCELLED, "not a mobile number"),
    ({}, Way.CALL, K.VISIT_CANCELLED, "no phone number"),
]


@pytest.mark.parametrize(("who", "way", "kind", "fault"), WAYS)
def test_each_learns_of_a_closed_day_in_the_best_way_there_is(world, who, way, kind, fault):
    row = visit(world, **who)
    [whom] = closing.affected(world.session, schedule_ids=[world.day.id], now=NOW).booked
    assert (whom.appointment.id, whom.way) == (row.id, way)
    close(world)
    message = told(world, row)
    assert (message.kind, message.last_error) == (kind, fault)
    assert message.channel is (MessageChannel.EMAIL if way is Way.LETTER else MessageChannel.SMS)
    calls = [call.appointment.id for call in ledger.calls(world.session, now=NOW)]
    if way is Way.CALL:
        assert message.status is MessageStatus.DEAD and calls == [row.id]
        assert closing.to_phone(world.session, schedule_ids=[world.day.id])[0].appointment is row
    else:
        assert message.status is MessageStatus.DUE and calls == []
        assert closing.to_phone(world.session, schedule_ids=[world.day.id]) == []


def test_a_sitting_is_closed_like_a_day(world):
    rows = [visit(world, phone=MOBILE, status=status) for status in (A.BOOKED, A.PENDING, A.HELD)]
    close(world)
    session = world.session
    session.expire_all()
    assert [row.status for row in rows] == [A.CANCELLED, A.CANCELLED, A.RELEASED]
    assert [told(world, row).kind for row in rows[:2]] == [K.VISIT_CANCELLED] * 2
    assert set(session.scalars(select(Slot.status))) == {SlotStatus.CLOSED}
    assert session.get_one(Schedule, world.day.id).status is ScheduleStatus.CLOSED
    assert "day.close" in set(session.scalars(select(AuditEvent.verb)))
    assert check_invariants(session, now=NOW) == []
    on = world.day.date
    assert closing.sittings_of(session, role_id=world.role.id, date=on) == []


def test_staffs_cancel_is_told_too_and_ones_own_is_not(world):
    ours, own = visit(world, phone=MOBILE), visit(world, phone=MOBILE)
    staff = world.scheduler
    for row, actor in ((ours, staff), (own, actor_of(make.make_account(world.session)))):
        booking.cancel(world.session, appointment_id=row.id, actor=actor, now=NOW, comment=REASON)
    assert told(world, ours).kind is K.VISIT_CANCELLED
    assert not world.session.scalars(select(Message).where(Message.appointment_id == own.id)).all()


def test_the_sms_is_sent_while_it_is_true_and_of_use(world):
    row = visit(world, phone=MOBILE)
    close(world)
    message = told(world, row)
    assert delivery.verdict(world.session, message, now=NOW) is Verdict.SEND
    late = row.starts_at
    assert delivery.verdict(world.session, message, now=late) is Verdict.DROP
    row.status = A.BOOKED  # as if moved on by somebody meanwhile
    assert delivery.verdict(world.session, message, now=NOW) is Verdict.DROP


def test_who_was_told_by_telephone_leaves_the_lists(world):
    row = visit(world)
    close(world)
    ledger.told_by_phone(world.session, message=told(world, row), actor=world.scheduler, now=NOW)
    world.session.flush()
    assert ledger.calls(world.session, now=NOW + dt.timedelta(minutes=1)) == []
    assert closing.to_phone(world.session, schedule_ids=[world.day.id]) == []


@pytest.mark.parametrize("approved", [True, False])
def test_a_decision_about_a_guests_request_is_told_by_sms_after_its_minute(world, approved):
    """And an undone one is not told at all."""
    boss = make.make_staff(world.session, Role.REGISTRAR, world.tenant.root)
    row = visit(world, phone=MOBILE, status=A.PENDING)
    act = partial(approval.approve, override_reason="x") if approved else partial(approval.reject, reason_id=world.tenant.reasons[0].id, comment="")  # fmt: skip
    act(world.session, appointment_id=row.id, by=boss, now=NOW)
    world.session.flush()
    message = told(world, row)
    assert message.kind is (K.VISIT_APPROVED if approved else K.VISIT_REFUSED)
    assert message.run_at == row.undo_until > NOW
    assert delivery.verdict(world.session, message, now=NOW) is Verdict.WAIT
    later = NOW + dt.timedelta(minutes=2)
    assert delivery.verdict(world.session, message, now=later) is Verdict.SEND
    approval.undo(world.session, appointment_id=row.id, by=boss, now=NOW)
    world.session.refresh(message)
    assert message.status is MessageStatus.OBSOLETE


def test_a_decision_that_reaches_nobody_is_not_in_the_list_before_its_minute_is_over(world):
    boss = make.make_staff(world.session, Role.REGISTRAR, world.tenant.root)
    row = visit(world, status=A.PENDING)
    why = {"reason_id": world.tenant.reasons[0].id, "comment": ""}
    approval.reject(world.session, appointment_id=row.id, by=boss, now=NOW, **why)
    assert ledger.calls(world.session, now=NOW) == []
    assert told(world, row).status is MessageStatus.DUE


def test_whoever_sees_his_ticket_at_once_gets_no_sms(world):
    world.tenant.policy.confirmation = Confirmation.NONE
    row = visit(world, phone=MOBILE, status=A.HELD)
    booking.confirm(world.session, appointment_id=row.id, actor=world.scheduler, now=NOW)
    assert row.status is A.BOOKED
    assert not world.session.scalars(select(Message).where(Message.appointment_id == row.id)).all()
