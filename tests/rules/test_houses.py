"""House numbers: many spellings, one value; nonsense is refused with a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.houses import House, HouseUnclear, listed, parse, spelled

LETTERS = st.sampled_from(["", *"АБВГДЕЖЗИКЛМНОПРСТУФ"])


@st.composite
def houses(draw) -> House:
    """Any house that can stand on a street."""
    number = st.integers(1, 9999)
    corner, korpus, building = (draw(st.just(0) | number) for _ in range(3))
    return House(
        draw(number),
        draw(LETTERS),
        corner,
        draw(LETTERS) if corner else "",
        korpus,
        draw(LETTERS) if korpus else "",
        building,
        draw(LETTERS) if building else "",
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("12/3", "12/3"),
        ("12 / 3", "12/3"),
        ("7к2", "7к2"),
        ("7 К. 2", "7к2"),
        ("7 корп. 2", "7к2"),
        ("7, корпус 2", "7к2"),
        ("5 стр. 1", "5 стр. 1"),
        ("5стр1", "5 стр. 1"),
        ("5, строение 1", "5 стр. 1"),
        ("14А", "14А"),
        ("14 а", "14А"),
        ("14 «А»", "14А"),
        ("14a", "14А"),  # a Latin letter
        ("14к", "14К"),
        ("12 литера Б", "12Б"),
        ("д. 5", "5"),
        ("дом №5", "5"),
        ("Д5", "5"),
        ("вл. 8", "8"),
        ("7а к2 стр 3", "7Ак2 стр. 3"),
        ("  007 ", "7"),
    ],
)
def test_spellings_mean_one_house(typed, meant):
    assert str(parse(typed)) == meant


@pytest.mark.parametrize(
    "typed",
    ["", " ", "дом", "А", "0", "7к0", "-5", "10-12", "5 кв 3", "1234567", "٣", "7/2/3", "12 34", "x" * 5000, "5\x00", "1;2"],
)  # fmt: skip
def test_nonsense_is_refused(typed):
    with pytest.raises(HouseUnclear):
        parse(typed)


@given(houses())
def test_a_house_is_read_back_from_its_spelling(house):
    assert parse(str(house)) == house
    assert parse(f"д. {str(house).lower()}") == house
    assert parse(str(house).upper()) == house


@given(houses())
def test_other_ways_of_writing_it_are_the_same_house(house):
    text = str(house)
    assert parse(text.replace("к", " корп. ", 1)) == house
    assert parse(text.replace(" стр. ", ", строение ")) == house


@given(st.text(max_size=60))
def test_any_text_is_a_house_or_refused(text):
    try:
        house = parse(text)
    except HouseUnclear as refusal:
        assert "%(text)s" in refusal.text and len(refusal.params["text"]) <= 31
    else:
        assert parse(str(house)) == house and 1 <= house.number <= 9999


@given(st.lists(houses(), max_size=12))
def test_a_list_is_read_back_in_order_and_each_once(some):
    assert listed(", ".join(map(str, some))) == sorted(set(some))
    assert listed("; ".join(spelled(some))) == sorted(set(some))


@given(houses(), houses())
def test_houses_stand_in_the_order_of_their_numbers(one, two):
    assert (one < two) is (two > one)
    if one.number < two.number:
        assert one < two


def test_a_comma_before_a_building_does_not_part_it():
    assert spelled(listed("1, 7, корп. 2, 9; 5, стр. 1")) == ["1", "5 стр. 1", "7к2", "9"]
    assert listed("") == [] and listed(" , ") == []
