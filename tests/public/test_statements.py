"""How many statements a booking without an account is made of: the document, the time, «Да»."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from app.models.enums import AppointmentStatus
from tests.client import form_of
from tests.public.clinic import BORN, POLICY, booking, make_clinic
from tests.statements import statements

OMS = {"number": POLICY, "birth_date": BORN, "consent": "y"}


def short(statement: str) -> str:
    """Its verb and its table."""
    plain = " ".join(statement.split())
    found = re.match(r"(INSERT INTO|UPDATE|DELETE FROM|SELECT .*? FROM|\w+) ?(\w*)", plain)
    assert found is not None, statement
    return f"{found[1].split()[0]} {found[2]}".strip()


def test_a_booking_without_an_account_is_few_statements(store, client):
    """Each is a rule's: whoever adds one says why here. (SQLite's BEGIN and PostgreSQL's locks of a browser aside.)"""
    clinic = make_clinic(store)
    url = f"/appointment?organization={clinic.tenant.branch.uid}&method=oms"
    form = form_of(client.page(url), url)
    slot = {"slot": str(clinic.slots[0].uid)}
    known = asked(client, lambda: client.post(url, data={**dict(form.form_values()), **OMS}))
    held = asked(client, lambda: client.send("/visits", slot))
    address = f"/visits/{booking(store).uid}/confirm"
    booked = asked(client, lambda: client.send(address))
    assert booking(store).status is AppointmentStatus.BOOKED
    assert known == [
        "SELECT organization",
        "SELECT booking_policy",
        "SELECT throttle",  # is a question against robots due?
        "INSERT throttle",  # all four limits at once
        "SELECT person_document",
        "UPDATE throttle",
        "SELECT consent_text",
        "INSERT guest",
    ]
    assert held == [
        "SELECT healthcare_service",  # the time, by the query whose first part says what it is for
        "SELECT appointment",  # what stands against it, read under the browser's lock
        "SELECT appointment",  # how much this address holds
        "UPDATE slot",
        "INSERT appointment",
        "INSERT appointment_event",
        "SELECT guest",
    ]
    assert booked == [
        "SELECT guest",
        "SELECT appointment",
        "SELECT person",  # the lock
        "SELECT appointment",  # all of it as it stands under the lock
        "SELECT appointment",  # what stands against it
        "UPDATE appointment",
        "UPDATE slot",
        "INSERT appointment_event",
        "INSERT audit_event",
        "SELECT account_person",  # whom to write to
        "SELECT consent_text",
        "INSERT consent",
    ]


def asked(client: Any, press: Callable[[], Any]) -> list[str]:
    with statements(client.application) as seen:
        answer = press()
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return [line for line in map(short, seen) if line != "BEGIN IMMEDIATE" and "pg_" not in line]
