"""Offering free places to those who wait, one after another (N6).

A look takes a day whose places have become free and goes down the line: whom all the checks of a booking let
have a place gets it kept, by a held appointment of the one engine, and is told. Accepting confirms it by the
policy's way; declined or not answered in time, it is free again, which leads to the next look.

Lock order: offer, then those who wait, then people (by id), then slots.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.cabinet_choices import OfferStatus, WaitingStatus
from app.models.enums import ActorKind, AppointmentStatus
from app.models.message import Message
from app.models.person import Person
from app.models.policy import BookingPolicy
from app.models.scope import widened
from app.models.waiting import WaitingEntry, WaitingOffer
from app.rules import consents, freed, holding, in_line, offer_letters, transitions
from app.rules.actor import SYSTEM, Actor
from app.rules.against import stand
from app.rules.donor_day import Choice
from app.rules.eligibility import blocking
from app.rules.errors import NotFound
from app.rules.held_place import held_place
from app.rules.in_line import Free, Spot
from app.rules.policies import NoPolicy
from app.rules.seating import Place, Waiting, seat

A = AppointmentStatus
O = OfferStatus  # noqa: E741 - short as A is
REASON = "offers are made and ended by the system"
MOST_DAYS = 200
"""Of a publication, in one look."""


@dataclass
class Looked:
    """What one look did: the offers made, and why somebody was passed over (entry → code)."""

    offers: list[WaitingOffer] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)
    again: Spot | None = None
    """From where the next look goes on; None: the line or the places have come to an end."""


class _NotNow(Exception):
    """This unit cannot have its places after all."""

    def __init__(self, entry_id: int, code: str) -> None:
        super().__init__(code)
        self.entry_id, self.code = entry_id, code


TAKEN = "taken"


def answer(session: Session, message: Message, *, now: dt.datetime) -> Looked:
    """Do what a row of the outbox asks (app.rules.freed); what is left becomes another row."""
    facts = message.facts
    if "publication" in facts:
        for day_id in freed.days_of(session, facts["publication"], now=now, limit=MOST_DAYS):
            _again(session, message, day_id, None, now)
        return Looked()
    schedule_id: int | None = facts.get("day") or freed.day_of(session, facts.get("slot", 0))
    if schedule_id is None:
        return Looked()
    after = facts.get("after")
    looked = look(session, schedule_id=schedule_id, after=tuple(after) if after else None, now=now)
    if looked.again is not None:
        _again(session, message, schedule_id, looked.again, now)
    return looked


def _again(
    session: Session, message: Message, schedule_id: int, after: Spot | None, now: dt.datetime
) -> None:
    assert message.tenant_id is not None
    facts = {"day": schedule_id} | ({"after": list(after)} if after else {})
    freed.add(session, facts, tenant_id=message.tenant_id, now=now)


def look(
    session: Session, *, schedule_id: int, now: dt.datetime, after: Spot | None = None
) -> Looked:
    """Offer the free places of a day to the next of the line. A fixed number of queries, and some for each
    offer made."""
    looked = Looked()
    expire(session, now=now)
    free = in_line.free_of(session, schedule_id, now=now)
    if free is None:
        return looked
    entries = in_line.line(session, free, after=after, limit=in_line.PORTION)
    if not entries:
        return looked
    units, known = in_line.units(session, entries, free.slots)
    seating = seat(units, free.places, in_line.checks(session, free, known))
    looked.skipped = seating.skipped
    _lock(session, [waiting.person_id for waiting, _ in seating.given])
    by_unit: dict[object, list[tuple[Waiting, Place]]] = {}
    for waiting, place in seating.given:
        family = known[waiting.entry_id].family
        by_unit.setdefault(family or waiting.entry_id, []).append((waiting, place))
    lost: list[Spot] = []
    for unit in by_unit.values():
        try:
            with session.begin_nested():
                made = [
                    _offer(session, free, known[waiting.entry_id], place.slot_id, now)
                    for waiting, place in unit
                ]
        except _NotNow as problem:
            looked.skipped[problem.entry_id] = problem.code
            lost.append(_from(problem.code, [known[waiting.entry_id] for waiting, _ in unit]))
        else:
            looked.offers += made
    last = entries[-1]
    left_over = len(free.slots) > len(looked.offers) or len(free.slots) == in_line.MOST_PLACES
    if lost:
        looked.again = min(lost)
    elif left_over and len(entries) == in_line.PORTION:
        looked.again = (last.priority, last.id)
    return looked


def _from(code: str, unit: Sequence[WaitingEntry]) -> Spot:
    """Where to go on after this unit has failed: with itself if somebody else was quicker, else after it."""
    spots = [(entry.priority, entry.id) for entry in unit]
    if code != TAKEN:
        return max(spots)
    priority, entry_id = min(spots)
    return priority, entry_id - 1


def _lock(session: Session, person_ids: Sequence[int]) -> None:
    """Rules about one person run after this."""
    ids = sorted(set(person_ids))
    if ids:
        query = (
            select(Person.id)
            .where(Person.id.in_(ids))
            .order_by(Person.id)
            .with_for_update(key_share=True)
        )
        session.scalars(query).all()


def _offer(
    session: Session, free: Free, entry: WaitingEntry, slot_id: int, now: dt.datetime
) -> WaitingOffer:
    """Asked once more under the lock, by the same rules as any booking. Raises _NotNow."""
    try:
        choice = in_line.choice_of(session, free, slot_id, entry)
    except (NotFound, NoPolicy) as problem:
        raise _NotNow(entry.id, problem.code) from problem
    _, against = stand(
        session,
        choice,
        person_id=entry.person_id,
        holder=None,
        now=now,
        service_id=choice.service_id or entry.service_id,
    )
    blocked = blocking(against)
    if blocked:
        raise _NotNow(entry.id, blocked[0].code)
    owner = Actor(ActorKind.ACCOUNT, entry.account_id)
    try:
        consents.demand(session, policy=choice.day.policy, person_id=entry.person_id, actor=owner)
    except consents.ConsentGone as gone:
        raise _NotNow(entry.id, gone.code) from gone
    if not transitions.take_slot(session, slot_id=slot_id):
        raise _NotNow(entry.id, TAKEN)
    policy = choice.day.policy
    until = _deadline(choice, policy, now)
    row = held_place(
        choice,
        slot_id,
        person_id=entry.person_id,
        until=until,
        now=now,
        service_id=choice.service_id or entry.service_id,
        hold_extended=policy.hold_extensions,  # an offer is answered in its time
    )
    transitions.start(session, row, actor=SYSTEM, now=now)
    if not entry.person.phone:
        row.phone = entry.account.phone
    offer = WaitingOffer(
        organization_id=row.organization_id,
        entry_id=entry.id,
        person_id=entry.person_id,
        slot_id=slot_id,
        appointment_id=row.id,
        status=O.OPEN,
        offered_at=now,
        expires_at=until,
    )
    session.add(offer)
    entry.status = WaitingStatus.OFFERED
    entry.offers += 1
    session.flush()
    offer_letters.tell_offer(session, entry, row, policy=policy, now=now)
    return offer


def _deadline(choice: Choice, policy: BookingPolicy, now: dt.datetime) -> dt.datetime:
    """Nobody loses a turn asleep: in the quiet hours the time to answer begins with their end."""
    begins = in_line.after_quiet(now, choice.day.organization.time_zone)
    return min(begins + dt.timedelta(minutes=policy.offer_minutes), choice.slot.starts_at)


def expire(session: Session, *, now: dt.datetime, limit: int = 100) -> int:
    """End the offers nobody has answered in time, and those whose place is kept no more. How many.

    What was confirmed by another door is accepted. Each is dealt with once, whoever runs this.
    """
    with widened(session, REASON):
        over = session.scalars(
            select(WaitingOffer)
            .join(Appointment, Appointment.id == WaitingOffer.appointment_id)
            .where(
                WaitingOffer.status == O.OPEN,
                or_(WaitingOffer.expires_at <= now, Appointment.status != A.HELD),
            )
            .order_by(WaitingOffer.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=WaitingOffer)
            .execution_options(populate_existing=True)
        ).all()
        for offer in over:
            done = holding.release(
                session, appointment_id=offer.appointment_id, actor=SYSTEM, now=now
            )
            session.refresh(done)
            if done.status is not A.RELEASED and done.requested_at is not None:
                end(session, offer, O.ACCEPTED, now=now)
                continue
            early = offer.expires_at > now
            end(session, offer, O.EXPIRED, counts=not early, now=now)
    return len(over)


def end(
    session: Session,
    offer: WaitingOffer,
    status: OfferStatus,
    *,
    now: dt.datetime,
    counts: bool = True,
) -> None:
    """Close an offer whose row is locked, and put who waited back into the line, or out of it.

    ``counts``: it was one of those the policy allows; a place that was withdrawn is not.
    """
    offer.status, offer.ended_at = status, now
    entry = session.scalars(
        select(WaitingEntry)
        .where(WaitingEntry.id == offer.entry_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    row = session.scalars(
        select(Appointment)
        .options(joinedload(Appointment.policy))
        .where(Appointment.id == offer.appointment_id)
    ).one()
    if status is O.ACCEPTED:
        entry.status, entry.ended_at = WaitingStatus.BOOKED, now
        session.flush()
        return
    if not counts:
        entry.offers -= 1
    over = entry.offers >= row.policy.offer_limit
    entry.status = WaitingStatus.LAPSED if over else WaitingStatus.WAITING
    entry.ended_at = now if over else None
    session.flush()
    if over or status is O.EXPIRED:
        offer_letters.tell_end(session, entry, row, over=over, now=now)
