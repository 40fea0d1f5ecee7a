"""What the booking window shows of one donor day: its times, the places of each, and why not (A17–A20)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.enums import AppointmentStatus, Channel, SlotStatus
from app.models.schedule import Slot
from app.rules import booking, facts
from app.rules.donor_day import Day, day_of
from app.rules.eligibility import Refusal, check
from app.rules.held_place import by_offer
from app.rules.policies import NO_NUMBERS


class PlaceState(StrEnum):
    FREE = "free"
    TAKEN = "taken"
    OWN = "own"
    DESK = "desk"
    PAST = "past"


@dataclass(frozen=True)
class Place:
    """One place: «8:00 (2)», or the word that stands instead of it (row A18)."""

    uid: uuid.UUID
    number: int
    state: PlaceState


@dataclass(frozen=True)
class Time:
    """The places at one time of the day."""

    starts_at: dt.datetime
    places: tuple[Place, ...]

    @property
    def free(self) -> int:
        return sum(place.state is PlaceState.FREE for place in self.places)


@dataclass(frozen=True)
class Window:
    """One day as the booking window shows it to one reader."""

    day: Day
    times: tuple[Time, ...]
    refusals: tuple[Refusal, ...]
    own_hold: Appointment | None
    """The place this reader is holding just now, on this day or another."""
    card: facts.Card | None = None
    """The reader's card in this organization."""

    @property
    def free(self) -> int:
        return sum(time.free for time in self.times)

    @property
    def taken(self) -> int:
        """Places somebody has: «Количество записавшихся»."""
        return sum(
            place.state in (PlaceState.TAKEN, PlaceState.OWN)
            for time in self.times
            for place in time.places
        )


def window(
    session: Session, *, schedule_uid: uuid.UUID, cards: Mapping[int, int], now: dt.datetime
) -> Window:
    """The day's times, and what stands against this reader (no cards: nobody is signed in).

    ``cards``: tenant id → person id. Raises NotFound for an unknown day and for a draft.
    """
    day = day_of(session, schedule_uid=schedule_uid, now=now)
    card = None
    person_id = cards.get(day.schedule.tenant_id)
    if person_id is not None:
        card = facts.card_of(session, person_id)
        against = booking.refusals(session, day, card.facts, now=now)
    else:
        against = _of_day(day, now)
    slots = session.scalars(
        select(Slot).where(Slot.schedule_id == day.schedule.id).order_by(Slot.starts_at, Slot.place)
    )
    hold = None
    for held in card.facts.held if card else ():
        if held.hold_until is not None and held.hold_until > now:
            hold = booking.own(session, held.appointment_id)
    own = None if hold is None else hold.slot_id
    return Window(day, _times(list(slots), own, now), tuple(against), hold, card)


def held_by(
    session: Session, *, person_ids: Collection[int], now: dt.datetime
) -> Appointment | None:
    """The place these cards of one reader hold and have not confirmed yet."""
    return session.scalars(
        select(Appointment)
        .where(
            Appointment.person_id.in_(person_ids),
            Appointment.donation_type_id.is_not(None),
            Appointment.status == AppointmentStatus.HELD,
            Appointment.hold_until > now,
            ~by_offer(),
        )
        .order_by(Appointment.id.desc())
        .limit(1)
    ).first()


def _of_day(day: Day, now: dt.datetime) -> list[Refusal]:
    return check(
        None,
        facts.of_schedule(day.schedule, day.organization, day.donation_type.kind, pause=day.pause),
        policy=day.policy,
        numbers=NO_NUMBERS,
        now=now,
    )


def _times(slots: list[Slot], own_slot_id: int | None, now: dt.datetime) -> tuple[Time, ...]:
    """Withdrawn places are left out; the rest in order of time and number."""
    by_time: dict[dt.datetime, list[Place]] = {}
    for slot in slots:
        if slot.status is not SlotStatus.CLOSED:
            place = Place(slot.uid, slot.place, _state(slot, own_slot_id, now))
            by_time.setdefault(slot.starts_at, []).append(place)
    return tuple(Time(starts_at, tuple(places)) for starts_at, places in by_time.items())


def _state(slot: Slot, own_slot_id: int | None, now: dt.datetime) -> PlaceState:
    if slot.id == own_slot_id:
        return PlaceState.OWN
    if slot.status is not SlotStatus.FREE:
        return PlaceState.TAKEN
    if slot.starts_at <= now:
        return PlaceState.PAST
    return PlaceState.FREE if slot.channel is Channel.WEB else PlaceState.DESK
