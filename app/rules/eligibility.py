"""May this donor take this place, why not, and from which date (N1, N7). Pure functions of facts.

The same list of refusals is shown on the public page, decides at booking (with facts reloaded under
the lock) and stands beside a request in the registrar's queue.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.models.enums import (
    FirstTime,
    ScheduleStatus,
)
from app.models.policy import BookingPolicy
from app.rules.clock import birthday, local_date
from app.rules.errors import N_
from app.rules.known import PersonFacts, SlotFacts
from app.rules.policies import MedicalNumbers

YEAR = dt.timedelta(days=365)


@dataclass(frozen=True)
class Refusal:
    """Why not. ``earliest`` is the first date on which this reason no longer stands, if it has one."""

    code: str
    text: str
    params: Mapping[str, Any] = field(default_factory=dict)
    earliest: dt.date | None = None
    blocking: bool = True


CLOSED = Refusal("closed", N_("The centre has closed this day. Choose another one, please."))


def check(
    person: PersonFacts | None,
    slot: SlotFacts,
    *,
    policy: BookingPolicy,
    numbers: MedicalNumbers,
    now: dt.datetime,
    ignore_appointment_id: int | None = None,
) -> list[Refusal]:
    """Every reason against, the hardest to change first. Without a person, the day's own only.

    ``ignore_appointment_id``: the request that is being looked at is not «another booking».
    """
    found = list(_day(slot, policy, now))
    if person is not None:
        found += _sets(person, slot)
        found += _medical(person, slot, policy, numbers)
        found += _site(person, slot, policy, now, ignore_appointment_id)
    return found


def blocking(refusals: list[Refusal]) -> list[Refusal]:
    return [refusal for refusal in refusals if refusal.blocking]


def earliest(refusals: list[Refusal]) -> dt.date | None:
    """The first date on which none of them stands; None if one of them has no end."""
    dates = [refusal.earliest for refusal in refusals]
    return None if not dates or None in dates else max(d for d in dates if d)


def first_allowed(
    person: PersonFacts,
    slot: SlotFacts,
    *,
    policy: BookingPolicy,
    numbers: MedicalNumbers,
    today: dt.date,
) -> dt.date | None:
    """The first date from ``today`` on with nothing medical against a donation of the slot's kind (N1).

    None if a deferral has no end. ``numbers`` are taken as they hold on the slot's own date.
    """
    day: dt.date | None = today
    while day is not None:
        against = list(_medical(person, replace(slot, date=day), policy, numbers))
        if not against:
            break
        day = earliest(against)  # always later than ``day``
    return day


def _day(slot: SlotFacts, policy: BookingPolicy, now: dt.datetime) -> Iterator[Refusal]:
    today = local_date(now, slot.time_zone)
    if slot.ends_at <= now:
        yield Refusal("past", N_("This time is over."))
    if slot.status is ScheduleStatus.CLOSED:
        yield CLOSED
    elif slot.status is ScheduleStatus.DRAFT:
        yield Refusal("draft", N_("This day is not published yet."))
    if slot.pause_notice is not None:
        yield Refusal(
            "paused",
            N_("This kind of donation is paused for now. %(notice)s"),
            {"notice": slot.pause_notice},
        )
    elif slot.status is ScheduleStatus.PAUSED:
        yield Refusal(
            "paused",
            N_("Booking for this day is paused for now. Look in later, or choose another day."),
        )
    if slot.date > today + dt.timedelta(days=policy.book_days_ahead):
        opens = slot.date - dt.timedelta(days=policy.book_days_ahead)
        yield Refusal(
            "too_far", N_("Booking for this day opens on %(date)s."), {"date": opens}, opens
        )


def _sets(person: PersonFacts, slot: SlotFacts) -> Iterator[Refusal]:
    if slot.blood_types and person.blood_type not in slot.blood_types:
        yield Refusal(
            "other_blood_type",
            N_("This day is for %(wanted)s; yours is %(own)s."),
            {"wanted": slot.blood_types, "own": person.blood_type},
        )
    if slot.kell is not None and person.kell is not None and person.kell != slot.kell:
        yield Refusal(
            "other_kell",
            N_("This day is for donors with Kell %(wanted)s; yours is %(own)s."),
            {"wanted": slot.kell, "own": person.kell},
        )
    if slot.sex is not None and person.sex is None:
        yield Refusal(
            "sex_unknown",
            N_("This day is for one sex only; the registrar will check it."),
            blocking=False,
        )
    elif slot.sex is not None and person.sex != slot.sex:
        yield Refusal("other_sex", N_("This day is for %(wanted)s only."), {"wanted": slot.sex})
    first = not person.donations
    if slot.first_time is FirstTime.NO and first:
        yield Refusal(
            "not_first_time",
            N_("This day is for people who have donated before; the registrar will check it.")
            if not person.history_known
            else N_("This day is for people who have donated before."),
            blocking=person.history_known,
        )
    if slot.first_time is FirstTime.ONLY and not first:
        yield Refusal("first_time_only", N_("This day is for first-time donors."))


def _medical(
    person: PersonFacts, slot: SlotFacts, policy: BookingPolicy, numbers: MedicalNumbers
) -> Iterator[Refusal]:
    """Counted at the visit's date."""
    for deferral in person.deferrals:
        if not deferral.covers(slot.date):
            continue
        if deferral.ends_on in (None, dt.date.max):  # files write «for ever» as 31.12.9999
            yield Refusal(
                "deferred",
                N_(
                    "There is a medical deferral without an end date. Ask the centre's doctor, please."
                ),
            )
        else:
            free = deferral.ends_on + dt.timedelta(days=1)
            yield Refusal(
                "deferred",
                N_("There is a medical deferral: donations are possible from %(date)s."),
                {"date": free},
                free,
            )
    if person.birth_date is not None:
        of_age = birthday(person.birth_date, policy.min_age)
        if slot.date < of_age:
            yield Refusal(
                "too_young",
                N_("Donors must be %(age)s or older: possible from %(date)s."),
                {"age": policy.min_age, "date": of_age},
                of_age,
            )
    before = [(day, kind) for day, kind in person.donations if day <= slot.date]
    waits = [
        (day + dt.timedelta(days=numbers.intervals[kind, slot.kind]), day)
        for day, kind in before
        if (kind, slot.kind) in numbers.intervals
    ]
    if waits:
        free, last = max(waits)
        if slot.date < free:
            yield Refusal(
                "interval",
                N_("Too soon after the donation on %(last)s: possible from %(date)s."),
                {
                    "last": last,
                    "date": free,
                    "passed": (slot.date - last).days,
                    "wait": (free - last).days,
                },
                free,
            )
    limit = numbers.limits.get((slot.kind, person.sex)) or numbers.limits.get((slot.kind, None))
    if limit:
        year = [day for day, kind in before if kind is slot.kind and day > slot.date - YEAR]
        if len(year) >= limit:
            free = year[-limit] + YEAR
            yield Refusal(
                "yearly_limit",
                N_(
                    "%(times)s donations of this kind within a year is the limit: possible from %(date)s."
                ),
                {"times": limit, "date": free},
                free,
            )


def _site(
    person: PersonFacts,
    slot: SlotFacts,
    policy: BookingPolicy,
    now: dt.datetime,
    ignore_appointment_id: int | None,
) -> Iterator[Refusal]:
    """The site's own rules, counted at booking time (A34, A35)."""
    today = local_date(now, slot.time_zone)
    others = [fact for fact in person.live if fact.appointment_id != ignore_appointment_id]
    if len(others) >= policy.live_limit:
        other = others[0]
        yield Refusal(
            "other_booking",
            N_(
                "You are already booked: %(type)s, %(date)s. Cancel that booking first or come then."
            ),
            {"type": other.donation_type, "date": local_date(other.starts_at, slot.time_zone)},
        )
    if person.last_own_cancel is not None:
        again = local_date(person.last_own_cancel, slot.time_zone) + dt.timedelta(
            days=policy.days_after_own_cancel
        )
        if today < again:
            yield Refusal(
                "own_cancel",
                N_("You cancelled a booking today: booking is possible again from %(date)s."),
                {"date": again},
                again,
            )
    past = [day for day, _ in person.donations if day <= today]
    if past:
        again = past[-1] + dt.timedelta(days=policy.days_after_donation)
        if today < again:
            yield Refusal(
                "after_donation",
                N_("After the donation on %(last)s booking is possible from %(date)s."),
                {"last": past[-1], "date": again},
                again,
            )
