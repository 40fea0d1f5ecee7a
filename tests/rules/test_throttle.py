"""Limits on guessing."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.models import Throttle
from app.rules import throttle
from app.rules.errors import TooManyTries
from tests.make import NOW


def tries(session, count, value="a@example.ru", now=NOW):
    for _ in range(count):
        throttle.count(session, kind="second_factor", value=value, now=now)


def test_over_the_limit_is_refused_until_the_window_is_over(session):
    tries(session, 5)
    with pytest.raises(TooManyTries) as refused:
        tries(session, 1)
    assert refused.value.params == {"minutes": 5}
    tries(session, 1, now=NOW + dt.timedelta(minutes=5))


def test_the_limit_of_one_says_nothing_of_another(session):
    tries(session, 5)
    tries(session, 5, value="b@example.ru")


def test_who_proved_right_starts_at_zero(session):
    tries(session, 5)
    throttle.forgive(session, kind="second_factor", value="a@example.ru")
    tries(session, 5)


def test_no_address_stands_in_the_table(session):
    tries(session, 1)
    bucket = session.scalars(select(Throttle.bucket)).one()
    assert len(bucket) == 32
    assert b"example" not in bucket


def test_windows_that_are_over_are_dropped(session):
    tries(session, 1)
    throttle.sweep(session, now=NOW + dt.timedelta(days=1))
    assert session.scalars(select(Throttle)).all() == []
