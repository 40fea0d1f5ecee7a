"""Moving a visit (B16): one transaction, the same ticket, told; and who wins when it is also cancelled or booked."""

from __future__ import annotations

import datetime as dt
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Appointment, AppointmentEvent, AuditEvent, Message, Person, Slot
from app.models.enums import (
    AppointmentStatus,
    Channel,
    Confirmation,
    MessageKind,
    MessageStatus,
    Relation,
    Role,
    ScheduleStatus,
    SlotStatus,
)
from app.models.scope import SYSTEM, set_scope
from app.rules import access, announcing, approval, booking, desk, hospital_link, moving
from app.rules.actor import SYSTEM as NOBODY
from app.rules.actor import actor_of
from app.rules.errors import AlreadyChanged, NotFound, Refused, RuleError, Taken, UndoOver
from app.rules.hospital_link import LinkLost
from app.rules.invariants import check_invariants
from app.rules.moving import MovedMeanwhile, NotMovable, TooLateToMove
from tests import make
from tests.make import NOW

A = AppointmentStatus
LATER = NOW + dt.timedelta(minutes=5)


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """A visit booked for 9:00, three other times of that doctor and four of another one, next week."""
    tenant = make.make_polyclinic(session)
    tenant.policy.confirmation = Confirmation.NONE
    tenant.policy.live_limit = 3
    day = make.make_sitting(session, make.make_role(session, tenant))
    other = make.make_sitting(session, make.make_role(session, tenant), days=6)
    patient = make.make_person(session, tenant)
    patient.phone = "+79001234567"
    registrar = make.make_staff(session, Role.REGISTRAR, tenant.branch)
    session.flush()
    found = SimpleNamespace(
        session=session, tenant=tenant, patient=patient, actor=actor_of(registrar),
        registrar=registrar, day=day, slots=make.slots_of(session, day),
        others=make.slots_of(session, other), scope=access.staff_scope(session, registrar),
    )  # fmt: skip
    set_scope(session, found.scope)
    found.row = desk.book(
        session, slot_uid=found.slots[0].uid, person=patient, actor=found.actor, now=NOW
    )
    return found


def move(world: SimpleNamespace, to: Slot, **more) -> Appointment:
    return moving.move(
        world.session,
        uid=world.row.uid,
        slot_uid=to.uid,
        actor=world.actor,
        now=more.pop("now", LATER),
        **more,
    )


def status(world: SimpleNamespace, slot: Slot) -> SlotStatus:
    return world.session.scalar(select(Slot.status).where(Slot.id == slot.id))


def sound(world: SimpleNamespace) -> bool:
    set_scope(world.session, SYSTEM)
    return check_invariants(world.session, now=NOW) == []


def test_the_same_ticket_on_another_time_the_old_one_free_and_all_of_it_written_down(world):
    number, was = world.row.number, world.row.starts_at
    done = move(world, world.others[1])
    assert (done.number, done.status) == (number, A.BOOKED)
    assert (done.slot_id, done.schedule_id) == (world.others[1].id, world.others[1].schedule_id)
    assert done.starts_at == world.others[1].starts_at
    assert status(world, world.slots[0]) is SlotStatus.FREE
    assert status(world, world.others[1]) is SlotStatus.BUSY
    events = world.session.scalars(
        select(AppointmentEvent.event).order_by(AppointmentEvent.id)
    ).all()
    assert events == ["hold", "confirm_to_booked", "move"]
    audited = world.session.scalars(
        select(AuditEvent).where(AuditEvent.verb == "booking.move")
    ).one()
    assert audited.changes["starts_at"] == [was.isoformat(), done.starts_at.isoformat()]
    assert sound(world)


def test_who_has_no_account_learns_of_it_by_sms_and_what_told_the_former_time_is_withdrawn(world):
    move(world, world.others[0])
    move(world, world.others[1], now=LATER + dt.timedelta(minutes=1))
    rows = world.session.execute(select(Message.kind, Message.status).order_by(Message.id)).all()
    assert rows == [
        (MessageKind.VISIT_MOVED, MessageStatus.OBSOLETE),
        (MessageKind.VISIT_MOVED, MessageStatus.DUE),
    ]


def test_who_moves_his_own_visit_is_sent_no_sms_and_phoned_by_nobody(world):
    """Row E53: an account without an e-mail, which the call centre has issued."""
    world.tenant.policy.move_limit = 1
    account = make.make_account(world.session, email=None, email_confirmed_at=None)
    make.make_kept(world.session, account, world.patient, Relation.SELF)
    move(world, world.slots[2], at_desk=False)
    set_scope(world.session, SYSTEM)
    assert world.session.scalars(select(Message.kind)).all() == []


def test_who_has_an_account_gets_a_letter_and_a_new_reminder(world):
    set_scope(world.session, SYSTEM)
    donor = make.make_donor(world.session, world.tenant)
    world.row = make.make_appointment(
        world.session, world.tenant, donor, world.day, status=A.BOOKED
    )
    announcing.announce_booked(world.session, world.row, now=NOW, run_at=NOW)
    set_scope(world.session, world.scope)
    done = move(world, world.others[0])
    set_scope(world.session, SYSTEM)
    rows = world.session.execute(
        select(Message.kind, Message.status, Message.run_at).order_by(Message.id)
    ).all()
    day_before = done.starts_at - dt.timedelta(hours=24)
    assert [(kind, state) for kind, state, _ in rows] == [
        (MessageKind.APPROVED, MessageStatus.OBSOLETE),
        (MessageKind.REMINDER, MessageStatus.OBSOLETE),
        (MessageKind.MOVED, MessageStatus.DUE),
        (MessageKind.REMINDER, MessageStatus.DUE),
    ]
    assert rows[-1].run_at == day_before


def test_to_the_same_doctors_other_time_too_and_asked_again_nothing_changes(world):
    done = move(world, world.slots[2])
    assert move(world, world.slots[2]).id == done.id
    events = world.session.scalars(
        select(AppointmentEvent).where(AppointmentEvent.event == "move")
    ).all()
    assert len(events) == 1


def test_whoever_saw_it_elsewhere_is_told(world):
    move(world, world.slots[1], seen_at=world.slots[0].uid)
    with pytest.raises(MovedMeanwhile):
        move(world, world.slots[2], seen_at=world.slots[0].uid)


def test_the_rules_are_asked_of_the_new_time(world):
    rival = make.make_person(world.session, world.tenant)
    desk.book(world.session, slot_uid=world.others[0].uid, person=rival, actor=world.actor, now=NOW)
    with pytest.raises(Taken):
        move(world, world.others[0])
    desk.book(
        world.session, slot_uid=world.others[1].uid, person=world.patient, actor=world.actor,
        now=NOW,
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        move(world, world.others[2])
    assert refused.value.code == "same_doctor"
    assert status(world, world.others[2]) is SlotStatus.FREE
    assert sound(world)


def test_begun_over_cancelled_and_waiting_ones_are_not_moved(world):
    with pytest.raises(TooLateToMove):
        move(world, world.others[0], now=world.row.starts_at)
    booking.cancel(
        world.session, appointment_id=world.row.id, actor=world.actor, now=LATER, comment="x"
    )
    with pytest.raises(NotMovable):
        move(world, world.others[0])
    set_scope(world.session, SYSTEM)
    world.row = make.make_appointment(world.session, world.tenant, world.patient, world.day)
    set_scope(world.session, world.scope)
    with pytest.raises(NotMovable):
        move(world, world.others[0])


def test_not_into_the_past_nor_to_a_closed_day_nor_to_another_registry(world):
    set_scope(world.session, SYSTEM)
    foreign = make.make_polyclinic(world.session, name="Речная поликлиника")
    theirs = make.slots_of(
        world.session, make.make_sitting(world.session, make.make_role(world.session, foreign))
    )
    gone = make.slots_of(
        world.session,
        make.make_sitting(world.session, make.make_role(world.session, world.tenant), days=-1),
    )
    set_scope(world.session, world.scope)
    with pytest.raises(NotFound):
        move(world, theirs[0])
    with pytest.raises(Refused) as refused:
        move(world, gone[0])
    assert refused.value.code == "past"
    set_scope(world.session, SYSTEM)
    with pytest.raises(NotFound):  # even for who sees both
        move(world, theirs[0])
    world.day.status = ScheduleStatus.CLOSED
    world.session.flush()
    with pytest.raises(Refused):
        move(world, world.slots[1])


def test_an_old_time_of_a_day_closed_meanwhile_does_not_come_back(world):
    world.day.status = ScheduleStatus.CLOSED
    world.session.flush()
    move(world, world.others[0])
    assert status(world, world.slots[0]) is SlotStatus.CLOSED


def test_the_owner_himself_gets_only_times_of_the_site_and_not_without_a_link(world):
    world.tenant.policy.move_limit = 2
    world.slots[1].channel = Channel.DESK
    world.session.flush()
    for elsewhere in (world.slots[1], world.others[0]):  # the desk's, and another doctor's
        with pytest.raises(NotFound):
            move(world, elsewhere, at_desk=False)
    set_scope(world.session, SYSTEM)
    hospital_link.say_lost(world.session, organization=world.tenant.root, actor=NOBODY, now=NOW)
    with pytest.raises(LinkLost):
        move(world, world.slots[2], at_desk=False)
    set_scope(world.session, world.scope)
    assert move(world, world.others[0]).slot_id == world.others[0].id


def test_a_moved_booking_is_no_fresh_decision_any_more(world):
    set_scope(world.session, SYSTEM)
    world.tenant.policy.confirmation = Confirmation.APPROVAL
    world.session.flush()
    asked = make.make_appointment(
        world.session, world.tenant, make.make_person(world.session, world.tenant), world.day
    )
    approval.approve(world.session, appointment_id=asked.id, by=world.registrar, now=NOW)
    world.row = asked
    move(world, world.others[0], now=NOW + dt.timedelta(seconds=10))
    with pytest.raises(UndoOver):
        approval.undo(
            world.session, appointment_id=asked.id, by=world.registrar,
            now=NOW + dt.timedelta(seconds=20),
        )  # fmt: skip
    assert sound(world)


# --- races


def at_once(engine, *acts) -> list[object]:
    gate, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int) -> None:
        with Session(engine, expire_on_commit=False) as session:
            set_scope(session, SYSTEM)
            gate.wait()
            try:
                found[number] = acts[number](session)
                session.commit()
            except RuleError as error:
                found[number] = error

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.fixture
def clinic(store) -> SimpleNamespace:
    tenant = make.make_polyclinic(store)
    tenant.policy.confirmation = Confirmation.NONE
    tenant.policy.live_limit = 9
    day = make.make_sitting(store, make.make_role(store, tenant), times=("09:00", "09:15"))
    people = [make.make_person(store, tenant) for _ in range(2)]
    slots = make.slots_of(store, day)
    uids, rival = [slot.uid for slot in slots], people[1].id
    store.commit()  # on SQLite whoever has read may write, and holds up the others
    return SimpleNamespace(
        store=store, tenant=tenant, day=day, people=people, slots=slots, uids=uids, rival=rival
    )


def booked(clinic: SimpleNamespace) -> Appointment:
    row = desk.book(
        clinic.store, slot_uid=clinic.uids[0], person=clinic.people[0], actor=NOBODY, now=NOW
    )
    clinic.store.commit()
    return row


def clear(clinic: SimpleNamespace) -> None:
    assert check_invariants(clinic.store, now=NOW) == []
    booked = select(Appointment).where(Appointment.status == A.BOOKED)
    for row in clinic.store.scalars(booked).all():
        booking.cancel(clinic.store, appointment_id=row.id, actor=NOBODY, now=LATER)
    clinic.store.commit()


def moved(uid, slot_uid):
    return lambda s: moving.move(s, uid=uid, slot_uid=slot_uid, actor=NOBODY, now=LATER)


def test_of_a_move_and_a_cancel_both_may_happen_in_one_order_only(engine, clinic, scale):
    """Cancelled first: nothing is moved. Moved first: the new time is cancelled. Never both times free and
    one kept, or both kept."""
    for _ in range(scale(100)):
        row = booked(clinic)
        by_move, by_cancel = at_once(
            engine,
            moved(row.uid, clinic.uids[1]),
            lambda s, i=row.id: booking.cancel(s, appointment_id=i, actor=NOBODY, now=LATER),
        )
        clinic.store.expire_all()
        assert isinstance(by_cancel, (Appointment, AlreadyChanged)), by_cancel
        assert isinstance(by_move, (Appointment, NotMovable)), by_move
        states = sorted(slot.status for slot in make.slots_of(clinic.store, clinic.day))
        if isinstance(by_cancel, Appointment):
            assert states == [SlotStatus.FREE] * 2
        clear(clinic)


def test_of_a_move_and_a_booking_of_the_same_time_one_wins(engine, clinic, scale):
    wins = {"move": 0, "book": 0}
    for _ in range(scale(100)):
        row = booked(clinic)
        by_move, by_book = at_once(
            engine,
            moved(row.uid, clinic.uids[1]),
            lambda s: desk.book(
                s,
                slot_uid=clinic.uids[1],
                person=s.get_one(Person, clinic.rival),
                actor=NOBODY,
                now=LATER,
            ),
        )
        clinic.store.expire_all()
        assert isinstance(by_move, Appointment) != isinstance(by_book, Appointment)
        loser = by_book if isinstance(by_move, Appointment) else by_move
        assert isinstance(loser, Taken)
        wins["move" if isinstance(by_move, Appointment) else "book"] += 1
        clear(clinic)
    assert sum(wins.values()) == scale(100)


def test_two_desks_move_two_visits_to_one_time(engine, clinic, scale):
    day = make.make_sitting(
        clinic.store, make.make_role(clinic.store, clinic.tenant), days=5, times=("10:00",)
    )
    clinic.store.commit()
    wanted = make.slots_of(clinic.store, day)[0].uid
    clinic.store.commit()
    for _ in range(scale(50)):
        first = booked(clinic)
        second = desk.book(
            clinic.store, slot_uid=clinic.uids[1], person=clinic.people[1], actor=NOBODY,
            now=NOW,
        )  # fmt: skip
        clinic.store.commit()
        found = at_once(engine, moved(first.uid, wanted), moved(second.uid, wanted))
        assert sorted(type(one).__name__ for one in found) == ["Appointment", "Taken"]
        clinic.store.expire_all()
        clear(clinic)
