"""Patients' requests on the one decision engine: what is looked at, «approval, then code», undone, rejected."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Appointment, Message, Slot
from app.models.enums import (
    AppointmentStatus,
    Confirmation,
    DistrictKind,
    DocumentKind,
    MessageKind,
    MessageStatus,
    Role,
    SlotStatus,
)
from app.models.scope import SYSTEM, set_scope
from app.rules import (
    access,
    approval,
    booking,
    codes,
    delivery,
    examination,
    holding,
    patients,
    queue,
)
from app.rules.actor import SYSTEM as NOBODY
from app.rules.approval import ChosenAgain
from app.rules.checks import Outcome
from app.rules.errors import AlreadyDecided, CheckFails, UndoOver
from app.rules.invariants import check_invariants
from tests import make
from tests.make import NOW
from tests.statements import statements

A = AppointmentStatus
SECOND = dt.timedelta(seconds=1)
UNDO = dt.timedelta(seconds=60)


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """A polyclinic that allows first and asks for the code then; somebody who has asked for 9:00."""
    tenant = make.make_polyclinic(session)
    tenant.policy.confirmation = Confirmation.APPROVAL_CODE
    tenant.policy.live_limit = 3
    day = make.make_sitting(session, make.make_role(session, tenant))
    patient = make.make_person(session, tenant, birth_date=dt.date(1980, 5, 1))
    patient.phone = "+79001234567"
    make.make_document(session, patient)
    session.flush()
    registrar = make.make_staff(session, Role.REGISTRAR, tenant.branch)
    found = SimpleNamespace(
        session=session, tenant=tenant, day=day, patient=patient, registrar=registrar
    )
    found.row = ask(found, 0)
    return found


def ask(world: SimpleNamespace, number: int, who=None, day=None) -> Appointment:
    """Held and confirmed as on the site: what the policy makes of it."""
    slot = make.slots_of(world.session, day or world.day)[number]
    choice = patients.choice_of(world.session, slot_uid=slot.uid, now=NOW)
    held = holding.keep(
        world.session, choice, person_id=(who or world.patient).id, actor=NOBODY, now=NOW
    )
    return booking.confirm(world.session, appointment_id=held.id, actor=NOBODY, now=NOW)


def as_registrar(world: SimpleNamespace) -> None:
    set_scope(world.session, access.staff_scope(world.session, world.registrar))


def approve(world: SimpleNamespace, row: Appointment | None = None, **more) -> Appointment:
    return approval.approve(
        world.session,
        appointment_id=(row or world.row).id,
        by=world.registrar,
        now=more.pop("now", NOW),
        **more,
    )


def undo(world: SimpleNamespace, now: dt.datetime = NOW + SECOND) -> Appointment:
    return approval.undo(world.session, appointment_id=world.row.id, by=world.registrar, now=now)


def reject(world: SimpleNamespace, now: dt.datetime = NOW) -> Appointment:
    return approval.reject(
        world.session,
        appointment_id=world.row.id,
        reason_id=world.tenant.reasons[0].id,
        comment="",
        by=world.registrar,
        now=now,
    )


def slot_of(world: SimpleNamespace, row: Appointment) -> SlotStatus:
    return world.session.scalar(select(Slot.status).where(Slot.id == row.slot_id))


def messages(world: SimpleNamespace) -> list[Message]:
    return list(world.session.scalars(select(Message).order_by(Message.id)))


def outcomes(world: SimpleNamespace, row: Appointment) -> dict[str, Outcome]:
    examined = examination.examine(world.session, [row], now=NOW)[0]
    return {check.name: check.outcome for check in examined.checks}


def sound(world: SimpleNamespace) -> bool:
    set_scope(world.session, SYSTEM)
    return check_invariants(world.session, now=NOW) == []


def test_a_request_waits_for_a_decision_and_holds_its_time(world):
    assert (world.row.status, slot_of(world, world.row)) == (A.PENDING, SlotStatus.HELD)
    assert world.row.decide_by == NOW + dt.timedelta(hours=24)
    assert sound(world)


def test_approved_it_waits_for_the_code_whose_hour_begins_with_the_sms(world):
    as_registrar(world)
    done = approve(world)
    assert (done.status, slot_of(world, done)) == (A.PROPOSED, SlotStatus.HELD)
    assert done.code_until == NOW + UNDO + dt.timedelta(hours=1)
    (message,) = messages(world)
    assert (message.kind, message.run_at) == (MessageKind.CONFIRM_CODE, NOW + UNDO)
    code = codes.code_of(done)
    booked = codes.enter(
        world.session, appointment_id=done.id, code=code, actor=NOBODY, now=NOW + 2 * UNDO
    )
    assert (booked.status, slot_of(world, booked)) == (A.BOOKED, SlotStatus.BUSY)
    assert sound(world)


def test_within_the_minute_no_code_leaves_and_undone_it_never_does(world):
    done = approve(world)
    codes.another(world.session, appointment_id=done.id, now=NOW + SECOND)
    first, second = messages(world)
    assert first.run_at == second.run_at == NOW + UNDO
    assert delivery.verdict(world.session, first, now=NOW + SECOND) is delivery.Verdict.DROP
    assert delivery.verdict(world.session, second, now=NOW + SECOND) is delivery.Verdict.WAIT
    back = undo(world)
    assert (back.status, back.code_nonce, back.code_until) == (A.PENDING, "", None)
    assert slot_of(world, back) is SlotStatus.HELD
    world.session.expire_all()
    assert {m.status for m in messages(world)} == {MessageStatus.OBSOLETE}
    assert approve(world, now=NOW + 2 * SECOND).status is A.PROPOSED
    assert sound(world)


def test_after_the_minute_it_is_not_undone_and_the_sms_may_go(world):
    done = approve(world)
    later = NOW + UNDO + delivery.GRACE
    with pytest.raises(UndoOver):
        undo(world, later)
    (message,) = messages(world)
    assert delivery.verdict(world.session, message, now=later) is delivery.Verdict.SEND
    assert codes.lapse(world.session, now=done.code_until) == [done.id]
    assert slot_of(world, done) is SlotStatus.FREE
    assert sound(world)


def test_without_a_mobile_number_the_registrar_books_it_himself(world):
    world.patient.phone = "+74950000000"
    assert outcomes(world, world.row)["phone"] is Outcome.FAIL
    with pytest.raises(CheckFails):
        approve(world)
    done = approve(world, override_reason="говорили по телефону")
    assert (done.status, slot_of(world, done)) == (A.BOOKED, SlotStatus.BUSY)
    assert sound(world)


def test_the_number_given_for_the_booking_counts(world):
    world.patient.phone = None
    world.row.phone = "+79007654321"
    assert outcomes(world, world.row)["phone"] is Outcome.OK
    assert approve(world).status is A.PROPOSED


def test_where_approval_is_all_it_is_booked_at_once(world):
    world.tenant.policy.confirmation = Confirmation.APPROVAL
    world.session.flush()
    assert approve(world).status is A.BOOKED
    assert undo(world).status is A.PENDING
    assert sound(world)


def test_what_stands_beside_a_request(world):
    assert outcomes(world, world.row) == dict.fromkeys(
        ("documents", "twin", "attachment", "referral", "visits", "phone"), Outcome.OK
    )
    stranger = make.make_person(
        world.session,
        world.tenant,
        birth_date=world.patient.birth_date,
        patronymic=world.patient.patronymic,
    )
    row = ask(world, 1, who=stranger)
    assert outcomes(world, row) == {
        "documents": Outcome.WARN,
        "twin": Outcome.WARN,
        "attachment": Outcome.OK,
        "referral": Outcome.OK,
        "visits": Outcome.OK,
        "phone": Outcome.FAIL,
    }
    assert outcomes(world, world.row)["twin"] is Outcome.WARN


def test_the_attachment_and_the_referral_stand_beside_a_request(world):
    session, policy = world.session, world.tenant.policy
    policy.attachment_required = policy.referral_required = True
    role = world.row.schedule.role
    until = NOW.date() + dt.timedelta(days=30)
    registrar = make.make_staff(session, Role.REGISTRAR, world.tenant.root)

    def said() -> list[tuple[Outcome, str, object]]:
        session.flush()
        (one,) = examination.examine(session, [world.row], now=NOW)
        checks = {check.name: check for check in one.checks}
        return [
            (checks[name].outcome, checks[name].text, dict(checks[name].params))
            for name in ("attachment", "referral")
        ]

    def attach(**more: object) -> None:
        district = make.make_district(session, world.tenant, **more)
        make.make_attachment(session, world.patient, district)

    assert said() == [(Outcome.WARN, "none", {})] * 2
    attach(number="7")
    attachment, referral = said()
    assert attachment[0] is Outcome.OK
    assert attachment[2]["districts"] == [("№ 7", DistrictKind.THERAPY)]
    assert referral == (Outcome.WARN, "none", {})
    paper = make.make_referral(session, world.patient, role, registrar, valid_until=until)
    assert said()[1][:2] == (Outcome.OK, "%(specialty)s, until %(date)s, not used up yet")
    paper.appointment_id = world.row.id
    outcome, text, params = said()[1]
    assert (outcome, text) == (Outcome.OK, "%(specialty)s, until %(date)s")
    assert params["date"] == until and params["specialty"].ru == role.specialty.name_ru
    other = make.make_district(session, world.tenant, number="8")
    make.make_district_doctor(session, other, role)
    assert "another one" in said()[0][1] and said()[0][0] is Outcome.WARN
    policy.attachment_required = policy.referral_required = False
    assert said()[0][0] is Outcome.OK
    paper.withdrawn_at = NOW
    assert said()[1] == (Outcome.OK, "none, and none is needed", {})


def test_a_visit_in_a_branch_the_registrar_does_not_see_counts_too(world):
    other = make.make_sitting(
        world.session, make.make_role(world.session, world.tenant, organization=world.tenant.root)
    )
    make.make_appointment(world.session, world.tenant, world.patient, other, status=A.BOOKED)
    as_registrar(world)
    (examined,) = examination.examine(world.session, [world.row], now=NOW)
    (failing,) = examined.failing
    assert failing.name == "visits"
    assert "another visit" in failing.text


def test_checks_of_a_long_list_take_as_many_queries_as_of_a_short_one(world, engine):
    rows = [world.row]
    for number in (1, 2, 3):
        who = make.make_person(world.session, world.tenant, birth_date=dt.date(1970, 1, number))
        make.make_document(world.session, who, DocumentKind.SNILS, "112-233-445 95")
        rows.append(ask(world, number, who=who))
    world.tenant.policy.attachment_required = True
    counts = []
    for some in (rows[:1], rows):
        world.session.expire_all()
        loaded = list(queue.by_ids(world.session, [row.id for row in some]))
        with statements(engine) as seen:
            examination.examine(world.session, loaded, now=NOW)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 9


def test_rejected_it_frees_its_time_after_the_minute(world):
    done = reject(world)
    assert (done.status, slot_of(world, done)) == (A.REJECTED, SlotStatus.HELD)
    with pytest.raises(AlreadyDecided):
        approve(world)
    assert holding.release_stale(world.session, now=NOW + UNDO) == 1
    assert slot_of(world, done) is SlotStatus.FREE
    assert sound(world)


def test_a_rejection_is_not_undone_once_another_time_of_that_doctor_is_asked_for(world):
    reject(world)
    ask(world, 1)
    with pytest.raises(ChosenAgain):
        undo(world)


def test_a_visit_to_somebody_else_meanwhile_stops_no_undo(world):
    reject(world)
    other = make.make_sitting(world.session, make.make_role(world.session, world.tenant), days=5)
    ask(world, 0, day=other)
    assert undo(world).status is A.PENDING
    assert sound(world)


def test_undecided_when_its_time_comes_it_ends(world):
    assert booking.expire_undecided(world.session, now=world.row.starts_at) == 1
    world.session.refresh(world.row)
    assert (world.row.status, slot_of(world, world.row)) == (A.EXPIRED, SlotStatus.FREE)
