"""Very many pending requests, copied in the database from one that the rules have made."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import select

from app.models import (
    Account,
    AccountPerson,
    Appointment,
    AppointmentEvent,
    Base,
    Consent,
    Donor,
    DonorRecord,
    Person,
    Schedule,
    Slot,
)
from app.models.enums import AppointmentStatus
from tests import make
from tests.bench.copies import Changes, copy
from tests.bench.sites import Sites

FIRST = 1_000_000_000
"""Ids of copies begin here, out of the sequences' way: copy ``n`` of anything is FIRST + n."""
DAYS = 60
THESE = sql.SQL("{} + n").format(FIRST)
CODE = sql.SQL("'9' || lpad(n::text, 8, '0')")
NAME = sql.SQL("'Пробная' || n")
DAY = sql.SQL("{} + n % {}").format(FIRST, DAYS)
WHEN = sql.SQL("t.starts_at + (n % {}) * interval '1 day'").format(DAYS)


class Crowd:
    """Pending requests on days of their own, from the first day after tomorrow."""

    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self.count = 0
        centre = sites.centre
        with sites.talon.session() as session:
            date = (centre.now + dt.timedelta(days=2)).date()
            day = make.make_schedule(session, centre.tenant, date=date, start=dt.time(6))
            known = make.make_donor(session, centre.tenant, now=centre.now)
            record = make.make_record(session, centre.tenant, known, updated_at=centre.now)
            asked = make.make_appointment(session, centre.tenant, known, day, now=centre.now)
            event = session.scalars(
                select(AppointmentEvent.id).where(AppointmentEvent.appointment_id == asked.id)
            ).all()[-1]
            keeper = session.scalars(
                select(AccountPerson.id).where(AccountPerson.person_id == known.person.id)
            ).one()
            consent = session.scalars(
                select(Consent.id).where(Consent.person_id == known.person.id)
            ).one()
            self.first: dict[type[Base], int] = {
                Account: known.account.id, Person: known.person.id, Donor: known.donor.id,
                AccountPerson: keeper, Consent: consent, DonorRecord: record.id, Schedule: day.id,
                Slot: asked.slot_id, Appointment: asked.id, AppointmentEvent: event,
            }  # fmt: skip
        with self.sites.cluster.admin("talon") as db:
            on_day = {"date": sql.SQL("t.date + n"), "start_time": sql.SQL("'05:30'::time")}
            self._copy(db, Schedule, range(DAYS), on_day)

    def grow(self, count: int) -> None:
        """Copy until ``count`` requests wait for a decision."""
        waiting = self._waiting()
        new = range(self.count, self.count + max(0, count - waiting))
        people = {"person_id": THESE}
        with self.sites.cluster.admin("talon") as db:
            self._copy(db, Account, new, {"email": sql.SQL("'n' || n || '@example.org'")})
            self._copy(db, Person, new, {"patronymic": NAME})
            self._copy(db, Donor, new, people | {"donor_code": CODE})
            self._copy(db, AccountPerson, new, people | {"account_id": THESE})
            self._copy(db, Consent, new, people | {"account_id": THESE})
            self._copy(db, DonorRecord, new, {"code": CODE, "patronymic": NAME})
            place = sql.SQL("(100 + n / {})::smallint").format(DAYS)
            self._copy(db, Slot, new, {"schedule_id": DAY, "starts_at": WHEN, "place": place})
            asked = people | {"slot_id": THESE, "schedule_id": DAY, "starts_at": WHEN}
            self._copy(db, Appointment, new, asked)
            self._copy(db, AppointmentEvent, new, {"appointment_id": THESE})
        self.count = new.stop
        self.sites.tidy()

    def _waiting(self) -> int:
        return self.sites.centre.count(AppointmentStatus.PENDING)

    def _copy(
        self, db: psycopg.Connection[Any], model: type[Base], numbers: range, changes: Changes
    ) -> None:
        """Copy the first row of ``model`` for each number, with other ids and ``changes``."""
        copy(db, model, numbers, changes, of=self.first[model], first=FIRST)
