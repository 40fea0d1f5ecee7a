"""Published days: more and fewer places, pauses, closing with what happens to the people."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from app.models import Appointment, AuditEvent, Message, Schedule, Slot
from app.models.enums import (
    AppointmentStatus,
    MessageKind,
    MessageStatus,
    Role,
    ScheduleStatus,
    SlotStatus,
)
from app.rules import booking, closing, days, holding, transitions
from app.rules.actor import actor_of
from app.rules.clock import instant
from app.rules.errors import HoldEnded, NotFound, ReasonNeeded, Refused, RuleError, Taken
from app.rules.invariants import check_invariants
from app.rules.reach import Way
from tests import make

A = AppointmentStatus
REASON = "Авария на линии"


@pytest.fixture
def tenant(session):
    return make.make_tenant(session)


@pytest.fixture
def day(session, tenant):
    """Wednesday, 8:00 and 9:00, two places each."""
    return make.make_schedule(session, tenant)


@pytest.fixture
def scheduler(session, tenant):
    return actor_of(make.make_staff(session, Role.SCHEDULER, tenant.root))


def at(day, hour: int) -> dt.datetime:
    return instant(day.date, dt.time(hour), "Europe/Moscow")


def places(session, day) -> dict[int, list[tuple[int, SlotStatus]]]:
    found: dict[int, list[tuple[int, SlotStatus]]] = {}
    for slot in make.slots_of(session, day):
        found.setdefault(slot.starts_at.hour + 3, []).append((slot.place, slot.status))
    return found


FREE, CLOSED, HELD = SlotStatus.FREE, SlotStatus.CLOSED, SlotStatus.HELD


def test_places_are_added_at_a_time_with_the_next_numbers(session, day, scheduler, now):
    change = days.change_places(
        session, schedule_id=day.id, actor=scheduler, now=now, wanted={at(day, 8): 4, at(day, 9): 2}
    )
    assert (change.added, change.withdrawn, change.kept) == (2, 0, ())
    assert places(session, day)[8] == [(1, FREE), (2, FREE), (3, FREE), (4, FREE)]
    assert day.total == 6


def test_free_places_are_withdrawn_from_the_last_number(session, day, scheduler, now):
    days.change_places(
        session, schedule_id=day.id, actor=scheduler, now=now, wanted={at(day, 8): 1}
    )
    assert places(session, day)[8] == [(1, FREE), (2, CLOSED)]
    assert day.total == 3


def test_taken_places_are_never_withdrawn_and_it_says_how_many(
    session, tenant, day, scheduler, now
):
    make.make_appointment(session, tenant, make.make_donor(session, tenant), day)
    change = days.change_places(
        session, schedule_id=day.id, actor=scheduler, now=now, wanted={at(day, 8): 0, at(day, 9): 0}
    )
    assert (change.withdrawn, change.kept) == (3, (days.Kept(at(day, 8), 1),))
    assert places(session, day)[8] == [(1, HELD), (2, CLOSED)]
    assert day.total == 1
    assert check_invariants(session, now=now) == []


def test_it_counts_all_that_stay_at_a_time_not_how_many_too_many(
    session, tenant, day, scheduler, now
):
    for _ in range(2):
        make.make_appointment(session, tenant, make.make_donor(session, tenant), day)
    change = days.change_places(
        session, schedule_id=day.id, actor=scheduler, now=now, wanted={at(day, 8): 1}
    )
    assert change.kept == (days.Kept(at(day, 8), 2),)


def test_withdrawn_places_are_given_back_before_new_ones_are_made(session, day, scheduler, now):
    for count in (0, 3):
        days.change_places(
            session, schedule_id=day.id, actor=scheduler, now=now, wanted={at(day, 8): count}
        )
    assert places(session, day)[8] == [(1, FREE), (2, FREE), (3, FREE)]


def test_a_new_time_widens_the_hours(session, day, scheduler, now):
    change = days.change_places(
        session,
        schedule_id=day.id,
        actor=scheduler,
        now=now,
        new_times=[dt.time(7, 30), dt.time(12)],
        places_each=3,
    )
    assert change.added == 6
    assert (day.start_time, day.end_time, day.total) == (dt.time(7, 30), dt.time(13), 10)


def test_a_new_time_that_is_there_already_gets_more_places(session, day, scheduler, now):
    days.change_places(
        session, schedule_id=day.id, actor=scheduler, now=now, new_times=[dt.time(9)], places_each=1
    )
    assert [number for number, _ in places(session, day)[9]] == [1, 2, 3]


def test_times_that_are_over_stay_as_they_are(session, tenant, scheduler, now):
    today = make.make_schedule(session, tenant, days=0)  # 8:00 and 9:00; it is 10:00
    change = days.change_places(
        session, schedule_id=today.id, actor=scheduler, now=now, wanted={at(today, 8): 9}
    )
    assert change == days.PlacesChange(0, 0, ())
    with pytest.raises(days.TimeOver):
        days.change_places(
            session, schedule_id=today.id, actor=scheduler, now=now, new_times=[dt.time(9, 30)]
        )


def test_an_earlier_beginning_must_not_meet_another_open_day(session, tenant, day, scheduler, now):
    make.make_schedule(session, tenant, start=dt.time(7), end=dt.time(8))
    with pytest.raises(days.OpenTwice):
        days.change_places(
            session, schedule_id=day.id, actor=scheduler, now=now, new_times=[dt.time(7)]
        )


def test_an_hour_that_does_not_exist_is_refused(session, scheduler, now):
    berlin = make.make_tenant(session, time_zone="Europe/Berlin")
    night = make.make_schedule(
        session, berlin, date=dt.date(2027, 3, 28), start=dt.time(4), end=dt.time(6)
    )
    with pytest.raises(days.NoSuchHour):
        days.change_places(
            session, schedule_id=night.id, actor=scheduler, now=now, new_times=[dt.time(2, 30)]
        )


def test_too_many_places_and_negative_ones_are_refused(session, day, scheduler, now):
    for count in (-1, days.MOST_PLACES + 1):
        with pytest.raises(days.TooManyPlaces):
            days.change_places(
                session, schedule_id=day.id, actor=scheduler, now=now, wanted={at(day, 8): count}
            )


def test_a_paused_day_refuses_bookings_until_it_is_resumed(session, tenant, day, scheduler, now):
    donor = make.make_donor(session, tenant)
    days.pause(session, schedule_id=day.id, actor=scheduler, now=now)
    with pytest.raises(Refused) as refused:
        _hold(session, donor, day, now)
    assert refused.value.code == "paused"
    days.resume(session, schedule_id=day.id, actor=scheduler, now=now)
    assert _hold(session, donor, day, now).status is A.HELD


def _hold(session, donor, day, now, slot=None):
    slot = slot or make.slots_of(session, day)[0]
    return holding.hold(
        session,
        person_id=donor.person.id,
        schedule_id=day.id,
        slot_id=slot.id,
        actor=actor_of(donor.account),
        now=now,
    )


def test_closing_needs_a_reason_that_people_can_read(session, day, scheduler, now):
    for reason in ("", "  "):
        with pytest.raises(ReasonNeeded):
            closing.close_day(session, schedule_id=day.id, reason=reason, actor=scheduler, now=now)
    assert day.status is ScheduleStatus.PUBLISHED


def close(session, day, actor, now) -> None:
    closing.close_day(session, schedule_id=day.id, reason=REASON, actor=actor, now=now)
    while closing.dismiss(session, schedule_id=day.id, actor=actor, now=now, limit=2):
        pass


def test_closing_cancels_everybody_with_a_letter_and_frees_nothing(
    session, tenant, day, scheduler, now
):
    booked = [
        make.make_appointment(session, tenant, make.make_donor(session, tenant), day, status=status)
        for status in (A.PENDING, A.BOOKED, A.HELD)
    ]
    close(session, day, scheduler, now)
    for appointment in booked:
        session.refresh(appointment)
    assert [row.status for row in booked] == [A.CANCELLED, A.CANCELLED, A.RELEASED]
    assert {row.comment for row in booked[:2]} == {REASON}
    letters = session.scalars(select(Message).where(Message.kind == MessageKind.DAY_CLOSED)).all()
    assert sorted(row.appointment_id for row in letters) == sorted(row.id for row in booked[:2])
    assert {status for _, status in places(session, day)[8] + places(session, day)[9]} == {CLOSED}
    assert (day.status, day.closed_reason) == (ScheduleStatus.CLOSED, REASON)
    assert check_invariants(session, now=now) == []


def test_letters_that_are_no_longer_true_are_not_sent(session, tenant, day, scheduler, now):
    donor = make.make_donor(session, tenant)
    held = _hold(session, donor, day, now)
    booking.confirm(session, appointment_id=held.id, actor=actor_of(donor.account), now=now)
    close(session, day, scheduler, now)
    rows = session.execute(select(Message.kind, Message.status)).all()
    assert (MessageKind.REQUEST_RECEIVED, MessageStatus.OBSOLETE) in rows
    assert (MessageKind.DAY_CLOSED, MessageStatus.DUE) in rows


def test_closing_does_not_count_as_the_donors_own_cancel(session, tenant, day, scheduler, now):
    donor = make.make_donor(session, tenant)
    make.make_appointment(session, tenant, donor, day)
    close(session, day, scheduler, now)
    other = make.make_schedule(session, tenant, days=3)
    assert _hold(session, donor, other, now).status is A.HELD


def test_who_has_begun_stays_and_who_is_ahead_is_told(session, tenant, scheduler, now):
    today = make.make_schedule(session, tenant, days=0, start=dt.time(9), end=dt.time(12))
    begun, same_time, now_due, _, ahead = [
        make.make_appointment(
            session, tenant, make.make_donor(session, tenant), today, status=A.BOOKED
        )
        for _ in range(5)
    ]  # at 9:00, 9:00, 10:00, 10:00 and 11:00; it is 10:00
    whom = closing.affected(session, schedule_ids=[today.id], now=now)
    assert [row.appointment.id for row in whom.booked] == [ahead.id]
    assert whom.begun == 4
    close(session, today, scheduler, now)
    for row in (begun, same_time, now_due, ahead):
        session.refresh(row)
    assert [row.status for row in (begun, same_time, now_due)] == [A.BOOKED] * 3
    assert ahead.status is A.CANCELLED


def test_the_list_before_closing_says_who_cannot_be_written_to(session, tenant, day, now):
    known = make.make_donor(session, tenant)
    make.make_appointment(session, tenant, known, day)
    card = make.make_person(session, tenant)
    stranger = make.KnownDonor(known.account, card, known.donor)
    make.make_appointment(session, tenant, stranger, day, status=A.BOOKED)
    make.make_appointment(session, tenant, make.make_donor(session, tenant), day, status=A.HELD)
    whom = closing.affected(session, schedule_ids=[day.id], now=now)
    assert [row.way for row in whom.booked] == [Way.LETTER, Way.CALL]
    assert (whom.written_to, whom.choosing, whom.begun) == (1, 1, 0)


def test_a_day_is_closed_once(session, day, scheduler, now):
    close(session, day, scheduler, now)
    with pytest.raises(days.DayClosed):
        closing.close_day(session, schedule_id=day.id, reason=REASON, actor=scheduler, now=now)
    with pytest.raises(days.DayClosed):
        days.change_places(session, schedule_id=day.id, actor=scheduler, now=now, wanted={})
    with pytest.raises(NotFound):
        closing.close_day(session, schedule_id=10**9, reason=REASON, actor=scheduler, now=now)
    verbs = session.scalars(select(AuditEvent.verb).where(AuditEvent.subject == "schedule")).all()
    assert verbs == ["day.close"]


def test_confirming_on_a_closed_day_says_so(session, tenant, day, scheduler, now):
    donor = make.make_donor(session, tenant)
    held = _hold(session, donor, day, now)
    close(session, day, scheduler, now)
    with pytest.raises(Refused) as refused:
        booking.confirm(session, appointment_id=held.id, actor=actor_of(donor.account), now=now)
    assert refused.value.code == "closed"


def test_an_interrupted_closing_is_finished_by_the_job(session, tenant, day, scheduler, now):
    for _ in range(3):
        make.make_appointment(session, tenant, make.make_donor(session, tenant), day)
    closing.close_day(session, schedule_id=day.id, reason=REASON, actor=scheduler, now=now)
    assert closing.finish_closings(session, now=now) == 1
    assert closing.finish_closings(session, now=now) == 0
    told = session.scalar(
        select(func.count()).select_from(Message).where(Message.kind == MessageKind.DAY_CLOSED)
    )
    assert told == 3


def test_an_undone_rejection_on_a_closed_day_is_told_too(session, tenant, day, scheduler, now):
    registrar = actor_of(make.make_staff(session, Role.REGISTRAR, tenant.root))
    request = make.make_appointment(session, tenant, make.make_donor(session, tenant), day)
    transitions.move(
        session,
        appointment_id=request.id,
        event="reject",
        actor=registrar,
        now=now,
        undo_until=now + dt.timedelta(minutes=1),
    )
    close(session, day, scheduler, now)
    transitions.move(
        session, appointment_id=request.id, event="undo_reject", actor=registrar, now=now
    )
    assert closing.finish_closings(session, now=now) == 1
    session.refresh(request)
    assert request.status is A.CANCELLED
    assert check_invariants(session, now=now) == []


def test_a_place_freed_while_the_day_was_closing_is_closed_too(session, day, scheduler, now):
    close(session, day, scheduler, now)
    loose = make.slots_of(session, day)[0]
    transitions.reopen_slots(session, [loose.id])
    assert closing.finish_closings(session, now=now) == 1
    session.refresh(loose)
    assert loose.status is CLOSED


def _race(new_session, actions):
    """Run the callables at once, each in its own thread; their results or refusals in order."""
    barrier = threading.Barrier(len(actions))

    def run(action):
        session = new_session()
        barrier.wait()
        try:
            result = action(session)
            session.commit()
        except RuleError as error:
            session.rollback()
            return error
        return result

    with ThreadPoolExecutor(len(actions)) as pool:
        return [future.result() for future in [pool.submit(run, each) for each in actions]]


@pytest.mark.parametrize("round_", range(4))
def test_whoever_books_while_the_day_is_closed_is_told_or_refused(store, new_session, now, round_):
    tenant = make.make_tenant(store)
    scheduler = actor_of(make.make_staff(store, Role.SCHEDULER, tenant.root))
    day = make.make_schedule(store, tenant, per_time=8)
    donors = [make.make_donor(store, tenant) for _ in range(8)]
    early = [make.make_appointment(store, tenant, donor, day) for donor in donors[:2]]
    leaving = make.make_appointment(store, tenant, donors[2], day, status=A.BOOKED)
    slots = make.slots_of(store, day)
    store.commit()

    def book(session, donor, slot):
        held = _hold(session, donor, day, now, slot)
        session.commit()
        booking.confirm(session, appointment_id=held.id, actor=actor_of(donor.account), now=now)

    def close_now(session):
        closing.close_day(session, schedule_id=day.id, reason=REASON, actor=scheduler, now=now)
        session.commit()
        while closing.dismiss(session, schedule_id=day.id, actor=scheduler, now=now, limit=3):
            session.commit()

    def leave(session):
        donor = actor_of(donors[2].account)
        booking.cancel(session, appointment_id=leaving.id, actor=donor, now=now)

    def approve(session):
        transitions.move(
            session, appointment_id=early[0].id, event="approve", actor=scheduler, now=now
        )

    actions = [close_now, leave, approve]
    for donor, slot in zip(donors[3:], slots[3:], strict=False):
        actions.append(lambda session, donor=donor, slot=slot: book(session, donor, slot))
    results = _race(new_session, actions)

    unexpected = [
        result
        for result in results
        if isinstance(result, Exception)
        and not isinstance(result, (Refused, Taken, HoldEnded))
        and getattr(result, "code", "") != "already_changed"
    ]
    assert unexpected == []
    store.expire_all()
    live = store.scalars(select(Appointment).where(Appointment.status.in_(closing.ENDED))).all()
    assert [row for row in live if row.status is not A.HELD] == []
    closing.finish_closings(store, now=now)
    live = store.scalars(select(Appointment).where(Appointment.status.in_(closing.ENDED))).all()
    assert live == []
    cancelled = store.scalars(select(Appointment).where(Appointment.status == A.CANCELLED)).all()
    told = set(
        store.scalars(select(Message.appointment_id).where(Message.status == MessageStatus.DUE))
    )
    assert {row.id for row in cancelled} == told
    assert store.scalar(select(func.count()).where(Slot.status != CLOSED)) == 0
    assert store.get(Schedule, day.id).status is ScheduleStatus.CLOSED
    assert check_invariants(store, now=now) == []
