"""The checks beside any request: a donor's by app.rules.checks, a patient's by app.rules.visit_requests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.rules import checks, visit_requests
from app.rules.checks import Examined

TITLES = checks.TITLES | visit_requests.TITLES
"""What each check is called."""


def is_visit(appointment: Appointment) -> bool:
    """A patient's booking of a practitioner; a donor's otherwise."""
    return appointment.donation_type_id is None


def examine(
    session: Session, appointments: Sequence[Appointment], *, now: dt.datetime
) -> list[Examined]:
    """In the order given, in a number of queries that does not grow with the list."""
    visits = [row for row in appointments if is_visit(row)]
    donors = [row for row in appointments if not is_visit(row)]
    found = {
        examined.appointment.id: examined
        for examined in (
            *checks.examine(session, donors, now=now),
            *visit_requests.examine(session, visits, now=now),
        )
    }
    return [found[row.id] for row in appointments]
