"""Facts about people for app.rules.eligibility, loaded in a fixed number of queries for any list."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.donation_type import DonationPause, DonationType
from app.models.donor import Deferral, Donation, Donor, DonorRecord
from app.models.enums import ActorKind, AppointmentStatus, DonationKind
from app.models.organization import Organization
from app.models.person import Person
from app.models.schedule import Schedule
from app.rules.clock import instant
from app.rules.errors import NotFound, Words
from app.rules.held_place import by_offer
from app.rules.known import DeferralFact, HeldFact, LiveFact, PersonFacts, SlotFacts

COUNTED = (
    AppointmentStatus.PENDING,
    AppointmentStatus.PROPOSED,
    AppointmentStatus.BOOKED,
    AppointmentStatus.ARRIVED,
)


Owners = dict[int | None, set[int | None]]
"""By the key of a record of the blood service: the people it tells of."""


@dataclass(frozen=True)
class StaffFacts:
    """What staff see of a donor: the facts with the file's, the card, and the file's record if any."""

    facts: PersonFacts
    person: Person
    donor: Donor | None
    record: DonorRecord | None
    code_shared: bool = False
    """Another donor's card gives the same code: one of the two is mistaken, or worse."""


def of_people(session: Session, person_ids: Collection[int]) -> dict[int, PersonFacts]:
    """Facts a person may be told: own words and what is linked to the card.

    Two queries; one more for people with donations, one more for people with deferrals.
    """
    return {key: value.facts for key, value in _load(session, person_ids, records=False).items()}


def of_person(session: Session, person_id: int) -> PersonFacts:
    return of_people(session, [person_id])[person_id]


@dataclass(frozen=True)
class Card:
    """A reader's own card in one organization: the facts, and what he said of himself."""

    facts: PersonFacts
    donor: Donor | None


def card_of(session: Session, person_id: int) -> Card:
    """Raises NotFound for a card that is not this reader's."""
    found = _load(session, [person_id], records=False).get(person_id)
    if found is None:
        raise NotFound()
    return Card(found.facts, found.donor)


def for_staff(session: Session, person_ids: Collection[int]) -> dict[int, StaffFacts]:
    """The same, with the blood service's record that bears the donor's code, linked or not."""
    return _load(session, person_ids, records=True)


def _load(session: Session, person_ids: Collection[int], *, records: bool) -> dict[int, StaffFacts]:
    ids = sorted(set(person_ids))
    rows = session.execute(
        select(
            Person,
            Donor,
            select(Donation.id).where(Donation.person_id == Person.id).exists(),
            select(Deferral.id)
            .where(Deferral.person_id == Person.id, Deferral.withdrawn_at.is_(None))
            .exists(),
        )
        .outerjoin(Donor, Donor.person_id == Person.id)
        .where(Person.id.in_(ids))
    ).all()
    pairs: list[tuple[Person, Donor | None]] = [(row[0], row[1]) for row in rows]
    by_person = _records(session, pairs) if records else {}
    shared = _shared_codes(session, pairs) if records else set()
    owners: Owners = defaultdict(set)
    for person_id, known in by_person.items():
        owners[known.id].add(person_id)
    donations = _donations(session, ids, owners) if owners or any(row[2] for row in rows) else {}
    deferrals = _deferrals(session, ids, owners) if owners or any(row[3] for row in rows) else {}
    live, cancels, held = _bookings(session, ids)
    found = {}
    for person, donor in pairs:
        record = by_person.get(person.id)
        facts = PersonFacts(
            person_id=person.id,
            blood_type=donor.blood_type if donor else None,
            kell=donor.kell if donor else None,
            sex=person.sex or (record.sex if record else None),
            birth_date=person.birth_date or (record.birth_date if record else None),
            donations=tuple(sorted(donations.get(person.id, ()))),
            deferrals=tuple(sorted(deferrals.get(person.id, ()), key=lambda d: d.starts_on)),
            live=tuple(live[person.id]),
            held=tuple(held[person.id]),
            last_own_cancel=cancels.get(person.id),
            history_known=record is not None or bool(donations.get(person.id)),
        )
        code_shared = donor is not None and (donor.tenant_id, donor.donor_code) in shared
        found[person.id] = StaffFacts(facts, person, donor, record, code_shared)
    return found


def _donations(
    session: Session, ids: Collection[int], owners: Owners
) -> dict[int | None, set[tuple[dt.date, DonationKind]]]:
    found = defaultdict(set)
    for row in session.execute(
        select(
            Donation.id, Donation.person_id, Donation.record_id, Donation.on_date, Donation.kind
        ).where(or_(Donation.person_id.in_(ids), Donation.record_id.in_(owners)))
    ):
        for key in ({row.person_id} | owners.get(row.record_id, set())) - {None}:
            found[key].add((row.on_date, row.kind))
    return found


def _deferrals(
    session: Session, ids: Collection[int], owners: Owners
) -> dict[int | None, set[DeferralFact]]:
    found = defaultdict(set)
    for row in session.execute(
        select(
            Deferral.person_id,
            Deferral.record_id,
            Deferral.kind,
            Deferral.starts_on,
            Deferral.ends_on,
            Deferral.reason,
        ).where(
            or_(Deferral.person_id.in_(ids), Deferral.record_id.in_(owners)),
            Deferral.withdrawn_at.is_(None),
        )
    ):
        for key in ({row.person_id} | owners.get(row.record_id, set())) - {None}:
            found[key].add(DeferralFact(row.kind, row.starts_on, row.ends_on, row.reason))
    return found


def _shared_codes(
    session: Session, rows: list[tuple[Person, Donor | None]]
) -> set[tuple[int, str]]:
    """Of these donors' codes, those that several cards of one organization give: (tenant, code)."""
    given = [d for _, d in rows if d is not None]
    found = session.execute(
        select(Donor.tenant_id, Donor.donor_code)
        .where(
            Donor.tenant_id.in_({d.tenant_id for d in given}),
            Donor.donor_code.in_({d.donor_code for d in given}),
        )
        .group_by(Donor.tenant_id, Donor.donor_code)
        .having(func.count() > 1)
    )
    return {(tenant_id, code) for tenant_id, code in found}


def _records(session: Session, rows: list[tuple[Person, Donor | None]]) -> dict[int, DonorRecord]:
    """Per person, the record linked to it, or else the one with the code the donor gave."""
    codes = {d.donor_code for _, d in rows if d is not None}
    candidates = session.scalars(
        select(DonorRecord).where(
            DonorRecord.tenant_id.in_({p.tenant_id for p, _ in rows}),
            or_(DonorRecord.code.in_(codes), DonorRecord.person_id.in_({p.id for p, _ in rows})),
        )
    ).all()
    linked = {r.person_id: r for r in candidates if r.person_id is not None}
    coded = {(r.tenant_id, r.code): r for r in candidates}
    found = {}
    for person, donor in rows:
        record = linked.get(person.id)
        if record is None and donor is not None:
            record = coded.get((person.tenant_id, donor.donor_code))
        if record is not None:
            found[person.id] = record
    return found


def _bookings(
    session: Session, ids: Collection[int]
) -> tuple[dict[int, list[LiveFact]], dict[int, dt.datetime], dict[int, list[HeldFact]]]:
    """Per person: the live appointments, soonest first; when the last own cancel was; what is held."""
    live: dict[int, list[LiveFact]] = defaultdict(list)
    cancels: dict[int, dt.datetime] = {}
    held: dict[int, list[HeldFact]] = defaultdict(list)
    chosen = and_(Appointment.status == AppointmentStatus.HELD, ~by_offer())
    own_cancel = and_(
        Appointment.status == AppointmentStatus.CANCELLED,
        Appointment.ended_by == ActorKind.ACCOUNT,
    )
    for row in session.execute(
        select(
            Appointment.person_id,
            Appointment.id,
            Appointment.starts_at,
            Appointment.status,
            Appointment.ended_at,
            Appointment.schedule_id,
            Appointment.slot_id,
            Appointment.hold_until,
            DonationType.name_ru,
            DonationType.name_en,
            DonationType.kind,
        )
        .join(DonationType, DonationType.id == Appointment.donation_type_id)
        .where(
            Appointment.person_id.in_(ids), or_(Appointment.status.in_(COUNTED), chosen, own_cancel)
        )
        .order_by(Appointment.starts_at)
    ):
        if row.status in COUNTED:
            live[row.person_id].append(
                LiveFact(
                    row.id, row.starts_at, Words(row.name_ru, row.name_en), row.kind, row.status
                )
            )
        elif row.status is AppointmentStatus.HELD:
            held[row.person_id].append(
                HeldFact(row.id, row.schedule_id, row.slot_id, row.starts_at, row.hold_until)
            )
        elif row.ended_at is not None:
            known = cancels.get(row.person_id, row.ended_at)
            cancels[row.person_id] = max(known, row.ended_at)
    return live, cancels, held


@dataclass(frozen=True)
class Pauses:
    """Notices of pauses in force, by donation type and branch (None: every branch)."""

    notices: dict[tuple[int, int | None], DonationPause]

    def of(self, schedule: Schedule) -> DonationPause | None:
        key = schedule.donation_type_id
        return self.notices.get((key, None)) or self.notices.get((key, schedule.organization_id))


def pauses(session: Session, *, now: dt.datetime) -> Pauses:
    rows = session.scalars(
        select(DonationPause).where(
            DonationPause.starts_at <= now,
            or_(DonationPause.ends_at.is_(None), DonationPause.ends_at > now),
        )
    )
    return Pauses({(row.donation_type_id, row.organization_id): row for row in rows})


def of_schedule(
    schedule: Schedule,
    organization: Organization,
    kind: DonationKind,
    *,
    pause: DonationPause | None = None,
    starts_at: dt.datetime | None = None,
) -> SlotFacts:
    """Facts of a day, or with ``starts_at`` of one place of it."""
    first = instant(schedule.date, schedule.start_time, organization.time_zone)
    last = instant(schedule.date, schedule.end_time, organization.time_zone)
    return SlotFacts(
        starts_at=starts_at or first,
        ends_at=starts_at or last,
        date=schedule.date,
        time_zone=organization.time_zone,
        kind=kind,
        status=schedule.status,
        blood_types=schedule.blood_types,
        kell=schedule.kell,
        sex=schedule.sex,
        first_time=schedule.first_time,
        pause_notice=Words(pause.notice_ru, pause.notice_en) if pause else None,
    )
