"""Days on which Russia does not work: fixed holidays, days off moved by law and by decree, weekends."""

from __future__ import annotations

import datetime as dt

import pytest

from app.rules import holidays

YEAR = {
    2026: "01-01 01-02 01-05 01-06 01-07 01-08 01-09 02-23 03-09 05-01 05-11 06-12 11-04 12-31",
    2027: "01-01 01-04 01-05 01-06 01-07 01-08 02-23 03-08 05-03 05-10 06-14 11-04",
}
"""Days off from Monday to Friday: 2026 as the Government published it; 2027 by the Labour Code alone."""


def reason(text: str) -> str:
    found = holidays.day_off(dt.date.fromisoformat(text))
    return found.code if found else ""


@pytest.mark.parametrize("year", YEAR)
def test_the_days_off_of_a_year_are_those_of_the_calendar(year: int) -> None:
    days = [dt.date(year, 1, 1) + dt.timedelta(days=n) for n in range(365)]
    found = [f"{each:%m-%d}" for each in days if each.weekday() < 5 and holidays.day_off(each)]
    assert found == YEAR[year].split()


@pytest.mark.parametrize(
    ("date", "code"),
    [
        ("2026-01-07", "holiday"),
        ("2026-01-09", "moved"),
        ("2026-03-08", "holiday"),
        ("2026-03-09", "moved"),
        ("2026-11-28", "weekend"),
        ("2026-11-27", ""),
        ("2027-01-11", ""),
    ],
)
def test_a_day_off_has_its_reason(date: str, code: str) -> None:
    assert reason(date) == code


def test_a_remark_never_blocks_and_names_the_holiday() -> None:
    (remark,) = holidays.days_off([dt.date(2027, 1, 7), dt.date(2027, 1, 12)])
    assert not remark.blocking
    assert remark.params["name"].ru == "Рождество Христово"


def test_a_saturday_that_was_given_away_is_a_working_day(monkeypatch: pytest.MonkeyPatch) -> None:
    swapped = {dt.date(2026, 12, 7): dt.date(2026, 12, 5)}
    monkeypatch.setattr(holidays, "_moved", lambda: swapped)
    assert (reason("2026-12-05"), reason("2026-12-07")) == ("", "moved")
