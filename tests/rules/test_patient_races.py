"""Patients and the desk at once: one slot is one booking, and a day that closes under people loses nobody."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.documents import sms as texts
from app.models import AccountPerson, Appointment, Message, Person, Schedule, Slot
from app.models.enums import (
    AppointmentStatus,
    Confirmation,
    MessageChannel,
    MessageKind,
    MessageStatus,
    Role,
    ScheduleStatus,
    SlotStatus,
)
from app.models.scope import PUBLIC, SYSTEM, set_scope
from app.rules import booking, closing, desk, ledger, patients
from app.rules.actor import SYSTEM as NOBODY
from app.rules.actor import Actor, actor_of
from app.rules.errors import HoldEnded, Refused, RuleError, Taken
from app.rules.invariants import check_invariants
from tests import make
from tests.make import NOW

A = AppointmentStatus
REASON = "Врач заболел"


@pytest.fixture
def world(store: Session) -> SimpleNamespace:
    """A doctor in a polyclinic that books at once; many come from one address."""
    tenant = make.make_polyclinic(store)
    tenant.policy.confirmation = Confirmation.NONE
    role = make.make_role(store, tenant)
    staff = [make.make_staff(store, Role.REGISTRAR, tenant.root) for _ in range(2)]
    scheduler = actor_of(make.make_staff(store, Role.SCHEDULER, tenant.root))
    return SimpleNamespace(
        store=store,
        tenant=tenant,
        role=role,
        desks=[actor_of(s) for s in staff],
        scheduler=scheduler,
    )


def at_once(engine: Engine, acts: list[Callable[[Session], Any]]) -> list[Any]:
    """Each in a session of its own, all let go at the same moment; what each returned or was refused."""
    gate, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int) -> None:
        with Session(engine, expire_on_commit=False) as mine:
            gate.wait()
            try:
                found[number] = acts[number](mine)
            except RuleError as refusal:
                mine.rollback()
                found[number] = refusal
            except BaseException as error:
                mine.rollback()
                found[number] = error
                raise

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def on_the_site(slot: Slot, person: Person, token: str) -> Callable[[Session], int]:
    """Choose the time, say who one is, confirm: three requests, three transactions."""
    uid, person_id = slot.uid, person.id

    def act(session: Session) -> int:
        set_scope(session, PUBLIC)
        row = patients.hold(session, slot_uid=uid, token=token, actor=NOBODY, now=NOW)
        session.commit()
        patients.name(
            session,
            appointment_id=row.id,
            token=token,
            person_id=person_id,
            actor=NOBODY,
            now=NOW,
        )
        session.commit()
        set_scope(session, SYSTEM)
        booking.confirm(session, appointment_id=row.id, actor=NOBODY, now=NOW)
        session.commit()
        return row.id

    return act


def at_the_desk(slot: Slot, person: Person, actor: Actor) -> Callable[[Session], int]:
    """For a caller: chosen and confirmed in one go."""
    uid, person_id = slot.uid, person.id

    def act(session: Session) -> int:
        set_scope(session, SYSTEM)
        person = session.get_one(Person, person_id)
        row = desk.book(session, slot_uid=uid, person=person, actor=actor, now=NOW)
        session.commit()
        return row.id

    return act


def test_two_desks_and_ten_browsers_want_one_slot(engine, world, scale):
    """Round by round another slot: one booking each time, by either door, and the others are told."""
    store = world.store
    rounds = max(4, scale(40))
    times = [f"{8 + n // 6:02}:{n % 6 * 10:02}" for n in range(rounds)]
    day = make.make_sitting(store, world.role, times=times, minutes=10)
    won: Counter[str] = Counter()
    for slot in make.slots_of(store, day):
        people = [make.make_person(store, world.tenant) for _ in range(12)]
        acts = [on_the_site(slot, people[n], f"{slot.id} {n}") for n in range(10)]
        acts += [at_the_desk(slot, people[10 + n], world.desks[n]) for n in range(2)]
        random.shuffle(acts)
        store.commit()  # on SQLite whoever has read may write, and holds up the others
        results = at_once(engine, acts)
        winners = [each for each in results if isinstance(each, int)]
        assert len(winners) == 1, results
        assert {type(each) for each in results if not isinstance(each, int)} == {Taken}
        store.expire_all()
        booked = store.scalars(
            select(Appointment).where(Appointment.slot_id == slot.id, Appointment.keeps_slot)
        ).one()
        assert (booked.id, booked.status) == (winners[0], A.BOOKED)
        assert store.get_one(Slot, slot.id).status is SlotStatus.BUSY
        won["desk" if booked.person_id in {p.id for p in people[10:]} else "site"] += 1
    assert check_invariants(store, now=NOW) == []
    assert sum(won.values()) == rounds


def test_the_desk_that_presses_twice_at_once_books_once(engine, world):
    store = world.store
    times = [f"08:{n * 10:02}" for n in range(5)]
    day = make.make_sitting(store, world.role, times=times, minutes=10)
    for slot in make.slots_of(store, day):
        person = make.make_person(store, world.tenant)
        acts = [at_the_desk(slot, person, world.desks[0]) for _ in range(3)]
        store.commit()
        results = at_once(engine, acts)
        assert len(set(results)) == 1 and isinstance(results[0], int), results
    assert check_invariants(store, now=NOW) == []


def reachable(world: SimpleNamespace, number: int) -> Person:
    """In turn: with an account, with a mobile telephone, with a landline, with nothing."""
    phones = {1: f"+7900{number:07}", 2: f"+7495{number:07}"}
    person = make.make_person(world.store, world.tenant, phone=phones.get(number % 4))
    if number % 4 == 0:
        account = make.make_account(world.store)
        world.store.add(
            AccountPerson(account_id=account.id, person_id=person.id, tenant_id=world.tenant.id)
        )
    return person


@pytest.mark.parametrize("round_", range(3))
def test_a_day_closed_while_fifty_book_it_loses_nobody(engine, app, world, scale, round_):
    store = world.store
    count = max(12, scale(50))
    times = [f"{8 + n // 6:02}:{n % 6 * 10:02}" for n in range(count)]
    day = make.make_sitting(store, world.role, times=times, minutes=10)
    people = [reachable(world, number) for number in range(count)]
    early = count // 4
    slots = make.slots_of(store, day)
    for slot, person in zip(slots[:early], people[:early], strict=True):
        make.make_appointment(store, world.tenant, person, day, slot=slot, status=A.BOOKED)
    store.commit()
    pause = threading.Event()

    def close(session: Session) -> None:
        set_scope(session, SYSTEM)
        pause.wait(0.02 * round_)  # another moment in each round
        closing.close_day(
            session, schedule_id=day.id, reason=REASON, actor=world.scheduler, now=NOW
        )
        session.commit()
        while closing.dismiss(session, schedule_id=day.id, actor=world.scheduler, now=NOW, limit=7):
            session.commit()
        session.commit()

    acts = [
        on_the_site(slot, person, f"browser {slot.id}")
        for slot, person in zip(slots[early:], people[early:], strict=True)
    ]
    results = at_once(engine, [*acts, close])
    refused = [each for each in results if isinstance(each, Exception)]
    assert {type(each) for each in refused} <= {Refused, Taken, HoldEnded}

    closing.finish_closings(store, now=NOW)  # the job, for who was in the middle of something
    store.commit()
    store.expire_all()
    rows = store.scalars(select(Appointment).where(Appointment.schedule_id == day.id)).all()
    assert {row.status for row in rows} <= {A.CANCELLED, A.RELEASED}
    cancelled = {row.id for row in rows if row.status is A.CANCELLED}
    done = {each for each in results if isinstance(each, int)}
    assert done <= cancelled, "whoever saw a ticket was cancelled with a word"
    assert len(done) + len(refused) == len(acts)
    told_of(store, app, cancelled)
    assert set(store.scalars(select(Slot.status))) == {SlotStatus.CLOSED}
    assert store.get_one(Schedule, day.id).status is ScheduleStatus.CLOSED
    assert check_invariants(store, now=NOW) == []


def told_of(store: Session, app: Any, cancelled: set[int]) -> None:
    """Each of these is told exactly once: a letter, an SMS that can be written, or a call."""
    messages = store.scalars(
        select(Message).where(
            Message.kind.in_((MessageKind.DAY_CLOSED, MessageKind.VISIT_CANCELLED))
        )
    ).all()
    assert Counter(row.appointment_id for row in messages) == Counter(cancelled)
    calls = {call.appointment.id for call in ledger.calls(store, now=NOW)}
    for message in messages:
        assert message.appointment is not None
        number = message.appointment.person_id
        if message.account_id is not None:
            assert message.channel is MessageChannel.EMAIL, number
        elif message.status is MessageStatus.DUE:
            with app.app_context():
                assert REASON in texts.render(message).text
        else:
            assert message.appointment_id in calls
    in_calls = {row.appointment_id for row in messages if row.status is MessageStatus.DEAD}
    assert in_calls == calls
