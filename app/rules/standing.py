"""When may this donor give what: for each kind of donation the first date, and why not before (N1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from app.models.enums import DonationKind, ScheduleStatus
from app.models.policy import BookingPolicy
from app.rules.clock import local_date, midnight
from app.rules.eligibility import Refusal, check, earliest
from app.rules.known import PersonFacts, SlotFacts
from app.rules.policies import MedicalNumbers

MEDICAL = frozenset({"deferred", "too_young", "interval", "yearly_limit"})
"""Count at the visit's date."""
SITE = frozenset({"other_booking", "own_cancel", "after_donation"})
"""Count now, whatever the date: they only hinder booking on the site."""
STEPS = 25
"""A deferral may begin after an interval ends, and so on; nobody has this many in a row."""


@dataclass(frozen=True)
class Standing:
    """One kind of donation: possible from ``since`` (None: no date is known), ``reasons`` are today's."""

    kind: DonationKind
    since: dt.date | None
    reasons: tuple[Refusal, ...]

    def possible(self, today: dt.date) -> bool:
        return self.since is not None and self.since <= today


def standings(
    person: PersonFacts,
    kinds: Collection[DonationKind],
    *,
    policy: BookingPolicy,
    numbers: Callable[[dt.date], MedicalNumbers],
    zone: str,
    now: dt.datetime,
) -> list[Standing]:
    """For each of ``kinds``, in their own order. ``numbers`` gives those valid on a date."""
    today = local_date(now, zone)

    def against(kind: DonationKind, day: dt.date) -> list[Refusal]:
        found = check(person, visit(kind, day, zone), policy=policy, numbers=numbers(day), now=now)
        return [refusal for refusal in found if refusal.code in MEDICAL]

    result = []
    for kind in DonationKind:
        if kind in kinds:
            reasons = against(kind, today)
            since = _first_free(today, reasons, lambda day, kind=kind: against(kind, day))  # type: ignore[misc]
            result.append(Standing(kind, since, tuple(reasons)))
    return result


def _first_free(
    day: dt.date, reasons: Sequence[Refusal], against: Callable[[dt.date], list[Refusal]]
) -> dt.date | None:
    """The first day from ``day`` on against which nothing stands."""
    for _ in range(STEPS):
        if not reasons:
            return day
        free = earliest(list(reasons))
        if free is None or free <= day:
            return None
        day = free
        reasons = against(day)
    return None


def site_refusals(
    person: PersonFacts,
    *,
    policy: BookingPolicy,
    numbers: MedicalNumbers,
    zone: str,
    now: dt.datetime,
) -> list[Refusal]:
    """Why the site would refuse any booking just now, medical reasons aside."""
    place = visit(DonationKind.BLOOD, local_date(now, zone), zone)
    found = check(person, place, policy=policy, numbers=numbers, now=now)
    return [refusal for refusal in found if refusal.code in SITE]


def visit(kind: DonationKind, day: dt.date, zone: str) -> SlotFacts:
    """A place on this day that is open to everybody."""
    return SlotFacts(
        starts_at=midnight(day, zone),
        ends_at=midnight(day + dt.timedelta(days=1), zone),
        date=day,
        time_zone=zone,
        kind=kind,
        status=ScheduleStatus.PUBLISHED,
        blood_types=frozenset(),
    )
