"""200 people want the same 10 places: 10 get one, the others are told so, nobody sees an error page."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import pytest

from app.models import Schedule
from app.models.enums import AppointmentStatus as A
from tests import make
from tests.races.centre import Centre
from tests.races.clients import Client, at_once

PLACES = 10
TAKEN = "Занято"
ANSWERS = {200, 303, 409}


def buy(client: Client, day: Schedule) -> str | None:
    """Choose a free place, confirm; choose again as long as the answer is «Занято». The ticket's address."""
    window = f"/places/{day.uid}"
    page = client.get(window)
    while page.free_places:
        held = client.post(window, slot=random.choice(page.free_places))
        if held.status == 303:
            return client.post(held.location).location
        assert held.status == 409
        assert TAKEN in held.body
        page = held
    return None


def buy_any(client: Client, day: Schedule, times: list[int]) -> str | None:
    """The same by «любое место»: each of the times in turn."""
    for time in random.sample(times, len(times)):
        held = client.post(f"/places/{day.uid}", time=str(time))
        if held.status == 303:
            return client.post(held.location).location
        assert held.status == 409
    return None


def race(centre: Centre, count: int, buying: Callable[[Client], str | None]) -> list[str]:
    """All at once; the tickets of those who got one."""
    clients = centre.clients([known.account for known in centre.donors(count)])
    tickets = [found for found in at_once([partial(buying, c) for c in clients]) if found]
    assert {status for client in clients for status in client.statuses} <= ANSWERS
    return tickets


def test_ten_numbered_places_are_sold_ten_times(centre, scale):
    day = centre.day(per_time=5)
    tickets = race(centre, max(20, scale(200)), lambda client: buy(client, day))
    assert len(set(tickets)) == len(tickets) == PLACES
    assert centre.count(A.PENDING) == PLACES
    assert centre.count(A.HELD) == 0
    assert centre.broken() == []


def test_any_place_at_a_time_is_sold_as_often_as_there_are_places(centre, scale):
    day = centre.day(per_time=5)
    with centre.site.session() as session:
        times = sorted({int(slot.starts_at.timestamp()) for slot in make.slots_of(session, day)})
    tickets = race(centre, max(20, scale(200)), lambda client: buy_any(client, day, times))
    assert len(set(tickets)) == len(tickets) == PLACES
    assert centre.count(A.PENDING) == PLACES
    assert centre.broken() == []


@pytest.mark.takes_turns
def test_without_the_guard_of_a_place_more_are_sold_than_there_are(centre_without):
    centre = centre_without("place")
    day = centre.day(per_time=5)
    race(centre, 2 * PLACES, lambda client: buy(client, day))
    assert centre.count(A.PENDING) > PLACES
    assert any(line.startswith("I1 places kept twice") for line in centre.broken())
