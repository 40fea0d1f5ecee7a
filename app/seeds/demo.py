"""The demo: made once, rolled forward whenever no donor day lies ahead any more.

Bookings are made by the rules themselves, with ``now`` in the past where a history is wanted.
"""

from __future__ import annotations

import datetime as dt
import random

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson
from app.models.appointment import Appointment, RejectionReason
from app.models.donor import Donation
from app.models.enums import (
    AppointmentStatus,
    DonationKind,
    FactSource,
    MessageStatus,
    Role,
    ScheduleStatus,
    SlotStatus,
)
from app.models.message import Message
from app.models.policy import BookingPolicy
from app.models.schedule import Schedule, Slot
from app.rules import approval, booking, donor_day, holding, transitions
from app.rules.actor import actor_of
from app.rules.clock import local_date, midnight
from app.rules.errors import RuleError
from app.seeds import centre as centres
from app.seeds import donors as donor_rows
from app.seeds.centre import Centre
from app.seeds.donors import DemoDonor

PENDING = 38
"""And the two of one donor make forty."""
WEEKS_DAYS = 15
HISTORY_DAYS = 12


def ensure_demo(session: Session, *, now: dt.datetime) -> str:
    """Make the demo if there is none, or publish three more weeks; says what it did."""
    root = centres.find(session)
    if root is None:
        _make(session, now=now)
        return "Демонстрация создана."
    today = local_date(now, root.time_zone)
    ahead = session.scalar(
        select(Schedule.id)
        .where(Schedule.date > today, Schedule.status == ScheduleStatus.PUBLISHED)
        .limit(1)
    )
    if ahead is not None:
        return "Демонстрация на месте."
    centre = centres.load(session, root)
    _publish_ahead(session, centre, today, now)
    _requests(session, _donors_again(session), now=now, rng=random.Random(today.toordinal()))
    return "Демонстрация продлена на три недели."


def _make(session: Session, *, now: dt.datetime) -> None:
    start = now - dt.timedelta(days=400)
    rng = random.Random(20261121)
    centre = centres.make(session, now=start)
    _policies(session, centre, now)
    donors = donor_rows.make(session, centre, now=now)
    today = local_date(now, centre.root.time_zone)
    _history(session, centre, donors, today, now, rng)
    _publish_ahead(session, centre, today, now)
    _several_bookings(session, donors[40], now=now)
    spoilt = donor_rows.spoil(session, donors, today=today)
    first = [*spoilt.values(), *donors[donor_rows.LINKED + 9 :]]
    _requests(session, [(d.person.id, d.account) for d in first], now=now, rng=rng)
    _close_ledger(session, now)


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


def _publish_ahead(session: Session, centre: Centre, today: dt.date, now: dt.datetime) -> None:
    nearest, *rest = centres.workdays(today + dt.timedelta(days=1), WEEKS_DAYS + 1)
    centres.publish_table_of_a(session, centre, nearest, now=now)
    centres.publish_weeks(session, centre, rest, now=now)


def _donors_again(session: Session) -> list[tuple[int, Account]]:
    rows = session.execute(
        select(AccountPerson.person_id, Account)
        .join(Account, Account.id == AccountPerson.account_id)
        .order_by(AccountPerson.id)
        .offset(100)
    )
    return [(person_id, account) for person_id, account in rows]


def _requests(
    session: Session, people: list[tuple[int, Account]], *, now: dt.datetime, rng: random.Random
) -> None:
    """Requests for the queue, a few of them older than the time to decide; who may not book does not."""
    days = session.scalars(
        select(Schedule)
        .where(Schedule.status == ScheduleStatus.PUBLISHED, Schedule.date > now.date())
        .order_by(Schedule.date, Schedule.id)
        .limit(200)
    ).all()
    made = 0
    for person_id, account in people:
        at = now - dt.timedelta(hours=30 if made % 9 == 4 else rng.randrange(1, 20))
        if made < PENDING and _request(session, person_id, account, days, at, rng):
            made += 1


def _request(
    session: Session,
    person_id: int,
    account: Account,
    days: list[Schedule] | tuple[Schedule, ...],
    at: dt.datetime,
    rng: random.Random,
) -> Appointment | None:
    """One request at ``at`` for any day that takes this person."""
    for day in rng.sample(list(days), min(len(days), 120)):
        free = session.scalars(
            select(Slot.id)
            .where(Slot.schedule_id == day.id, Slot.status == SlotStatus.FREE)
            .order_by(Slot.starts_at, Slot.place)
            .limit(1)
        ).first()
        if free is None:
            continue
        try:
            with session.begin_nested():
                held = holding.hold(
                    session,
                    person_id=person_id,
                    schedule_id=day.id,
                    slot_id=free,
                    actor=actor_of(account),
                    now=at,
                )
                return booking.confirm(
                    session,
                    appointment_id=held.id,
                    actor=actor_of(account),
                    now=at + dt.timedelta(minutes=1),
                )
        except RuleError:
            continue
    return None


def _several_bookings(session: Session, one: DemoDonor, *, now: dt.datetime) -> None:
    """Two requests of one donor: the first from the time when two were allowed at once."""
    days = session.scalars(
        select(Schedule)
        .where(
            Schedule.status == ScheduleStatus.PUBLISHED,
            Schedule.date > now.date(),
        )
        .order_by(Schedule.date.desc())
    ).all()
    rng = random.Random(3)
    first = _request(session, one.person.id, one.account, days, now - dt.timedelta(days=8), rng)
    slot = session.scalars(
        select(Slot)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .where(
            Slot.status == SlotStatus.FREE,
            Schedule.blood_types == frozenset(),
            Schedule.date > now.date() + dt.timedelta(days=2),
        )
        .limit(1)
    ).first()
    if first is None or slot is None:
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
        policy_id=donor_day.day_of(session, schedule_id=day.id, now=now).policy.id,
        status=AppointmentStatus.HELD,
        keeps_slot=True,
        starts_at=slot.starts_at,
        created_at=now,
        hold_until=now + dt.timedelta(minutes=1),
    )
    actor = actor_of(one.account)
    transitions.start(session, second, actor=actor, now=now)
    transitions.move(
        session,
        appointment_id=second.id,
        event="confirm_to_pending",
        actor=actor,
        now=now,
        requested_at=now,
        hold_until=None,
        decide_by=now + dt.timedelta(hours=24),
    )


def _history(
    session: Session,
    centre: Centre,
    donors: list[DemoDonor],
    today: dt.date,
    now: dt.datetime,
    rng: random.Random,
) -> None:
    """Past weeks with donations, no-shows, rejections and cancels, to show in lists."""
    past = centres.workdays(today - dt.timedelta(days=HISTORY_DAYS + 6), HISTORY_DAYS)
    past = [day for day in past if day < today]
    before = midnight(past[0], centre.root.time_zone) - dt.timedelta(days=3)
    centres.publish_weeks(session, centre, past, now=before)
    days = session.scalars(select(Schedule).where(Schedule.date < today)).all()
    reasons = session.scalars(
        select(RejectionReason).where(RejectionReason.tenant_id == centre.root.id)
    ).all()
    registrar = centre.staff[Role.REGISTRAR]
    for number, one in enumerate(donors[:39]):
        made = _request(session, one.person.id, one.account, days, before, rng)
        if made is not None:
            _live(session, made, one, number, registrar, reasons[number % len(reasons)])


def _live(
    session: Session,
    made: Appointment,
    one: DemoDonor,
    number: int,
    registrar: object,
    reason: RejectionReason,
) -> None:
    """What became of a past request: mostly a donation, sometimes something else."""
    asked = made.requested_at or made.created_at
    decided = asked + dt.timedelta(hours=2)
    if number % 8 == 5:
        booking.cancel(session, appointment_id=made.id, actor=actor_of(one.account), now=decided)
        return
    if number % 8 == 6:
        approval.reject(
            session,
            appointment_id=made.id,
            reason_id=reason.id,
            comment="",
            by=registrar,  # type: ignore[arg-type]
            now=decided,
        )
        holding.release_stale(session, now=decided + dt.timedelta(minutes=2))
        return
    try:
        approval.approve(session, appointment_id=made.id, by=registrar, now=decided)  # type: ignore[arg-type]
    except RuleError:
        return
    actor = actor_of(registrar)  # type: ignore[arg-type]
    if number % 8 == 7:
        after = made.starts_at + dt.timedelta(hours=6)
        transitions.move(session, appointment_id=made.id, event="noshow", actor=actor, now=after)
        return
    for event, minutes in (("arrive", 0), ("fulfil", 60)):
        at = made.starts_at + dt.timedelta(minutes=minutes)
        transitions.move(session, appointment_id=made.id, event=event, actor=actor, now=at)
    kind = session.get_one(Schedule, made.schedule_id).donation_type.kind
    session.add(
        Donation(
            tenant_id=made.tenant_id,
            person_id=one.person.id,
            kind=DonationKind(kind),
            on_date=session.get_one(Schedule, made.schedule_id).date,
            source=FactSource.TALON,
            appointment_id=made.id,
        )
    )


def _close_ledger(session: Session, now: dt.datetime) -> None:
    """Letters of the invented past count as sent: nobody is to be written to about it now."""
    booking.expire_undecided(session, now=now)
    session.execute(
        update(Message)
        .where(Message.status == MessageStatus.DUE, Message.run_at <= now)
        .values(status=MessageStatus.SENT, ended_at=Message.run_at, attempts=1)
    )
