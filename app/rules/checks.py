"""What stands beside a request in the queue (N2): each check with its outcome and a sentence.

The same facts and refusals as for the donor (app.rules.eligibility), and the blood service's record besides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.rules import facts, policies
from app.rules.clock import local_date
from app.rules.eligibility import Refusal, check, first_allowed
from app.rules.errors import N_
from app.rules.facts import StaffFacts


class Outcome(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One check: ``name`` is its column, ``text`` the sentence in English with its places."""

    name: str
    outcome: Outcome
    text: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Examined:
    """A request with its checks and what they were made from."""

    appointment: Appointment
    who: StaffFacts
    checks: tuple[Check, ...]
    possible_from: dt.date | None
    """The first date from today on with nothing medical against this kind of donation; None: never."""

    @property
    def failing(self) -> tuple[Check, ...]:
        return tuple(c for c in self.checks if c.outcome is Outcome.FAIL)


NAMES = ("code", "blood", "deferral", "interval", "other", "first_time")
"""The columns, in the order of a registrar's eye (look.md)."""

TITLES = {
    "code": N_("Donor code"),
    "blood": N_("Blood group"),
    "deferral": N_("Deferrals"),
    "interval": N_("Interval"),
    "other": N_("Other bookings"),
    "first_time": N_("History"),
}

HEADS = {
    "code": N_("ID"),
    "blood": N_("Grp"),
    "deferral": N_("Def"),
    "interval": N_("Int"),
    "other": N_("Oth"),
    "first_time": N_("His"),
}
"""The same over the narrow columns of the list; the title is read aloud."""

COLUMN = {
    "other_blood_type": "blood",
    "other_kell": "blood",
    "deferred": "deferral",
    "too_young": "deferral",
    "interval": "interval",
    "yearly_limit": "interval",
    "other_booking": "other",
    "other_sex": "first_time",
    "sex_unknown": "first_time",
    "not_first_time": "first_time",
    "first_time_only": "first_time",
}
"""Where each refusal is shown. Those that are not here count at booking time only, or end a day."""


STAFF_WORDS = {
    "other_blood_type": N_("the day is for %(wanted)s, the donor says %(own)s"),
    "other_kell": N_("the day is for Kell %(wanted)s, the donor says %(own)s"),
    "too_young": N_("not yet %(age)s years old: possible from %(date)s"),
    "interval": N_(
        "%(passed)s of %(wait)s days since the donation on %(last)s: possible from %(date)s"
    ),
    "yearly_limit": N_("%(times)s such donations within a year already: possible from %(date)s"),
    "other_booking": N_("already booked: %(type)s, %(date)s"),
    "other_sex": N_("the day is for %(wanted)s only"),
    "sex_unknown": N_("the day is for one sex only, and the card does not say which it is"),
    "not_first_time": N_("the day is for people who have donated before"),
    "first_time_only": N_("the day is for first-time donors"),
}
"""The same reasons as the donor is told, as colleagues say them."""
DEFERRED_UNTIL = N_("medical deferral: possible from %(date)s")
DEFERRED_FOR_EVER = N_("medical deferral without an end date")


def examine(
    session: Session, appointments: Sequence[Appointment], *, now: dt.datetime
) -> list[Examined]:
    """Checks for a whole list, in a number of queries that does not grow with it."""
    if not appointments:
        return []
    people = facts.for_staff(session, [a.person_id for a in appointments])
    tenants = {a.tenant_id for a in appointments}
    versions = policies.versions(session, tenant_ids=tenants, now=now)
    numbers: dict[tuple[int, dt.date], policies.MedicalNumbers] = {}
    examined = []
    for appointment in appointments:
        key = (appointment.tenant_id, appointment.schedule.date)
        if key not in numbers:
            numbers[key] = versions.numbers(tenant_id=key[0], on=key[1])
        who = people[appointment.person_id]
        examined.append(examine_one(appointment, who, numbers=numbers[key], now=now))
    return examined


def examine_one(
    appointment: Appointment, who: StaffFacts, *, numbers: policies.MedicalNumbers, now: dt.datetime
) -> Examined:
    """The checks of one booking for facts already loaded (or supposed: what would an import change)."""
    slot = facts.of_schedule(
        appointment.schedule,
        appointment.organization,
        appointment.donation_type.kind,
        starts_at=appointment.starts_at,
    )
    policy = appointment.policy
    refusals = check(
        who.facts,
        slot,
        policy=policy,
        numbers=numbers,
        now=now,
        ignore_appointment_id=appointment.id,
    )
    today = local_date(now, slot.time_zone)
    return Examined(
        appointment,
        who,
        tuple(_checks(who, refusals)),
        first_allowed(who.facts, slot, policy=policy, numbers=numbers, today=today),
    )


def _checks(who: StaffFacts, refusals: Sequence[Refusal]) -> list[Check]:
    by_column: dict[str, Refusal] = {}
    for refusal in refusals:
        column = COLUMN.get(refusal.code)
        if column and (column not in by_column or _weight(refusal) > _weight(by_column[column])):
            by_column[column] = refusal
    found = [_code(who), _blood(who, by_column.get("blood"))]
    passed = {
        "deferral": N_("none"),
        "interval": N_("kept"),
        "other": N_("none"),
    }
    for name, text in passed.items():
        found.append(_of(name, by_column.get(name)) or Check(name, Outcome.OK, text))
    found.append(_of("first_time", by_column.get("first_time")) or _history(who))
    return found


def _weight(refusal: Refusal) -> tuple[bool, bool, dt.date]:
    """Of several reasons in one column the hardest is shown: blocking, without an end, ending last."""
    return (refusal.blocking, refusal.earliest is None, refusal.earliest or dt.date.min)


def _of(name: str, refusal: Refusal | None) -> Check | None:
    if refusal is None:
        return None
    outcome = Outcome.FAIL if refusal.blocking else Outcome.WARN
    text = STAFF_WORDS.get(refusal.code, refusal.text)
    if refusal.code == "deferred":
        text = DEFERRED_UNTIL if refusal.earliest else DEFERRED_FOR_EVER
    return Check(name, outcome, text, refusal.params)


def _strange(who: StaffFacts) -> bool:
    """The record with this donor's code is linked to another donor."""
    return who.record is not None and who.record.person_id not in (None, who.person.id)


def _code(who: StaffFacts) -> Check:
    if who.record is None:
        return Check("code", Outcome.FAIL, N_("not found in the donor file"))
    if who.donor is not None and who.record.code != who.donor.donor_code:
        return Check(
            "code",
            Outcome.FAIL,
            N_("the linked record has another code: %(code)s"),
            {"code": who.record.code},
        )
    if _strange(who):
        return Check("code", Outcome.FAIL, N_("the record is already linked to another donor"))
    if who.record.person_id is None and who.code_shared:
        return Check("code", Outcome.FAIL, N_("another donor's card gives the same code"))
    return Check("code", Outcome.OK, N_("found in the donor file"))


def _blood(who: StaffFacts, refusal: Refusal | None) -> Check:
    """Group, Rh and Kell as the donor says against the record, then against the day."""
    record, donor = who.record, who.donor
    if _strange(who):
        record = None  # what it says is of somebody else, and nobody's business here
    if record is not None and donor is not None:
        if record.blood_type != donor.blood_type:
            return Check(
                "blood",
                Outcome.FAIL,
                N_("the record says %(record)s, the donor %(own)s"),
                {"record": record.blood_type, "own": donor.blood_type},
            )
        if record.kell is not None and record.kell != donor.kell:
            return Check(
                "blood",
                Outcome.FAIL,
                N_("Kell: the record says %(record)s, the donor %(own)s"),
                {"record": record.kell, "own": donor.kell},
            )
    if refusal is not None:
        found = _of("blood", refusal)
        assert found is not None
        return found
    if record is None:
        return Check("blood", Outcome.WARN, N_("nothing to compare with"))
    if record.kell is None:
        return Check("blood", Outcome.WARN, N_("matches; Kell is not in the record"))
    return Check("blood", Outcome.OK, N_("matches, Kell too"))


def _history(who: StaffFacts) -> Check:
    count = len(who.facts.donations)
    if _strange(who) or (not count and not who.facts.history_known):
        return Check("first_time", Outcome.WARN, N_("nothing is known of former donations"))
    if not count:
        return Check("first_time", Outcome.WARN, N_("first donation"))
    last = who.facts.donations[-1][0]
    return Check(
        "first_time",
        Outcome.OK,
        N_("donations: %(count)s, the last on %(last)s"),
        {"count": count, "last": last},
    )
