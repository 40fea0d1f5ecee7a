"""A town of polyclinics: very many doctors, times and house ranges, copied in the database from a few that were made."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import select

from app.models import (
    Base,
    District,
    DistrictRange,
    Organization,
    Practitioner,
    PractitionerRole,
    Schedule,
    Slot,
)
from app.rules import starters
from app.rules.clock import local_date, monday_of
from tests import make
from tests.bench.copies import Changes, copy
from tests.bench.sites import Sites

FIRST = 1_500_000_000
"""Ids of copies begin here: copy ``n`` of anything is FIRST + n. (Integer columns end at 2,147,483,647.)"""
DAYS = 20
"""Working days of four weeks."""
TIMES = 24
"""Of one day: 9:00 to 15:00 in steps of a quarter of an hour."""
DOCTORS = 20
"""Of an ordinary institution: with DAYS and TIMES about 10,000 times."""
STREETS = 50
"""House ranges of one street."""


@dataclass(frozen=True)
class Place:
    """An institution with so many doctors, and the address of one of them."""

    uid: uuid.UUID
    id: int
    doctors: int
    doctor: uuid.UUID

    @property
    def page(self) -> str:
        return f"/institutions/{self.uid}"

    @property
    def doctor_page(self) -> str:
        return f"{self.page}/doctors/{self.doctor}"


class Town:
    """One tenant that books as an electronic registry does (E); everything of it is copied."""

    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self.roles = self.places = self.ranges = 0
        now = sites.centre.now
        with sites.talon.session() as session:
            policy = starters.way("registry") | {"holds_per_address": 10_000, "book_days_ahead": 60}
            self.tenant = make.make_polyclinic(session, now=now, **policy)
            branch = self.tenant.branch
            role = make.make_role(session, self.tenant)
            today = local_date(now, branch.time_zone)
            self.monday = monday_of(today) + dt.timedelta(days=7)
            day = make.make_sitting(
                session, role, date=self.monday, times=[f"{9 + n // 4:02}:{n % 4 * 15:02}" for n in range(TIMES)]
            )  # fmt: skip
            district = make.make_district(session, self.tenant)
            houses = make.make_range(session, district, first_house=1, last_house=9)
            self.slots = [slot.id for slot in make.slots_of(session, day)]
            self.first: dict[type[Base], int] = {
                Organization: branch.id, Practitioner: role.practitioner_id, PractitionerRole: role.id,
                Schedule: day.id, Slot: self.slots[0], District: district.id, DistrictRange: houses.id,
            }  # fmt: skip

    def build(self, doctors: int) -> Place:
        """One more institution, with times on every working day of four weeks; two of five are taken."""
        roles = range(self.roles, self.roles + doctors)
        place = FIRST + self.places
        with self.sites.cluster.admin("talon") as db:
            name = {"short_name": sql.SQL("'Поликлиника ' || n")}
            self._copy(db, Organization, range(self.places, self.places + 1), name)
            here = {"organization_id": sql.Literal(place)}
            person = {
                "family_name": sql.SQL("'Пробная' || n"),
                "search_name": sql.SQL("'пробная' || n"),
            }
            self._copy(db, Practitioner, roles, person)
            owner = {"practitioner_id": sql.SQL("{} + n").format(FIRST)}
            self._copy(db, PractitionerRole, roles, here | owner)
            self._times(db, roles, here)
            uid, doctor = (
                db.execute(sql.SQL("SELECT uid FROM {} WHERE id = %s").format(sql.Identifier(table)), (key,)).fetchone()
                for table, key in (("organization", place), ("practitioner_role", FIRST + roles.start))
            )  # fmt: skip
        self.roles, self.places = roles.stop, self.places + 1
        assert uid is not None and doctor is not None
        return Place(uid[0], place, doctors, doctor[0])

    def _times(self, db: psycopg.Connection[Any], roles: range, here: dict[str, Any]) -> None:
        """DAYS sittings of TIMES slots for each of these roles."""
        days = range(roles.start * DAYS, roles.stop * DAYS)
        shift = f"((n %% {DAYS}) / 5 * 7 + n %% {DAYS} %% 5)".replace("%%", "%")
        role = {"role_id": sql.SQL(f"{FIRST} + n / {DAYS}")}
        self._copy(db, Schedule, days, here | role | {"date": sql.SQL(f"t.date + {shift}::int")})
        slots = range(days.start * TIMES, days.stop * TIMES)
        shift = shift.replace("n", f"(n / {TIMES})")
        values = here | {
            "role_id": sql.SQL(f"{FIRST} + n / {DAYS * TIMES}"),
            "schedule_id": sql.SQL(f"{FIRST} + n / {TIMES}"),
            "starts_at": sql.SQL(
                f"t.starts_at + {shift} * interval '1 day' + n % {TIMES} * interval '15 min'"
            ),
            "status": sql.SQL("CASE WHEN n % 5 < 2 THEN 'busy' ELSE 'free' END"),
        }
        self._copy(db, Slot, slots, values)

    @property
    def times(self) -> int:
        return self.roles * DAYS * TIMES

    def grow(self, times: int) -> None:
        """More institutions until there are so many future times in all."""
        while self.times < times:
            self.build(200 if times - self.times > 200 * DAYS * TIMES else DOCTORS)
        self.sites.tidy()

    def streets(self, count: int) -> None:
        """House ranges until there are ``count``, STREETS on each street, all in one institution."""
        new = range(self.ranges, count)
        street = sql.SQL(f"'Пробная ' || (n / {STREETS})")
        key = sql.SQL(f"(n / {STREETS}) || ' пробная'")  # as app.rules.streets.street_key has it
        with self.sites.cluster.admin("talon") as db:
            districts = range(self.ranges // 400, -(-count // 400))
            self._copy(db, District, districts, {"number": sql.SQL("'c' || n")})
            self._copy(
                db,
                DistrictRange,
                new,
                {
                    "district_id": sql.SQL(f"{FIRST} + n / 400"),
                    "street": street,
                    "street_key": key,
                    "first_house": sql.SQL(f"n % {STREETS} * 10 + 1"),
                    "last_house": sql.SQL(f"n % {STREETS} * 10 + 10"),
                },
            )
        self.ranges = count
        self.sites.tidy()

    def free(self, place: Place, count: int) -> list[uuid.UUID]:
        """Free times of the institution, of as many doctors and days as there are."""
        with self.sites.talon.session() as session:
            rows = session.scalars(
                select(Slot.uid)
                .where(Slot.organization_id == place.id, Slot.status == "free")
                .order_by(Slot.starts_at, Slot.id)
                .limit(count)
            ).all()
        if len(rows) < count:
            raise RuntimeError("too few free times for so many bookings")
        return list(rows)

    def _copy(
        self, db: psycopg.Connection[Any], model: type[Base], numbers: range, changes: Changes
    ) -> None:
        """Copy the first row of ``model`` for each number, with other ids and ``changes``."""
        copy(db, model, numbers, changes, of=self.first[model], first=FIRST)
