"""Many who wait, many who work at once, and a worker that dies: each place ends with one person (N6)."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.models import Appointment, Message, Slot, WaitingEntry, WaitingOffer
from app.models.cabinet_choices import OfferStatus, WaitingStatus
from app.models.enums import ActorKind, MessageKind, MessageStatus
from app.models.scope import SYSTEM, set_scope
from app.rules import booking, offer_answers, offers, outbox
from app.rules.actor import SYSTEM as NOBODY
from app.rules.actor import Actor
from app.rules.errors import RuleError
from app.rules.invariants import check_invariants
from tests import make
from tests.make import NOW
from tests.waiting import make_entry

MINUTE = dt.timedelta(minutes=1)
Scale = Callable[[int], int]


def together(engine: Engine, acts: list[Callable[[Session], Any]]) -> list[Any]:
    """Each in a session of its own, at the same moment. A deadlock is tried again, as the outbox does."""
    gate, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int) -> None:
        gate.wait()
        for _ in range(5):
            with Session(engine, expire_on_commit=False) as mine:
                set_scope(mine, SYSTEM)
                try:
                    found[number] = acts[number](mine)
                    mine.commit()
                    return
                except RuleError as refusal:
                    mine.commit()
                    found[number] = refusal
                    return
                except OperationalError as error:
                    mine.rollback()
                    found[number] = error
                except BaseException as error:
                    mine.rollback()
                    found[number] = error
                    return

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    broken = [
        each for each in found if isinstance(each, Exception) and not isinstance(each, RuleError)
    ]
    assert not broken, broken
    return found


def dispatch(now: dt.datetime) -> Callable[[Session], int]:
    """One round of a dispatcher that answers what asks for a look."""

    def act(session: Session) -> int:
        offers.expire(session, now=now)
        rows = session.scalars(
            select(Message)
            .where(
                Message.kind == MessageKind.PLACE_FREED,
                Message.status == MessageStatus.DUE,
            )
            .order_by(Message.id)
            .limit(3)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            offers.answer(session, row, now=now)
            outbox.finish(session, row, MessageStatus.SENT, now=now)
        return len(rows)

    return act


def settle(engine: Engine, now: dt.datetime) -> None:
    """Two dispatchers until there is nothing left to do."""
    for _ in range(60):
        if not sum(together(engine, [dispatch(now), dispatch(now)])):
            return
    raise AssertionError("the looks never end")


def broken(store: Session, now: dt.datetime) -> list[str]:
    """Invariants that do not hold; nobody sends letters here."""
    store.expire_all()
    found = check_invariants(store, now=now)
    store.commit()
    return [line for line in found if not line.startswith("I5 messages that wait")]


def people_who_wait(store: Session, tenant: make.Tenant, count: int) -> list[WaitingEntry]:
    found = [make_entry(store, tenant, make.make_donor(store, tenant)) for _ in range(count)]
    store.commit()
    return found


def test_twenty_wait_and_five_places_become_free(engine: Engine, store: Session) -> None:
    tenant = make.make_tenant(store, offer_limit=10)
    day = make.make_schedule(store, tenant, days=5, total=5, per_time=3)
    holders = [make.make_donor(store, tenant) for _ in range(5)]
    booked = [
        make.make_appointment(store, tenant, each, day, status=make.AppointmentStatus.BOOKED)
        for each in holders
    ]
    people_who_wait(store, tenant, 20)
    ids = [row.id for row in booked]
    store.commit()
    together(
        engine,
        [
            lambda session, key=key: booking.cancel(
                session, appointment_id=key, actor=NOBODY, now=NOW
            )
            for key in ids
        ],
    )
    chance, now = random.Random(7), NOW
    for _ in range(40):
        settle(engine, now)
        store.expire_all()
        open_now = store.scalars(
            select(WaitingOffer).where(WaitingOffer.status == OfferStatus.OPEN)
        ).all()
        assert len({row.slot_id for row in open_now}) == len(open_now)
        if not open_now:
            store.commit()
            break
        acts = []
        for row in open_now:
            actor = Actor(ActorKind.ACCOUNT, row.entry.account_id)
            said = chance.choice(["yes", "no", "silence", "both"])
            key = row.id
            given: dict[str, Any] = {"offer_id": key, "actor": actor, "now": now}
            yes = partial(offer_answers.accept, **given)
            no = partial(offer_answers.decline, **given)
            acts += {"yes": [yes], "no": [no], "silence": [], "both": [yes, no, yes]}[said]
        store.commit()
        if acts:
            together(engine, acts)
        assert broken(store, now) == []
        now += 130 * MINUTE
    assert broken(store, now) == []
    made = store.execute(select(WaitingOffer.entry_id, WaitingOffer.slot_id)).all()
    assert len(set(made)) == len(made), "somebody was offered the same place twice"
    accepted = Counter(
        store.scalars(
            select(WaitingOffer.slot_id).where(WaitingOffer.status == OfferStatus.ACCEPTED)
        )
    )
    kept = Counter(store.scalars(select(Appointment.slot_id).where(Appointment.keeps_slot)))
    places = store.scalars(select(Slot.id).where(Slot.schedule_id == day.id)).all()
    assert {slot: kept[slot] for slot in places} == dict.fromkeys(places, 1)
    assert {slot: accepted[slot] for slot in places} == dict.fromkeys(places, 1)
    won = store.scalars(select(WaitingEntry).where(WaitingEntry.status == WaitingStatus.BOOKED))
    assert len(won.all()) == 5


def test_acceptance_against_the_end_of_its_time(
    engine: Engine, store: Session, scale: Scale
) -> None:
    tenant = make.make_tenant(store)
    rounds = max(5, scale(50))
    day = make.make_schedule(store, tenant, days=5, per_time=rounds, end=dt.time(9))
    entries = people_who_wait(store, tenant, rounds)
    made = offers.look(store, schedule_id=day.id, now=NOW).offers
    while len(made) < rounds:
        made += offers.look(store, schedule_id=day.id, now=NOW).offers
    store.commit()
    over = made[0].expires_at
    for row in made:
        key = row.id
        together(
            engine,
            [
                lambda session, key=key: offer_answers.accept(
                    session, offer_id=key, actor=NOBODY, now=over - dt.timedelta(microseconds=1)
                ),
                lambda session: offers.expire(session, now=over, limit=1),
            ],
        )
    assert broken(store, over) == []
    for entry in store.scalars(select(WaitingEntry)):
        (offer,) = store.scalars(select(WaitingOffer).where(WaitingOffer.entry_id == entry.id))
        pair = (offer.status, entry.status, offer.appointment.keeps_slot)
        assert pair in (
            (OfferStatus.ACCEPTED, WaitingStatus.BOOKED, True),
            (OfferStatus.EXPIRED, WaitingStatus.WAITING, False),
        )
    assert len(entries) == rounds


def test_whoever_books_meanwhile_is_not_offered_a_place(engine: Engine, store: Session) -> None:
    tenant = make.make_tenant(store)
    day = make.make_schedule(store, tenant, days=5, total=1)
    other = make.make_schedule(store, tenant, days=6, total=1)
    entries = people_who_wait(store, tenant, 1)
    known = entries[0]
    slot = make.slots_of(store, other)[0].id
    store.commit()
    from app.rules import holding

    def book(session: Session) -> Any:
        held = holding.hold(
            session,
            person_id=known.person_id,
            schedule_id=other.id,
            slot_id=slot,
            actor=NOBODY,
            now=NOW,
        )
        return booking.confirm(session, appointment_id=held.id, actor=NOBODY, now=NOW).id

    together(engine, [book, lambda session: offers.look(session, schedule_id=day.id, now=NOW)])
    assert broken(store, NOW) == []
