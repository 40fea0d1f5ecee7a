"""«Талоны на приём» of an account: what is ahead, and what is past, month by month (E49, D17–D22).

Donations and visits to doctors stand in one list: the account may be a donor, a patient and a family at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, not_, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from app.models.account import AccountPerson
from app.models.appointment import Appointment
from app.models.directory import PractitionerRole
from app.models.enums import AppointmentStatus, Relation
from app.models.organization import Organization
from app.models.person import Person
from app.models.review import Review
from app.models.schedule import Schedule
from app.models.scope import widened
from app.rules import families
from app.rules.cabinet import HIDDEN, WITH_TICKET
from app.rules.clock import local_date
from app.rules.patient_visits import OWN, Reader

ON_A_PAGE = 20
MOST_AHEAD = 50
MOST_CARDS = 60
Row = TypeVarTuple("Row")
Edge = tuple[dt.datetime, int]
"""Start and key of the last ticket of a page: the next page begins after it."""


@dataclass(frozen=True)
class Card:
    """A card that the account keeps: whose it is, and in which organization."""

    person: Person
    relation: Relation
    tenant: Organization
    account_person_id: int


def kept_cards(session: Session, *, account_id: int, now: dt.datetime) -> list[Card]:
    """The cards open to an account: oneself first, in the order in which they were linked. One query."""
    with widened(session, "the cards of this account"):
        rows = session.execute(
            select(AccountPerson, Person, Organization)
            .join(Person, Person.id == AccountPerson.person_id)
            .join(Organization, Organization.id == Person.tenant_id)
            .where(AccountPerson.account_id == account_id, families.open_at(now))
            .order_by(AccountPerson.relation != Relation.SELF, AccountPerson.id)
            .limit(MOST_CARDS)
        ).all()
    return [Card(person, link.relation, root, link.id) for link, person, root in rows]


@dataclass(frozen=True)
class Ticket:
    """One booking, and how it was rated."""

    row: Appointment
    stars: int | None = None


@dataclass(frozen=True)
class Past:
    """A page of what is over, by month (the first day of each), newest first; ``older`` begins the next."""

    months: Sequence[tuple[dt.date, Sequence[Ticket]]]
    older: Edge | None


def ahead(
    session: Session, *, person_ids: Collection[int], reader: Reader, now: dt.datetime
) -> Sequence[Appointment]:
    """What the account and its browser have ahead, the soonest first. One query."""
    with widened(session, OWN):
        return session.scalars(
            _whole(select(Appointment))
            .where(
                or_(Appointment.person_id.in_(person_ids), reader.whose()),
                _is_ahead(now),
            )
            .order_by(Appointment.starts_at, Appointment.id)
            .limit(MOST_AHEAD)
        ).all()


def past(
    session: Session, *, person_ids: Collection[int], now: dt.datetime, before: Edge | None = None
) -> Past:
    """What is over for these people: visits, and what was cancelled or refused. One query, paged by key."""
    query = (
        _whole(select(Appointment, Review.stars))
        .outerjoin(Review, Review.appointment_id == Appointment.id)
        .where(
            Appointment.person_id.in_(person_ids),
            Appointment.status.not_in(HIDDEN),
            not_(_is_ahead(now)),
        )
        .order_by(Appointment.starts_at.desc(), Appointment.id.desc())
        .limit(ON_A_PAGE + 1)
    )
    if before is not None:
        query = query.where(tuple_(Appointment.starts_at, Appointment.id) < before)
    with widened(session, OWN):
        found = [Ticket(row, stars) for row, stars in session.execute(query)]
    shown = found[:ON_A_PAGE]
    months: dict[dt.date, list[Ticket]] = {}
    for ticket in shown:
        zone = ticket.row.organization.time_zone
        month = local_date(ticket.row.starts_at, zone).replace(day=1)
        months.setdefault(month, []).append(ticket)
    last = shown[-1].row if len(found) > ON_A_PAGE else None
    return Past(tuple(months.items()), (last.starts_at, last.id) if last else None)


def _is_ahead(now: dt.datetime) -> ColumnElement[bool]:
    return and_(Appointment.status.in_(WITH_TICKET), Appointment.starts_at > now)


def _whole(query: Select[*Row]) -> Select[*Row]:
    """With all that a ticket says, of a donation and of a visit to a doctor."""
    return query.options(
        joinedload(Appointment.slot),
        joinedload(Appointment.service),
        joinedload(Appointment.donation_type),
        joinedload(Appointment.organization),
        joinedload(Appointment.policy),
        joinedload(Appointment.reason),
        joinedload(Appointment.person),
        joinedload(Appointment.schedule).options(
            joinedload(Schedule.service),
            joinedload(Schedule.role).options(
                joinedload(PractitionerRole.practitioner),
                joinedload(PractitionerRole.specialty),
                joinedload(PractitionerRole.department),
            ),
        ),
    )


def can_be_rated(ticket: Ticket) -> bool:
    """«Оценить приём» (E51): after the visit, once."""
    return ticket.row.status is AppointmentStatus.FULFILLED and ticket.stars is None
