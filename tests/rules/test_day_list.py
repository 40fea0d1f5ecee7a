"""The list of published days with their load, and a day's times."""

from __future__ import annotations

import datetime as dt

import pytest

from app.models.blood import BloodType
from app.models.enums import AppointmentStatus, DonationKind, Role, ScheduleStatus, SlotStatus
from app.models.scope import set_scope
from app.rules import day_list, transitions
from app.rules.access import staff_scope
from app.rules.day_list import Load, Wish
from tests import make
from tests.statements import statements

TODAY = dt.date(2026, 11, 23)


@pytest.fixture
def tenant(session):
    return make.make_tenant(session)


def found(session, **wish) -> list[int]:
    return [row.schedule.id for row in day_list.listed(session, Wish(TODAY, **wish)).rows]


def test_days_stand_by_date_with_their_load(session, tenant):
    later = make.make_schedule(session, tenant, days=5)
    day = make.make_schedule(session, tenant)
    for status in (AppointmentStatus.HELD, AppointmentStatus.BOOKED):
        make.make_appointment(session, tenant, make.make_donor(session, tenant), day, status=status)
    last = make.slots_of(session, day)[-1]
    transitions.close_free_slots(session, [last.id])
    listing = day_list.listed(session, Wish(TODAY))
    assert [row.schedule for row in listing.rows] == [day, later]
    assert listing.rows[0].load == Load(free=1, held=1, busy=1)
    assert (listing.rows[0].load.taken, listing.rows[0].load.total) == (2, 3)
    assert (listing.total, listing.page, listing.pages) == (2, 1, 1)


def test_each_filter_narrows(session, tenant):
    past = make.make_schedule(session, tenant, days=-1)
    day = make.make_schedule(session, tenant, blood_types=[BloodType.parse("B-")])
    anybody = make.make_schedule(session, tenant, kind=DonationKind.PLASMA, days=4)
    closed = make.make_schedule(session, tenant, days=3, status=ScheduleStatus.CLOSED)
    root = make.make_schedule(
        session, tenant, organization=tenant.root, blood_types=[BloodType.parse("O+")]
    )
    assert sorted(found(session)) == sorted([day.id, anybody.id, root.id])
    assert found(session, last=TODAY + dt.timedelta(days=2), organization_id=tenant.root.id) == [
        root.id
    ]
    assert found(session, donation_type_id=tenant.types[DonationKind.PLASMA].id) == [anybody.id]
    assert sorted(found(session, blood_type=BloodType.parse("B-"))) == sorted([day.id, anybody.id])
    assert found(session, statuses=(ScheduleStatus.CLOSED,)) == [closed.id]
    assert day_list.listed(session, Wish(past.date, last=past.date)).total == 1


def test_a_page_that_is_not_there_becomes_the_last_one(session, tenant, monkeypatch):
    monkeypatch.setattr(day_list, "PAGE", 2)
    days = [make.make_schedule(session, tenant, days=n) for n in range(1, 6)]
    assert found(session, page=99) == [days[4].id]
    assert found(session, page=-7) == [days[0].id, days[1].id]
    assert day_list.listed(session, Wish(TODAY)).pages == 3


def test_the_list_costs_the_same_for_few_and_many_days(session, tenant):
    def cost() -> int:
        session.expire_all()
        with statements(session) as asked:
            rows = day_list.listed(session, Wish(TODAY)).rows
            assert [row.schedule.organization.short_name for row in rows]
        return len(asked)

    make.make_schedule(session, tenant)
    few = cost()
    for n in range(10):
        make.make_schedule(session, tenant, days=n + 3)
    assert cost() == few


def test_staff_see_the_days_of_their_branches_only(session, tenant):
    own = make.make_schedule(session, tenant)
    make.make_schedule(session, tenant, organization=tenant.root)
    foreign = make.make_tenant(session, name="Чужой центр")
    make.make_schedule(session, foreign)
    user = make.make_staff(session, Role.SCHEDULER, tenant.branch)
    set_scope(session, staff_scope(session, user))
    assert found(session) == [own.id]


def test_a_days_times_leave_withdrawn_places_out(session, tenant):
    day = make.make_schedule(session, tenant)
    slots = make.slots_of(session, day)
    transitions.close_free_slots(session, [slots[1].id, slots[2].id, slots[3].id])
    first, second = day_list.times_of(session, day.id)
    assert first.places == ((1, SlotStatus.FREE),)
    assert (second.places, second.free) == ((), 0)
