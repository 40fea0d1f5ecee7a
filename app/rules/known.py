"""What is known about a donor and about a place, as plain values. Loaded by app.rules.facts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.models.blood import BloodType
from app.models.enums import (
    AppointmentStatus,
    DeferralKind,
    DonationKind,
    FirstTime,
    ScheduleStatus,
    Sex,
    Sign,
)
from app.rules.errors import Words


@dataclass(frozen=True)
class DeferralFact:
    kind: DeferralKind
    starts_on: dt.date
    ends_on: dt.date | None
    reason: str = ""

    def covers(self, day: dt.date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True)
class LiveFact:
    """A live appointment of this person (held ones are not counted: choosing again frees them)."""

    appointment_id: int
    starts_at: dt.datetime
    donation_type: Words
    kind: DonationKind
    status: AppointmentStatus


@dataclass(frozen=True)
class HeldFact:
    """A place this person is choosing and has not confirmed: no reason against anything."""

    appointment_id: int
    schedule_id: int
    slot_id: int
    starts_at: dt.datetime
    hold_until: dt.datetime | None


@dataclass(frozen=True)
class PersonFacts:
    """What is known about one donor. From ``app.rules.facts``."""

    person_id: int
    blood_type: BloodType | None
    kell: Sign | None
    sex: Sex | None = None
    birth_date: dt.date | None = None
    donations: tuple[tuple[dt.date, DonationKind], ...] = ()
    """Oldest first."""
    deferrals: tuple[DeferralFact, ...] = ()
    live: tuple[LiveFact, ...] = ()
    held: tuple[HeldFact, ...] = ()
    last_own_cancel: dt.datetime | None = None
    history_known: bool = False
    """The blood service's record is linked: no donation in it means a first-time donor."""


@dataclass(frozen=True)
class SlotFacts:
    """What is known about one donor day, or one place of it. Dates are the branch's own."""

    starts_at: dt.datetime
    """Of the place; of the day's first time when the whole day is asked about."""
    ends_at: dt.datetime
    """Of the place or the day: what has ended is not booked."""
    date: dt.date
    time_zone: str
    kind: DonationKind
    status: ScheduleStatus
    blood_types: frozenset[BloodType]
    kell: Sign | None = None
    sex: Sex | None = None
    first_time: FirstTime = FirstTime.ANY
    pause_notice: Words | None = None
