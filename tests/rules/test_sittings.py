"""Template → slots: nothing overlaps, nothing is lost, twice the same, whatever the calendar and the clock do."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.enums import Channel, SlotKind
from app.rules import holidays
from app.rules.clock import instant, local
from app.rules.matrix import Dates
from app.rules.sitting_planning import Away, Facts, Quota, RoleFacts, by_week, planned
from app.rules.sittings import (
    Line,
    Plan,
    alike,
    clock_time,
    line_slots,
    minute_of,
    skipped,
    slots_of,
)
from app.rules.template_lines import faults

ZONES = (
    "Europe/Moscow",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Africa/Cairo",
)
BEGINNING = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
days = st.dates(dt.date(2017, 1, 1), dt.date(2028, 12, 31))
CHANGES = (
    dt.date(2026, 3, 8),
    dt.date(2026, 3, 29),
    dt.date(2026, 10, 4),
    dt.date(2026, 10, 25),
    dt.date(2026, 11, 1),
    dt.date(2017, 10, 15),
)
"""Days on which clocks change somewhere."""


@st.composite
def whole_lines(draw, weekday=None):
    """A line that the editor takes: an even step, or irregular times."""
    start = draw(st.integers(0, 23 * 60))
    share = draw(st.none() | st.integers(1, 8))
    common = {
        "weekday": weekday or draw(st.integers(1, 7)),
        "start": clock_time(start),
        "kind": draw(st.sampled_from(SlotKind)),
        "web_share": share,
    }
    if draw(st.booleans()):
        step = draw(st.integers(1, min(480, 24 * 60 - 1 - start)))
        most = (24 * 60 - 1 - start) // step
        count = draw(st.integers(1, min(most, 60)))
        return Line(end=clock_time(start + count * step), step_minutes=step, **common)
    gaps = draw(st.lists(st.integers(1, 90), min_size=1, max_size=12))
    minutes, at = [], start
    for gap in gaps:
        if at + gap > 24 * 60 - 1:
            break
        minutes.append(at)
        at += gap
    if not minutes:
        minutes, at, gaps = [start], start + 1, [1]
    return Line(
        end=clock_time(at),
        step_minutes=at - minutes[-1],
        times=tuple(map(clock_time, minutes)),
        **common,
    )


@st.composite
def patterns(draw):
    """Lines of one week that do not overlap."""
    lines: list[Line] = []
    for line in draw(st.lists(whole_lines(), max_size=12)):
        if not faults([*lines, line]):
            lines.append(line)
    return lines


@given(whole_lines())
def test_what_the_strategy_makes_is_what_the_editor_takes(line):
    assert faults([line]) == []


@given(patterns(), days | st.sampled_from(CHANGES), st.sampled_from(ZONES))
def test_slots_do_not_overlap_and_come_twice_the_same(lines, day, zone):
    slots = slots_of(lines, day, zone)
    for before, after in pairwise(slots):
        assert before.ends_at <= after.starts_at
    assert slots == slots_of(reversed(lines), day, zone)
    assert all(local(slot.starts_at, zone).date() == day for slot in slots)


@given(whole_lines(), days | st.sampled_from(CHANGES), st.sampled_from(ZONES))
def test_no_slot_is_lost_except_where_there_is_no_such_hour(line, day, zone):
    slots = line_slots(line, day, zone)
    gone = skipped(line, day, zone)
    assert len(slots) + len(gone) == len(line.wall_slots())
    there = {local(slot.starts_at, zone).time() for slot in slots}
    assert there.isdisjoint(gone)
    assert there | set(gone) == {clock_time(slot.minute) for slot in line.wall_slots()}
    offsets = {
        local(
            BEGINNING.replace(year=day.year, month=day.month, day=day.day, hour=hour), zone
        ).utcoffset()
        for hour in range(24)
    }
    if gone:
        assert len(offsets) > 1 or day in CHANGES


@given(whole_lines(), days)
def test_a_whole_line_is_filled_to_its_end(line, day):
    slots = line_slots(line, day, "Europe/Moscow")
    assert slots[0].starts_at == instant(day, line.start, "Europe/Moscow")
    assert sum(slot.minutes for slot in slots) == minute_of(line.end) - minute_of(line.start)
    web = [slot.channel is Channel.WEB for slot in slots]
    assert web == sorted(web, reverse=True)
    wanted = len(slots) if line.web_share is None else min(line.web_share, len(slots))
    assert sum(web) == wanted


def test_irregular_minutes_last_until_the_next_time():
    times = tuple(map(dt.time.fromisoformat, ("09:00", "09:25", "09:30", "09:45")))
    line = Line(1, dt.time(9), dt.time(10), 15, times)
    slots = line_slots(line, dt.date(2026, 11, 23), "Europe/Moscow")
    assert [slot.minutes for slot in slots] == [25, 5, 15, 15]


def test_weekdays_with_the_same_hours_stand_together():
    morning = Line(1, dt.time(9), dt.time(12), 20)
    urgent = Line(1, dt.time(12), dt.time(12, 20), 20, kind=SlotKind.URGENT)
    lines = [
        replace(urgent, weekday=3), morning, urgent, replace(morning, weekday=2),
        replace(morning, weekday=3),
    ]  # fmt: skip
    found = alike(lines)
    assert [weekdays for weekdays, _ in found] == [(1, 3), (2,)]
    assert [line.kind for line in found[0][1]] == [SlotKind.PLANNED, SlotKind.URGENT]
    assert alike([]) == []


def test_an_hour_that_the_clocks_skip_has_no_slots_and_is_named():
    line = Line(7, dt.time(1), dt.time(5), 45 - 15)
    slots = line_slots(line, dt.date(2026, 3, 29), "Europe/Berlin")
    assert skipped(line, dt.date(2026, 3, 29), "Europe/Berlin") == (dt.time(2), dt.time(2, 30))
    assert len(slots) == 6


def test_a_slot_that_would_reach_into_the_skipped_hour_is_none():
    line = Line(7, dt.time(1), dt.time(4), 45)
    assert skipped(line, dt.date(2026, 3, 29), "Europe/Berlin") == (dt.time(1, 45), dt.time(2, 30))


@given(patterns(), st.lists(st.integers(1, 9), unique=True), days, st.integers(0, 60))
def test_a_plan_comes_back_from_its_json(lines, roles, first, length):
    dates = Dates(first, first + dt.timedelta(days=length))
    plan = Plan(7, tuple(roles), dates, tuple(lines))
    assert Plan.from_json(plan.as_json()) == plan


# --- a period


MOSCOW = "Europe/Moscow"
ROLES = {
    1: RoleFacts(1, 10, 100, MOSCOW),
    2: RoleFacts(2, 20, 100, MOSCOW),
    3: RoleFacts(3, 10, 100, MOSCOW),
}
"""1 and 3 are one person's."""
MORNING = Line(1, dt.time(9), dt.time(12), 20)
WORKDAYS = tuple(replace(MORNING, weekday=day) for day in range(1, 6))
MONDAY = dt.date(2026, 11, 30)


def make_plan(first=MONDAY, days=7, roles=(1,), lines=WORKDAYS):
    return Plan(1, roles, Dates(first, first + dt.timedelta(days=days - 1)), lines)


def outcome(plan=None, *, not_before=BEGINNING, **facts):
    return planned(plan or make_plan(), Facts(ROLES, **facts), not_before=not_before)


@given(
    patterns(),
    days,
    st.integers(1, 40),
    st.lists(st.tuples(st.sampled_from([None, 1, 2]), st.integers(0, 40), st.integers(0, 9))),
    st.sampled_from(ZONES),
)
def test_a_period_makes_every_slot_of_the_days_that_hold(lines, first, length, away, zone):
    roles = {key: replace(role, zone=zone) for key, role in ROLES.items() if key != 3}
    exceptions = [
        Away(
            100, role, first + dt.timedelta(days=at), first + dt.timedelta(days=at + more), "отпуск"
        )
        for role, at, more in away
    ]
    plan = make_plan(first, length, (1, 2), tuple(lines))
    found = planned(plan, Facts(roles, exceptions), not_before=BEGINNING - dt.timedelta(days=4000))
    again = planned(plan, Facts(roles, exceptions), not_before=BEGINNING - dt.timedelta(days=4000))
    assert found == again
    expected = Counter()
    for date in plan.dates.days():
        if holidays.free_by_decree(date) is not None:
            continue
        for role in (1, 2):
            if any(e.first <= date <= e.last and e.role_id in (None, role) for e in exceptions):
                continue
            expected[role, date] += len(slots_of(lines, date, zone))
    made = Counter()
    for sitting in found.sittings:
        made[sitting.role_id, sitting.date] += len(sitting.slots)
    assert made == +expected
    assert len({sitting.key for sitting in found.sittings}) == len(found.sittings)


def test_holidays_and_moved_days_off_are_left_out_with_their_reason():
    plan = make_plan(dt.date(2026, 12, 28), 14)
    found = outcome(plan)
    worked = {sitting.date for sitting in found.sittings}
    assert worked == {dt.date(2026, 12, day) for day in (28, 29, 30)}
    assert {remark.code for remark in found.left_out} == {"holiday", "moved"}
    assert all(remark.role_id is None for remark in found.left_out)


def test_saturdays_of_the_pattern_are_worked():
    found = outcome(make_plan(lines=(replace(MORNING, weekday=6),)))
    assert [sitting.date.isoweekday() for sitting in found.sittings] == [6]


def test_a_saturday_that_is_worked_instead_has_the_free_day_s_hours(monkeypatch):
    """28 November is worked for Monday, the 30th."""
    moved = {MONDAY: dt.date(2026, 11, 28)}
    monkeypatch.setattr(holidays, "_moved", lambda: moved)
    found = outcome(make_plan(dt.date(2026, 11, 27), 5))
    assert [sitting.date.day for sitting in found.sittings] == [27, 28, 1]
    own = (*WORKDAYS, Line(6, dt.time(10), dt.time(11), 30))
    found = outcome(make_plan(dt.date(2026, 11, 27), 3, lines=own))
    assert [sitting.line.start for sitting in found.sittings] == [dt.time(9), dt.time(10)]


def test_an_absence_is_one_s_own_and_a_closed_day_everybody_s():
    absence = Away(100, 1, MONDAY, MONDAY, "отпуск")
    closed = Away(100, None, MONDAY + dt.timedelta(days=1), MONDAY + dt.timedelta(days=1), "ремонт")
    other = Away(999, None, MONDAY, MONDAY + dt.timedelta(days=9), "не здесь")
    found = outcome(make_plan(roles=(1, 2)), away=(closed, absence, other))
    by_role = Counter(sitting.role_id for sitting in found.sittings)
    assert by_role == {1: 3, 2: 4}
    assert [(r.code, r.role_id) for r in found.left_out] == [("absent", 1), ("closed", None)]


def test_what_overlaps_with_another_role_of_the_person_is_left_out():
    at = instant(MONDAY, dt.time(11, 50), MOSCOW)
    found = outcome(busy={10: [(at, at + dt.timedelta(minutes=15))]})
    assert MONDAY not in {sitting.date for sitting in found.sittings}
    assert [remark.code for remark in found.left_out] == ["overlap"]
    beside = instant(MONDAY, dt.time(12), MOSCOW)
    found = outcome(busy={10: [(beside, beside + dt.timedelta(minutes=15))]})
    assert found.left_out == ()


def test_one_person_in_two_roles_gets_the_hours_once():
    found = outcome(make_plan(roles=(1, 3)))
    assert {sitting.role_id for sitting in found.sittings} == {1}
    assert [remark.role_id for remark in found.left_out] == [3] * 5


def test_what_has_begun_or_is_open_is_left_out():
    found = outcome(not_before=instant(MONDAY, dt.time(9), MOSCOW))
    assert [remark.code for remark in found.left_out] == ["past"]
    found = outcome(open=frozenset({(1, MONDAY, dt.time(9))}))
    assert [remark.code for remark in found.left_out] == ["open_already"]


@pytest.mark.parametrize(("quota", "there", "wanted"), [(2, 0, 2), (5, 0, 5), (2, 1, 1), (2, 9, 0)])
def test_a_district_s_doctor_has_so_many_slots_a_day_on_the_web(quota, there, wanted):
    lines = (Line(1, dt.time(9), dt.time(9, 40), 20), Line(1, dt.time(10), dt.time(12), 20))
    found = outcome(
        make_plan(lines=lines),
        quotas=[Quota(1, MONDAY - dt.timedelta(days=9), None, quota)],
        on_web={(1, MONDAY): there},
    )
    slots = [slot for sitting in found.sittings for slot in sitting.slots]
    assert [slot.channel for slot in slots] == [Channel.WEB] * wanted + [Channel.DESK] * (
        8 - wanted
    )


def test_a_district_s_number_holds_only_while_one_is_its_doctor():
    over = Quota(1, MONDAY - dt.timedelta(days=9), MONDAY - dt.timedelta(days=1), 2)
    later = Quota(1, MONDAY + dt.timedelta(days=1), None, 2)
    found = outcome(quotas=[over, later])
    assert [sitting.on_web for sitting in found.sittings] == [9, 2, 2, 2, 2]


def test_weeks_are_summed_by_role():
    found = outcome(make_plan(days=9, roles=(1, 2)))
    weeks = by_week(found.sittings)
    assert weeks[1] == {MONDAY: (45, 45), MONDAY + dt.timedelta(days=7): (18, 18)}
