"""Requests of the demo's donors, made by the rules themselves: for the queue, and two of one donor."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import Account
from app.models.appointment import Appointment
from app.models.donor import Donor
from app.models.enums import AppointmentStatus, ScheduleStatus, SlotStatus
from app.models.schedule import Schedule, Slot
from app.rules import booking, donor_day, holding, transitions
from app.rules.actor import actor_of
from app.rules.errors import RuleError
from app.seeds.agenda import Agenda
from app.seeds.donors import DemoDonor

PENDING = 39
"""With the two of one donor, less the one who cancels for the waiting list (app.seeds.waiters): forty."""
LATE = 4
"""So many of them are older than the time to decide."""
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


def plan_queue(
    agenda: Agenda,
    session: Session,
    people: Sequence[tuple[int, Account]],
    *,
    now: dt.datetime,
    rng: random.Random,
) -> None:
    """Requests of the last day, a few older; who may not book is passed over."""
    waiting = iter(people)

    def next_one(at: dt.datetime) -> None:
        days = _ahead(session, at)
        for person_id, account in waiting:
            if make(session, person_id, account, days, at, rng) is not None:
                return

    for number in range(PENDING):
        ago = 30 * HOUR - number * MINUTE if number < LATE else rng.randrange(60, 1200) * MINUTE
        agenda.at(now - ago, next_one)


def _ahead(session: Session, at: dt.datetime) -> Sequence[Schedule]:
    """The nearest published days after the day of ``at`` and after the next one."""
    return session.scalars(
        select(Schedule)
        .where(
            Schedule.status == ScheduleStatus.PUBLISHED,
            Schedule.donation_type_id.is_not(None),
            Schedule.date > (at + dt.timedelta(days=1)).date(),
        )
        .order_by(Schedule.date, Schedule.id)
        .limit(200)
    ).all()


def make(
    session: Session,
    person_id: int,
    account: Account,
    days: Sequence[Schedule],
    at: dt.datetime,
    rng: random.Random,
) -> Appointment | None:
    """One request at ``at`` for any of ``days`` that takes this person."""
    blood = session.scalars(select(Donor).where(Donor.person_id == person_id)).one().blood_type
    for day in rng.sample(list(days), min(len(days), 120)):
        if day.blood_types and blood not in day.blood_types:
            continue  # the rule would say no: that is quicker asked here
        free = session.scalars(
            select(Slot.id)
            .where(Slot.schedule_id == day.id, Slot.status == SlotStatus.FREE)
            .order_by(Slot.starts_at, Slot.place)
            .limit(1)
        ).first()
        if free is None:
            continue
        actor = actor_of(account)
        try:
            with session.begin_nested():
                held = holding.hold(
                    session,
                    person_id=person_id,
                    schedule_id=day.id,
                    slot_id=free,
                    actor=actor,
                    now=at,
                )
                return booking.confirm(session, appointment_id=held.id, actor=actor, now=at)
        except RuleError:
            continue
    return None


def plan_two_of_one(
    agenda: Agenda, session: Session, one: DemoDonor, *, now: dt.datetime, rng: random.Random
) -> None:
    """Two requests of one donor: the first from the time when two were allowed at once."""

    def first(at: dt.datetime) -> None:
        later = [day for day in _ahead(session, now) if day.date > (now + 72 * HOUR).date()]
        make(session, one.person.id, one.account, later, at, rng)

    agenda.at(now - dt.timedelta(days=8), first)
    agenda.at(now - 40 * MINUTE, lambda at: _beside(session, one, at))


def _beside(session: Session, one: DemoDonor, at: dt.datetime) -> None:
    """A second request, past the rule that allows one; the queue shows what a registrar makes of it."""
    slot = session.scalars(
        select(Slot)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .where(
            Slot.status == SlotStatus.FREE,
            Schedule.donation_type_id.is_not(None),
            Schedule.blood_types == frozenset(),
            Schedule.date > at.date() + dt.timedelta(days=2),
        )
        .order_by(Slot.id)
        .limit(1)
    ).first()
    if slot is None:
        return
    day = session.get_one(Schedule, slot.schedule_id)
    transitions.take_slot(session, slot_id=slot.id)
    second = Appointment(
        organization_id=day.organization_id,
        tenant_id=day.tenant_id,
        person_id=one.person.id,
        slot_id=slot.id,
        schedule_id=day.id,
        donation_type_id=day.donation_type_id,
        policy_id=donor_day.day_of(session, schedule_id=day.id, now=at).policy.id,
        status=AppointmentStatus.HELD,
        keeps_slot=True,
        starts_at=slot.starts_at,
        created_at=at,
        hold_until=at + MINUTE,
    )
    actor = actor_of(one.account)
    transitions.start(session, second, actor=actor, now=at)
    transitions.move(
        session,
        appointment_id=second.id,
        event="confirm_to_pending",
        actor=actor,
        now=at,
        requested_at=at,
        hold_until=None,
        decide_by=at + 24 * HOUR,
    )
