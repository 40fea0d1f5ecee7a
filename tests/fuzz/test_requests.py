"""Every rule of the URL map under hundreds of odd requests, as whoever may use it and as who may not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings

from app.models import Throttle
from tests.fuzz.requests import Attempt, Forms, attempts
from tests.matrix.expected import LINES, Line
from tests.matrix.world import World, restore, state


def test_the_forms_of_the_site_were_found(forms: Forms) -> None:
    """The fuzzer knows what it sends: the fields of registration, of a booking, of the matrix …"""
    assert {"email", "password", "donor_code", "rh", "kell", "consent"} <= set(
        forms.fields["POST /register"]
    )
    assert {"slot"} <= set(forms.fields["POST /places/<uuid:uid>"])
    assert {"reason", "comment"} <= set(forms.fields["POST /staff/queue/<uid>/reject"])
    assert {"q", "sort"} & set(forms.fields["GET /"])
    assert len(forms.fields["POST /staff/publishing/new/"]) > 20


@pytest.mark.parametrize("line", LINES, ids=str)
def test_nothing_sent_to_it_breaks(fuzzed: World, forms: Forms, line: Line, scale) -> None:
    many = scale(200)

    @settings(
        max_examples=max(15, many),
        derandomize=many < 200,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(attempts(fuzzed, line, forms))
    def attempt(request: Attempt) -> None:
        answer = request.send(fuzzed, line)
        status, text = answer.status_code, answer.get_data()
        answer.close()
        assert status < 500 or status == line.status
        assert b"Traceback" not in text

    with fuzzed.engine.begin() as connection:
        connection.execute(sa.delete(Throttle))
    attempt()
    if state(fuzzed.engine) != fuzzed.begin:
        restore(fuzzed.engine, fuzzed.begin)
