"""Every rule of the URL map under hundreds of odd requests, as whoever may use it and as who may not."""

from __future__ import annotations

import copy
import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask, request
from hypothesis import HealthCheck, Phase, given, settings

from app.models import Throttle
from tests.fuzz.requests import Attempt, Forms, attempts
from tests.matrix.expected import LINES, Line
from tests.matrix.world import World, contents, restore


def test_the_forms_of_the_site_were_found(forms: Forms) -> None:
    """The fuzzer knows what it sends: the fields of registration, of a booking, of the matrix …"""
    assert {"email", "password", "donor_code", "rh", "kell", "consent"} <= set(
        forms.fields["POST /register"]
    )
    assert {"slot"} <= set(forms.fields["POST /places/<uuid:uid>"])
    assert {"reason", "comment"} <= set(forms.fields["POST /staff/queue/<uid>/reject"])
    assert {"q", "sort"} & set(forms.fields["GET /"])
    assert len(forms.fields["POST /staff/publishing/new/"]) > 20


def shower(world: World, line: Line, forms: Forms, many: int) -> None:
    """So many odd requests to one rule. Raises AssertionError with the first that broke something."""

    @settings(
        max_examples=max(15, many),
        derandomize=many < 200,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(attempts(world, line, forms))
    def attempt(sent: Attempt) -> None:
        answer = sent.send(world)
        status, text = answer.status_code, answer.get_data()
        answer.close()
        assert status < 500 or status == line.status
        assert b"Traceback" not in text

    attempt()


@pytest.mark.parametrize("line", LINES, ids=str)
def test_nothing_sent_to_it_breaks(fuzzed: World, forms: Forms, line: Line, scale) -> None:
    with fuzzed.engine.begin() as connection:
        connection.execute(sa.delete(Throttle))
    shower(fuzzed, line, forms, scale(200))
    if contents(fuzzed.engine) != fuzzed.contents:
        restore(fuzzed.engine, fuzzed.begin)


NAIVE = {
    "a number that is none": lambda: str(int(request.args.get("page", "1"))),
    "a date that is none": lambda: str(
        dt.date.fromisoformat(request.args.get("date", "2026-01-01"))
    ),
    "a field that is missing": lambda: request.args.to_dict()["q"],
    "text that is no text": lambda: request.args.get("q", "").encode("cp1251"),
}


@pytest.mark.parametrize("fault", NAIVE)
def test_a_careless_view_is_noticed(fuzzed: World, forms: Forms, fault: str) -> None:
    site = Flask("careless")
    site.add_url_rule("/careless", view_func=NAIVE[fault], endpoint="careless")
    careless = copy.copy(fuzzed)
    careless.app = site
    line = Line("all", "GET", "/careless", {})
    forms.fields[str(line)] |= {"q": {"Вера"}, "page": {"1"}, "date": {"2026-11-25"}}
    with pytest.raises(AssertionError):
        shower(careless, line, forms, 60)
