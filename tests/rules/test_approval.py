"""Deciding: one of two registrars, the minute for undoing, overriding, the record, the letters, many at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    Appointment,
    AppointmentEvent,
    AuditEvent,
    Deferral,
    DonorRecord,
    Message,
    StaffUser,
)
from app.models.enums import (
    ActorKind,
    AppointmentStatus,
    MessageKind,
    MessageStatus,
    Role,
    SlotStatus,
)
from app.models.scope import SYSTEM, set_scope
from app.rules import access, approval, booking, bulk, outbox
from app.rules.actor import Actor, actor_of
from app.rules.approval import ChosenAgain, VisitBegun
from app.rules.errors import (
    AlreadyDecided,
    CheckFails,
    NotAllowed,
    NotFound,
    ReasonNeeded,
    UndoOver,
)
from app.rules.invariants import check_invariants
from tests import make
from tests.make import NOW

A = AppointmentStatus
MINUTE = dt.timedelta(seconds=60)
WHY = "Врач разрешил"


@pytest.fixture
def tenant(session: Session) -> make.Tenant:
    return make.make_tenant(session)


@pytest.fixture
def registrar(session: Session, tenant: make.Tenant) -> StaffUser:
    return make.make_staff(session, over=tenant.root, full_name="Ольга Первая")


@pytest.fixture
def colleague(session: Session, tenant: make.Tenant) -> StaffUser:
    return make.make_staff(session, over=tenant.root, full_name="Анна Вторая")


@pytest.fixture(autouse=True)
def _all_is_well(session: Session) -> Iterator[None]:
    """Whatever a test does, the data are sound afterwards."""
    yield
    assert check_invariants(session, now=NOW) == []


def request(
    session: Session, tenant: make.Tenant, *, known: bool = True, **day: Any
) -> Appointment:
    """A request that nothing stands against; or, not ``known``, one whose code is in no file."""
    donor = make.make_donor(session, tenant)
    if known:
        make.make_record(session, tenant, donor, birth_date=dt.date(1990, 5, 17))
    made = make.make_appointment(session, tenant, donor, make.make_schedule(session, tenant, **day))
    outbox.tell(session, made, MessageKind.REQUEST_RECEIVED, now=NOW)
    session.flush()
    return made


def letters(session: Session, row: Appointment) -> dict[MessageKind, Message]:
    session.flush()
    found = session.scalars(
        select(Message)
        .where(Message.appointment_id == row.id)
        .order_by(Message.id)
        .execution_options(populate_existing=True)
    )
    return {message.kind: message for message in found}


def due(session: Session, row: Appointment) -> set[MessageKind]:
    return {k for k, m in letters(session, row).items() if m.status is MessageStatus.DUE}


def events(session: Session, row: Appointment) -> list[str]:
    query = select(AppointmentEvent.event).where(AppointmentEvent.appointment_id == row.id)
    return list(session.scalars(query.order_by(AppointmentEvent.id)))


def approve(session: Session, row: Appointment, by: StaffUser, **more: Any) -> Appointment:
    given = {"now": NOW} | more
    return approval.approve(session, appointment_id=row.id, by=by, **given)


def reject(
    session: Session, tenant: make.Tenant, row: Appointment, by: StaffUser, **more: Any
) -> Appointment:
    given = {"now": NOW, "reason_id": tenant.reasons[1].id, "comment": ""} | more
    return approval.reject(session, appointment_id=row.id, by=by, **given)


def undo(session: Session, row: Appointment, by: StaffUser, now: dt.datetime) -> Appointment:
    return approval.undo(session, appointment_id=row.id, by=by, now=now)


# --- approve ----------------------------------------------------------------------------------


def test_an_approved_request_is_booked_at_once_and_the_letter_waits_its_minute(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    done = approve(session, request(session, tenant), registrar)

    assert (done.status, done.slot.status, done.keeps_slot) == (A.BOOKED, SlotStatus.BUSY, True)
    assert (done.decided_by_id, done.decided_at) == (registrar.id, NOW)
    assert done.undo_until == NOW + MINUTE
    sent = letters(session, done)
    assert sent[MessageKind.APPROVED].run_at == NOW + MINUTE
    assert sent[MessageKind.APPROVED].useless_after == done.starts_at
    assert sent[MessageKind.REMINDER].run_at == done.starts_at - dt.timedelta(hours=24)
    assert events(session, done)[-1] == "approve"


def test_the_minute_is_the_policys(session: Session) -> None:
    slow = make.make_tenant(session, undo_seconds=300)
    by = make.make_staff(session, over=slow.root)
    done = approve(session, request(session, slow), by)
    assert done.undo_until == NOW + dt.timedelta(minutes=5)


def test_an_unsent_request_received_is_not_sent_after_the_decision(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    done = approve(session, request(session, tenant), registrar)
    assert letters(session, done)[MessageKind.REQUEST_RECEIVED].status is MessageStatus.OBSOLETE
    assert due(session, done) == {MessageKind.APPROVED, MessageKind.REMINDER}


def test_a_decision_is_audited_with_the_checks_it_overrode(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    done = approve(session, request(session, tenant, known=False), registrar, override_reason=WHY)
    session.flush()
    event = session.scalars(select(AuditEvent).where(AuditEvent.subject_id == done.id)).one()
    assert (event.verb, event.actor_id) == ("booking.approve", registrar.id)
    assert event.changes == {"overridden": [None, ["code"]]}


def test_a_visit_that_has_begun_is_not_decided(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    row = request(session, tenant)
    for decide in (approve, lambda *a, **k: reject(session, tenant, row, registrar, **k)):
        with pytest.raises(VisitBegun):
            decide(session, row, registrar, now=row.starts_at)


@pytest.mark.parametrize("status", [A.HELD, A.RELEASED])
def test_a_choice_that_was_not_confirmed_is_not_found(
    session: Session, tenant: make.Tenant, registrar: StaffUser, status: A
) -> None:
    day = make.make_schedule(session, tenant)
    row = make.make_appointment(
        session, tenant, make.make_donor(session, tenant), day, status=status
    )
    with pytest.raises(NotFound):
        approve(session, row, registrar)


def test_the_checks_are_run_again_when_the_button_is_pressed(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    row = request(session, tenant)
    session.add(
        Deferral(
            tenant_id=tenant.id,
            person_id=row.person_id,
            kind="temporary",
            starts_on=dt.date(2026, 11, 20),
            ends_on=dt.date(2026, 12, 1),
            source="staff",
        )
    )
    session.flush()
    with pytest.raises(CheckFails):
        approve(session, row, registrar)


# --- overriding -------------------------------------------------------------------------------


def test_a_failing_check_needs_a_reason(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    row = request(session, tenant, known=False)
    for empty in ("", "   "):
        with pytest.raises(CheckFails) as refusal:
            approve(session, row, registrar, override_reason=empty)
        assert refusal.value.params["checks"] == ["Donor code"]
    done = approve(session, row, registrar, override_reason=f"  {WHY} ")
    assert (done.status, done.override_reason) == (A.BOOKED, WHY)


def test_a_reason_without_a_failing_check_is_not_kept(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    done = approve(session, request(session, tenant), registrar, override_reason=WHY)
    assert done.override_reason == ""


def test_overriding_needs_the_right_over_that_very_organization(
    session: Session, tenant: make.Tenant
) -> None:
    elsewhere = make.make_organization(session, part_of_id=tenant.id, root_id=tenant.id)
    row = request(session, tenant, known=False)
    operator = make.make_staff(session, Role.OPERATOR, tenant.root)
    of_another_branch = make.make_staff(session, Role.REGISTRAR, elsewhere)
    for by in (operator, of_another_branch):
        with pytest.raises(NotAllowed):
            approve(session, row, by, override_reason=WHY)
    of_this_branch = make.make_staff(session, Role.REGISTRAR, tenant.branch)
    assert approve(session, row, of_this_branch, override_reason=WHY).status is A.BOOKED


# --- the blood service's record ---------------------------------------------------------------


def test_approval_accepts_the_record_and_undoing_lets_go_of_it(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    donor = make.make_donor(session, tenant, family_name="", given_name="", patronymic="")
    record = make.make_record(session, tenant, donor, family_name="Берёзова", given_name="Анна")
    make.make_deferral(session, tenant, record, ends_on=dt.date(2026, 11, 24))
    row = make.make_appointment(session, tenant, donor, make.make_schedule(session, tenant))

    done = approve(session, row, registrar)
    assert (record.person_id, done.linked_record_id) == (donor.person.id, record.id)
    assert (donor.person.family_name, donor.person.search_name) == ("Берёзова", "березова анна")
    deferral = session.scalars(select(Deferral)).one()
    session.refresh(deferral)
    assert deferral.person_id == donor.person.id

    undo(session, row, registrar, NOW)
    for kept in (record, donor.person, deferral):
        session.refresh(kept)
    assert (record.person_id, donor.person.family_name, deferral.person_id) == (None, "", None)


def test_a_record_linked_before_stays_linked_when_the_approval_is_undone(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    first = approve(session, request(session, tenant), registrar)
    assert first.linked_record_id is not None
    booking.cancel(
        session, appointment_id=first.id, actor=actor_of(registrar), now=NOW, comment="перенос"
    )
    donor = make.KnownDonor(None, first.person, None)  # type: ignore[arg-type]
    again = make.make_appointment(
        session, tenant, donor, make.make_schedule(session, tenant, days=9)
    )
    done = approve(session, again, registrar)
    assert done.linked_record_id is None
    undo(session, again, registrar, NOW)
    record = session.get_one(DonorRecord, first.linked_record_id, populate_existing=True)
    assert record.person_id == first.person_id


def test_a_record_whose_group_differs_is_not_accepted_even_by_an_override(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    donor = make.make_donor(session, tenant)
    record = make.make_record(session, tenant, donor, rh="+")
    row = make.make_appointment(session, tenant, donor, make.make_schedule(session, tenant))
    done = approve(session, row, registrar, override_reason=WHY)
    session.refresh(record)
    assert (done.linked_record_id, record.person_id) == (None, None)


# --- reject -----------------------------------------------------------------------------------


def test_a_rejected_request_keeps_its_place_for_the_minute(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    done = reject(session, tenant, request(session, tenant), registrar, comment=" Позвоните. ")
    assert (done.status, done.slot.status, done.keeps_slot) == (A.REJECTED, SlotStatus.HELD, True)
    assert (done.reason_id, done.comment) == (tenant.reasons[1].id, "Позвоните.")
    assert letters(session, done)[MessageKind.REJECTED].run_at == NOW + MINUTE
    assert due(session, done) == {MessageKind.REJECTED}


def test_rejecting_needs_a_reason_in_use_of_the_same_organization(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    other = make.make_tenant(session, name="Степной центр")
    tenant.reasons[2].is_active = False
    row = request(session, tenant)
    for reason_id in (None, 10**9, other.reasons[0].id, tenant.reasons[2].id):
        with pytest.raises(ReasonNeeded):
            reject(session, tenant, row, registrar, reason_id=reason_id)


# --- two registrars ---------------------------------------------------------------------------


def test_the_second_registrar_is_told_who_decided_and_when_on_the_branchs_clock(
    session: Session, tenant: make.Tenant, registrar: StaffUser, colleague: StaffUser
) -> None:
    row = request(session, tenant)
    approve(session, row, registrar)
    for decide in (
        lambda: approve(session, row, colleague, now=NOW + MINUTE),
        lambda: reject(session, tenant, row, colleague, now=NOW + MINUTE),
    ):
        with pytest.raises(AlreadyDecided) as refusal:
            decide()
        told = refusal.value.params
        assert (told["status"], told["who"]) == (A.BOOKED, "Ольга Первая")
        assert (told["at"].hour, told["at"].minute) == (10, 0)
    assert events(session, row).count("approve") == 1


def test_a_colleague_out_of_ones_scope_is_named_too(
    session: Session, tenant: make.Tenant, colleague: StaffUser
) -> None:
    row = request(session, tenant)
    approve(session, row, make.make_staff(session, full_name="Из управления"))
    set_scope(session, access.staff_scope(session, colleague))
    with pytest.raises(AlreadyDecided) as refusal:
        approve(session, row, colleague)
    assert refusal.value.params["who"] == "Из управления"
    set_scope(session, SYSTEM)


def test_what_the_donor_has_cancelled_is_said_to_be_the_donors_doing(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    row = request(session, tenant)
    booking.cancel(session, appointment_id=row.id, actor=Actor(ActorKind.ACCOUNT, 1), now=NOW)
    with pytest.raises(AlreadyDecided) as refusal:
        approve(session, row, registrar)
    assert (refusal.value.params["status"], refusal.value.params["who"]) == (
        A.CANCELLED,
        ActorKind.ACCOUNT,
    )


# --- undo -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 59])
def test_within_the_minute_an_approval_is_undone_and_nothing_is_sent(
    session: Session, tenant: make.Tenant, registrar: StaffUser, seconds: int
) -> None:
    row = request(session, tenant)
    approve(session, row, registrar)
    done = undo(session, row, registrar, NOW + dt.timedelta(seconds=seconds))
    assert (done.status, done.slot.status) == (A.PENDING, SlotStatus.HELD)
    assert (done.decided_at, done.decided_by_id, done.undo_until) == (None, None, None)
    assert due(session, done) == set()
    assert outbox.lease(session, now=NOW + dt.timedelta(days=1)) == []


def test_within_the_minute_a_rejection_is_undone_and_nothing_is_sent(
    session: Session, tenant: make.Tenant, registrar: StaffUser, colleague: StaffUser
) -> None:
    row = request(session, tenant)
    reject(session, tenant, row, registrar, comment="ошибка")
    done = undo(session, row, colleague, NOW + dt.timedelta(seconds=30))
    assert (done.status, done.reason_id, done.comment) == (A.PENDING, None, "")
    assert due(session, done) == set()


def test_when_the_minute_is_over_nothing_is_undone(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    row, other = request(session, tenant), request(session, tenant, days=3)
    approve(session, row, registrar)
    reject(session, tenant, other, registrar)
    for decided in (row, other):
        with pytest.raises(UndoOver):
            undo(session, decided, registrar, NOW + MINUTE)
    assert due(session, row) == {MessageKind.APPROVED, MessageKind.REMINDER}
    assert due(session, other) == {MessageKind.REJECTED}


def test_what_waits_cannot_be_undone(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    row = request(session, tenant)
    with pytest.raises(UndoOver):
        undo(session, row, registrar, NOW)


def test_a_decision_taken_back_can_be_taken_again_with_letters_of_its_own(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    row = request(session, tenant)
    approve(session, row, registrar)
    undo(session, row, registrar, NOW)
    approve(session, row, registrar, now=NOW + dt.timedelta(seconds=5))
    kinds = select(Message.kind).where(
        Message.appointment_id == row.id, Message.status == MessageStatus.DUE
    )
    session.flush()
    assert sorted(session.scalars(kinds)) == [MessageKind.APPROVED, MessageKind.REMINDER]
    assert events(session, row)[-3:] == ["approve", "undo_approve", "approve"]


def test_a_rejection_stands_if_the_donor_has_booked_elsewhere_meanwhile(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    row = request(session, tenant)
    reject(session, tenant, row, registrar)
    donor = make.KnownDonor(None, row.person, None)  # type: ignore[arg-type]
    make.make_appointment(session, tenant, donor, make.make_schedule(session, tenant, days=5))
    with pytest.raises(ChosenAgain):
        undo(session, row, registrar, NOW + dt.timedelta(seconds=30))
    assert due(session, row) == {MessageKind.REJECTED}


# --- many at once -----------------------------------------------------------------------------


def test_many_are_approved_and_the_failing_ones_left_out_with_their_check(
    session: Session, tenant: make.Tenant, registrar: StaffUser, colleague: StaffUser
) -> None:
    good = [request(session, tenant, days=2 + n) for n in range(3)]
    failing = request(session, tenant, known=False, days=6)
    decided = request(session, tenant, days=7)
    reject(session, tenant, decided, colleague)

    outcome = bulk.approve_many(
        session,
        appointment_ids=[row.id for row in (*good, failing, decided)],
        by=registrar,
        now=NOW,
    )

    assert [row.id for row in outcome.done] == [row.id for row in good]
    left = dict(outcome.left)
    assert isinstance(left[failing.id], CheckFails)
    assert isinstance(left[decided.id], AlreadyDecided)
    session.refresh(failing)
    assert failing.status is A.PENDING


def test_of_two_requests_of_one_donor_neither_is_approved_in_bulk(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    """Each is the other's «other booking»: a person has to choose."""
    first = request(session, tenant)
    donor = make.KnownDonor(None, first.person, None)  # type: ignore[arg-type]
    day = make.make_schedule(session, tenant, days=8)
    second = make.make_appointment(session, tenant, donor, day)
    outcome = bulk.approve_many(
        session, appointment_ids=[first.id, second.id], by=registrar, now=NOW
    )
    assert outcome.done == []
    reject(session, tenant, second, registrar)  # leaves sound data for the check afterwards


def test_many_are_rejected_for_one_reason_whatever_their_checks_say(
    session: Session, tenant: make.Tenant, registrar: StaffUser
) -> None:
    rows = [request(session, tenant, days=2), request(session, tenant, known=False, days=3)]
    outcome = bulk.reject_many(
        session,
        appointment_ids=[row.id for row in rows],
        reason_id=tenant.reasons[0].id,
        comment="Нет реактивов",
        by=registrar,
        now=NOW,
    )
    assert {row.comment for row in outcome.done} == {"Нет реактивов"}
    assert outcome.left == []


def test_what_was_decided_in_one_go_is_undone_in_one_go(
    session: Session, tenant: make.Tenant, registrar: StaffUser, colleague: StaffUser
) -> None:
    rows = [request(session, tenant, days=2 + n) for n in range(3)]
    alone = request(session, tenant, days=9)
    approve(session, alone, colleague)
    bulk.approve_many(session, appointment_ids=[r.id for r in rows], by=registrar, now=NOW)

    outcome = bulk.undo_many(session, decided_at=NOW, by=registrar, now=NOW + MINUTE / 2)

    assert {row.id for row in outcome.done} == {row.id for row in rows}
    assert {row.status for row in outcome.done} == {A.PENDING}
    session.refresh(alone)
    assert alone.status is A.BOOKED
    assert bulk.undo_many(session, decided_at=NOW, by=registrar, now=NOW + MINUTE).done == []
