"""The demo's polyclinics put together: made once, published four weeks ahead, and rolled forward."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.rules.clock import local_date
from app.rules.sittings import Plan
from app.seeds import clinic_directory, clinic_schedules, clinic_staff, clinics
from app.seeds.agenda import Agenda
from app.seeds.clinics import COLUMNS, Clinic

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
FOUNDED = 395 * DAY
"""So long ago the polyclinics began to use Talon."""
PATTERNS = 30 * DAY
PUBLISHED = 9 * DAY
AGAIN = dt.timedelta(hours=31)
"""So long ago what is rolled forward was published."""


def make(session: Session, agenda: Agenda, *, now: dt.datetime) -> None:
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
    for number, (clinic, (receive, services)) in enumerate(zip(found, made, strict=True)):
        at = now - PATTERNS + number * HOUR
        plans = clinic_schedules.make(session, clinic, receive, services, now=at)
        today = local_date(now, clinic.root.time_zone)
        first = today - clinic_schedules.PAST
        _plan_weeks(agenda, session, clinic, plans, first, today, now - PUBLISHED + number * HOUR)


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
        _plan_weeks(agenda, session, clinic, plans, today + DAY, today, now - AGAIN)
    return bool(late)


def _plan_weeks(
    agenda: Agenda,
    session: Session,
    clinic: Clinic,
    plans: list[Plan],
    first: dt.date,
    today: dt.date,
    when: dt.datetime,
) -> None:
    """From ``first`` to four weeks from tomorrow on, published at ``when``."""
    last = today + 7 * clinic_schedules.WEEKS * DAY

    def publish(at: dt.datetime) -> None:
        clinic_schedules.publish(session, clinic, plans, first=first, last=last, now=at)

    agenda.at(when, publish)
