"""«Талоны на приём» of an account (E49): what is ahead, the past by month, a page by its key."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.models import Appointment
from app.models.enums import AppointmentStatus as A
from app.rules import tickets
from app.rules.patient_visits import Reader
from tests import make
from tests.statements import statements

NOW = make.NOW


def test_donations_and_visits_stand_in_one_list(session: Session) -> None:
    centre, clinic = make.make_tenant(session), make.make_polyclinic(session)
    donor = make.make_donor(session, centre)
    patient = make.make_person(session, clinic)
    donation = make.make_appointment(
        session, centre, donor, make.make_schedule(session, centre), status=A.BOOKED
    )
    sitting = make.make_sitting(session, make.make_role(session, clinic), days=1)
    visit = make.make_appointment(session, clinic, patient, sitting, status=A.BOOKED)
    cancelled = make.make_appointment(session, clinic, patient, sitting, status=A.CANCELLED)
    make.make_appointment(session, clinic, make.make_person(session, clinic), sitting)
    own = [donor.person.id, patient.id]
    found = tickets.ahead(session, person_ids=own, reader=Reader(), now=NOW)
    assert {row.id for row in found} == {donation.id, visit.id}
    (month,) = tickets.past(session, person_ids=own, now=NOW).months
    assert [each.row.id for each in month[1]] == [cancelled.id]


def test_the_past_is_grouped_by_months_and_paged_by_its_key(session: Session) -> None:
    clinic = make.make_polyclinic(session)
    role, patient = make.make_role(session, clinic), make.make_person(session, clinic)
    made = []
    for number in range(45):
        on = NOW.date() - dt.timedelta(days=2 * number + 1)
        sitting = make.make_sitting(session, role, date=on)
        row = make.make_appointment(session, clinic, patient, sitting, status=A.FULFILLED)
        made.append(row.id)
    make.make_review(session, session.get_one(Appointment, made[0]), stars=3)
    found, edge, pages = [], None, 0
    while True:
        session.expunge_all()
        with statements(session) as said:
            page = tickets.past(session, person_ids=[patient.id], now=NOW, before=edge)
        assert len(said) == 1
        found += [each for _, rows in page.months for each in rows]
        edge, pages = page.older, pages + 1
        if edge is None:
            break
    assert [each.row.id for each in found] == made
    assert pages == 3
    assert (found[0].stars, found[1].stars) == (3, None)
    assert not tickets.can_be_rated(found[0]) and tickets.can_be_rated(found[1])
