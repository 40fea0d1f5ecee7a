"""Whose is a house: at most one district of a kind; every planted overlap and gap is found."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.models.enums import DistrictKind, Parity
from app.rules.house_ranges import (
    NONE,
    RangeUnclear,
    Span,
    gaps,
    matching,
    of_side,
    overlaps,
    span,
)
from app.rules.houses import House, listed, parse

THERAPY, CHILDREN = DistrictKind.THERAPY, DistrictKind.PAEDIATRIC
TOP = 24
BUILT = ({}, {"letter": "А"}, {"korpus": 2}, {"corner": 3}, {"letter": "А", "building": 1})
"""What stands at one number: 7, 7А, 7к2, 7/3, 7А стр. 1."""
STREET = [House(n, **how) for n in range(1, TOP + 3) for how in BUILT]
"""Every house that the strategies can mean, and some beyond."""
HOUSES = st.frozensets(
    st.builds(lambda n, how: House(n, **how), st.integers(1, TOP), st.sampled_from(BUILT)),
    max_size=4,
)


def of(text: str, *, kind: DistrictKind = THERAPY, parity: Parity = Parity.ALL, **more) -> Span:
    """«1: 5–9, 12А; but 7»: district, ends, single houses, houses left out."""
    district, _, rest = text.partition(":")
    rest, _, out = rest.partition("but")
    ends, _, single = rest.partition(",")
    first, dash, last = (part.strip() for part in ends.partition("–"))
    return span(
        kind=kind,
        district=district,
        parity=parity,
        first=int(first) if first and dash else None,
        last=int(last) if last else None,
        houses=listed(single),
        excepted=listed(out),
        **more,
    )


@st.composite
def spans(draw) -> Span:
    """A range that makes sense."""
    first = draw(st.none() | st.integers(1, TOP))
    last = draw(st.none() | st.integers(first or 1, TOP))
    try:
        return span(
            kind=draw(st.sampled_from([THERAPY, CHILDREN])),
            district=draw(st.sampled_from("123")),
            parity=draw(st.sampled_from(list(Parity))),
            first=first,
            last=last,
            houses=draw(HOUSES),
            excepted=draw(HOUSES),
        )
    except RangeUnclear:
        assume(False)
        raise


def contested(some: list[Span]) -> set[tuple[DistrictKind, House]]:
    """By asking each house: which two districts of a kind mean it equally specifically."""
    found = set()
    for house in STREET:
        claims = defaultdict(set)
        for each in some:
            level = each.level(house)
            if level != NONE:
                claims[each.kind, level].add(each.district)
        found |= {(kind, house) for (kind, _level), whose in claims.items() if len(whose) > 1}
    return found


def reported(some: list[Span]) -> set[tuple[DistrictKind, House]]:
    """The houses that the report of overlaps names, with those left out of the ranges themselves."""
    found = set()
    for each in overlaps(some):
        for house in STREET:
            by_number = (
                each.first is not None
                and each.first <= house.number <= (each.last or TOP + 2)
                and of_side(house.number, each.parity)
            )
            if str(house) in each.houses or by_number:
                found.add((each.kind, house))
    return found


@given(st.lists(spans(), max_size=6))
def test_a_street_without_reported_overlaps_has_one_district_of_a_kind_for_each_house(some):
    assert bool(overlaps(some)) is bool(contested(some))
    assert {(kind, h.number) for kind, h in contested(some)} <= {
        (kind, h.number) for kind, h in reported(some)
    }


@given(st.lists(spans(), max_size=6), st.randoms())
def test_the_answer_does_not_depend_on_the_order_of_ranges(some, chance):
    assume(not overlaps(some))
    again = list(some)
    chance.shuffle(again)
    for house in STREET:
        one, two = matching(some, house), matching(again, house)
        assert {k: s.district for k, s in one.items()} == {k: s.district for k, s in two.items()}


@given(st.lists(spans(), max_size=6), spans(), st.sampled_from("45"))
def test_a_planted_overlap_is_found(some, one, district):
    copy = span(
        kind=one.kind, district=district, parity=one.parity, first=one.first, last=one.last,
        houses=one.houses, excepted=one.excepted,
    )  # fmt: skip
    meant = [house for house in STREET if one.level(house) != NONE]
    assume(meant)
    found = overlaps([*some, one, copy])
    assert any({one.district, district} == set(each.districts) for each in found)


@given(st.lists(spans(), min_size=1, max_size=6))
def test_every_gap_is_reported_and_nothing_else(some):
    top = max(
        [0]
        + [end for each in some for end in (each.first, each.last) if end]
        + [h.number for each in some for h in each.houses | each.excepted]
    )
    told = {
        (each.kind, House(n))
        for each in gaps(some)
        if each.first is not None
        for n in range(each.first, each.last + 1)
        if of_side(n, each.parity)
    }
    truth = {
        (kind, House(n))
        for kind in {each.kind for each in some}
        for n in range(1, top + 1)
        if kind not in matching(some, House(n))
    }
    assert told == truth
    single = {(each.kind, parse(text)) for each in gaps(some) for text in each.houses}
    assert all(kind not in matching(some, house) for kind, house in single)
    left_out = {(e.kind, h) for e in some for h in e.excepted if e.kind not in matching(some, h)}
    assert left_out <= single | {(k, h) for k, h in left_out if (k, h.base) in told}


@given(st.lists(spans(), max_size=6), st.integers(1, TOP))
def test_a_planted_gap_is_found(some, number):
    house = House(number)
    whole = Span(THERAPY, "9", excepted=frozenset([house]))
    others = [e for e in some if e.kind is not THERAPY or not e.level(house)]
    found = [g for g in gaps([*others, whole]) if g.kind is THERAPY]
    assert [(g.first, g.last) for g in found] == [(number, number)]


@pytest.mark.parametrize(
    ("typed", "district"),
    [
        ("7", "2"),
        ("7к2", "2"),  # everything built at 7, not named itself
        ("7А", "3"),
        ("9", "1"),
        ("9/2", "1"),
        ("13", "4"),
        ("8", "5"),
        ("30", "5"),
    ],
)
def test_the_most_specific_wins(typed, district):
    street = [
        of("1: 1–11", parity=Parity.ODD),
        of("2:, 7"),
        of("3:, 7А"),
        of("4: 13–", parity=Parity.ODD),
        of("5:"),
    ]
    assert overlaps(street) == []
    assert matching(street, parse(typed))[THERAPY].district == district


def test_open_ends_sides_and_kinds():
    street = [
        of("1: –9", parity=Parity.ODD),
        of("2: 10–", parity=Parity.EVEN),
        of("К: 1–", kind=CHILDREN),
    ]
    assert set(matching(street, parse("5"))) == {THERAPY, CHILDREN}
    assert set(matching(street, parse("8"))) == {CHILDREN}
    told = {(g.kind, g.parity, g.first, g.last) for g in gaps(street)}
    assert told == {(THERAPY, Parity.EVEN, 2, 8)}


def test_a_house_left_out_may_be_another_district_s():
    street = [of("1: 1–9 but 7, 5А"), of("2:, 7")]
    assert overlaps(street) == []
    assert matching(street, parse("7 стр. 1"))[THERAPY].district == "2"
    assert [g.houses for g in gaps(street)] == [("5А",)]


def test_an_overlap_names_the_districts_and_the_houses():
    (found,) = overlaps([of("1: 1–15", parity=Parity.ODD), of("2: 8–30")])
    assert found.districts == ("1", "2")
    assert (found.parity, found.first, found.last) == (Parity.ODD, 9, 15)
    (found,) = overlaps([of("1: 5–"), of("2: 50–")])
    assert (found.first, found.last) == (50, None)
    assert overlaps([of("1: 1–15"), of("2: 16–30"), of("3:", kind=CHILDREN)]) == []
    assert overlaps([of("1: 1–15"), of("1: 3–20")]) == []  # one district: nobody is in doubt
    (found,) = overlaps([of("1:, 3, 5"), of("2:, 5, 7")])
    assert found.houses == ("5",)


@pytest.mark.parametrize(
    ("text", "parity"),
    [
        ("1: 9–5", Parity.ALL),
        ("1: 0–5", Parity.ALL),
        ("1: 5–5", Parity.EVEN),
        ("1:, 5", Parity.ODD),
        ("1: 1–9 but 8", Parity.ODD),
        ("1:, 5 but 5", Parity.ALL),
        ("1: 1–9, 5 but 5", Parity.ALL),
        ("1: 1–99999", Parity.ALL),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(text, parity):
    with pytest.raises(RangeUnclear):
        of(text, parity=parity)
