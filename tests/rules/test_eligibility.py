"""Each refusal once, with its date; the interval matrix from data; dates that turn at local midnight."""

from __future__ import annotations

import ast
import datetime as dt
import itertools
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.blood import BloodType
from app.models.enums import (
    AppointmentStatus,
    Confirmation,
    DeferralKind,
    DonationKind,
    FirstTime,
    ScheduleStatus,
    Sex,
    Sign,
)
from app.models.policy import BookingPolicy
from app.rules import booking, eligibility, holding
from app.rules.actor import actor_of
from app.rules.clock import instant, local_date, midnight
from app.rules.eligibility import blocking, check, earliest, first_allowed
from app.rules.errors import Refused, Words
from app.rules.known import DeferralFact, LiveFact, PersonFacts, SlotFacts
from app.rules.policies import MedicalNumbers
from tests import make

ROOT = Path(eligibility.__file__).parent.parent
RULES = json.loads((ROOT / "data" / "donation_rules.json").read_text())
NOW = make.NOW
TODAY = dt.date(2026, 11, 23)
DAY = dt.date(2026, 11, 25)
OWN = make.B_NEGATIVE
POLICY = BookingPolicy(
    confirmation=Confirmation.APPROVAL,
    live_limit=1,
    days_after_own_cancel=1,
    days_after_donation=10,
    book_days_ahead=60,
    min_age=18,
)
NUMBERS = MedicalNumbers(
    intervals={
        (DonationKind(before), DonationKind(after)): days
        for before, row in RULES["intervals"]["days"].items()
        for after, days in row.items()
    },
    limits={(DonationKind(r["kind"]), Sex(r["sex"])): r["times"] for r in RULES["limits"]},
)
PERSON = PersonFacts(person_id=1, blood_type=OWN, kell=Sign.NEGATIVE, history_known=True)


def slot(date: dt.date = DAY, zone: str = "Europe/Moscow", **changes: Any) -> SlotFacts:
    """A place at 8:00 of an ordinary day that is open to everybody."""
    start = instant(date, dt.time(8), zone)
    fields: dict[str, Any] = {
        "starts_at": start,
        "ends_at": start,
        "date": date,
        "time_zone": zone,
        "kind": DonationKind.PLATELETS,
        "status": ScheduleStatus.PUBLISHED,
        "blood_types": frozenset(),
    }
    return SlotFacts(**fields | changes)


def asked(person: PersonFacts | None, place: SlotFacts, *, now: dt.datetime = NOW, **more: Any):
    return check(person, place, policy=POLICY, numbers=NUMBERS, now=now, **more)


def codes(found: list[eligibility.Refusal]) -> list[str]:
    return [refusal.code for refusal in found]


def ago(days: int, kind: DonationKind = DonationKind.PLASMA) -> tuple[dt.date, DonationKind]:
    return TODAY - dt.timedelta(days=days), kind


def deferred(ends_on: dt.date | None, starts_on: dt.date = TODAY) -> dict[str, Any]:
    return {"deferrals": (DeferralFact(DeferralKind.TEMPORARY, starts_on, ends_on),)}


LIVE = LiveFact(
    7, instant(DAY, dt.time(9), "Europe/Moscow"), "Плазмаферез", DonationKind.PLASMA,
    AppointmentStatus.PENDING,
)  # fmt: skip
A_YEAR_OF_BLOOD = tuple(ago(days, DonationKind.BLOOD) for days in (360, 290, 220, 150))

# What is unlike an ordinary donor, what is unlike an ordinary day → the one refusal and its date.
CASES: list[tuple[str, dict[str, Any], dict[str, Any], dt.date | None]] = [
    ("past", {}, {"ends_at": NOW}, None),
    ("closed", {}, {"status": ScheduleStatus.CLOSED}, None),
    ("draft", {}, {"status": ScheduleStatus.DRAFT}, None),
    ("paused", {}, {"status": ScheduleStatus.PAUSED}, None),
    ("paused", {}, {"pause_notice": Words("Запас достаточен.", "")}, None),
    ("too_far", {}, {"date": TODAY + dt.timedelta(days=61)}, TODAY + dt.timedelta(days=1)),
    ("other_blood_type", {}, {"blood_types": frozenset({BloodType.parse("A+")})}, None),
    ("other_blood_type", {"blood_type": None}, {"blood_types": frozenset({OWN})}, None),
    ("other_kell", {"kell": Sign.POSITIVE}, {"kell": Sign.NEGATIVE}, None),
    ("sex_unknown", {}, {"sex": Sex.FEMALE}, None),
    ("other_sex", {"sex": Sex.MALE}, {"sex": Sex.FEMALE}, None),
    ("not_first_time", {}, {"first_time": FirstTime.NO}, None),
    ("not_first_time", {"history_known": False}, {"first_time": FirstTime.NO}, None),
    ("first_time_only", {"donations": (ago(90),)}, {"first_time": FirstTime.ONLY}, None),
    ("deferred", deferred(DAY), {}, DAY + dt.timedelta(days=1)),
    ("deferred", deferred(None), {}, None),
    ("deferred", deferred(dt.date.max), {}, None),
    ("too_young", {"birth_date": dt.date(2008, 12, 1)}, {}, dt.date(2026, 12, 1)),
    ("too_young", {"birth_date": dt.date(2012, 2, 29)}, {}, dt.date(2030, 3, 1)),
    ("interval", {"donations": (ago(11),)}, {}, TODAY + dt.timedelta(days=3)),
    (
        "yearly_limit",
        {"donations": A_YEAR_OF_BLOOD, "sex": Sex.FEMALE},
        {"kind": DonationKind.BLOOD},
        TODAY + dt.timedelta(days=5),
    ),
    ("other_booking", {"live": (LIVE,)}, {}, None),
    ("own_cancel", {"last_own_cancel": NOW}, {}, TODAY + dt.timedelta(days=1)),
    (
        "after_donation",
        {"donations": (ago(4),)},
        {"date": TODAY + dt.timedelta(days=20)},
        TODAY + dt.timedelta(days=6),
    ),
]
WARNINGS = {("sex_unknown", None), ("not_first_time", False)}


@pytest.mark.parametrize(("code", "person", "day", "date"), CASES, ids=lambda x: str(x)[:30])
def test_each_refusal_stands_alone_with_its_date(code, person, day, date):
    found = asked(replace(PERSON, **person), slot(**day))
    assert [(r.code, r.earliest) for r in found] == [(code, date)]
    assert found[0].blocking == ((code, person.get("history_known")) not in WARNINGS)
    assert found[0].text % {name: "…" for name in found[0].params}


def test_the_table_above_knows_every_refusal_there_is():
    tree = ast.parse(Path(eligibility.__file__).read_text())
    made = {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Refusal"
        and isinstance(call.args[0], ast.Constant)
    }
    assert made == {case[0] for case in CASES}


def test_nothing_stands_against_an_ordinary_donor_on_an_ordinary_day():
    assert asked(PERSON, slot()) == []
    assert asked(None, slot()) == []


def test_without_a_person_only_the_day_is_asked():
    place = slot(status=ScheduleStatus.PAUSED, blood_types=frozenset({BloodType.parse("A+")}))
    assert codes(asked(None, place)) == ["paused"]


def test_reasons_come_together_and_the_date_is_the_last_of_them():
    person = replace(PERSON, **deferred(DAY), donations=(ago(11),))
    found = asked(person, slot())
    assert codes(found) == ["deferred", "interval"]
    assert earliest(found) == DAY + dt.timedelta(days=1)
    endless = asked(replace(person, live=(LIVE,)), slot())
    assert earliest(endless) is None
    assert earliest([]) is None


def test_a_warning_blocks_nobody():
    assert blocking(asked(PERSON, slot(sex=Sex.MALE))) == []


def test_the_request_that_is_looked_at_is_not_another_booking():
    person = replace(PERSON, live=(LIVE,))
    assert asked(person, slot(), ignore_appointment_id=LIVE.appointment_id) == []
    assert codes(asked(person, slot(), ignore_appointment_id=99)) == ["other_booking"]


def test_a_second_booking_is_allowed_where_the_policy_says_two():
    two = BookingPolicy(
        live_limit=2,
        days_after_own_cancel=1,
        days_after_donation=10,
        book_days_ahead=60,
        min_age=18,
    )
    person = replace(PERSON, live=(LIVE,))
    assert check(person, slot(), policy=two, numbers=NUMBERS, now=NOW) == []
    person = replace(PERSON, live=(LIVE, LIVE))
    assert codes(check(person, slot(), policy=two, numbers=NUMBERS, now=NOW)) == ["other_booking"]


# --- the interval matrix -----------------------------------------------------------------------

PAIRS = list(itertools.product(DonationKind, DonationKind))


def test_the_matrix_names_every_pair_and_its_source():
    assert set(NUMBERS.intervals) == set(PAIRS)
    assert RULES["intervals"]["source"]
    assert all(row["source"] for row in RULES["limits"])


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=str)
def test_the_interval_is_kept_to_the_day(before, after):
    days = RULES["intervals"]["days"][before][after]
    given_on = TODAY - dt.timedelta(days=20)
    person = replace(PERSON, donations=((given_on, before),))
    free = given_on + dt.timedelta(days=days)
    on_time = asked(person, slot(free, kind=after))
    early = asked(person, slot(free - dt.timedelta(days=1), kind=after), now=NOW)
    assert "interval" not in codes(on_time)
    refusal = next(r for r in early if r.code == "interval")
    assert (refusal.earliest, refusal.params["last"]) == (free, given_on)
    assert (refusal.params["passed"], refusal.params["wait"]) == (days - 1, days)


@pytest.mark.parametrize("row", RULES["limits"], ids=lambda row: f"{row['kind']} {row['sex']}")
def test_the_yearly_limit_counts_365_days(row):
    kind, sex = DonationKind(row["kind"]), Sex(row["sex"])
    gifts = tuple((DAY - dt.timedelta(days=364 - 60 * n), kind) for n in range(row["times"]))
    person = replace(PERSON, sex=sex, donations=gifts)
    found = asked(person, slot(kind=kind))
    refusal = next(r for r in found if r.code == "yearly_limit")
    assert refusal.earliest == DAY + dt.timedelta(days=1)
    assert "yearly_limit" not in codes(asked(person, slot(refusal.earliest, kind=kind)))
    fewer = replace(person, donations=gifts[1:])
    assert "yearly_limit" not in codes(asked(fewer, slot(kind=kind)))


gifts = st.lists(
    st.tuples(st.integers(0, 400).map(lambda n: TODAY - dt.timedelta(days=n)), st.sampled_from(DonationKind)),
    max_size=8,
).map(lambda rows: tuple(sorted(rows)))  # fmt: skip
deferrals = st.lists(
    st.builds(
        lambda start, length: DeferralFact(
            DeferralKind.TEMPORARY,
            TODAY + dt.timedelta(days=start),
            TODAY + dt.timedelta(days=start + length),
        ),
        st.integers(-30, 60),
        st.integers(0, 60),
    ),
    max_size=4,
).map(tuple)
people = st.builds(
    PersonFacts,
    person_id=st.just(1),
    blood_type=st.just(OWN),
    kell=st.just(Sign.NEGATIVE),
    sex=st.sampled_from([None, *Sex]),
    birth_date=st.one_of(st.none(), st.dates(dt.date(2008, 10, 1), dt.date(2009, 3, 1))),
    donations=gifts,
    deferrals=deferrals,
)


@given(person=people, kind=st.sampled_from(DonationKind))
def test_the_first_possible_date_is_the_first_day_without_a_medical_reason(person, kind):
    medical = {"deferred", "too_young", "interval", "yearly_limit"}
    place = slot(kind=kind)

    def stands(day: dt.date) -> bool:
        return bool(medical & set(codes(asked(person, replace(place, date=day)))))

    day = TODAY
    while stands(day):
        day += dt.timedelta(days=1)
    assert first_allowed(person, place, policy=POLICY, numbers=NUMBERS, today=TODAY) == day


def test_a_deferral_without_an_end_has_no_first_date():
    person = replace(PERSON, **deferred(None))
    assert first_allowed(person, slot(), policy=POLICY, numbers=NUMBERS, today=TODAY) is None


# --- midnight ----------------------------------------------------------------------------------

ZONES = ("Europe/Kaliningrad", "Europe/Moscow", "Asia/Kamchatka")
SECOND = dt.timedelta(seconds=1)


@pytest.fixture(params=["UTC", "Asia/Kamchatka", "America/New_York"])
def process_zone(request, monkeypatch):
    """The machine's own zone, which must not matter."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ZONES)
def test_the_day_after_an_own_cancel_begins_at_local_midnight(zone, process_zone):
    new_day = midnight(DAY, zone)
    person = replace(PERSON, last_own_cancel=new_day - SECOND)
    place = slot(DAY + dt.timedelta(days=3), zone)
    before = asked(person, place, now=new_day - SECOND)
    assert [(r.code, r.earliest) for r in before] == [("own_cancel", DAY)]
    assert asked(person, place, now=new_day) == []


@pytest.mark.parametrize("zone", ZONES)
def test_the_ten_days_after_a_donation_end_at_local_midnight(zone, process_zone):
    person = replace(PERSON, donations=((DAY - dt.timedelta(days=10), DonationKind.PLASMA),))
    place = slot(DAY + dt.timedelta(days=10), zone)
    turn = midnight(DAY, zone)
    assert [(r.code, r.earliest) for r in asked(person, place, now=turn - SECOND)] == [
        ("after_donation", DAY)
    ]
    assert asked(person, place, now=turn) == []


@pytest.mark.parametrize("zone", ZONES)
def test_booking_for_a_far_day_opens_at_local_midnight(zone, process_zone):
    turn = midnight(DAY, zone)
    place = slot(DAY + dt.timedelta(days=60), zone)
    assert [(r.code, r.earliest) for r in asked(PERSON, place, now=turn - SECOND)] == [
        ("too_far", DAY)
    ]
    assert asked(PERSON, place, now=turn) == []


@pytest.mark.parametrize("zone", ZONES)
def test_a_place_is_over_at_its_own_hour(zone, process_zone):
    place = slot(DAY, zone)
    start = instant(DAY, dt.time(8), zone)
    assert asked(PERSON, place, now=start - SECOND) == []
    assert codes(asked(PERSON, place, now=start)) == ["past"]


@pytest.mark.parametrize("zone", ZONES)
def test_a_donor_who_cancels_late_at_night_books_again_after_midnight(session, zone):
    tenant = make.make_tenant(session, time_zone=zone)
    donor = make.make_donor(session, tenant)
    day = make.make_schedule(session, tenant, days=9)
    turn = midnight(DAY, zone)
    me = actor_of(donor.account)
    late = turn - dt.timedelta(minutes=1)
    assert local_date(late, zone) == DAY - dt.timedelta(days=1)
    request = make.make_appointment(session, tenant, donor, day, now=late)
    booking.cancel(session, appointment_id=request.id, actor=me, now=late)
    slots = make.slots_of(session, day)

    def hold(now: dt.datetime):
        return holding.hold(
            session, person_id=donor.person.id, schedule_id=day.id, slot_id=slots[0].id,
            actor=me, now=now,
        )  # fmt: skip

    with pytest.raises(Refused) as refusal:
        hold(turn - SECOND)
    assert (refusal.value.code, refusal.value.earliest) == ("own_cancel", DAY)
    assert hold(turn).slot_id == slots[0].id
