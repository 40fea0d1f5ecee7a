"""Free places offered to those who wait (N6): who is next, for how long, and what becomes of it."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.models import Schedule, WaitingEntry
from app.models.cabinet_choices import NoticeEvent, OfferStatus, WaitingStatus
from app.models.enums import (
    ActorKind,
    Channel,
    Confirmation,
    DonationKind,
    MessageChannel,
    MessageKind,
    Role,
    ScheduleStatus,
    SlotStatus,
)
from app.models.enums import AppointmentStatus as A
from app.rules import (
    booking,
    closing,
    codes,
    freed,
    holding,
    in_line,
    notices,
    offer_answers,
    offers,
    waiting,
)
from app.rules.actor import SYSTEM, Actor
from app.rules.errors import Refused
from app.rules.invariants import check_invariants
from tests import make
from tests.make import NOW
from tests.statements import analyze, plans, statements
from tests.waiting import letters, make_entry, open_offers, wakes, work

MINUTE = dt.timedelta(minutes=1)
LATER = NOW + dt.timedelta(minutes=121)


def me(known: make.KnownDonor) -> Actor:
    return Actor(ActorKind.ACCOUNT, known.account.id)


def full_day(session: Session, tenant: make.Tenant, **changes: object) -> tuple:
    """A day with one place, taken by somebody who may cancel."""
    day = make.make_schedule(session, tenant, total=1, **changes)
    holder = make.make_donor(session, tenant)
    booked = make.make_appointment(session, tenant, holder, day, status=A.BOOKED)
    return day, booked


def all_well(session: Session, now: dt.datetime = NOW) -> None:
    session.flush()
    assert check_invariants(session, now=now) == []


def test_a_cancelled_place_is_offered_to_who_came_first(session: Session) -> None:
    tenant = make.make_tenant(session)
    _, booked = full_day(session, tenant)
    first, second = (make.make_donor(session, tenant) for _ in range(2))
    entries = [make_entry(session, tenant, each) for each in (first, second)]
    booking.cancel(session, appointment_id=booked.id, actor=SYSTEM, now=NOW)
    assert [row.facts for row in wakes(session)] == [{"slot": booked.slot_id}]

    (offer,) = work(session)
    assert offer.person_id == first.person.id
    assert offer.expires_at == NOW + dt.timedelta(minutes=tenant.policy.offer_minutes)
    assert offer.appointment.status is A.HELD
    assert offer.appointment.hold_until == offer.expires_at
    assert [entry.status for entry in entries] == [WaitingStatus.OFFERED, WaitingStatus.WAITING]
    assert waiting.ahead(session, entries) == {entries[1].id: 1}  # the offer may be taken
    assert [row.account_id for row in letters(session, MessageKind.PLACE_OFFERED)] == [
        first.account.id
    ]
    all_well(session)


def test_priority_comes_before_who_came_first(session: Session) -> None:
    tenant = make.make_tenant(session)
    _, booked = full_day(session, tenant)
    first, urgent = (make.make_donor(session, tenant) for _ in range(2))
    make_entry(session, tenant, first)
    make_entry(session, tenant, urgent, priority=-5)
    booking.cancel(session, appointment_id=booked.id, actor=SYSTEM, now=NOW)
    (offer,) = work(session)
    assert offer.person_id == urgent.person.id


def test_nothing_is_noted_where_nobody_waits(session: Session) -> None:
    tenant = make.make_tenant(session)
    _, booked = full_day(session, tenant)
    other = make.make_tenant(session, name="Другой центр")
    make_entry(session, other, make.make_donor(session, other))
    waits_for_plasma = make.make_donor(session, tenant)
    plasma = tenant.types[DonationKind.PLASMA].id
    make_entry(session, tenant, waits_for_plasma, donation_type_id=plasma)
    booking.cancel(session, appointment_id=booked.id, actor=SYSTEM, now=NOW)
    assert wakes(session) == []


def test_accepting_confirms_by_the_policy(session: Session) -> None:
    tenant = make.make_tenant(session)
    _, booked = full_day(session, tenant)
    waiting = make.make_donor(session, tenant)
    entry = make_entry(session, tenant, waiting)
    booking.cancel(session, appointment_id=booked.id, actor=SYSTEM, now=NOW)
    (offer,) = work(session)
    (done,) = offer_answers.accept(session, offer_id=offer.id, actor=me(waiting), now=NOW)
    assert done.status is A.PENDING
    again = offer_answers.accept(session, offer_id=offer.id, actor=me(waiting), now=NOW)
    assert [row.id for row in again] == [done.id]
    assert (offer.status, entry.status) == (OfferStatus.ACCEPTED, WaitingStatus.BOOKED)
    assert offers.expire(session, now=LATER) == 0
    all_well(session)


def test_declined_it_goes_to_the_next_and_never_back(session: Session) -> None:
    tenant = make.make_tenant(session)
    day, booked = full_day(session, tenant)
    first, second = (make.make_donor(session, tenant) for _ in range(2))
    entry = make_entry(session, tenant, first)
    make_entry(session, tenant, second)
    booking.cancel(session, appointment_id=booked.id, actor=SYSTEM, now=NOW)
    (offer,) = work(session)
    assert offer_answers.decline(session, offer_id=offer.id, actor=me(first), now=NOW)
    assert not offer_answers.decline(session, offer_id=offer.id, actor=me(first), now=NOW)
    (next_offer,) = work(session)
    assert next_offer.person_id == second.person.id
    assert entry.status is WaitingStatus.WAITING
    offer_answers.decline(session, offer_id=next_offer.id, actor=me(second), now=NOW)
    assert work(session) == []  # both have had it
    assert make.slots_of(session, day)[0].status is SlotStatus.FREE
    all_well(session)


def test_unanswered_it_goes_on_with_a_letter(session: Session) -> None:
    tenant = make.make_tenant(session)
    _, booked = full_day(session, tenant)
    first, second = (make.make_donor(session, tenant) for _ in range(2))
    make_entry(session, tenant, first)
    make_entry(session, tenant, second)
    booking.cancel(session, appointment_id=booked.id, actor=SYSTEM, now=NOW)
    (offer,) = work(session)
    with pytest.raises(offer_answers.OfferOver):
        offer_answers.accept(session, offer_id=offer.id, actor=me(first), now=offer.expires_at)
    (next_offer,) = work(session, LATER)
    assert offer.status is OfferStatus.EXPIRED
    assert next_offer.person_id == second.person.id
    assert [row.account_id for row in letters(session, MessageKind.OFFER_LAPSED)] == [
        first.account.id
    ]
    all_well(session, LATER)


def test_a_stale_hold_swept_first_ends_the_offer_too(session: Session) -> None:
    tenant = make.make_tenant(session)
    _, booked = full_day(session, tenant)
    waiting = make.make_donor(session, tenant)
    entry = make_entry(session, tenant, waiting)
    booking.cancel(session, appointment_id=booked.id, actor=SYSTEM, now=NOW)
    (offer,) = work(session)
    assert holding.release_stale(session, now=LATER) == 1
    assert work(session, LATER) == []
    assert offer.status is OfferStatus.EXPIRED
    assert entry.status is WaitingStatus.WAITING
    all_well(session, LATER)


def test_the_turn_is_over_after_so_many_offers(session: Session) -> None:
    tenant = make.make_tenant(session, offer_limit=2)
    waiting = make.make_donor(session, tenant)
    entry = make_entry(session, tenant, waiting)
    for days in (2, 3):
        day = make.make_schedule(session, tenant, days=days, total=1)
        freed.note_day(session, day.id, now=NOW)
        (offer,) = work(session)
        offer_answers.decline(session, offer_id=offer.id, actor=me(waiting), now=NOW)
    assert entry.status is WaitingStatus.LAPSED
    assert len(letters(session, MessageKind.TURN_OVER)) == 1
    day = make.make_schedule(session, tenant, days=4, total=1)
    freed.note_day(session, day.id, now=NOW)
    assert work(session) == []


def test_who_may_not_book_is_passed_over_with_the_reason(session: Session) -> None:
    tenant = make.make_tenant(session)
    day = make.make_schedule(session, tenant, total=1)
    deferred, busy, fits = (make.make_donor(session, tenant) for _ in range(3))
    make.make_deferral(session, tenant, deferred)
    other = make.make_schedule(session, tenant, days=5, total=1, kind=DonationKind.PLASMA)
    make.make_appointment(session, tenant, busy, other, status=A.BOOKED)
    entries = [make_entry(session, tenant, each) for each in (deferred, busy, fits)]
    looked = offers.look(session, schedule_id=day.id, now=NOW)
    assert [offer.person_id for offer in looked.offers] == [fits.person.id]
    assert looked.skipped == {entries[0].id: "deferred", entries[1].id: "other_booking"}
    all_well(session)


def test_another_blood_group_is_not_even_asked(session: Session) -> None:
    tenant = make.make_tenant(session)
    day = make.make_schedule(session, tenant, total=1, blood_types=[make.BloodType.parse("O+")])
    make_entry(session, tenant, make.make_donor(session, tenant))
    looked = offers.look(session, schedule_id=day.id, now=NOW)
    assert (looked.offers, looked.skipped) == ([], {})


def test_dates_are_kept(session: Session) -> None:
    tenant = make.make_tenant(session)
    day = make.make_schedule(session, tenant, total=2)
    early, late = (make.make_donor(session, tenant) for _ in range(2))
    make_entry(session, tenant, early, last_day=day.date - dt.timedelta(days=1))
    make_entry(session, tenant, late, first_day=day.date, last_day=day.date)
    looked = offers.look(session, schedule_id=day.id, now=NOW)
    assert [offer.person_id for offer in looked.offers] == [late.person.id]


def test_who_has_an_offer_gets_no_second_one(session: Session) -> None:
    tenant = make.make_tenant(session)
    waiting = make.make_donor(session, tenant)
    plasma = tenant.types[DonationKind.PLASMA]
    make_entry(session, tenant, waiting)
    make_entry(session, tenant, waiting, donation_type_id=plasma.id)
    for kind in (DonationKind.PLATELETS, DonationKind.PLASMA):
        day = make.make_schedule(session, tenant, total=2, kind=kind)
        freed.note_day(session, day.id, now=NOW)
    assert len(work(session)) == 1
    all_well(session)


def test_choosing_on_the_site_does_not_let_an_offer_go(session: Session) -> None:
    tenant = make.make_tenant(session)
    day = make.make_schedule(session, tenant, total=1)
    waiting = make.make_donor(session, tenant)
    make_entry(session, tenant, waiting)
    offers.look(session, schedule_id=day.id, now=NOW)
    other = make.make_schedule(session, tenant, days=3)
    held = holding.hold(
        session,
        person_id=waiting.person.id,
        schedule_id=other.id,
        slot_id=make.slots_of(session, other)[0].id,
        actor=me(waiting),
        now=NOW,
    )
    (offer,) = open_offers(session)
    assert offer.appointment.status is A.HELD
    all_well(session)
    booking.confirm(session, appointment_id=held.id, actor=me(waiting), now=NOW)
    with pytest.raises(Refused) as refusal:
        offer_answers.accept(session, offer_id=offer.id, actor=me(waiting), now=NOW)
    assert refusal.value.code == "other_booking"
    assert offer.status is OfferStatus.DECLINED  # it goes on to the next
    assert make.slots_of(session, day)[0].status is SlotStatus.FREE
    all_well(session)


def test_an_offer_does_not_take_what_is_being_chosen(session: Session) -> None:
    tenant = make.make_tenant(session)
    day, other = (make.make_schedule(session, tenant, days=days, total=1) for days in (2, 3))
    waiting = make.make_donor(session, tenant)
    held = holding.hold(
        session,
        person_id=waiting.person.id,
        schedule_id=other.id,
        slot_id=make.slots_of(session, other)[0].id,
        actor=me(waiting),
        now=NOW,
    )
    make_entry(session, tenant, waiting)
    assert len(offers.look(session, schedule_id=day.id, now=NOW).offers) == 1
    session.refresh(held)
    assert held.status is A.HELD
    all_well(session)


def test_a_closed_day_ends_the_offer_without_counting_it(session: Session) -> None:
    tenant = make.make_tenant(session)
    day = make.make_schedule(session, tenant, total=1)
    waiting = make.make_donor(session, tenant)
    entry = make_entry(session, tenant, waiting)
    offers.look(session, schedule_id=day.id, now=NOW)
    staff = make.make_staff(session)
    actor = Actor(ActorKind.STAFF, staff.id)
    closing.close_day(session, schedule_id=day.id, reason="Ремонт", actor=actor, now=NOW)
    closing.dismiss(session, schedule_id=day.id, actor=actor, now=NOW)
    work(session)
    assert (entry.status, entry.offers) == (WaitingStatus.WAITING, 0)
    assert open_offers(session) == []
    all_well(session)


def family_of(session: Session, tenant: make.Tenant, count: int) -> list:
    family = uuid.uuid4()
    people = [make.make_donor(session, tenant) for _ in range(count)]
    return [make_entry(session, tenant, each, family=family) for each in people]


def test_a_family_comes_together_or_not_at_all(session: Session) -> None:
    tenant = make.make_tenant(session)
    entries = family_of(session, tenant, 3)
    alone = make_entry(session, tenant, make.make_donor(session, tenant))
    small = make.make_schedule(session, tenant, total=2)  # 8:00 twice
    looked = offers.look(session, schedule_id=small.id, now=NOW)
    assert [offer.entry_id for offer in looked.offers] == [alone.id]
    assert set(looked.skipped.values()) == {"not_together"}
    large = make.make_schedule(session, tenant, days=3, total=4)  # 8:00 twice, 9:00 twice
    looked = offers.look(session, schedule_id=large.id, now=NOW)
    assert [offer.entry_id for offer in looked.offers] == [entry.id for entry in entries]
    all_well(session)
    first = looked.offers[0]
    done = offer_answers.accept(session, offer_id=first.id, actor=SYSTEM, now=NOW)
    assert len(done) == 3
    assert {entry.status for entry in entries} == {WaitingStatus.BOOKED}
    all_well(session)


def test_a_family_declines_as_one(session: Session) -> None:
    tenant = make.make_tenant(session)
    entries = family_of(session, tenant, 2)
    day = make.make_schedule(session, tenant, total=2)
    looked = offers.look(session, schedule_id=day.id, now=NOW)
    offer_answers.decline(session, offer_id=looked.offers[1].id, actor=SYSTEM, now=NOW)
    assert {entry.status for entry in entries} == {WaitingStatus.WAITING}
    assert {slot.status for slot in make.slots_of(session, day)} == {SlotStatus.FREE}
    all_well(session)


def test_one_of_a_family_who_may_not_come_stops_it_for_all(session: Session) -> None:
    tenant = make.make_tenant(session)
    entries = family_of(session, tenant, 2)
    make.make_deferral(session, tenant, entries[1].person)
    day = make.make_schedule(session, tenant, total=2)
    looked = offers.look(session, schedule_id=day.id, now=NOW)
    assert looked.offers == []
    assert looked.skipped[entries[1].id] == "deferred"


def test_a_doctor_is_waited_for_by_role_specialty_or_service(session: Session) -> None:
    tenant = make.make_polyclinic(session, confirmation=Confirmation.NONE, live_limit=3)
    service = make.make_service(session, tenant)
    doctor = make.make_practitioner(session, tenant, services=[service])
    role = make.make_role(session, tenant, practitioner=doctor)
    elsewhere = make.make_role(session, tenant)
    wishes = [
        {"role_id": role.id},
        {"specialty_id": role.specialty_id},
        {"service_id": service.id},
        {"role_id": elsewhere.id},
    ]
    entries = [
        make_entry(session, tenant, make.make_donor(session, tenant), **wish) for wish in wishes
    ]
    sitting = make.make_sitting(session, role)
    freed.note_day(session, sitting.id, now=NOW)
    made = work(session)
    assert [offer.entry_id for offer in made] == [entry.id for entry in entries[:3]]
    (done,) = offer_answers.accept(session, offer_id=made[2].id, actor=SYSTEM, now=NOW)
    assert (done.status, done.service_id) == (A.BOOKED, service.id)
    all_well(session)


def test_a_code_wants_a_mobile_number(session: Session) -> None:
    tenant = make.make_polyclinic(session, confirmation=Confirmation.CODE)
    role = make.make_role(session, tenant)
    without = make.make_donor(session, tenant)
    make_entry(session, tenant, without, role_id=role.id)
    sitting = make.make_sitting(session, role, times=["09:00"])
    (offer,) = offers.look(session, schedule_id=sitting.id, now=NOW).offers
    with pytest.raises(offer_answers.NoNumberForCode):
        offer_answers.accept(session, offer_id=offer.id, actor=me(without), now=NOW)
    offer.appointment.phone = "+79001234567"
    (done,) = offer_answers.accept(session, offer_id=offer.id, actor=me(without), now=NOW)
    assert done.status is A.PROPOSED
    codes.enter(
        session, appointment_id=done.id, code=codes.code_of(done), actor=me(without), now=NOW
    )
    assert done.status is A.BOOKED


def test_sms_go_where_accounts_get_them_and_not_at_night(session: Session) -> None:
    tenant = make.make_tenant(session, account_sms=True)
    night = NOW + dt.timedelta(hours=12)  # 22:00 in Moscow
    waiting = make.make_donor(session, tenant)
    waiting.person.phone = "+79001234567"
    make_entry(session, tenant, waiting)
    day = make.make_schedule(session, tenant, days=3, total=1)
    (offer,) = offers.look(session, schedule_id=day.id, now=night).offers
    (text,) = letters(session, MessageKind.VISIT_OFFERED)
    morning = dt.datetime(2026, 11, 24, 6, tzinfo=dt.UTC)  # 9:00 in Moscow
    assert text.run_at == morning
    assert offer.expires_at == morning + dt.timedelta(minutes=tenant.policy.offer_minutes)


def test_sms_are_not_sent_against_the_wish_or_the_policy(session: Session) -> None:
    for wish, policy in ((True, False), (False, True)):
        tenant = make.make_tenant(session, account_sms=policy)
        waiting = make.make_donor(session, tenant)
        waiting.person.phone = "+79001234567"
        notices.choose(
            session,
            account_id=waiting.account.id,
            event=NoticeEvent.OFFER,
            channel=MessageChannel.SMS,
            on=wish,
            now=NOW,
        )
        make_entry(session, tenant, waiting)
        day = make.make_schedule(session, tenant, total=1)
        assert offers.look(session, schedule_id=day.id, now=NOW).offers
    assert letters(session, MessageKind.VISIT_OFFERED) == []


def test_no_waiting_list_means_no_offers(session: Session) -> None:
    tenant = make.make_tenant(session, offer_limit=0)
    make_entry(session, tenant, make.make_donor(session, tenant))
    day = make.make_schedule(session, tenant)
    assert offers.look(session, schedule_id=day.id, now=NOW).offers == []


def test_only_places_of_the_web_of_open_days_ahead(session: Session) -> None:
    tenant = make.make_tenant(session)
    make_entry(session, tenant, make.make_donor(session, tenant))
    paused = make.make_schedule(session, tenant, status=ScheduleStatus.PAUSED)
    desk = make.make_schedule(session, tenant, days=3)
    for slot in make.slots_of(session, desk):
        slot.channel = Channel.DESK
    over = make.make_schedule(session, tenant, days=0)
    session.flush()
    for day in (paused, desk, over):
        assert offers.look(session, schedule_id=day.id, now=NOW).offers == []


def test_the_queries_do_not_grow_with_the_line(session: Session) -> None:
    tenant = make.make_tenant(session)
    counts = []
    for people in (3, 40):
        for _ in range(people):
            make_entry(session, tenant, make.make_donor(session, tenant))
        day = make.make_schedule(session, tenant, days=2 + people, total=1)
        session.flush()
        with statements(session) as seen:
            assert len(offers.look(session, schedule_id=day.id, now=NOW).offers) == 1
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_who_is_not_attached_or_referred_is_passed_over_in_one_look(session: Session) -> None:
    tenant = make.make_polyclinic(session, confirmation=Confirmation.NONE, live_limit=3)
    tenant.policy.attachment_required = tenant.policy.referral_required = True
    role, registrar = (
        make.make_role(session, tenant),
        make.make_staff(session, Role.REGISTRAR, tenant.root),
    )
    district = make.make_district(session, tenant)
    counts = []
    for number, strangers in enumerate((in_line.PORTION, 10)):  # more than a look reads
        for _ in range(strangers):
            make_entry(session, tenant, make.make_donor(session, tenant), role_id=role.id)
        unreferred, fits = (make.make_donor(session, tenant) for _ in range(2))
        for known in (unreferred, fits):
            make.make_attachment(session, known.person, district)
        make.make_referral(session, fits.person, role, registrar)
        passed = make_entry(session, tenant, unreferred, role_id=role.id)
        make_entry(session, tenant, fits, role_id=role.id)
        day = make.make_sitting(session, role, days=2 + number, times=["09:00"])
        session.flush()
        with statements(session) as seen:
            looked = offers.look(session, schedule_id=day.id, now=NOW)
        assert [offer.person_id for offer in looked.offers] == [fits.person.id]
        assert looked.skipped[passed.id] == "no_referral"
        assert set(looked.skipped.values()) == {"no_referral"}
        counts.append(len(seen))
    assert counts[0] == counts[1]


def many_more(session: Session, entry: WaitingEntry, count: int, **changes: object) -> None:
    """So many like this one, but for ``changes``."""
    fields = {
        column.key: getattr(entry, column.key)
        for column in WaitingEntry.__table__.columns
        if column.key not in ("id", "uid")
    }
    rows = [{"uid": uuid.uuid4(), **fields, **changes} for _ in range(count)]
    session.execute(insert(WaitingEntry), rows)


def plans_of_line(session: Session, day: Schedule) -> list[list[str]]:
    """Of those who wait for any branch, and of those who wait for this one."""
    analyze(session, "waiting_entry")
    free = in_line.free_of(session, day.id, now=NOW)
    assert free is not None

    def look() -> None:
        assert in_line.line(session, free, after=None, limit=in_line.PORTION)

    return plans(session, look, naming="ORDER BY waiting_entry.priority")


def test_who_waits_for_something_else_is_not_walked_past(session: Session) -> None:
    tenant = make.make_tenant(session)
    mine = make_entry(session, tenant, make.make_donor(session, tenant))
    sister = make.make_organization(session, part_of_id=tenant.id, root_id=tenant.id)
    many_more(session, mine, 2000, organization_id=sister.id)
    other = tenant.types[DonationKind.PLASMA].id
    many_more(session, mine, 2000, donation_type_id=other, priority=-1)
    _of_any, here = plans_of_line(session, make.make_schedule(session, tenant, total=1))
    assert any("ix_waiting_entry_donors" in line for line in here), here
    by_index = [line for line in here if "Index Cond" in line or "SEARCH" in line]
    both = {"organization_id", "donation_type_id"}
    assert any(all(name in line for name in both) for line in by_index), here


def test_the_line_before_a_doctor_is_read_in_its_order(session: Session) -> None:
    """A portion of it, however many wait: nothing is sorted."""
    tenant = make.make_polyclinic(session, confirmation=Confirmation.NONE)
    role = make.make_role(session, tenant)
    mine = make_entry(session, tenant, make.make_donor(session, tenant), role_id=role.id)
    many_more(session, mine, 3000)
    _of_any, here = plans_of_line(session, make.make_sitting(session, role, times=["09:00"]))
    assert any("ix_waiting_entry_next" in line for line in here), here
    assert not [line for line in here if "Sort" in line or "TEMP B-TREE" in line], here


def test_a_long_line_is_gone_through_in_portions(session: Session) -> None:
    tenant = make.make_tenant(session)
    for _ in range(in_line.PORTION + 5):
        known = make.make_donor(session, tenant)
        make.make_deferral(session, tenant, known)
        make_entry(session, tenant, known)
    fits = make.make_donor(session, tenant)
    make_entry(session, tenant, fits)
    day = make.make_schedule(session, tenant, total=1)
    freed.note_day(session, day.id, now=NOW)
    (offer,) = work(session)
    assert offer.person_id == fits.person.id
    assert wakes(session) == []


def test_once_a_day_everything_free_is_looked_at(session: Session) -> None:
    tenant = make.make_tenant(session)
    make_entry(session, tenant, make.make_donor(session, tenant))
    make.make_schedule(session, tenant)
    make.make_schedule(session, tenant, days=3, kind=DonationKind.PLASMA)
    assert freed.daily(session, now=NOW) == 1
    session.flush()
    assert freed.daily(session, now=NOW) == 0
    assert len(work(session)) == 1


@pytest.mark.parametrize("accept_first", [True, False])
def test_acceptance_and_end_at_one_instant_leave_one_state(
    session: Session, accept_first: bool
) -> None:
    tenant = make.make_tenant(session)
    day = make.make_schedule(session, tenant, total=1)
    waiting = make.make_donor(session, tenant)
    entry = make_entry(session, tenant, waiting)
    (offer,) = offers.look(session, schedule_id=day.id, now=NOW).offers
    last = offer.expires_at - dt.timedelta(milliseconds=1)
    if accept_first:
        offer_answers.accept(session, offer_id=offer.id, actor=me(waiting), now=last)
        offers.expire(session, now=offer.expires_at)
        assert entry.status is WaitingStatus.BOOKED
    else:
        offers.expire(session, now=offer.expires_at)
        with pytest.raises(offer_answers.OfferOver):
            offer_answers.accept(session, offer_id=offer.id, actor=me(waiting), now=last)
        assert entry.status is WaitingStatus.WAITING
    all_well(session, offer.expires_at)
