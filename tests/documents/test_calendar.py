"""The calendar entry: the branch's own clock, and nothing that is nobody else's business."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy.orm import Session

from app.documents.calendar import event_ics
from app.models.enums import AppointmentStatus as A
from tests import make


@pytest.fixture(autouse=True)
def _in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def entry(
    session: Session, status: A = A.BOOKED, zone: str = "Europe/Moscow", locale: str = "ru"
) -> tuple:
    tenant = make.make_tenant(session, time_zone=zone)
    tenant.branch.address = "ул. Вымышленная, 1; вход, со двора\nвторой этаж"
    donor = make.make_donor(session, tenant, donor_code="456545", family_name="Секретова")
    day = make.make_schedule(session, tenant, date=dt.date(2026, 11, 25))
    booking = make.make_appointment(session, tenant, donor, day, status=status)
    text = event_ics(booking, locale)
    calendar = Calendar.from_ical(text)
    return booking, calendar, calendar.walk("VEVENT")[0], text.decode()


@pytest.mark.parametrize(
    "zone", ["Europe/Kaliningrad", "Europe/Moscow", "Asia/Kamchatka", "Europe/Berlin"]
)
def test_the_visit_is_on_the_branch_s_clock(session: Session, zone: str) -> None:
    booking, calendar, event, text = entry(session, zone=zone)
    begins = event["DTSTART"].dt
    assert begins == booking.starts_at
    assert (begins.hour, event["DTSTART"].params["TZID"]) == (8, zone)
    assert [part["TZID"] for part in calendar.walk("VTIMEZONE")] == [zone]
    assert "\r\n" in text
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75


@pytest.mark.parametrize(
    ("status", "said"),
    [(A.BOOKED, "CONFIRMED"), (A.PENDING, "TENTATIVE"), (A.CANCELLED, "CANCELLED")],
)
def test_the_status_tells_a_request_from_a_booking(session: Session, status: A, said: str) -> None:
    _, _, event, _ = entry(session, status=status)
    assert event["STATUS"] == said


def test_it_keeps_its_identity_and_names_nobody(session: Session) -> None:
    booking, _, event, text = entry(session)
    assert event["UID"] == f"{booking.uid}@localhost"
    assert "Тромбоцитаферез" in event["SUMMARY"]
    assert f"№ {booking.number}" in event["DESCRIPTION"]
    for secret in ("Секретова", "456545", "III (B)"):
        assert secret not in text.replace("\r\n ", "")


def test_separators_in_an_address_are_not_structure(session: Session) -> None:
    _, _, event, _ = entry(session)
    assert "ул. Вымышленная, 1; вход, со двора\nвторой этаж" in event["LOCATION"]


def test_english_for_english_readers(session: Session) -> None:
    _, _, event, _ = entry(session, locale="en")
    assert event["SUMMARY"] == "Donation: Thrombocytapheresis"
