"""The visit as a calendar file (RFC 5545), on the branch's clock with its rules of daylight saving.

No name and no blood type: people share calendars.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import force_locale, gettext, pgettext
from sqlalchemy.orm import object_session

from app.documents import words
from app.models.appointment import Appointment
from app.models.enums import AppointmentStatus
from app.rules import clock
from app.rules.visits import Visit, visit_of

LENGTH = dt.timedelta(hours=1)
"""How much of the day the entry covers; how long a donation takes is for the memo to say."""
STATUSES = {
    AppointmentStatus.BOOKED: "CONFIRMED",
    AppointmentStatus.PENDING: "TENTATIVE",
    AppointmentStatus.PROPOSED: "TENTATIVE",
}


def event_ics(appointment: Appointment, locale: str) -> bytes:
    """The calendar file of ``appointment`` in Russian or English."""
    session = object_session(appointment)
    assert session is not None
    visit = visit_of(session, appointment_id=appointment.id)
    changed = appointment.decided_at or appointment.requested_at or appointment.created_at
    with force_locale(locale):
        event = _event(visit, changed)
    from icalendar import Calendar  # only who wants the file pays for it

    calendar = Calendar()
    calendar.add("prodid", "-//Talon//donor booking//RU")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    day = visit.starts_at.date()
    year = dt.timedelta(days=366)
    calendar.add_missing_timezones(first_date=day - year, last_date=day + year)
    return bytes(calendar.to_ical())


def _event(visit: Visit, changed: dt.datetime) -> Any:
    begins = clock.local(visit.starts_at, visit.time_zone)
    host = urlsplit(current_app.config["PUBLIC_URL"]).hostname or "talon"
    from icalendar import Event

    event = Event()
    event.add("uid", f"{visit.uid}@{host}")
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("sequence", int(changed.timestamp()) % 2**31)
    event.add("dtstart", begins)
    event.add("dtend", clock.local(visit.starts_at + LENGTH, visit.time_zone))
    event.add("summary", _summary(visit))
    event.add("location", ", ".join(filter(None, (visit.branch, words.address(visit)))))
    event.add("description", "\n".join(_description(visit)))
    event.add("status", STATUSES.get(visit.status, "CANCELLED"))
    event.add("transp", "OPAQUE")
    return event


def _summary(visit: Visit) -> str:
    """What it is, and nothing of who or why: people share calendars."""
    if visit.doctor is not None:
        return gettext("Visit to a doctor")
    return gettext("Donation: %(type)s", type=words.type_name(visit))


def _description(visit: Visit) -> list[str]:
    ticket = f"{words.title(visit)} № {visit.number}"
    if visit.doctor is None:
        ticket = f"{ticket}, {gettext('place %(number)s', number=visit.place)}"
    said = [ticket, words.status(visit)]
    if visit.phone:
        said.append(f"{pgettext('ticket', 'Phone')}: {visit.phone}")
    return [*said, *words.lines(visit.directions), *words.lines(words.memo(visit))]
