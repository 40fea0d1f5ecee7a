"""The demo's polyclinics put together: made once, published four weeks ahead, and rolled forward."""

from __future__ import annotations

import datetime as dt
import random

from sqlalchemy.orm import Session

from app.models.enums import Role
from app.rules.actor import actor_of
from app.rules.clock import local_date
from app.rules.sittings import Plan
from app.seeds import (
    clinic_cabinet,
    clinic_directory,
    clinic_districts,
    clinic_families,
    clinic_medication,
    clinic_pages,
    clinic_patients,
    clinic_schedules,
    clinic_staff,
    clinics,
)
from app.seeds.agenda import Agenda
from app.seeds.centre import Centre
from app.seeds.clinic_bookings import Round
from app.seeds.clinics import COLUMNS, Clinic

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
FOUNDED = 395 * DAY
"""So long ago the polyclinics began to use Talon."""
PATTERNS = 30 * DAY
SEED = 20261128
PUBLISHED = 9 * DAY
AGAIN = dt.timedelta(hours=31)
"""So long ago what is rolled forward was published."""


def make(session: Session, agenda: Agenda, centre: Centre, *, now: dt.datetime) -> None:
    """Four polyclinics with their people, directories and templates; the rest is for the agenda."""
    founded = now - FOUNDED
    roots = [
        clinics.make(session, column, now=founded + number * HOUR)
        for number, column in enumerate(COLUMNS)
    ]
    clinic_staff.make(session, [root.id for root in roots], now=founded + DAY)
    found = clinics.find(session, clinic_staff.load(session))
    made = [
        clinic_directory.make(session, clinic, now=founded + DAY + number * HOUR)
        for number, clinic in enumerate(found)
    ]
    administrator = centre.staff[Role.ADMINISTRATOR]
    clinic_districts.load_addresses(session, administrator, now=now - PATTERNS - HOUR)
    for number, (clinic, (receive, services)) in enumerate(zip(found, made, strict=True)):
        at = now - PATTERNS + 4 * number * HOUR
        today = local_date(now, clinic.root.time_zone)
        rng = random.Random(SEED + number)
        clinic_districts.make(session, clinic, receive, now=at, today=today)
        plans = clinic_schedules.make(session, clinic, receive, services, now=at + HOUR)
        people = clinic_patients.make(session, clinic, now=at + 2 * HOUR, today=today, rng=rng)
        clinic_families.make(session, clinic, people, receive, now=at + 3 * HOUR, today=today)
        clinic_medication.make(session, clinic, people, now=at + 3 * HOUR, today=today)
        first = today - clinic_schedules.PAST
        published = now - PUBLISHED + number * HOUR
        visits = Round(session, agenda, clinic, people, now, rng)
        clinic_schedules.absences(session, clinic, before=True, today=today, now=at + 3 * HOUR)
        _plan_weeks(agenda, session, clinic, plans, visits, first, today, published)
        _plan_changes(agenda, session, clinic, today, now)
        clinic_cabinet.plan(session, agenda, clinic, people, now)
    _plan_pages(session, agenda, centre, found, now)


def roll(session: Session, agenda: Agenda, *, now: dt.datetime) -> bool:
    """Four more weeks wherever none lies ahead; whether anywhere."""
    late = [
        clinic
        for clinic in clinics.find(session, clinic_staff.load(session))
        if not clinic_schedules.lie_ahead(session, clinic, now=now)
    ]
    for clinic in late:
        today = local_date(now, clinic.root.time_zone)
        plans = clinic_schedules.plans_again(session, clinic)
        people = clinic_patients.again(session, clinic)
        rng = random.Random(today.toordinal())
        visits = Round(session, agenda, clinic, people, now, rng)
        _plan_weeks(agenda, session, clinic, plans, visits, today + DAY, today, now - AGAIN)
    return bool(late)


def _plan_weeks(
    agenda: Agenda,
    session: Session,
    clinic: Clinic,
    plans: list[Plan],
    visits: Round,
    first: dt.date,
    today: dt.date,
    when: dt.datetime,
) -> None:
    """From ``first`` to four weeks from tomorrow on, published at ``when``; then people book."""
    last = today + 7 * clinic_schedules.WEEKS * DAY

    def publish(at: dt.datetime) -> None:
        clinic_schedules.publish(session, clinic, plans, first=first, last=last, now=at)
        visits.plan(at)

    agenda.at(when, publish)


def _plan_changes(
    agenda: Agenda, session: Session, clinic: Clinic, today: dt.date, now: dt.datetime
) -> None:
    """What came between after the weeks were published: an illness, a closed day, a meeting."""
    agenda.at(
        now - 20 * HOUR,
        lambda at: clinic_schedules.absences(session, clinic, before=False, today=today, now=at),
    )
    agenda.at(now - 2 * HOUR, lambda at: clinic_schedules.meeting(session, clinic, now=at))


def _plan_pages(
    session: Session, agenda: Agenda, centre: Centre, found: list[Clinic], now: dt.datetime
) -> None:
    """Pages and news of all five organizations, and what people have written to the polyclinics."""
    clinic_pages.publish(
        session, agenda, "A", centre.root, actor_of(centre.staff[Role.MANAGER]), now
    )
    for clinic in found:
        by = actor_of(clinic.staff[Role.MANAGER])
        clinic_pages.publish(session, agenda, clinic.column, clinic.root, by, now)
    roots = {clinic.column: clinic.root for clinic in found}
    clinic_pages.write_letters(session, agenda, roots, found[0].registrar, now)
