"""The list and the map are numbered alike, the nearest first; who has no coordinates is still there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.models import Organization
from app.models.scope import PUBLIC, set_scope
from app.rules import directory, nearby
from app.rules.directory import Search
from app.rules.distances import Point, metres
from tests import make

HERE = Point(61.0, 69.0)
DEGREES = st.floats(-80, 80)
PLACES = st.lists(
    st.builds(Organization, latitude=DEGREES, longitude=DEGREES)
    | st.builds(Organization, latitude=st.none(), longitude=st.none()),
    max_size=12,
)


@given(PLACES)
def test_distances_grow_and_numbers_follow(places):
    listed = nearby.placed(places, near=HERE)
    assert sorted(map(id, places)) == sorted(id(each.organization) for each in listed)
    marked = [each for each in listed if each.point]
    assert listed[: len(marked)] == marked, "who has no coordinates is last"
    assert [each.number for each in marked] == list(range(1, len(marked) + 1))
    ways = [metres(HERE, each.point) for each in marked]
    assert [each.metres for each in marked] == ways == sorted(ways)
    assert all(each.number is each.metres is None for each in listed[len(marked) :])


@given(PLACES)
def test_without_an_address_the_order_stays(places):
    listed = nearby.placed(places)
    assert [each.organization for each in listed] == places
    numbers = [each.number for each in listed if each.point]
    assert numbers == list(range(1, len(numbers) + 1))


def test_of_too_many_the_nearest_are_read(session, monkeypatch):
    monkeypatch.setattr(directory, "MOST_INSTITUTIONS", 3)
    for name, east in (("А", None), ("Б", 69.9), ("В", 69.2), ("Г", 69.1), ("Д", 69.3)):
        tenant = make.make_polyclinic(session, name=name)
        tenant.root.takes_patients = False
        place = tenant.branch
        place.short_name, place.longitude = name, east
        place.latitude = None if east is None else 61.0
    session.flush()
    set_scope(session, PUBLIC)
    found = directory.institutions(session, search=Search(settlement="Лесной"), near=HERE)
    assert [each.short_name for each in found] == ["Г", "В", "Д"]
