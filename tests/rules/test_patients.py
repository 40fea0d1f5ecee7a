"""A patient on the one engine: held by a browser, then by a person, confirmed by policy (B8–B9, E26–E31)."""

from __future__ import annotations

import datetime as dt
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Appointment, Message, Slot
from app.models.enums import (
    AppointmentStatus,
    Channel,
    Confirmation,
    MessageKind,
    ScheduleStatus,
    SlotStatus,
)
from app.models.scope import PUBLIC, SYSTEM, set_scope
from app.rules import booking, codes, holding, patients
from app.rules.actor import SYSTEM as NOBODY
from app.rules.errors import (
    HoldEnded,
    NotFound,
    Refused,
    RuleError,
    Taken,
    TooManyHolds,
)
from app.rules.invariants import check_invariants
from tests import make
from tests.make import NOW

A = AppointmentStatus
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """A polyclinic that asks for nothing more, a doctor with four times, a patient; the public's scope."""
    tenant = make.make_polyclinic(session)
    tenant.policy.confirmation = Confirmation.NONE
    tenant.policy.live_limit = 3
    role = make.make_role(session, tenant)
    day = make.make_sitting(session, role)
    patient = make.make_person(session, tenant)
    session.flush()
    slots = session.scalars(
        select(Slot).where(Slot.schedule_id == day.id).order_by(Slot.starts_at)
    ).all()
    set_scope(session, PUBLIC)
    return SimpleNamespace(
        session=session, tenant=tenant, role=role, day=day, slots=slots, patient=patient
    )


def hold(world: SimpleNamespace, number: int = 0, token: str = "browser", **more) -> Appointment:
    more.setdefault("slot_uid", world.slots[number].uid)
    return patients.hold(world.session, token=token, actor=NOBODY, now=more.pop("now", NOW), **more)


def name(world: SimpleNamespace, row: Appointment, token: str = "browser", who=None) -> Appointment:
    return patients.name(
        world.session,
        appointment_id=row.id,
        token=token,
        person_id=(who or world.patient).id,
        actor=NOBODY,
        now=NOW + MINUTE,
    )


def confirm(world: SimpleNamespace, row: Appointment) -> Appointment:
    set_scope(world.session, SYSTEM)
    done = booking.confirm(world.session, appointment_id=row.id, actor=NOBODY, now=NOW + MINUTE)
    set_scope(world.session, PUBLIC)
    return done


def state(world: SimpleNamespace, number: int) -> SlotStatus:
    world.session.expire_all()
    return world.session.get_one(Slot, world.slots[number].id).status


def sound(world: SimpleNamespace) -> bool:
    set_scope(world.session, SYSTEM)
    found = check_invariants(world.session, now=NOW)
    set_scope(world.session, PUBLIC)
    return found == []


def test_from_a_browser_to_a_person_to_a_booking(world):
    row = hold(world)
    assert (row.status, row.person_id, state(world, 0)) == (A.HELD, None, SlotStatus.HELD)
    assert patients.held(world.session, token="browser", now=NOW).id == row.id
    assert patients.held(world.session, token="another", now=NOW) is None
    assert name(world, row).person_id == world.patient.id
    assert confirm(world, row).status is A.BOOKED
    assert state(world, 0) is SlotStatus.BUSY
    assert sound(world)


def test_a_browser_holds_one_time_and_choosing_again_lets_the_former_go(world):
    first = hold(world)
    assert hold(world).id == first.id
    second = hold(world, 1)
    assert (state(world, 0), state(world, 1)) == (SlotStatus.FREE, SlotStatus.HELD)
    assert patients.held(world.session, token="browser", now=NOW).id == second.id
    with pytest.raises(Taken):
        hold(world, 1, token="another")
    assert sound(world)


def test_nobody_can_confirm_a_time_before_saying_who_he_is(world):
    row = hold(world)
    with pytest.raises(NotFound):
        confirm(world, row)
    assert state(world, 0) is SlotStatus.HELD


def test_what_another_browser_holds_is_not_there(world):
    row = hold(world)
    with pytest.raises(NotFound):
        name(world, row, token="another")
    assert patients.held(world.session, token="browser", now=NOW).person_id is None


def test_a_hold_that_is_over_is_nobodys(world):
    row = hold(world)
    late = NOW + 11 * MINUTE
    assert patients.held(world.session, token="browser", now=late) is None
    with pytest.raises(HoldEnded):
        patients.name(
            world.session, appointment_id=row.id, token="browser",
            person_id=world.patient.id, actor=NOBODY, now=late,
        )  # fmt: skip
    set_scope(world.session, SYSTEM)
    assert holding.release_stale(world.session, now=late) == 1
    assert state(world, 0) is SlotStatus.FREE


def test_a_hold_said_to_be_one_persons_is_not_said_to_be_anothers(world):
    row = name(world, hold(world))
    other = make.make_person
    set_scope(world.session, SYSTEM)
    stranger = other(world.session, world.tenant)
    set_scope(world.session, PUBLIC)
    with pytest.raises(HoldEnded):
        name(world, row, who=stranger)


def test_the_same_doctor_twice_another_time_at_once_and_too_many_are_refused(world):
    confirm(world, name(world, hold(world)))
    with pytest.raises(Refused) as refused:
        name(world, hold(world, 1))
    assert refused.value.code == "same_doctor"
    set_scope(world.session, SYSTEM)
    rivals = [make.make_role(world.session, world.tenant) for _ in range(3)]
    days = [
        make.make_sitting(world.session, rivals[0], times=("09:05",)),
        make.make_sitting(world.session, rivals[1], days=3),
        make.make_sitting(world.session, rivals[2], days=4),
    ]
    slots = [
        world.session.scalars(
            select(Slot).where(Slot.schedule_id == day.id).order_by(Slot.starts_at).limit(1)
        ).one()
        for day in days
    ]
    set_scope(world.session, PUBLIC)
    with pytest.raises(Refused) as refused:
        name(world, hold(world, slot_uid=slots[0].uid))
    assert refused.value.code == "same_time"
    confirm(world, name(world, hold(world, slot_uid=slots[1].uid)))
    world.tenant.policy.live_limit = 2
    set_scope(world.session, SYSTEM)
    world.session.flush()
    set_scope(world.session, PUBLIC)
    with pytest.raises(Refused) as refused:
        name(world, hold(world, slot_uid=slots[2].uid))
    assert refused.value.code == "too_many"


def test_times_of_the_desk_of_a_draft_of_the_past_and_of_a_closed_day(world):
    session = world.session
    set_scope(session, SYSTEM)
    world.slots[1].channel = Channel.DESK
    draft = make.make_sitting(
        session, make.make_role(session, world.tenant), status=ScheduleStatus.DRAFT
    )
    hidden = session.scalars(select(Slot).where(Slot.schedule_id == draft.id)).first()
    session.flush()
    set_scope(session, PUBLIC)
    for uid in (world.slots[1].uid, hidden.uid):
        with pytest.raises(NotFound):
            hold(world, slot_uid=uid)
    with pytest.raises(Refused) as refused:
        hold(world, now=world.slots[0].starts_at)
    assert refused.value.code == "past"
    set_scope(session, SYSTEM)
    world.day.status = ScheduleStatus.CLOSED
    session.flush()
    set_scope(session, PUBLIC)
    with pytest.raises(Refused) as refused:
        hold(world)
    assert refused.value.code == "closed"


@pytest.mark.parametrize("off", ["role", "practitioner", "branch", "patients"])
def test_the_site_has_no_times_of_what_is_switched_off(world, off):
    """An old page still names them; the desk, which knows why, has them."""
    if off == "patients":
        world.tenant.branch.takes_patients = False
    else:
        whom = {"role": world.role, "practitioner": world.role.practitioner}
        whom.get(off, world.tenant.branch).is_active = False
    set_scope(world.session, SYSTEM)
    world.session.flush()
    uid = world.slots[0].uid
    assert patients.choice_of(world.session, slot_uid=uid, now=NOW, at_desk=True)
    set_scope(world.session, PUBLIC)
    with pytest.raises(NotFound):
        hold(world)


def test_one_address_cannot_freeze_a_clinic(world):
    set_scope(world.session, SYSTEM)
    world.tenant.policy.holds_per_address = 2
    world.session.flush()
    set_scope(world.session, PUBLIC)
    for number in range(2):
        hold(world, number, token=f"tab {number}", address="192.0.2.1")
    with pytest.raises(TooManyHolds):
        hold(world, 2, token="tab 2", address="192.0.2.1")
    hold(world, 2, token="tab 3", address="192.0.2.2")


def test_where_a_code_is_asked_for_the_time_waits_for_it(world):
    set_scope(world.session, SYSTEM)
    world.tenant.policy.confirmation = Confirmation.CODE
    world.session.flush()
    set_scope(world.session, PUBLIC)
    row = confirm(world, name(world, hold(world)))
    assert (row.status, state(world, 0)) == (A.PROPOSED, SlotStatus.HELD)
    set_scope(world.session, SYSTEM)
    row = world.session.get_one(Appointment, row.id)
    (message,) = world.session.scalars(select(Message).where(Message.appointment_id == row.id))
    assert (message.kind, message.useless_after) == (MessageKind.CONFIRM_CODE, row.code_until)
    done = codes.enter(
        world.session,
        appointment_id=row.id,
        code=codes.code_of(row),
        actor=NOBODY,
        now=NOW + MINUTE,
    )
    assert done.status is A.BOOKED
    assert sound(world)


def test_a_practitioners_day_is_no_donor_day(world):
    set_scope(world.session, SYSTEM)
    donor = make.make_donor(world.session, world.tenant)
    with pytest.raises(NotFound):
        holding.hold(
            world.session, person_id=donor.person.id, schedule_id=world.day.id,
            slot_id=world.slots[0].id, actor=NOBODY, now=NOW,
        )  # fmt: skip


def test_ten_browsers_want_one_time_and_one_browser_wants_two(engine, store, scale):
    """Real sessions at once: one wins, and of the one browser's two wishes one is held."""
    tenant = make.make_polyclinic(store)
    day = make.make_sitting(store, make.make_role(store, tenant))
    store.commit()
    slots = store.scalars(select(Slot).where(Slot.schedule_id == day.id).order_by(Slot.id)).all()
    store.commit()  # on SQLite whoever has read may write, and holds up the others
    wishes = [(slots[0].uid, f"browser {n}") for n in range(10)]
    wishes += [(slots[1].uid, "greedy"), (slots[2].uid, "greedy")]
    gate, found = threading.Barrier(len(wishes)), []

    def run(uid, token) -> None:
        with Session(engine, expire_on_commit=False) as mine:
            set_scope(mine, PUBLIC)
            gate.wait()
            try:
                patients.hold(mine, slot_uid=uid, token=token, actor=NOBODY, now=NOW)
                found.append(token)
            except RuleError as error:
                found.append(error)
            mine.commit()

    threads = [threading.Thread(target=run, args=wish) for wish in wishes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(wishes)
    assert len([one for one in found if isinstance(one, str) and one != "greedy"]) == 1
    assert len([one for one in found if isinstance(one, Taken)]) == 9
    store.expire_all()
    held = store.scalars(
        select(Appointment).where(Appointment.status == A.HELD, Appointment.schedule_id == day.id)
    ).all()
    assert len(held) == 2, "one of the ten, and one of the greedy browser's"
    assert check_invariants(store, now=NOW) == []
