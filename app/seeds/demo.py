"""The demo: made once, rolled forward whenever no day lies ahead any more.

Bookings are made by the rules themselves, each at its own ``now`` in the past, in the order of time.
"""

from __future__ import annotations

import datetime as dt
import random

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson
from app.models.enums import MessageStatus, ScheduleStatus
from app.models.message import Message
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.models.schedule import Schedule
from app.rules import booking
from app.rules.clock import local_date
from app.seeds import centre as centres
from app.seeds import clinic_demo, clinic_staff, clinics, requests, waiters
from app.seeds import donors as donor_rows
from app.seeds.agenda import Agenda
from app.seeds.centre import Centre
from app.seeds.past import Past

WEEKS_DAYS = 15
HISTORY = slice(1, 40)
"""Donors with a past here; the first one has none, so that the printed sign-in may book."""
SEVERAL = 40
"""The donor with two requests at once."""
ASKING = donor_rows.LINKED + 9
"""From this one on donors ask for a place; the nine before them have something against each."""


def ensure_demo(session: Session, *, now: dt.datetime) -> str:
    """Make the demo if there is none, or publish some more weeks; says what it did."""
    root = centres.find(session)
    if root is None:
        _make(session, now=now)
        return "Демонстрация создана."
    agenda, last = Agenda(), session.scalar(select(func.max(Message.id))) or 0
    donors = _roll(session, root, agenda, now=now)
    patients = clinic_demo.roll(session, agenda, now=now)
    agenda.run()
    if not (donors or patients):
        return "Демонстрация на месте."
    _close_ledger(session, now, after=last)
    return "Демонстрация продлена."


def _roll(session: Session, root: Organization, agenda: Agenda, *, now: dt.datetime) -> bool:
    """Three more weeks of donor days, with requests, if none lies ahead; whether that is so."""
    today = local_date(now, root.time_zone)
    ahead = session.scalar(
        select(Schedule.id)
        .where(
            Schedule.date > today,
            Schedule.status == ScheduleStatus.PUBLISHED,
            Schedule.donation_type_id.is_not(None),
        )
        .limit(1)
    )
    if ahead is not None:
        return False
    centre = centres.load(session, root)
    _plan_ahead(agenda, session, centre, today, now - dt.timedelta(hours=31))
    rng = random.Random(today.toordinal())
    requests.plan_queue(agenda, session, _donors_again(session, root.id), now=now, rng=rng)
    return True


def _make(session: Session, *, now: dt.datetime) -> None:
    rng = random.Random(20261121)
    centre = centres.make(session, now=now - dt.timedelta(days=400))
    _policies(session, centre, now)
    donors = donor_rows.make(session, centre, now=now)
    today = local_date(now, centre.root.time_zone)
    spoilt = donor_rows.spoil(session, donors, today=today)
    asking = [(d.person.id, d.account) for d in (*spoilt.values(), *donors[ASKING:])]

    agenda = Agenda()
    clinic_demo.make(session, agenda, centre, now=now)
    Past(session, agenda, centre, rng, today).plan(donors[HISTORY])
    _plan_ahead(agenda, session, centre, today, now - dt.timedelta(days=9))
    requests.plan_two_of_one(agenda, session, donors[SEVERAL], now=now, rng=rng)
    requests.plan_queue(agenda, session, asking, now=now, rng=rng)
    agenda.run()
    _close_ledger(session, now)
    waiters.wait_for_donation(session, centre, donors, now=now)
    for clinic in clinics.find(session, clinic_staff.load(session)):
        if clinic.column == "C":
            waiters.wait_for_doctor(session, clinic, now=now)


def _policies(session: Session, centre: Centre, now: dt.datetime) -> None:
    """A former version that allowed two bookings at once, and today's as in seed A."""
    former = session.scalars(
        select(BookingPolicy).where(BookingPolicy.tenant_id == centre.root.id)
    ).one()
    former.live_limit = 2
    columns = {
        c.key: getattr(former, c.key)
        for c in BookingPolicy.__mapper__.column_attrs
        if c.key not in ("id", "uid", "valid_from", "created_at", "live_limit")
    }
    changed = now - dt.timedelta(days=7)
    session.add(BookingPolicy(**columns, valid_from=changed, created_at=changed, live_limit=1))
    session.flush()


def _plan_ahead(
    agenda: Agenda, session: Session, centre: Centre, today: dt.date, at: dt.datetime
) -> None:
    """Three weeks of working days from tomorrow on, published at ``at``."""
    nearest, *rest = centres.workdays(today + dt.timedelta(days=1), WEEKS_DAYS + 1)

    def publish(at: dt.datetime) -> None:
        centres.publish_table_of_a(session, centre, nearest, now=at)
        centres.publish_weeks(session, centre, rest, now=at)

    agenda.at(at, publish)


def _donors_again(session: Session, tenant_id: int) -> list[tuple[int, Account]]:
    rows = session.execute(
        select(AccountPerson.person_id, Account)
        .join(Account, Account.id == AccountPerson.account_id)
        .where(AccountPerson.tenant_id == tenant_id)
        .order_by(AccountPerson.id)
        .offset(100)
    )
    return [(person_id, account) for person_id, account in rows]


def _close_ledger(session: Session, now: dt.datetime, after: int = 0) -> None:
    """Letters of the invented past (``after`` a message) count as sent: nobody is to be written to now."""
    booking.expire_undecided(session, now=now)
    session.execute(
        update(Message)
        .where(Message.id > after, Message.status == MessageStatus.DUE, Message.run_at <= now)
        .values(status=MessageStatus.SENT, ended_at=Message.run_at, attempts=1)
    )
