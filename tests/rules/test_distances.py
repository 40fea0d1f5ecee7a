"""How far apart points are: known ways, and what every measure of distance keeps."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.distances import EARTH, Point, metres, sensible

POINTS = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
MOSCOW, PETERSBURG = Point(55.755833, 37.617778), Point(59.950000, 30.316667)


@pytest.mark.parametrize(
    ("one", "two", "way"),
    [
        (MOSCOW, MOSCOW, 0),
        (MOSCOW, PETERSBURG, 634_000),
        (Point(0, 0), Point(0, 180), math.pi * EARTH),
        (Point(90, 0), Point(-90, 77), math.pi * EARTH),
        (Point(61, 69), Point(61.001, 69), 111.2),
        (Point(61, 69), Point(61, 69.001), 53.9),
        (Point(65, 179.99), Point(65, -179.99), 940),
    ],
)
def test_known_ways(one, two, way):
    assert metres(one, two) == pytest.approx(way, rel=0.002, abs=0.01)


@given(POINTS, POINTS, POINTS)
def test_it_measures_as_a_distance_does(one, two, three):
    there = metres(one, two)
    assert 0 <= there <= math.pi * EARTH + 1
    assert there == pytest.approx(metres(two, one), abs=0.01)
    assert metres(one, three) <= there + metres(two, three) + 0.01


@pytest.mark.parametrize("degrees", [(91, 0), (0, 181), (-90.1, 0), (math.nan, 0), (0, math.inf)])
def test_what_is_no_point(degrees):
    assert not sensible(*degrees)


def test_a_point_in_figures():
    assert str(Point(61.0048, 69.0191)) == "61.004800,69.019100"
