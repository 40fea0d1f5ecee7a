"""The public list: what it shows, in which order, and why a day is closed to somebody."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from app.models.blood import EVERY_TYPE, BloodType
from app.models.enums import AppointmentStatus, BloodGroup, DonationKind, ScheduleStatus, Sign
from app.rules import facts, nearest, places, window
from app.rules.errors import NotFound
from app.rules.place_filters import Order, Wish
from app.rules.places import State
from tests import make
from tests.statements import statements

O_PLUS = BloodType(BloodGroup.O, Sign.POSITIVE)
AB_MINUS = BloodType(BloodGroup.AB, Sign.NEGATIVE)


def listed(session: Session, **wish: object) -> places.Listing:
    return places.listing(session, wish=Wish(**wish), now=make.NOW)  # type: ignore[arg-type]


def test_every_published_day_from_today_is_listed_and_no_draft_or_closed_one(
    session: Session,
) -> None:
    tenant = make.make_tenant(session)
    today = make.make_schedule(session, tenant, days=0, start=dt.time(12), end=dt.time(14))
    later = make.make_schedule(session, tenant, days=3)
    make.make_schedule(session, tenant, days=-1)
    make.make_schedule(session, tenant, days=4, status=ScheduleStatus.DRAFT)
    make.make_schedule(session, tenant, days=5, status=ScheduleStatus.CLOSED)
    found = listed(session)
    assert [row.schedule.id for row in found.rows] == [today.id, later.id]
    assert (found.total, found.first, found.last, found.pages) == (2, 1, 2, 1)


def test_a_row_counts_what_can_be_chosen_now(session: Session) -> None:
    tenant = make.make_tenant(session)
    day = make.make_schedule(session, tenant, total=3)
    make.make_appointment(session, tenant, make.make_donor(session, tenant), day)
    [row] = listed(session).rows
    assert (row.free, row.schedule.total, row.state) == (2, 3, State.FREE)


def test_hours_that_have_passed_today_are_not_free(session: Session) -> None:
    tenant = make.make_tenant(session)
    make.make_schedule(session, tenant, days=0, start=dt.time(8), end=dt.time(12))
    [row] = listed(session).rows
    assert row.free == 2  # at 10:00 only the places at 11:00 are left


def test_a_row_says_full_past_paused_or_not_open_yet(session: Session) -> None:
    tenant = make.make_tenant(session, book_days_ahead=30)
    full = make.make_schedule(session, tenant, days=1, total=1)
    make.make_appointment(session, tenant, make.make_donor(session, tenant), full)
    past = make.make_schedule(session, tenant, days=0, start=dt.time(8), end=dt.time(9))
    make.make_schedule(session, tenant, days=2, kind=DonationKind.PLASMA)
    make.make_pause(session, tenant, donation_type_id=tenant.types[DonationKind.PLASMA].id)
    make.make_schedule(session, tenant, days=40)
    states = [row.state for row in listed(session).rows]
    assert states == [State.PAST, State.FULL, State.PAUSED, State.SOON]
    assert listed(session).pauses[0].notice_ru
    assert past.date == make.NOW.date()


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        ({"type_code": "plasma"}, {"plasma"}),
        ({"group": BloodGroup.O}, {"o+", "any"}),
        ({"rh": Sign.NEGATIVE}, {"ab-", "any", "plasma"}),
        ({"group": BloodGroup.AB, "rh": Sign.POSITIVE}, {"any"}),
        ({"date": dt.date(2026, 11, 27)}, {"any"}),
        ({"text": "ПЛАЗМ"}, {"plasma"}),
        ({"text": "iv"}, {"ab-", "any"}),
        ({"text": "(АВ)"}, {"ab-", "any"}),
        ({"text": "тромбо −"}, {"ab-", "any"}),
        ({"text": "27.11.2026"}, {"any"}),
        ({"text": "сосны"}, {"o+", "ab-", "any", "plasma"}),
        ({"text": "100%_"}, set()),
        ({"settlement": "Нигде"}, set()),
    ],
)
def test_filters_and_search_narrow_the_list(
    session: Session, wish: dict[str, object], wanted: set[str]
) -> None:
    tenant = make.make_tenant(session)
    tenant.types[DonationKind.PLASMA].code = "plasma"
    days = {
        make.make_schedule(session, tenant, days=1, blood_types=[O_PLUS]).id: "o+",
        make.make_schedule(session, tenant, days=1, blood_types=[AB_MINUS]).id: "ab-",
        make.make_schedule(session, tenant, days=4).id: "any",
        make.make_schedule(
            session, tenant, days=2, kind=DonationKind.PLASMA, blood_types=[make.B_NEGATIVE]
        ).id: "plasma",
    }
    session.flush()
    assert {days[row.schedule.id] for row in listed(session, **wish).rows} == wanted


@pytest.mark.parametrize("kept", ["Щёлково", "Щелково"])
@pytest.mark.parametrize("asked", ["Щелково", "щёлково", "ЩЁЛК", "королева"])
def test_search_does_not_tell_yo_from_ye(session: Session, kept: str, asked: str) -> None:
    tenant = make.make_tenant(session)
    tenant.branch.settlement, tenant.branch.address = kept, "ул. Королёва, 3"
    day = make.make_schedule(session, tenant)
    elsewhere = make.make_schedule(session, tenant, days=3)
    elsewhere.organization_id = tenant.root.id
    session.flush()
    assert [row.schedule.id for row in listed(session, text=asked).rows] == [day.id]


@pytest.mark.parametrize("order", list(Order))
def test_every_column_sorts_both_ways(session: Session, order: Order) -> None:
    tenant = make.make_tenant(session)
    small = make.make_schedule(session, tenant, days=1, blood_types=[O_PLUS], total=1)
    large = make.make_schedule(
        session,
        tenant,
        days=2,
        kind=DonationKind.RED_CELLS,
        blood_types=[AB_MINUS],
        start=dt.time(9),
        end=dt.time(11),
    )
    platelets, red_cells = tenant.platelets, tenant.types[DonationKind.RED_CELLS]
    assert platelets.position < red_cells.position
    up = [row.schedule.id for row in listed(session, order=order).rows]
    down = [row.schedule.id for row in listed(session, order=order, descending=True).rows]
    assert up == [small.id, large.id]
    assert down == [large.id, small.id]


def test_pages_are_clamped_to_those_that_exist(session: Session) -> None:
    tenant = make.make_tenant(session)
    for number in range(12):
        make.make_schedule(session, tenant, days=1 + number)
    second = listed(session, page=2)
    assert (len(second.rows), second.first, second.last, second.pages) == (2, 11, 12, 2)
    assert listed(session, page=99).wish.page == 2
    assert listed(session, page=99, text="нет такого").wish.page == 1


def test_the_readers_own_group_stands_first_and_the_rest_say_why(session: Session) -> None:
    tenant = make.make_tenant(session)
    other = make.make_schedule(session, tenant, days=1, blood_types=[O_PLUS])
    own = make.make_schedule(session, tenant, days=5, blood_types=[make.B_NEGATIVE])
    donor = make.make_donor(session, tenant)
    found = places.listing(session, wish=Wish(), now=make.NOW, cards={tenant.id: donor.person.id})
    assert [row.schedule.id for row in found.rows] == [own.id, other.id]
    assert [row.state for row in found.rows] == [State.FREE, State.REFUSED]
    assert [r.code for r in found.rows[1].refusals] == ["other_blood_type"]


def test_a_reason_that_closes_every_day_is_said_once(session: Session) -> None:
    tenant = make.make_tenant(session)
    days = [make.make_schedule(session, tenant, days=n) for n in (1, 2, 3)]
    donor = make.make_donor(session, tenant)
    make.make_appointment(session, tenant, donor, days[0])
    found = places.listing(session, wish=Wish(), now=make.NOW, cards={tenant.id: donor.person.id})
    assert [r.code for r in places.everywhere(found)] == ["other_booking"]


def test_another_organizations_day_is_closed_with_a_reason(session: Session) -> None:
    mine, other = make.make_tenant(session), make.make_tenant(session, name="Дальний центр")
    make.make_schedule(session, other)
    donor = make.make_donor(session, mine)
    [row] = places.listing(
        session, wish=Wish(), now=make.NOW, cards={mine.id: donor.person.id}
    ).rows
    assert (row.state, row.refusals[0].code) == (State.REFUSED, "no_card")


def test_an_organization_without_a_policy_closes_its_own_days_only(session: Session) -> None:
    fine, bare = make.make_tenant(session), make.make_tenant(session, name="Без правил")
    make.make_schedule(session, fine, days=1)
    make.make_schedule(session, bare, days=2)
    session.delete(bare.policy)
    session.flush()
    assert [row.state for row in listed(session).rows] == [State.FREE, State.REFUSED]


@pytest.mark.parametrize("zone", ["Europe/Kaliningrad", "Europe/Moscow", "Asia/Kamchatka"])
def test_today_is_the_organizations_own_day(session: Session, zone: str) -> None:
    tenant = make.make_tenant(session, time_zone=zone)
    now = dt.datetime(2026, 11, 23, 21, 30, tzinfo=dt.UTC)  # 23:30, 0:30 and 9:30 of the 24th
    make.make_schedule(session, tenant, date=dt.date(2026, 11, 23), end=dt.time(23, 59), step=300)
    make.make_schedule(session, tenant, date=dt.date(2026, 11, 24))
    found = places.listing(session, wish=Wish(), now=now)
    first = 23 if zone == "Europe/Kaliningrad" else 24
    assert min(row.schedule.date.day for row in found.rows) == first


def test_the_number_of_queries_does_not_grow_with_the_rows(session: Session) -> None:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    cards = {tenant.id: donor.person.id}

    def queries() -> int:
        session.expire_all()
        with statements(session) as seen:
            places.listing(session, wish=Wish(size=100), now=make.NOW, cards=cards)
        return len(seen)

    make.make_schedule(session, tenant, days=1)
    few = queries()
    for number, blood_type in enumerate(EVERY_TYPE * 3):
        make.make_schedule(session, tenant, days=2 + number, blood_types=[blood_type])
    assert queries() == few


def test_the_nearest_days_are_open_to_this_donor(session: Session) -> None:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant)
    make.make_schedule(session, tenant, days=1, blood_types=[O_PLUS])
    near = make.make_schedule(session, tenant, days=3, blood_types=[make.B_NEGATIVE])
    far = make.make_schedule(session, tenant, days=9)
    full = make.make_schedule(session, tenant, days=2, total=1)
    make.make_appointment(session, tenant, make.make_donor(session, tenant), full)
    found = nearest.alternatives(
        session,
        person=facts.of_person(session, donor.person.id),
        tenant_id=tenant.id,
        near=make.NOW.date() + dt.timedelta(days=2),
        now=make.NOW,
    )
    assert [each.schedule.id for each in found] == [near.id, far.id]
    assert found[0].free == 4


def test_the_window_shows_each_place_as_free_taken_or_ones_own(session: Session) -> None:
    tenant = make.make_tenant(session)
    day = make.make_schedule(session, tenant)
    donor, other = make.make_donor(session, tenant), make.make_donor(session, tenant)
    make.make_appointment(session, tenant, other, day)
    make.make_appointment(session, tenant, donor, day, status=AppointmentStatus.HELD)
    shown = window.window(
        session, schedule_uid=day.uid, cards={tenant.id: donor.person.id}, now=make.NOW
    )
    assert [[p.state.value for p in t.places] for t in shown.times] == [
        ["taken", "own"],
        ["free", "free"],
    ]
    assert (shown.taken, shown.free) == (2, 2)
    assert shown.own_hold is not None


def test_a_draft_has_no_window(session: Session) -> None:
    tenant = make.make_tenant(session)
    draft = make.make_schedule(session, tenant, status=ScheduleStatus.DRAFT)
    with pytest.raises(NotFound):
        window.window(session, schedule_uid=draft.uid, cards={}, now=make.NOW)
