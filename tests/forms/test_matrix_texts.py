"""What schedulers type in one line."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.blood import BloodType
from app.rules.matrix import Override
from forms import matrix_texts as texts

TODAY = dt.date(2026, 11, 23)
TYPES = [
    SimpleNamespace(id=1, name_ru="Цельная кровь", name_en="Whole blood"),
    SimpleNamespace(id=2, name_ru="Плазмаферез", name_en="Plasmapheresis"),
    SimpleNamespace(id=3, name_ru="Плазма", name_en="Plasma"),
    SimpleNamespace(id=4, name_ru="Тромбоцитаферез", name_en="Thrombocytapheresis"),
]
AB_NEGATIVE, B_POSITIVE = BloodType.parse("AB-"), BloodType.parse("B+")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("3", (3, ())),
        ("3; AB−: 25", (3, (Override(25, None, AB_NEGATIVE),))),
        ("3;АВ-:25", (3, (Override(25, None, AB_NEGATIVE),))),  # Cyrillic letters
        (" 3 ;  0+ : 2 ", (3, (Override(2, None, BloodType.parse("O+")),))),
        ("3; плазма: 5", (3, (Override(5, 3, None),))),
        ("3; Плазма B+: 5", (3, (Override(5, 3, B_POSITIVE),))),
        ("3; Тромбо В+: 5", (3, (Override(5, 4, B_POSITIVE),))),
        ("2\nWhole blood: 1", (2, (Override(1, 1, None),))),
    ],
)
def test_places_per_time_have_exceptions(typed, expected):
    assert texts.places(typed, TYPES) == expected


@pytest.mark.parametrize(
    "typed", ["", "три", "0", "3; AB: 25", "3; AB−: x", "3; Плаз: 4", "3; : 4", "3; AB−", "999999"]
)
def test_what_is_not_understood_is_refused(typed):
    with pytest.raises(ValueError):
        texts.places(typed, TYPES)


@pytest.mark.parametrize("locale", ["ru", "en"])
def test_places_are_written_as_they_are_read(locale):
    overrides = (
        Override(25, None, AB_NEGATIVE),
        Override(5, 3, None),
        Override(2, 1, B_POSITIVE),
    )
    written = texts.written_places(3, overrides, TYPES, locale)
    assert texts.places(written, TYPES) == (3, overrides)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", []),
        ("25.11", ["2026-11-25"]),
        ("25.11.2026, 2026-11-26", ["2026-11-25", "2026-11-26"]),
        ("28.11–30.11 5.12.26", ["2026-11-28", "2026-11-29", "2026-11-30", "2026-12-05"]),
        ("30.12 - 01.01", ["2026-12-30", "2026-12-31", "2027-01-01"]),
        ("1.2", ["2027-02-01"]),
    ],
)
def test_dates_come_in_lists_and_ranges(typed, expected):
    assert texts.dates(typed, TODAY) == {day(each) for each in expected}


@pytest.mark.parametrize(
    "typed", ["31.02", "вчера", "25.11–24.11", "1.1.2026–1.1.2030", "25/11", "٢٥.١١", "29.02"]
)
def test_dates_that_are_none_are_refused(typed):
    with pytest.raises(ValueError):
        texts.dates(typed, TODAY)


@given(st.frozensets(st.dates(dt.date(2026, 1, 1), dt.date(2028, 12, 31)), max_size=20))
def test_dates_are_written_as_they_are_read(days):
    assert texts.dates(texts.written_dates(days), TODAY) == days


@given(st.text(max_size=30))
def test_anything_typed_is_read_or_refused(typed):
    for read in (
        lambda: texts.dates(typed, TODAY),
        lambda: texts.places(typed, TYPES),
        lambda: texts.clock_times(typed),
        lambda: texts.whole_number(typed, 10),
    ):
        try:
            read()
        except (ValueError, OverflowError):
            continue


@pytest.mark.parametrize("typed", ["٣", "1_0", "+3", "3.0", "", " 3"])
def test_only_plain_digits_are_numbers(typed):
    with pytest.raises(ValueError):
        texts.whole_number(typed, 100)


def test_times_are_read_in_any_usual_dress():
    assert texts.clock_times("14:00, 8:30 08:30:00") == [dt.time(8, 30), dt.time(14)]
    with pytest.raises(ValueError):
        texts.clock_times("25:00")
