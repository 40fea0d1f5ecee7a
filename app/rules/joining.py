"""Joining a waiting list (N6): for what, for whom, for which dates, and why not.

One waits for a donor's place of a type, or for a doctor, a specialty or a service; within some dates or any.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.cabinet_choices import WaitingStatus
from app.models.directory import HealthcareService, PractitionerRole, Specialty
from app.models.donation_type import DonationType
from app.models.donor import Donor
from app.models.enums import ScheduleStatus
from app.models.organization import Organization
from app.models.person import Person
from app.models.policy import BookingPolicy
from app.models.schedule import Schedule
from app.models.scope import widened
from app.models.waiting import WaitingEntry
from app.rules import audit, clock, consents, facts, in_line, policies, visit_checks
from app.rules.actor import Actor
from app.rules.booking import lock_person
from app.rules.donor_day import Day
from app.rules.eligibility import Refusal, blocking, check, first_allowed
from app.rules.errors import N_, NotFound, Refused, RuleError
from app.rules.known import SlotFacts

W = WaitingStatus
IN_LINE = (W.WAITING, W.OFFERED)
OF_VISITS = ("same_doctor", "too_many")
"""Refusals that no date in the future takes away by itself."""


class NoWaitingList(RuleError):
    code = "no_waiting_list"
    text = N_("There is no waiting list here. Look in for free places, or phone the registry desk.")


class AlreadyWaiting(RuleError):
    code = "already_waiting"
    text = N_("%(name)s is in this waiting list already. Leave it first to change the dates.")


class WaitsForMuch(RuleError):
    code = "waits_for_much"
    text = N_("%(name)s is in %(count)s waiting lists already. Leave one of them first, please.")


class NoDonorCard(RuleError):
    code = "no_donor_card"
    text = N_(
        "%(name)s has no donor's card here: blood group and code are needed for a donor's place."
    )


class DatesWrong(RuleError):
    code = "dates_wrong"
    text = N_("The last date must not be before the first one, nor before today.")


class DatesFar(RuleError):
    code = "dates_far"
    text = N_("One can wait for at most %(days)s days ahead. Choose an earlier last date.")


class NobodyChosen(RuleError):
    code = "nobody_chosen"
    text = N_("Choose who waits for a place.")


@dataclass(frozen=True)
class Wish:
    """What is waited for, and where: at one branch, or in the whole organization."""

    organization: Organization
    donation_type: DonationType | None = None
    role: PractitionerRole | None = None
    specialty: Specialty | None = None
    service: HealthcareService | None = None

    @property
    def tenant_id(self) -> int:
        return self.organization.tenant_id

    @property
    def keys(self) -> tuple[int | None, ...]:
        parts = (self.donation_type, self.role, self.specialty, self.service)
        return tuple(part.id if part is not None else None for part in parts)


def policy_of(session: Session, wish: Wish, *, now: dt.datetime) -> BookingPolicy:
    """The rules for what is wished. Raises NoWaitingList where there is none."""
    try:
        found = policies.effective(
            session,
            tenant_id=wish.tenant_id,
            now=now,
            organization_id=wish.organization.id,
            department_id=wish.role.department_id if wish.role is not None else None,
            service_id=wish.service.id if wish.service is not None else None,
            donation_type_id=wish.donation_type.id if wish.donation_type is not None else None,
        )
    except policies.NoPolicy as problem:
        raise NoWaitingList() from problem
    if not found.offer_limit:
        raise NoWaitingList()
    return found


def join(
    session: Session,
    *,
    wish: Wish,
    account_id: int,
    person_ids: Sequence[int],
    first_day: dt.date | None,
    last_day: dt.date | None,
    actor: Actor,
    now: dt.datetime,
) -> list[WaitingEntry]:
    """Put these people in the line, at its end; several of them will be offered places together.

    Raises NobodyChosen, DatesWrong, DatesFar, NoWaitingList, NotFound, and of each person AlreadyWaiting,
    WaitsForMuch, ConsentGone, NoDonorCard, or Refused where no day within the dates would do.
    """
    policy = policy_of(session, wish, now=now)
    today = clock.local_date(now, wish.organization.time_zone)
    demand_dates(first_day, last_day, today)
    ids = sorted(set(person_ids))
    if not ids:
        raise NobodyChosen()
    for person_id in ids:
        lock_person(session, person_id)
    people = session.scalars(select(Person).where(Person.id.in_(ids)).order_by(Person.id)).all()
    if any(person.tenant_id != wish.tenant_id for person in people) or len(people) < len(ids):
        raise NotFound()
    _demand_not_waiting(session, wish, people)
    begins, ends = max(first_day or today, today), last_day or today + _most_days()
    for person in people:
        consents.demand(session, policy=policy, person_id=person.id, actor=actor)
        _demand_able(session, wish, policy, person, begins, ends, now)
    family = uuid.uuid4() if len(people) > 1 else None
    donation_type_id, role_id, specialty_id, service_id = wish.keys
    made = [
        WaitingEntry(
            organization_id=wish.organization.id,
            tenant_id=wish.tenant_id,
            account_id=account_id,
            person_id=person.id,
            donation_type_id=donation_type_id,
            role_id=role_id,
            specialty_id=specialty_id,
            service_id=service_id,
            family=family,
            first_day=first_day,
            last_day=last_day,
            status=W.WAITING,
            created_at=now,
        )
        for person in people
    ]
    session.add_all(made)
    session.flush()
    for entry in made:
        audit.record(session, verb="waiting.join", subject=entry, actor=actor, now=now, changes={})
    return made


def demand_dates(first_day: dt.date | None, last_day: dt.date | None, today: dt.date) -> None:
    """Raises DatesWrong, DatesFar."""
    if last_day is not None and last_day < max(first_day or today, today):
        raise DatesWrong()
    far = today + _most_days()
    if (last_day or today) > far or (first_day or today) > far:
        raise DatesFar(days=_most_days().days)


def _most_days() -> dt.timedelta:
    return dt.timedelta(days=in_line.numbers()["most_days"])


def _demand_not_waiting(session: Session, wish: Wish, people: Sequence[Person]) -> None:
    with widened(session, "another account may have put the same person in line"):
        there = session.scalars(
            select(WaitingEntry).where(
                WaitingEntry.person_id.in_([person.id for person in people]),
                WaitingEntry.status.in_(IN_LINE),
            )
        ).all()
    for person in people:
        own = [entry for entry in there if entry.person_id == person.id]
        if any(keys_of(entry) == (wish.organization.id, *wish.keys) for entry in own):
            raise AlreadyWaiting(name=person.full_name)
        if len(own) >= in_line.numbers()["most_at_once"]:
            raise WaitsForMuch(name=person.full_name, count=len(own))


def _demand_able(
    session: Session,
    wish: Wish,
    policy: BookingPolicy,
    person: Person,
    begins: dt.date,
    ends: dt.date,
    now: dt.datetime,
) -> None:
    """Raises Refused with what stands against every day of these dates, by the one list of checks."""
    if wish.donation_type is None:
        against = _visits_against(session, wish, policy, person, now)
        if against:
            raise Refused(against)
        return
    donor = session.scalar(select(Donor.id).where(Donor.person_id == person.id))
    if donor is None:
        raise NoDonorCard(name=person.full_name)
    known = facts.of_person(session, person.id)
    numbers = policies.medical_numbers(session, tenant_id=wish.tenant_id, on=begins)
    place = _imagined(wish, begins, now)
    first = first_allowed(known, place, policy=policy, numbers=numbers, today=begins)
    if first is None or first > ends:
        rules = check(known, place, policy=policy, numbers=numbers, now=now)
        late = [each for each in blocking(rules) if each.earliest is None or each.earliest > ends]
        raise Refused(late or blocking(rules))


def _imagined(wish: Wish, day: dt.date, now: dt.datetime) -> SlotFacts:
    """A place of that type on that day, open to any group: only the person can stand against it."""
    assert wish.donation_type is not None
    zone = wish.organization.time_zone
    noon = max(clock.instant(day, dt.time(12), zone), now + dt.timedelta(minutes=1))
    return SlotFacts(
        starts_at=noon,
        ends_at=noon,
        date=day,
        time_zone=zone,
        kind=wish.donation_type.kind,
        status=ScheduleStatus.PUBLISHED,
        blood_types=frozenset(),
    )


def _visits_against(
    session: Session, wish: Wish, policy: BookingPolicy, person: Person, now: dt.datetime
) -> list[Refusal]:
    if wish.role is None:
        return []
    known = visit_checks.visits_of(session, person_id=person.id)
    far = now + dt.timedelta(days=1)
    sitting = Schedule(status=ScheduleStatus.PUBLISHED, role=wish.role)
    day = Day(sitting, wish.organization, None, policy)  # type: ignore[arg-type]
    found = visit_checks.check(day, known, starts_at=far, minutes=0, now=now)
    if sitting in session:
        session.expunge(sitting)
    return [refusal for refusal in found if refusal.code in OF_VISITS]


def keys_of(entry: WaitingEntry) -> tuple[int | None, ...]:
    """The place, and what is waited for there: the same for who stands in the same line."""
    return (
        entry.organization_id,
        entry.donation_type_id,
        entry.role_id,
        entry.specialty_id,
        entry.service_id,
    )
