"""The matrix and its plan: totals, hours, zones, dates."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.blood import EVERY_TYPE, BloodType
from app.models.enums import FirstTime, Sex, Sign
from app.rules.matrix import MAX_RANGE, Dates, Line, Matrix, Override
from app.rules.planning import fill, plan

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
WEDNESDAY = dt.date(2026, 11, 25)
MOSCOW = {1: "Europe/Moscow"}
AB_NEGATIVE = BloodType.parse("AB-")


def cell(total: int, blood: str = "B-", **changes) -> Line:
    return Line(7, total, frozenset({BloodType.parse(blood)}), **changes)


def matrix(*lines: Line, **changes) -> Matrix:
    facts = {"dates": Dates.of(WEDNESDAY), "organization_ids": (1,), "lines": lines}
    return Matrix(**(facts | changes))


def codes(made) -> list[str]:
    return [problem.code for problem in made.problems]


def test_times_are_filled_from_the_first_up_to_the_places_per_time():
    day = plan(matrix(cell(7)), zones=MOSCOW, not_before=NOW).days[0]
    eight = dt.datetime(2026, 11, 25, 5, tzinfo=dt.UTC)
    half = dt.timedelta(minutes=30)
    assert day.filled() == [(eight, 3), (eight + half, 3), (eight + 2 * half, 1)]


@given(
    total=st.integers(1, 500),
    per_time=st.integers(1, 40),
    spare=st.integers(0, 5),
)
def test_filling_keeps_the_total_and_leaves_no_hole(total, per_time, spare):
    counts = fill(total, per_time, -(-total // per_time) + spare)
    assert sum(counts) == total
    assert all(count == per_time for count in counts[:-1])
    assert 1 <= counts[-1] <= per_time


def test_a_total_that_does_not_fit_its_hours_is_refused_with_the_arithmetic():
    made = plan(matrix(cell(300, "AB-"), cell(7)), zones=MOSCOW, not_before=NOW)
    (problem,) = made.blocking
    assert problem.params == {"times": 12, "places": 3, "room": 36, "total": 300, "needed": 25}
    assert problem.line == cell(300, "AB-")
    assert [day.total for day in made.days] == [7]


def test_a_column_may_have_more_places_per_time():
    filled_in = matrix(cell(300, "AB-"), cell(7), overrides=(Override(25, blood_type=AB_NEGATIVE),))
    made = plan(filled_in, zones=MOSCOW, not_before=NOW)
    assert not made.problems
    assert [count for _, count in made.days[0].filled()] == [25] * 12
    assert [count for _, count in made.days[1].filled()] == [3, 3, 1]


def test_the_closest_number_of_places_wins():
    filled_in = matrix(
        places_per_time=1,
        overrides=(
            Override(2, donation_type_id=7),
            Override(3, blood_type=AB_NEGATIVE),
            Override(4, donation_type_id=7, blood_type=AB_NEGATIVE),
        ),
    )
    wanted = {
        Line(8, 1, frozenset({BloodType.parse("O+")})): 1,
        cell(1): 2,
        Line(8, 1, frozenset({AB_NEGATIVE})): 3,
        cell(1, "AB-"): 4,
        cell(1, "AB-", places_per_time=9): 9,
        Line(8, 1, frozenset({AB_NEGATIVE, BloodType.parse("O+")})): 1,
    }
    assert {line: filled_in.places_for(line) for line in wanted} == wanted


@pytest.mark.parametrize(
    ("start", "end", "step", "count"),
    [("08:00", "14:00", 30, 12), ("08:00", "14:00", 50, 7), ("08:00", "08:20", 30, 0)],
)
def test_every_time_ends_within_the_hours(start, end, step, count):
    hours = {"start": dt.time.fromisoformat(start), "end": dt.time.fromisoformat(end)}
    assert len(Matrix(step_minutes=step, **hours).times()) == count


def test_hours_without_room_are_refused():
    made = plan(matrix(cell(1), end=dt.time(8, 10)), zones=MOSCOW, not_before=NOW)
    assert codes(made) == ["no_times"]
    assert all(not day.starts for day in made.days)


def test_hours_are_the_branches_own():
    zones = {1: "Europe/Kaliningrad", 2: "Asia/Kamchatka"}
    made = plan(matrix(cell(1), organization_ids=(1, 2)), zones=zones, not_before=NOW)
    assert [day.starts[0].hour for day in made.days] == [6, 20]
    assert [day.starts[0].date() for day in made.days] == [WEDNESDAY, WEDNESDAY.replace(day=24)]


def test_an_hour_that_the_clocks_skip_is_refused():
    night = matrix(cell(3), dates=Dates.of(dt.date(2027, 3, 28)), start=dt.time(1), end=dt.time(5))
    assert codes(plan(night, zones={1: "Europe/Berlin"}, not_before=NOW)) == ["no_such_hour"]
    assert codes(plan(night, zones=MOSCOW, not_before=NOW)) == []


def test_an_end_that_the_clocks_skip_is_refused_too():
    night = matrix(
        cell(1), dates=Dates.of(dt.date(2027, 3, 28)), start=dt.time(1), end=dt.time(2, 15)
    )
    assert codes(plan(night, zones={1: "Europe/Berlin"}, not_before=NOW)) == ["no_such_hour"]


def test_what_has_begun_is_refused_by_the_branches_clock():
    at_eight = dt.datetime(2026, 11, 25, 5, tzinfo=dt.UTC)
    before = at_eight - dt.timedelta(seconds=1)
    assert codes(plan(matrix(cell(1)), zones=MOSCOW, not_before=at_eight)) == ["past"]
    assert codes(plan(matrix(cell(1)), zones=MOSCOW, not_before=before)) == []


def test_each_date_branch_and_line_is_one_day():
    week = Dates(WEDNESDAY, WEDNESDAY + dt.timedelta(days=6), frozenset(range(5)))
    filled_in = matrix(cell(9, "O+"), cell(10, "O-"), dates=week, organization_ids=(1, 2))
    made = plan(filled_in, zones={1: "Europe/Moscow", 2: "Europe/Moscow"}, not_before=NOW)
    assert len(made.days) == 5 * 2 * 2
    assert made.places == 5 * 2 * 19
    assert len({day.key for day in made.days}) == len(made.days)


def test_dates_are_a_range_on_weekdays_without_some_and_with_others():
    dates = Dates(
        WEDNESDAY,
        dt.date(2026, 12, 1),
        frozenset({0, 2, 4}),
        without=frozenset({dt.date(2026, 11, 30)}),
        also=frozenset({dt.date(2026, 12, 12)}),
    )
    assert [date.day for date in dates.days()] == [25, 27, 12]


def test_shifting_by_a_week_keeps_the_weekdays():
    dates = Dates(WEDNESDAY, WEDNESDAY + dt.timedelta(days=6), frozenset({2, 4}))
    later = [date + dt.timedelta(days=7) for date in dates.days()]
    assert list(dates.shifted(7).days()) == later


def test_an_endless_range_is_refused_and_not_walked():
    endless = matrix(cell(1), dates=Dates(WEDNESDAY, dt.date.max))
    made = plan(endless, zones=MOSCOW, not_before=NOW)
    assert codes(made) == ["long_range"]
    assert len(made.days) == MAX_RANGE


def test_too_many_places_are_refused():
    filled_in = matrix(
        *(cell(400, str(blood), places_per_time=40) for blood in EVERY_TYPE),
        dates=Dates(WEDNESDAY, WEDNESDAY + dt.timedelta(days=60)),
    )
    made = plan(filled_in, zones=MOSCOW, not_before=NOW)
    assert (codes(made), made.days) == (["too_many"], ())


def test_an_empty_matrix_says_all_that_is_missing():
    made = plan(Matrix(), zones={}, not_before=NOW)
    assert codes(made) == ["no_dates", "no_branches", "no_totals"]


def test_the_same_set_twice_is_refused():
    made = plan(matrix(cell(3), cell(5)), zones=MOSCOW, not_before=NOW)
    assert codes(made) == ["twice"]


def test_json_keeps_everything():
    full = matrix(
        cell(7, "AB-"),
        Line(8, 4, frozenset(EVERY_TYPE[:2]), Sign.NEGATIVE, Sex.MALE, FirstTime.NO, 2),
        dates=Dates(
            WEDNESDAY,
            dt.date(2026, 12, 1),
            frozenset({1}),
            frozenset({WEDNESDAY}),
            frozenset({WEDNESDAY}),
        ),
        overrides=(Override(25, blood_type=AB_NEGATIVE), Override(2, donation_type_id=7)),
        start=dt.time(7, 45),
    )
    assert Matrix.from_json(json.loads(json.dumps(full.as_json()))) == full
    assert Matrix.from_json(Matrix().as_json()) == Matrix()
