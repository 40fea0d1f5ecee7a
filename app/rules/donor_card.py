"""Everything a donor card shows, read in a number of queries that does not grow with its history."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.models.account import Account
from app.models.appointment import Appointment
from app.models.audit import AccessEvent, AccessSubject
from app.models.donation_type import DonationType
from app.models.donor import Deferral, Donation, Donor, DonorRecord
from app.models.enums import AppointmentStatus, DonationKind
from app.models.message import Message
from app.models.organization import Organization
from app.models.person import Person
from app.models.policy import BookingPolicy
from app.rules import examination, facts, lookup, policies, visit_requests
from app.rules.checks import Examined
from app.rules.clock import local_date
from app.rules.comparison import Comparison, compared
from app.rules.corrections import account_of
from app.rules.eligibility import Refusal
from app.rules.facts import COUNTED, StaffFacts
from app.rules.queue import loaded
from app.rules.shown import MOST, Shown, most_of
from app.rules.standing import Standing, site_refusals, standings

AGAIN = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Seen:
    """Somebody had this card on a page."""

    at: dt.datetime
    action: str
    who: str


@dataclass(frozen=True)
class Card:
    who: StaffFacts
    account: Account | None
    tenant: Organization
    today: dt.date
    """The organization's own date."""
    twins: list[Person]
    """Other cards of this organization that give the same code."""
    comparisons: list[Comparison]
    standings: list[Standing]
    """Empty if the organization has no policy yet."""
    site: list[Refusal]
    upcoming: list[Examined]
    past: Shown[Appointment]
    deferrals: Shown[Deferral]
    donations: Shown[Donation]
    messages: Shown[Message]
    seen: Shown[Seen]

    @property
    def person(self) -> Person:
        return self.who.person

    @property
    def donor(self) -> Donor | None:
        return self.who.donor

    @property
    def record(self) -> DonorRecord | None:
        """The linked one, or the one that bears the donor's code."""
        return self.who.record

    @property
    def of_donor(self) -> bool:
        """Whether anything of giving blood is to be shown: not on the card of a polyclinic's patient."""
        known = self.donor or self.record or self.deferrals or self.donations
        return bool(known) or not self.tenant.takes_patients

    @property
    def strange(self) -> bool:
        """The record with this card's code is another donor's: nothing of it is this donor's."""
        return self.record is not None and self.record.person_id not in (None, self.person.id)

    @property
    def birth_date(self) -> dt.date | None:
        """By the card, or by a record that may be this donor's."""
        return self.person.birth_date if self.strange else self.who.facts.birth_date

    @property
    def age(self) -> int | None:
        """Full years today, by the card or by the record."""
        born = self.birth_date
        if born is None:
            return None
        return (
            self.today.year
            - born.year
            - ((self.today.month, self.today.day) < (born.month, born.day))
        )

    @property
    def linked(self) -> bool:
        return self.record is not None and self.record.person_id == self.person.id

    @property
    def failing(self) -> int:
        """How many bookings to come have a check that fails."""
        return sum(1 for examined in self.upcoming if examined.failing)


def card(session: Session, *, uid: uuid.UUID, now: dt.datetime, whole: bool = False) -> Card:
    """The card; of each list the latest lines, with ``whole`` all of them. Raises NotFound."""
    most = most_of(whole)
    person, who = person_of(session, uid=uid)
    tenant = session.get_one(Organization, person.tenant_id)
    account = account_of(session, person_id=person.id)
    policy = _policy(session, person.tenant_id, now)
    numbers = _numbers(session, person.tenant_id)
    place: dict[str, Any] = {"zone": tenant.time_zone, "now": now}
    bookings = _bookings(session, person.id, most)
    visit_requests.with_doctors(session, bookings)
    upcoming = [b for b in bookings if b.status in COUNTED and b.starts_at > now]
    past = Shown(b for b in bookings if b not in upcoming)
    past.more = bookings.more
    return Card(
        who=who,
        account=account,
        tenant=tenant,
        today=local_date(now, tenant.time_zone),
        twins=_twins(session, who),
        comparisons=compared(who),
        standings=[]
        if policy is None
        else standings(
            who.facts, _kinds(session, tenant.id), policy=policy, numbers=numbers, **place
        ),
        site=[]
        if policy is None
        else site_refusals(
            who.facts, policy=policy, numbers=numbers(local_date(now, tenant.time_zone)), **place
        ),
        upcoming=examination.examine(session, upcoming[::-1], now=now) if upcoming else [],
        past=past,
        deferrals=_deferrals(session, who, most),
        donations=_donations(session, who, most),
        messages=_messages(session, person, account, most),
        seen=seen_by(session, person_id=person.id, most=most),
    )


def person_of(session: Session, *, uid: uuid.UUID) -> tuple[Person, StaffFacts]:
    """The person of a card with the facts beside it. Raises NotFound."""
    person = lookup.person(session, uid=uid)
    return person, facts.for_staff(session, [person.id])[person.id]


def own_date(session: Session, person: Person, now: dt.datetime) -> dt.date:
    """Today, where this person's organization is."""
    return local_date(now, session.get_one(Organization, person.tenant_id).time_zone)


def _policy(session: Session, tenant_id: int, now: dt.datetime) -> BookingPolicy | None:
    try:
        return policies.effective(session, tenant_id=tenant_id, now=now)
    except policies.NoPolicy:
        return None


def _numbers(session: Session, tenant_id: int) -> Callable[[dt.date], policies.MedicalNumbers]:
    """Medical numbers by date, each date asked for once."""
    known: dict[dt.date, policies.MedicalNumbers] = {}

    def valid(on: dt.date) -> policies.MedicalNumbers:
        if on not in known:
            known[on] = policies.medical_numbers(session, tenant_id=tenant_id, on=on)
        return known[on]

    return valid


def _kinds(session: Session, tenant_id: int) -> set[DonationKind]:
    """What this organization takes."""
    return set(
        session.scalars(
            select(DonationType.kind).where(
                DonationType.tenant_id == tenant_id, DonationType.is_active
            )
        )
    )


def _twins(session: Session, who: StaffFacts) -> list[Person]:
    if who.donor is None:
        return []
    return list(
        session.scalars(
            select(Person)
            .join(Donor, Donor.person_id == Person.id)
            .where(
                Donor.tenant_id == who.person.tenant_id,
                Donor.donor_code == who.donor.donor_code,
                Donor.person_id != who.person.id,
            )
            .limit(5)
        )
    )


def _bookings(session: Session, person_id: int, most: int) -> Shown[Appointment]:
    """The latest visit first, with reasons and every event."""
    rows = session.scalars(
        loaded()
        .options(joinedload(Appointment.reason), selectinload(Appointment.events))
        .where(
            Appointment.person_id == person_id,
            Appointment.status.not_in((AppointmentStatus.HELD, AppointmentStatus.RELEASED)),
        )
        .order_by(Appointment.starts_at.desc(), Appointment.id.desc())
        .limit(most + 1)
    )
    return Shown.of(rows.unique(), most)


def _mine(model: type[Deferral] | type[Donation], who: StaffFacts) -> ColumnElement[bool]:
    """Of the card, or of its record, linked or not; never of a record that is another donor's."""
    own = model.person_id == who.person.id
    if who.record is None or who.record.person_id not in (None, who.person.id):
        return own
    return or_(own, and_(model.record_id == who.record.id, model.person_id.is_(None)))


def _deferrals(session: Session, who: StaffFacts, most: int) -> Shown[Deferral]:
    """Those that hold first, then by their beginning, the newest first."""
    rows = session.scalars(
        select(Deferral)
        .where(_mine(Deferral, who))
        .order_by(Deferral.withdrawn_at.is_not(None), Deferral.starts_on.desc(), Deferral.id.desc())
        .limit(most + 1)
    )
    return Shown.of(rows, most)


def _donations(session: Session, who: StaffFacts, most: int) -> Shown[Donation]:
    rows = session.scalars(
        select(Donation)
        .where(_mine(Donation, who))
        .order_by(Donation.on_date.desc(), Donation.id.desc())
        .limit(most + 1)
    )
    return Shown.of(rows, most)


def _messages(
    session: Session, person: Person, account: Account | None, most: int
) -> Shown[Message]:
    """What was sent to this person by this organization, newest first."""
    bookings = select(Appointment.id).where(Appointment.person_id == person.id)
    mine: ColumnElement[bool] = Message.appointment_id.in_(bookings)
    if account is not None:
        mine = or_(mine, and_(Message.account_id == account.id, Message.appointment_id.is_(None)))
    rows = session.scalars(
        select(Message)
        .where(mine, or_(Message.tenant_id == person.tenant_id, Message.tenant_id.is_(None)))
        .order_by(Message.id.desc())
        .limit(most + 1)
    )
    return Shown.of(rows, most)


def seen_by(
    session: Session,
    *,
    person_id: int | None = None,
    record_id: int | None = None,
    most: int = MOST,
) -> Shown[Seen]:
    """Who had this card or record on a page, newest first; the same again within an hour is one line."""
    owner = (
        AccessSubject.person_id == person_id
        if person_id is not None
        else AccessSubject.record_id == record_id
    )
    rows = session.execute(
        select(AccessEvent.at, AccessEvent.action, AccessEvent.staff_user_id)
        .join(AccessSubject, AccessSubject.event_id == AccessEvent.id)
        .where(owner)
        .order_by(AccessSubject.event_id.desc())
        .limit(most * 3)
    ).all()
    names = lookup.staff_names(session, {row.staff_user_id for row in rows})
    lines: list[Seen] = []
    last: dict[tuple[int, str], dt.datetime] = {}
    for row in rows:
        before = last.get((row.staff_user_id, row.action))
        if before is None or before - row.at > AGAIN:
            last[row.staff_user_id, row.action] = row.at
            lines.append(Seen(row.at, row.action, names.get(row.staff_user_id, "")))
    shown = Shown.of(lines, most)
    shown.more = shown.more or len(rows) == most * 3
    return shown
