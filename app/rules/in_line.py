"""Who is next for the free places of a day: the day itself, its places, and the line before them.

A look reads a portion of the line by its index, and the facts about it in a fixed number of queries.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from app.models.attachment import Attachment
from app.models.cabinet_choices import AttachmentStatus, OfferStatus, WaitingStatus
from app.models.directory import PractitionerService
from app.models.donor import Donor
from app.models.enums import Channel, ScheduleStatus, SlotStatus
from app.models.schedule import Schedule, Slot
from app.models.waiting import WaitingEntry, WaitingOffer
from app.rules import clock, donor_day, facts, patients, policies, visit_checks, visit_rights
from app.rules.donor_day import Choice, Day
from app.rules.eligibility import Refusal, blocking, check
from app.rules.errors import NotFound
from app.rules.policies import NoPolicy
from app.rules.seating import Against, Place, Unit, Waiting, units_of

DATA = Path(__file__).parent.parent / "data" / "waiting.json"
PORTION = 50
"""Of the line, in one look."""
MOST_PLACES = 100
"""Of a day, in one look."""
Spot = tuple[int, int]
"""Where in the line: priority and id."""


@cache
def numbers() -> dict[str, Any]:
    """app/data/waiting.json."""
    found: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


def after_quiet(now: dt.datetime, zone: str) -> dt.datetime:
    """``now``, or the end of the quiet hours of that place if they have begun."""
    wall = clock.local(now, zone)
    begins, ends = (dt.time.fromisoformat(numbers()[key]) for key in ("quiet_from", "quiet_to"))
    if wall.time() < ends:
        return clock.instant(wall.date(), ends, zone)
    if wall.time() >= begins:
        return clock.instant(wall.date() + dt.timedelta(days=1), ends, zone)
    return now


@dataclass
class Free:
    """The free places of a day, and how a place of it is chosen for a service."""

    schedule: Schedule
    slots: dict[int, Slot]
    day: Day
    now: dt.datetime

    @property
    def places(self) -> list[Place]:
        minutes = self.schedule.step_minutes
        return [
            Place(
                slot.id,
                slot.starts_at,
                slot.starts_at + dt.timedelta(minutes=slot.minutes or minutes),
            )
            for slot in self.slots.values()
        ]


def is_offered() -> ColumnElement[bool]:
    """An open offer keeps the Slot of the enclosing query."""
    return (
        select(WaitingOffer.id)
        .where(WaitingOffer.slot_id == Slot.id, WaitingOffer.status == OfferStatus.OPEN)
        .correlate(Slot)
        .exists()
    )


def free_of(session: Session, schedule_id: int, *, now: dt.datetime) -> Free | None:
    """What can be offered of a day now; None if that is nothing. Two queries."""
    soonest = now + dt.timedelta(minutes=numbers()["least_minutes"])
    rows = session.execute(
        select(Slot, Schedule)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .where(
            Slot.schedule_id == schedule_id,
            Slot.status == SlotStatus.FREE,
            Slot.channel == Channel.WEB,
            Slot.starts_at > soonest,
            Schedule.status == ScheduleStatus.PUBLISHED,
            ~is_offered(),
        )
        .order_by(Slot.starts_at, Slot.place)
        .limit(MOST_PLACES)
        .execution_options(populate_existing=True)
    ).all()
    if not rows:
        return None
    schedule, slots = rows[0][1], {row[0].id: row[0] for row in rows}
    try:
        if schedule.role_id is None:
            day = donor_day.day_of(session, schedule_id=schedule_id, now=now)
        else:
            day = patients.choice_of(session, slot_uid=rows[0][0].uid, now=now).day
    except (NotFound, NoPolicy):  # the institution is switched off, or has no rules yet
        return None
    return Free(schedule, slots, day, now) if day.policy.offer_limit else None


def choice_of(session: Session, free: Free, slot_id: int, entry: WaitingEntry) -> Choice:
    """This place for this person, as app.rules.holding wants it. Raises NotFound, NoPolicy."""
    slot = free.slots[slot_id]
    if free.schedule.role_id is None:
        return Choice(free.day, slot, any_place=False)
    service = entry.service.uid if entry.service is not None else None
    return patients.choice_of(session, slot_uid=slot.uid, now=free.now, service=service)


def line(session: Session, free: Free, *, after: Spot | None, limit: int) -> list[WaitingEntry]:
    """The next of the line for this day, by priority and then by who came first; kept for this look.

    Whoever is being dealt with elsewhere, or has an offer to answer, is left out, and so are a donor of another
    group and a patient without the attachment that is asked for (a service's own rules are asked later): a
    portion is not spent on them. Those who wait for this branch and those who wait for any: a query each, so that
    each follows its index.
    """
    schedule = free.schedule
    query = _whole().where(
        WaitingEntry.status == WaitingStatus.WAITING, *suits(schedule), ~_has_offer()
    )
    if after is not None:
        later = and_(WaitingEntry.priority == after[0], WaitingEntry.id > after[1])
        query = query.where(
            WaitingEntry.priority >= after[0], or_(WaitingEntry.priority > after[0], later)
        )
    if schedule.role_id is None and schedule.blood_types:
        fits = [and_(Donor.blood_group == t.group, Donor.rh == t.rh) for t in schedule.blood_types]
        query = query.join(Donor, Donor.person_id == WaitingEntry.person_id).where(or_(*fits))
    if schedule.role_id is not None and free.day.policy.attachment_required:
        query = query.where(or_(WaitingEntry.service_id.is_not(None), _is_attached()))
    query = query.order_by(WaitingEntry.priority, WaitingEntry.id).limit(limit)
    found: list[WaitingEntry] = []
    for place in sorted({schedule.organization_id, schedule.tenant_id}):
        found += session.scalars(query.where(WaitingEntry.organization_id == place))
    return sorted(found, key=lambda entry: (entry.priority, entry.id))[:limit]


def suits(schedule: Schedule) -> list[ColumnElement[bool]]:
    """Conditions on WaitingEntry: what is waited for is what this day has, wherever that is."""
    found: list[ColumnElement[bool]] = [
        or_(WaitingEntry.first_day.is_(None), WaitingEntry.first_day <= schedule.date),
        or_(WaitingEntry.last_day.is_(None), WaitingEntry.last_day >= schedule.date),
    ]
    if schedule.role_id is None:
        return [*found, WaitingEntry.donation_type_id == schedule.donation_type_id]
    role = schedule.role
    given: ColumnElement[bool] = WaitingEntry.service_id == schedule.service_id
    if schedule.service_id is None:
        given = WaitingEntry.service_id.in_(
            select(PractitionerService.service_id).where(
                PractitionerService.practitioner_id == role.practitioner_id
            )
        )
    return [
        *found,
        WaitingEntry.donation_type_id.is_(None),
        or_(WaitingEntry.role_id.is_(None), WaitingEntry.role_id == schedule.role_id),
        or_(WaitingEntry.specialty_id.is_(None), WaitingEntry.specialty_id == role.specialty_id),
        or_(WaitingEntry.service_id.is_(None), given),
    ]


def units(
    session: Session, entries: Sequence[WaitingEntry], places: Collection[int]
) -> tuple[list[Unit], dict[int, WaitingEntry]]:
    """The same with their families, and what was offered to them before. At most two queries."""
    known = {entry.id: entry for entry in entries}
    families = {entry.family for entry in entries if entry.family is not None}
    busy = set()
    if families:
        both = (WaitingStatus.WAITING, WaitingStatus.OFFERED)
        query = _whole().where(WaitingEntry.family.in_(families), WaitingEntry.status.in_(both))
        for entry in session.scalars(query.order_by(WaitingEntry.id)).unique():
            known.setdefault(entry.id, entry)
            if entry.status is not WaitingStatus.WAITING:
                busy.add(entry.family)
    before: dict[int, set[int]] = {}
    for entry_id, slot_id in session.execute(
        select(WaitingOffer.entry_id, WaitingOffer.slot_id).where(
            WaitingOffer.entry_id.in_(known), WaitingOffer.slot_id.in_(places)
        )
    ):
        before.setdefault(entry_id, set()).add(slot_id)
    inline = [
        (Waiting(entry.id, entry.person_id, frozenset(before.get(entry.id, ()))), entry.family)
        for entry in known.values()
    ]
    return units_of(inline, busy), known


def checks(session: Session, free: Free, known: dict[int, WaitingEntry]) -> Against:
    """What stands against each of them at each place: the site's own list, by facts read for all at once."""
    people = {entry.person_id for entry in known.values()}
    if free.schedule.role_id is None:
        return _donor_checks(session, free, people)
    visits = visit_checks.visits_of_many(session, people)
    services = {entry.service_id: entry for entry in known.values()}
    first = next(iter(free.slots))
    days: dict[int | None, Day | None] = {None: free.day}
    for service_id, entry in services.items():
        if service_id is not None:
            try:
                days[service_id] = choice_of(session, free, first, entry).day
            except (NotFound, NoPolicy):
                days[service_id] = None
    rights = {}
    if any(day is not None and visit_rights.asked(day.policy) for day in days.values()):
        rights = visit_rights.of_people(session, people, [free.schedule.role_id])

    def against(waiting: Waiting, place: Place) -> Sequence[Refusal]:
        day = days[known[waiting.entry_id].service_id]
        if day is None:
            return [Refusal("no_rules", "")]
        minutes = round((place.ends_at - place.starts_at).total_seconds() / 60)
        of_one = visits.get(waiting.person_id, visit_checks.Visits())
        return blocking(
            visit_checks.check(
                day,
                replace(of_one, rights=rights.get(waiting.person_id)),
                starts_at=place.starts_at,
                minutes=minutes,
                now=free.now,
                service_id=known[waiting.entry_id].service_id,
            )
        )

    return against


def _donor_checks(
    session: Session, free: Free, people: Collection[int]
) -> Callable[[Waiting, Place], Sequence[Refusal]]:
    known = facts.of_people(session, people)
    medical = policies.medical_numbers(
        session, tenant_id=free.schedule.tenant_id, on=free.schedule.date
    )
    day = free.day

    def against(waiting: Waiting, place: Place) -> Sequence[Refusal]:
        slot = facts.of_schedule(
            day.schedule,
            day.organization,
            day.donation_type.kind,
            pause=day.pause,
            starts_at=place.starts_at,
        )
        person = known[waiting.person_id]
        return blocking(check(person, slot, policy=day.policy, numbers=medical, now=free.now))

    return against


def _whole() -> Select[WaitingEntry]:
    return (
        select(WaitingEntry)
        .options(
            joinedload(WaitingEntry.account),
            joinedload(WaitingEntry.person),
            joinedload(WaitingEntry.service),
        )
        .with_for_update(skip_locked=True, of=WaitingEntry)
        .execution_options(populate_existing=True)
    )


def _is_attached() -> ColumnElement[bool]:
    """The person of the enclosing WaitingEntry is attached, to whatever district. Looked up for each by an
    index: within an «or» a mere «exists» would be answered by reading all attachments there are."""
    return (
        select(Attachment.id)
        .where(
            Attachment.person_id == WaitingEntry.person_id,
            Attachment.status == AttachmentStatus.ACTIVE,
        )
        .limit(1)
        .correlate(WaitingEntry)
        .scalar_subquery()
        .is_not(None)
    )


def _has_offer() -> ColumnElement[bool]:
    """The person of the enclosing WaitingEntry has an offer to answer, here or elsewhere."""
    other = aliased(WaitingOffer)
    return (
        select(other.id)
        .where(other.person_id == WaitingEntry.person_id, other.status == OfferStatus.OPEN)
        .correlate(WaitingEntry)
        .exists()
    )
