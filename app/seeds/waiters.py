"""People of the demo who wait: for a donation on a day that is full, and for a doctor without a free time.

A place has just been given back, so that one offer is open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.models.account import AccountPerson
from app.models.appointment import Appointment
from app.models.directory import PractitionerRole
from app.models.enums import (
    AppointmentStatus,
    Channel,
    MessageKind,
    MessageStatus,
    Relation,
    Role,
    ScheduleStatus,
    SlotStatus,
)
from app.models.message import Message
from app.models.person import Person
from app.models.schedule import Schedule, Slot
from app.rules import booking, days, joining, offers, outbox, slot_acts
from app.rules.actor import SYSTEM, actor_of
from app.rules.errors import RuleError
from app.rules.joining import Wish
from app.seeds.centre import Centre
from app.seeds.clinics import Clinic
from app.seeds.donors import DemoDonor

A = AppointmentStatus
IN_LINE = 4
"""So many donors and so many patients at most."""


def wait_for_donation(
    session: Session, centre: Centre, donors: Sequence[DemoDonor], *, now: dt.datetime
) -> None:
    """Donor 1 and others stand in line; somebody of that day has just cancelled."""
    first = donors[0]
    day = _busy_day(session, first, now)
    if day is None:
        return
    actor = actor_of(centre.staff[Role.SCHEDULER])
    taken = session.execute(
        select(
            Slot.starts_at, func.count().filter(Slot.status.in_((SlotStatus.HELD, SlotStatus.BUSY)))
        )
        .where(Slot.schedule_id == day.id, Slot.status != SlotStatus.CLOSED)
        .group_by(Slot.starts_at)
    ).all()
    wanted = {at: count for at, count in taken}
    days.change_places(session, schedule_id=day.id, wanted=wanted, actor=actor, now=now)
    same = [
        each for each in donors if not day.blood_types or each.donor.blood_type in day.blood_types
    ]
    wish = Wish(day.organization, donation_type=day.donation_type)
    _queue(session, wish, [(each.account.id, each.person.id) for each in same], now)
    booked = session.scalars(
        select(Appointment.id)
        .where(Appointment.schedule_id == day.id, Appointment.status.in_((A.PENDING, A.BOOKED)))
        .order_by(Appointment.status == A.PENDING, Appointment.id.desc())
        .limit(1)
    ).first()
    if booked is not None:
        booking.cancel(session, appointment_id=booked, actor=SYSTEM, now=now)
    _offer(session, now)


def _busy_day(session: Session, first: DemoDonor, now: dt.datetime) -> Schedule | None:
    """Of the days for that group, the one with the most people on it."""
    people = (
        select(func.count())
        .where(
            Slot.schedule_id == Schedule.id,
            Slot.status.in_((SlotStatus.HELD, SlotStatus.BUSY)),
        )
        .correlate(Schedule)
        .scalar_subquery()
    )
    rows = session.scalars(
        select(Schedule)
        .options(joinedload(Schedule.organization), joinedload(Schedule.donation_type))
        .where(
            Schedule.tenant_id == first.person.tenant_id,
            Schedule.donation_type_id.is_not(None),
            Schedule.status == ScheduleStatus.PUBLISHED,
            Schedule.date > (now + dt.timedelta(days=2)).date(),
            people > 0,
        )
        .order_by(people.desc(), Schedule.id)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        if not row.blood_types or first.donor.blood_type in row.blood_types:
            return row
    return None


def wait_for_doctor(session: Session, clinic: Clinic, *, now: dt.datetime) -> None:
    """The doctor with the fewest free times has none now, and people wait for him."""
    free = func.count().filter(
        Slot.status == SlotStatus.FREE, Slot.channel == Channel.WEB, Slot.starts_at > now
    )
    role_id = session.scalar(
        select(Slot.role_id)
        .join(PractitionerRole, PractitionerRole.id == Slot.role_id)
        .where(PractitionerRole.tenant_id == clinic.root.id, Slot.starts_at > now)
        .group_by(Slot.role_id)
        .having(free > 0)
        .order_by(free, Slot.role_id)
        .limit(1)
    )
    if role_id is None:
        return
    role = session.scalars(
        select(PractitionerRole)
        .options(joinedload(PractitionerRole.organization))
        .where(PractitionerRole.id == role_id)
    ).one()
    uids = session.scalars(
        select(Slot.uid).where(
            Slot.role_id == role.id, Slot.status == SlotStatus.FREE, Slot.starts_at > now
        )
    ).all()
    slot_acts.close(
        session, slot_uids=uids, role_id=role.id, actor=actor_of(clinic.registrar), now=now
    )
    kept = session.execute(
        select(AccountPerson.account_id, AccountPerson.person_id)
        .join(Person, Person.id == AccountPerson.person_id)
        .where(AccountPerson.tenant_id == clinic.root.id, AccountPerson.relation == Relation.SELF)
        .order_by(AccountPerson.id)
        .limit(3 * IN_LINE)
    ).all()
    _queue(session, Wish(role.organization, role=role), [(row[0], row[1]) for row in kept], now)


def _queue(
    session: Session, wish: Wish, people: Sequence[tuple[int, int]], now: dt.datetime
) -> None:
    """The first IN_LINE of them who may wait."""
    done = 0
    for account_id, person_id in people:
        try:
            with session.begin_nested():
                joining.join(
                    session,
                    wish=wish,
                    account_id=account_id,
                    person_ids=[person_id],
                    first_day=None,
                    last_day=None,
                    actor=SYSTEM,
                    now=now,
                )
        except RuleError:
            continue
        done += 1
        if done == IN_LINE:
            return


def _offer(session: Session, now: dt.datetime) -> None:
    """What the worker would do next."""
    rows = session.scalars(
        select(Message).where(
            Message.kind == MessageKind.PLACE_FREED, Message.status == MessageStatus.DUE
        )
    ).all()
    for row in rows:
        offers.answer(session, row, now=now)
        outbox.finish(session, row, MessageStatus.SENT, now=now)
