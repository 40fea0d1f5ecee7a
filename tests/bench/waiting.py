"""A freed place, and the offer to the next in line: one in ten of those who wait may take it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    Account,
    AccountPerson,
    Appointment,
    Attachment,
    Base,
    Consent,
    Donor,
    DonorRecord,
    Message,
    Person,
    Schedule,
    WaitingEntry,
)
from app.models.cabinet_choices import WaitingStatus
from app.models.enums import AppointmentStatus, MessageKind, MessageStatus
from app.rules import booking, offers, outbox, starters
from app.rules.actor import SYSTEM
from tests import make
from tests.bench.copies import Changes, copy, in_bulk
from tests.bench.load import median
from tests.bench.sites import Sites
from tests.waiting import make_entry

FIRST = 1_800_000_000
"""Ids of copies begin here: of donors, and as many further on of patients."""
PATIENTS = FIRST + 10_000_000
FITS = 10
"""One of so many who wait may take the place: the others are of another group, or attached elsewhere."""
THESE = sql.SQL("{} + n")


@dataclass
class Line:
    """One line of copies: what is copied for each who waits, and how a place before it is taken and freed."""

    first: int
    rows: dict[type[Base], tuple[int, Changes]]
    some: dict[type[Base], tuple[int, Changes]]
    """Only of those who may take a place."""
    taken: Callable[[Session, int], Appointment]
    count: int = 0


class Lines:
    """Donors who wait for platelets at one centre, and patients who wait for one district doctor."""

    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self.freed = 0
        self.donors, self.patients = self._donors(), self._patients()

    def _donors(self) -> Line:
        now = self.sites.centre.now
        with self.sites.talon.session() as session:
            tenant = make.make_tenant(session, name="Центр с очередью", now=now)
            known = make.make_donor(session, tenant, now=now)
            record = make.make_record(session, tenant, known, updated_at=now)
            entry = make_entry(
                session, tenant, known, created_at=now, status=WaitingStatus.LEFT, ended_at=now
            )
            rows = _account(session, known.account, known.person, FIRST)
            code = sql.SQL("'8' || lpad(n::text, 8, '0')")
            group = sql.SQL(f"CASE n % {FITS} WHEN {FITS - 1} THEN t.blood_group ELSE 'I' END")
            owner = {"person_id": THESE.format(FIRST)}
            consent = session.scalars(
                select(Consent.id).where(Consent.person_id == known.person.id)
            ).one()
            rows |= {
                Donor: (known.donor.id, owner | {"donor_code": code, "blood_group": group}),
                Consent: (consent, owner | {"account_id": THESE.format(FIRST)}),
                DonorRecord: (record.id, {"code": code, "blood_group": group}),
                WaitingEntry: _entry(entry, FIRST),
            }

        def taken(session: Session, number: int) -> Appointment:
            date = now.date() + dt.timedelta(days=3 + number % 50)
            day = make.make_schedule(
                session, tenant, date=date, start=dt.time(6, number // 50),
                end=dt.time(7), total=1, blood_types=[make.B_NEGATIVE],
            )  # fmt: skip
            return self._booked(session, tenant, make.make_donor(session, tenant, now=now), day)

        return Line(FIRST, rows, {}, taken)

    def _patients(self) -> Line:
        now = self.sites.centre.now
        with self.sites.talon.session() as session:
            tenant = make.make_polyclinic(
                session, name="Поликлиника с очередью", now=now, **starters.way("cabinet")
            )
            role = make.make_role(session, tenant)
            district = make.make_district(session, tenant)
            make.make_district_doctor(session, district, role)
            account = make.make_account(session, now=now)
            card = make.make_person(session, tenant, now=now)
            known: Any = make.KnownDonor(account, card, None)  # type: ignore[arg-type] # a patient has no donor's row
            attached = make.make_attachment(session, card, district, now=now)
            entry = make_entry(
                session, tenant, known, role_id=role.id,
                created_at=now, status=WaitingStatus.LEFT, ended_at=now,
            )  # fmt: skip
            make.make_kept(session, account, card, now=now)
            rows = _account(session, account, card, PATIENTS) | {
                WaitingEntry: _entry(entry, PATIENTS)
            }
            some: dict[type[Base], tuple[int, Changes]] = {
                Attachment: (attached.id, {"person_id": THESE.format(PATIENTS)})
            }

        def taken(session: Session, number: int) -> Appointment:
            date = now.date() + dt.timedelta(days=2 + number % 10)
            hour, quarter = 6 + number // 10 % 12, number // 120 % 4
            at = f"{hour:02}:{quarter * 15:02}"
            day = make.make_sitting(session, role, date=date, times=[at])
            return self._booked(session, tenant, make.make_person(session, tenant, now=now), day)

        return Line(PATIENTS, rows, some, taken)

    def _booked(
        self, session: Session, tenant: make.Tenant, who: Any, day: Schedule
    ) -> Appointment:
        return make.make_appointment(
            session, tenant, who, day, status=AppointmentStatus.BOOKED, now=self.sites.centre.now
        )

    def grow(self, count: int) -> None:
        """Until so many wait in each line."""
        with self.sites.cluster.admin("talon") as db:
            for line in (self.donors, self.patients):
                new = range(line.count, count)
                with in_bulk(db, *line.rows, *line.some):
                    for model, (of, changes) in line.rows.items():
                        copy(db, model, new, changes, of=of, first=line.first)
                    fits = range(new.start + (FITS - 1 - new.start) % FITS, new.stop, FITS)
                    for model, (of, changes) in line.some.items():
                        copy(db, model, fits, changes, of=of, first=line.first)
                line.count = count
        self.sites.tidy()


def _account(session: Session, account: Account, card: Person, first: int) -> dict[Any, Any]:
    kept = session.scalars(select(AccountPerson.id).where(AccountPerson.person_id == card.id)).one()
    owner = {name: THESE.format(first) for name in ("account_id", "person_id")}
    name = {"email": sql.SQL(f"'w{first}n' || n || '@example.org'")}
    return {Account: (account.id, name), Person: (card.id, {}), AccountPerson: (kept, owner)}


def _entry(entry: WaitingEntry, first: int) -> tuple[int, Changes]:
    owner = {name: THESE.format(first) for name in ("account_id", "person_id")}
    waits = {"status": sql.SQL("'waiting'"), "ended_at": sql.SQL("NULL")}
    return entry.id, owner | waits


def freed(sites: Sites, lines: Lines, line: Line, count: int) -> tuple[float, float]:
    """Milliseconds of cancelling a booking (which notes that its place is free), and of the offer that the
    worker then makes: the medians of ``count``, each with its commit, in this process."""
    cancelled, offered = [], []
    now = sites.centre.now
    for number in range(count + 3):
        with sites.talon.session() as session:
            booked = line.taken(session, lines.freed).id
        lines.freed += 1
        began = time.perf_counter()
        with sites.talon.session() as session:
            booking.cancel(session, appointment_id=booked, actor=SYSTEM, now=now)
        between = time.perf_counter()
        made = _work(sites, now)
        ended = time.perf_counter()
        if made != 1:
            raise RuntimeError(f"{made} offers for a freed place")
        if number >= 3:
            cancelled.append((between - began) * 1000)
            offered.append((ended - between) * 1000)
    return median(cancelled), median(offered)


def _work(sites: Sites, now: dt.datetime) -> int:
    """As the dispatcher does: a look, and the next from where that one has ended. How many offers."""
    made = 0
    while True:
        with sites.talon.session() as session:
            row = session.scalars(
                select(Message)
                .where(Message.kind == MessageKind.PLACE_FREED, Message.status == MessageStatus.DUE)
                .order_by(Message.id)
                .limit(1)
            ).one_or_none()
            if row is None:
                return made
            made += len(offers.answer(session, row, now=now).offers)
            outbox.finish(session, row, MessageStatus.SENT, now=now)
