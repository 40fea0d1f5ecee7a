"""Holding, confirming, cancelling: rows A17–A22, A31, A34, A35 and the times around them."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Appointment, AppointmentEvent, Message, Slot
from app.models.blood import BloodType
from app.models.enums import (
    AppointmentStatus,
    BloodGroup,
    Channel,
    DonationKind,
    MessageKind,
    MessageStatus,
    ScheduleStatus,
    Sign,
    SlotStatus,
)
from app.rules import booking, holding
from app.rules.actor import SYSTEM, actor_of
from app.rules.errors import (
    AlreadyChanged,
    HoldEnded,
    NoMoreExtensions,
    NoPlaces,
    NotFound,
    Refused,
    Taken,
    TooManyHolds,
)
from app.rules.invariants import check_invariants
from tests import make
from tests.make import NOW
from tests.statements import statements

A = AppointmentStatus
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """A centre with one day of four places (8:00 and 9:00, two each) and one donor."""
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    day = make.make_schedule(session, tenant)
    return SimpleNamespace(
        tenant=tenant, donor=donor, day=day, slots=make.slots_of(session, day), session=session
    )


def hold(world: SimpleNamespace, place: int = 0, *, who=None, now: dt.datetime = NOW, **more):
    who = who or world.donor
    if "starts_at" not in more:
        more["slot_id"] = world.slots[place].id
    return holding.hold(
        world.session,
        person_id=who.person.id,
        schedule_id=more.pop("schedule_id", world.day.id),
        actor=actor_of(who.account),
        now=now,
        **more,
    )


def confirm(world: SimpleNamespace, held: Appointment, now: dt.datetime = NOW + MINUTE):
    return booking.confirm(
        world.session, appointment_id=held.id, actor=actor_of(world.donor.account), now=now
    )


def status_of(world: SimpleNamespace, place: int) -> SlotStatus:
    world.session.expire_all()
    return world.session.get_one(Slot, world.slots[place].id).status


def letters(world: SimpleNamespace) -> list[MessageKind]:
    return list(world.session.scalars(select(Message.kind).order_by(Message.id)))


def test_a_confirmed_place_awaits_approval_and_the_donor_is_told(world):
    held = hold(world)
    assert (held.status, status_of(world, 0)) == (A.HELD, SlotStatus.HELD)

    done = confirm(world, held)

    assert done.status is A.PENDING
    assert done.decide_by == NOW + MINUTE + dt.timedelta(hours=24)
    assert status_of(world, 0) is SlotStatus.HELD
    assert letters(world) == [MessageKind.REQUEST_RECEIVED]
    events = world.session.scalars(select(AppointmentEvent.event)).all()
    assert events == ["hold", "confirm_to_pending"]
    assert check_invariants(world.session, now=NOW) == []


def test_confirming_again_is_the_same_booking_and_no_second_letter(world):
    held = hold(world)
    first = confirm(world, held)
    again = confirm(world, held, NOW + 2 * MINUTE)
    assert (again.id, again.requested_at) == (first.id, NOW + MINUTE)
    assert letters(world) == [MessageKind.REQUEST_RECEIVED]


def test_a_place_that_somebody_holds_is_taken(world):
    hold(world)
    other = make.make_donor(world.session, world.tenant)
    with pytest.raises(Taken):
        hold(world, who=other)


def test_choosing_the_same_place_again_keeps_the_hold(world):
    held = hold(world)
    again = hold(world, now=NOW + MINUTE)
    assert (again.id, again.hold_until) == (held.id, held.hold_until)


def test_choosing_another_place_lets_the_former_go(world):
    former = hold(world, 0)
    chosen = hold(world, 1)
    world.session.refresh(former)
    assert (former.status, chosen.status) == (A.RELEASED, A.HELD)
    assert (status_of(world, 0), status_of(world, 1)) == (SlotStatus.FREE, SlotStatus.HELD)
    assert check_invariants(world.session, now=NOW) == []


def test_a_choice_that_fails_keeps_the_former_hold(world):
    former = hold(world, 0)
    other = make.make_donor(world.session, world.tenant)
    hold(world, 1, who=other)
    with pytest.raises(Taken):
        hold(world, 1)
    world.session.refresh(former)
    assert former.status is A.HELD


def test_any_place_at_a_time_takes_the_first_free_one_until_none_is_left(world):
    at = world.slots[0].starts_at
    people = [make.make_donor(world.session, world.tenant) for _ in range(3)]
    got = [hold(world, who=people[0], starts_at=at), hold(world, who=people[1], starts_at=at)]
    places = [world.session.get_one(Slot, each.slot_id).place for each in got]
    assert places == [1, 2]
    with pytest.raises(NoPlaces):
        hold(world, who=people[2], starts_at=at)


def test_a_hold_ends_after_its_minutes_and_frees_the_place(world):
    held = hold(world)
    late = held.hold_until
    with pytest.raises(HoldEnded):
        confirm(world, held, late)
    assert holding.release_stale(world.session, now=late) == 1
    assert status_of(world, 0) is SlotStatus.FREE
    assert holding.release_stale(world.session, now=late) == 0


def test_a_dead_hold_blocks_nobody_even_before_the_sweep(world):
    held = hold(world)
    other = make.make_donor(world.session, world.tenant)
    won = hold(world, who=other, now=held.hold_until)
    assert won.status is A.HELD
    assert check_invariants(world.session, now=NOW) == []


def test_a_hold_is_extended_twice_and_no_more(world):
    held = hold(world)
    actor = actor_of(world.donor.account)
    for turn in (1, 2):
        now = NOW + 5 * turn * MINUTE
        held = holding.extend(world.session, appointment_id=held.id, actor=actor, now=now)
        assert held.hold_until == now + 10 * MINUTE
    with pytest.raises(NoMoreExtensions):
        holding.extend(world.session, appointment_id=held.id, actor=actor, now=NOW + 11 * MINUTE)


def test_an_ended_hold_is_not_extended(world):
    held = hold(world)
    with pytest.raises(HoldEnded):
        holding.extend(world.session, appointment_id=held.id, actor=SYSTEM, now=held.hold_until)


def test_closing_the_window_frees_the_place_and_twice_is_once(world):
    held = hold(world)
    for _ in range(2):
        done = holding.release(world.session, appointment_id=held.id, actor=SYSTEM, now=NOW)
        assert done.status is A.RELEASED
    assert status_of(world, 0) is SlotStatus.FREE


def test_one_address_holds_no_more_places_than_the_policy_says(world):
    world.tenant.policy.holds_per_address = 1
    hold(world, 0, address="192.0.2.1")
    other = make.make_donor(world.session, world.tenant)
    with pytest.raises(TooManyHolds):
        hold(world, 1, who=other, address="192.0.2.1")
    assert hold(world, 1, who=other, address="192.0.2.2").status is A.HELD


def test_one_live_booking_at_a_time(world):
    confirm(world, hold(world))
    with pytest.raises(Refused) as refused:
        hold(world, 1)
    assert refused.value.code == "other_booking"


def test_the_place_of_ones_own_booking_is_no_news_that_somebody_took_it(world):
    confirm(world, hold(world))
    with pytest.raises(Refused) as refused:
        hold(world)
    assert refused.value.code == "other_booking"
    with pytest.raises(Refused) as refused:
        hold(world, starts_at=world.slots[0].starts_at)
    assert refused.value.code == "other_booking"


def test_who_is_late_is_told_before_anything_is_locked_or_reckoned(world):
    hold(world, who=make.make_donor(world.session, world.tenant))
    world.session.flush()
    with statements(world.session) as asked, pytest.raises(Taken):
        hold(world)
    assert len(asked) == 2, asked  # the choice, and whose it is
    assert not [one for one in asked if "FOR UPDATE" in one or "INSERT" in one]


def test_the_place_of_a_rejected_request_is_won_after_its_undo_minute(world):
    rejected = make.make_appointment(
        world.session,
        world.tenant,
        make.make_donor(world.session, world.tenant),
        world.day,
        slot=world.slots[0],
        status=A.REJECTED,
        undo_until=NOW + MINUTE,
    )
    rejected.keeps_slot = True
    world.slots[0].status = SlotStatus.HELD
    world.session.flush()
    with pytest.raises(Taken):
        hold(world)
    assert hold(world, now=NOW + MINUTE).slot_id == world.slots[0].id


def test_a_donor_may_book_only_the_own_group(world):
    day = make.make_schedule(world.session, world.tenant, days=3, blood_types=[make.B_NEGATIVE])
    place = make.slots_of(world.session, day)[0]
    other = make.make_donor(
        world.session, world.tenant, blood_type=BloodType(BloodGroup.O, Sign.POSITIVE)
    )
    with pytest.raises(Refused) as refused:
        holding.hold(
            world.session,
            person_id=other.person.id,
            schedule_id=day.id,
            slot_id=place.id,
            actor=actor_of(other.account),
            now=NOW,
        )
    assert refused.value.code == "other_blood_type"


def test_a_desk_place_is_not_for_the_site(world):
    world.slots[0].channel = Channel.DESK
    with pytest.raises(NotFound):
        hold(world)


def test_a_place_of_another_day_does_not_pass_by_its_id(world):
    other_day = make.make_schedule(world.session, world.tenant, days=3, kind=DonationKind.PLASMA)
    with pytest.raises(NotFound):
        hold(world, 0, schedule_id=other_day.id)


@pytest.mark.parametrize(
    ("status", "code"), [(ScheduleStatus.CLOSED, "closed"), (ScheduleStatus.PAUSED, "paused")]
)
def test_a_closed_or_paused_day_refuses(world, status, code):
    world.day.status = status
    with pytest.raises(Refused) as refused:
        hold(world)
    assert refused.value.code == code


def test_a_rule_that_came_to_stand_against_it_stops_the_confirmation(world):
    held = hold(world)
    make.make_pause(world.session, world.tenant)
    with pytest.raises(Refused) as refused:
        confirm(world, held)
    assert refused.value.code == "paused"


def test_cancelling_frees_the_place_and_opens_booking_on_the_next_day(world):
    done = confirm(world, hold(world))
    actor = actor_of(world.donor.account)

    cancelled = booking.cancel(world.session, appointment_id=done.id, actor=actor, now=NOW)

    assert (cancelled.status, status_of(world, 0)) == (A.CANCELLED, SlotStatus.FREE)
    due = world.session.scalars(
        select(Message.kind).where(Message.status == MessageStatus.DUE)
    ).all()
    assert due == [MessageKind.CANCELLED_BY_DONOR]
    with pytest.raises(Refused) as refused:
        hold(world, 1)
    assert refused.value.code == "own_cancel"
    assert refused.value.earliest == dt.date(2026, 11, 24)
    tomorrow = dt.datetime(2026, 11, 23, 21, 0, tzinfo=dt.UTC)  # midnight in Moscow
    with pytest.raises(Refused):
        hold(world, 1, now=tomorrow - MINUTE)
    assert hold(world, 1, now=tomorrow).status is A.HELD


def test_a_cancel_by_staff_does_not_make_the_donor_wait(world):
    done = confirm(world, hold(world))
    staff = make.make_staff(world.session)
    booking.cancel(
        world.session, appointment_id=done.id, actor=actor_of(staff), now=NOW, comment="Ремонт"
    )
    assert letters(world)[-1] is MessageKind.CANCELLED_BY_STAFF
    assert hold(world, 1).status is A.HELD


def test_what_is_cancelled_is_not_cancelled_again(world):
    done = confirm(world, hold(world))
    booking.cancel(world.session, appointment_id=done.id, actor=SYSTEM, now=NOW)
    with pytest.raises(AlreadyChanged):
        booking.cancel(world.session, appointment_id=done.id, actor=SYSTEM, now=NOW)


def test_a_visit_that_has_begun_is_not_cancelled(world):
    done = confirm(world, hold(world))
    with pytest.raises(booking.TooLateToCancel):
        booking.cancel(world.session, appointment_id=done.id, actor=SYSTEM, now=done.starts_at)


def test_an_undecided_request_expires_with_its_hour_and_a_letter(world):
    done = confirm(world, hold(world))
    assert booking.expire_undecided(world.session, now=done.starts_at - MINUTE) == 0
    assert booking.expire_undecided(world.session, now=done.starts_at) == 1
    world.session.refresh(done)
    assert done.status is A.EXPIRED
    assert letters(world)[-1] is MessageKind.EXPIRED
    assert check_invariants(world.session, now=done.starts_at) == []


def test_a_policy_without_approval_books_at_once(world):
    from app.models.enums import Confirmation

    world.tenant.policy.confirmation = Confirmation.NONE
    done = confirm(world, hold(world))
    assert (done.status, status_of(world, 0)) == (A.BOOKED, SlotStatus.BUSY)
    assert letters(world) == [MessageKind.APPROVED, MessageKind.REMINDER]


def test_the_number_is_a_label_from_the_key(world):
    held = hold(world)
    assert held.number == 1000 + held.id
