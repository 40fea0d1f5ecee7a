"""Confirming by a code (rows E27–E29): the code, its tries, its hour, and who wins at the last second."""

from __future__ import annotations

import datetime as dt
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.models import Appointment, AppointmentEvent, Message, Slot
from app.models.enums import AppointmentStatus, MessageChannel, MessageKind, SlotStatus
from app.models.scope import SYSTEM, set_scope
from app.rules import codes, transitions
from app.rules.actor import SYSTEM as NOBODY
from app.rules.actor import actor_of
from app.rules.codes import CodeTooLate, NoMoreCodes, NoTriesLeft, WrongCode, code_of
from app.rules.errors import AlreadyChanged, RuleError
from app.rules.invariants import check_invariants
from tests import make
from tests.make import NOW

A = AppointmentStatus
MINUTE = dt.timedelta(minutes=1)


def propose(session: Session, held: Appointment, now: dt.datetime = NOW) -> Appointment:
    """As confirming does where the policy asks for a code."""
    return transitions.move(
        session,
        appointment_id=held.id,
        event="propose",
        actor=NOBODY,
        now=now,
        hold_until=None,
        **codes.first(held, now=now),
    )


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """Somebody who has chosen a place that has to be confirmed by a code."""
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    day = make.make_schedule(session, tenant)
    held = make.make_appointment(session, tenant, donor, day, status=A.HELD)
    actor = actor_of(donor.account)
    propose(session, held)
    return SimpleNamespace(session=session, tenant=tenant, actor=actor, id=held.id, row=held)


def enter(world: SimpleNamespace, code: str, now: dt.datetime = NOW + MINUTE) -> Appointment:
    return codes.enter(
        world.session, appointment_id=world.id, code=code, actor=world.actor, now=now
    )


def wrong(row: Appointment) -> str:
    return f"{(int(code_of(row)) + 1) % 10**6:06d}"


def slot_of(world: SimpleNamespace) -> SlotStatus:
    world.session.expire_all()
    return world.session.get_one(Slot, world.row.slot_id).status


def sms(world: SimpleNamespace) -> list[MessageKind]:
    query = select(Message.kind).where(Message.channel == MessageChannel.SMS).order_by(Message.id)
    return list(world.session.scalars(query))


def test_the_right_code_books_the_place(world):
    assert (world.row.status, slot_of(world)) == (A.PROPOSED, SlotStatus.HELD)
    code = code_of(world.row)
    assert len(code) == 6 and code.isdigit()
    assert enter(world, f" {code[:3]} {code[3:]} ").status is A.BOOKED
    assert slot_of(world) is SlotStatus.BUSY
    assert enter(world, code).status is A.BOOKED  # pressed twice
    assert check_invariants(world.session, now=NOW) == []


def test_wrong_codes_are_counted_and_the_sixth_try_is_none(world):
    for left in (4, 3, 2, 1):
        with pytest.raises(WrongCode) as refused:
            enter(world, wrong(world.row))
        assert refused.value.params == {"left": left}
    for code in (wrong(world.row), code_of(world.row)):  # now the right one does not help either
        with pytest.raises(NoTriesLeft):
            enter(world, code)
    assert slot_of(world) is SlotStatus.HELD


@pytest.mark.parametrize("typed", ["", "abcdef", "\0", "١٢٣٤٥٦", "1" * 5000])
def test_what_is_no_code_is_a_wrong_code(world, typed):
    with pytest.raises(WrongCode):
        enter(world, typed)


def test_another_code_voids_the_former_and_gives_new_tries_within_the_same_hour(world):
    first, until = code_of(world.row), world.row.code_until
    with pytest.raises(WrongCode):
        enter(world, wrong(world.row))
    row = codes.another(world.session, appointment_id=world.id, now=NOW + MINUTE)
    assert (row.code_tries, row.code_sent, row.code_until) == (0, 2, until)
    assert sms(world) == [MessageKind.CONFIRM_CODE]
    assert code_of(row) != first
    with pytest.raises(WrongCode):
        enter(world, first)
    assert enter(world, code_of(row)).status is A.BOOKED


def test_after_three_more_codes_no_other_is_sent(world):
    for number in range(3):
        codes.another(world.session, appointment_id=world.id, now=NOW + number * MINUTE)
    with pytest.raises(NoMoreCodes):
        codes.another(world.session, appointment_id=world.id, now=NOW + MINUTE)


def test_after_the_hour_the_booking_is_annulled_once_and_the_place_free(world):
    late = NOW + 60 * MINUTE
    with pytest.raises(CodeTooLate):
        enter(world, code_of(world.row), now=late)
    assert codes.lapse(world.session, now=late - MINUTE) == []
    assert codes.lapse(world.session, now=late) == [world.id]
    assert sms(world) == [MessageKind.BOOKING_LAPSED]
    assert codes.lapse(world.session, now=late) == []
    assert slot_of(world) is SlotStatus.FREE
    for act in (
        lambda: enter(world, code_of(world.row), now=late),
        lambda: codes.another(world.session, appointment_id=world.id, now=late),
    ):
        with pytest.raises(CodeTooLate):
            act()
    assert check_invariants(world.session, now=late) == []


def test_a_visit_within_the_hour_shortens_the_time(world):
    held = make.make_appointment(
        world.session,
        world.tenant,
        make.make_donor(world.session, world.tenant),
        make.make_schedule(world.session, world.tenant, days=3),
        status=A.HELD,
    )
    soon = held.starts_at - 20 * MINUTE
    done = propose(world.session, held, now=soon)
    assert done.code_until == held.starts_at


def test_what_awaits_no_code_takes_none(world):
    pending = make.make_appointment(
        world.session,
        world.tenant,
        make.make_donor(world.session, world.tenant),
        make.make_schedule(world.session, world.tenant, days=4),
    )
    world.id = pending.id
    with pytest.raises(AlreadyChanged):
        enter(world, "000000")
    with pytest.raises(AlreadyChanged):
        codes.another(world.session, appointment_id=pending.id, now=NOW)


def at_once(engine: Engine, *acts) -> list[object]:
    """Each act in a session of its own, all let go at the same moment; what each returned or raised."""
    gate, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int) -> None:
        with Session(engine, expire_on_commit=False) as session:
            set_scope(session, SYSTEM)
            gate.wait()
            try:
                found[number] = acts[number](session)
            except RuleError as error:
                found[number] = error
            session.commit()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_of_the_code_and_the_end_of_the_hour_one_wins(engine, store, scale):
    """The code goes in during the last millisecond while the sweep of the next one is at work."""
    tenant = make.make_tenant(store)
    donor = make.make_donor(store, tenant)
    day = make.make_schedule(store, tenant, per_time=1, total=1)
    won = {A.BOOKED: 0, A.EXPIRED: 0}
    for _ in range(scale(500)):
        held = make.make_appointment(store, tenant, donor, day, status=A.HELD)
        row = propose(store, held)
        store.commit()
        code, until = code_of(row), row.code_until
        assert until is not None
        given, swept = at_once(
            engine,
            lambda s, i=row.id, c=code, u=until: codes.enter(
                s, appointment_id=i, code=c, actor=NOBODY, now=u - dt.timedelta(milliseconds=1)
            ),
            lambda s, u=until: codes.lapse(s, now=u),
        )
        store.expire_all()
        status = store.get_one(Appointment, row.id).status
        won[status] += 1
        booked = isinstance(given, Appointment)
        assert booked == (status is A.BOOKED), given
        assert booked or isinstance(given, CodeTooLate)
        assert swept == ([] if booked else [row.id])
        ends = store.scalars(
            select(AppointmentEvent.event).where(AppointmentEvent.appointment_id == row.id)
        ).all()
        assert len([one for one in ends if one in ("code", "lapse")]) == 1
        assert check_invariants(store, now=until) == []
        if booked:  # the next round needs the only place again
            transitions.move(
                store, appointment_id=row.id, event="cancel", actor=NOBODY, now=NOW, ended_at=NOW
            )
        store.commit()
    assert sum(won.values()) == scale(500)
