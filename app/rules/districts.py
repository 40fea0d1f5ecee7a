"""Districts: which one serves an address, who is its doctor on a day, the list and the card staff edit.

Rows E41–E43 and E59. Houses of a street are in ``app.rules.district_streets``; what they mean is
``app.rules.house_ranges``.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.models.directory import PractitionerRole
from app.models.district import District, DistrictDoctor, DistrictRange
from app.models.enums import DistrictKind
from app.models.organization import Organization
from app.models.scope import scope_of
from app.rules import house_ranges, houses
from app.rules.access import reaches
from app.rules.clock import local_date
from app.rules.errors import NotFound
from app.rules.house_ranges import Span
from app.rules.streets import keys_typed

MOST_STREETS = 3000
"""Names offered beside the field of the public search."""


@dataclass(frozen=True)
class Serving:
    """A district that serves an address, and its doctor on the day asked for."""

    district: District
    doctor: DistrictDoctor | None
    street: str
    """As staff have written it."""
    house: str


@dataclass(frozen=True)
class Street:
    """A street of an organization's districts."""

    key: str
    street: str
    settlement: str
    ranges: int = 0

    def __str__(self) -> str:
        return f"{self.street}, {self.settlement}" if self.settlement else self.street


@dataclass(frozen=True)
class Card:
    """One line of the staff's list."""

    district: District
    doctor: DistrictDoctor | None
    ranges: int


# --- what patients ask


def organizations(session: Session) -> list[Organization]:
    """Those that take patients and have districts, by name."""
    return list(
        session.scalars(select(Organization).where(_searched()).order_by(Organization.short_name))
    )


def offered(session: Session) -> bool:
    """Whether there is anything to search: for the public navigation."""
    return session.scalar(select(Organization.id).where(_searched()).limit(1)) is not None


def _searched() -> ColumnElement[bool]:
    own = (
        select(District.id)
        .where(District.organization_id == Organization.id, District.is_active)
        .exists()
    )
    return and_(Organization.is_active, Organization.takes_patients, own)


def streets(
    session: Session, *, organization_id: int, text: str = "", most: int = MOST_STREETS
) -> list[Street]:
    """The organization's streets by name; with ``text`` only those whose key contains it."""
    query = (
        select(
            DistrictRange.street_key,
            func.min(DistrictRange.street),
            func.min(DistrictRange.settlement),
            func.count(),
        )
        .where(DistrictRange.organization_id == organization_id)
        .group_by(DistrictRange.street_key)
        .order_by(DistrictRange.street_key)
        .limit(most)
    )
    if text:
        query = query.where(DistrictRange.street_key.contains(text, autoescape=True))
    return [Street(*row) for row in session.execute(query)]


def serving(
    session: Session, *, organization: Organization, street: str, house: str, on: dt.date
) -> list[Serving]:
    """The district of each kind that serves the address, with its doctor on ``on``: two queries.

    Empty if nobody does. Raises StreetUnclear, HouseUnclear.
    """
    keys = keys_typed(street, home=organization.settlement)
    wanted = houses.parse(house)
    rows = session.scalars(
        select(DistrictRange)
        .join(DistrictRange.district)
        .options(contains_eager(DistrictRange.district))
        .where(
            DistrictRange.organization_id == organization.id,
            DistrictRange.street_key.in_(keys),
            District.is_active,
        )
    ).all()
    there = {row.street_key for row in rows}
    key = next((key for key in keys if key in there), None)
    own = {span_of(row): row for row in rows if row.street_key == key}
    found = house_ranges.matching(list(own), wanted)
    rows = [own[span] for _kind, span in sorted(found.items(), key=_kind_order)]
    doctors = doctors_on(session, district_ids=[row.district_id for row in rows], on=on)
    return [
        Serving(row.district, doctors.get(row.district_id), row.street, str(wanted)) for row in rows
    ]


def _kind_order(pair: tuple[DistrictKind, Span]) -> int:
    return list(DistrictKind).index(pair[0])


def span_of(row: DistrictRange) -> Span:
    """A stored range as ``app.rules.house_ranges`` sees it. The district has to be loaded."""
    return Span(
        row.district.kind,
        row.district.number,
        row.parity,
        row.first_house,
        row.last_house,
        frozenset(map(houses.parse, row.houses)),
        frozenset(map(houses.parse, row.except_houses)),
    )


def doctors_on(
    session: Session, *, district_ids: Collection[int], on: dt.date
) -> dict[int, DistrictDoctor]:
    """District → who is its doctor on that day, with name and specialty: one query, none for nobody."""
    if not district_ids:
        return {}
    query = (
        select(DistrictDoctor)
        .options(
            joinedload(DistrictDoctor.role).joinedload(PractitionerRole.practitioner),
            joinedload(DistrictDoctor.role).joinedload(PractitionerRole.specialty),
        )
        .where(
            DistrictDoctor.district_id.in_(district_ids),
            DistrictDoctor.starts_on <= on,
            or_(DistrictDoctor.ends_on.is_(None), DistrictDoctor.ends_on >= on),
        )
        .order_by(DistrictDoctor.starts_on)
    )
    return {row.district_id: row for row in session.scalars(query)}


# --- what staff see


def places(session: Session) -> list[Organization]:
    """Organizations in reach that take patients: where districts may be."""
    rows = session.scalars(
        select(Organization)
        .where(Organization.takes_patients, Organization.is_active)
        .order_by(Organization.short_name, Organization.id)
    )
    return [row for row in rows if reaches(scope_of(session), row.id)]


def cards(
    session: Session,
    *,
    organization: Organization,
    kind: DistrictKind | None = None,
    now: dt.datetime,
) -> list[Card]:
    """The organization's districts by kind and number, with today's doctor: three queries."""
    query = select(District).where(District.organization_id == organization.id)
    if kind is not None:
        query = query.where(District.kind == kind)
    rows = sorted(session.scalars(query), key=_in_order)
    numbers = session.execute(
        select(DistrictRange.district_id, func.count())
        .where(DistrictRange.organization_id == organization.id)
        .group_by(DistrictRange.district_id)
    )
    counted = {key: number for key, number in numbers}
    today = local_date(now, organization.time_zone)
    doctors = doctors_on(session, district_ids=[row.id for row in rows], on=today)
    return [Card(row, doctors.get(row.id), counted.get(row.id, 0)) for row in rows]


def _in_order(row: District) -> tuple[int, int, str]:
    """№2 before №10 (row E21: №1, №10, №11)."""
    digits = "".join(c for c in row.number if c in "0123456789")
    return list(DistrictKind).index(row.kind), int(digits or 0), row.number


def in_order(rows: Iterable[District]) -> list[District]:
    """By kind, then by number as people count."""
    return sorted(rows, key=_in_order)


def of_organization(session: Session, *, organization_id: int) -> list[District]:
    """All its districts, in order."""
    query = select(District).where(District.organization_id == organization_id)
    return in_order(session.scalars(query))


def named(session: Session, *, uid: uuid.UUID) -> District:
    """With its organization and doctors. Raises NotFound."""
    row = session.scalars(
        select(District)
        .options(
            joinedload(District.organization),
            joinedload(District.doctors)
            .joinedload(DistrictDoctor.role)
            .joinedload(PractitionerRole.practitioner),
        )
        .where(District.uid == uid)
    ).unique()
    found = row.one_or_none()
    if found is None:
        raise NotFound()
    return found


def streets_of(session: Session, *, district_id: int) -> list[Street]:
    """The streets this district has houses of, by name: one query."""
    query = (
        select(
            DistrictRange.street_key,
            func.min(DistrictRange.street),
            func.min(DistrictRange.settlement),
            func.count(),
        )
        .where(DistrictRange.district_id == district_id)
        .group_by(DistrictRange.street_key)
        .order_by(DistrictRange.street_key)
        .limit(MOST_STREETS)
    )
    return [Street(*row) for row in session.execute(query)]


def receiving(
    session: Session, *, organization_id: int, besides: Sequence[int] = ()
) -> list[PractitionerRole]:
    """Who may be a district's doctor there, by name; ``besides``: also those who have left."""
    rows = session.scalars(
        select(PractitionerRole)
        .options(joinedload(PractitionerRole.practitioner), joinedload(PractitionerRole.specialty))
        .where(
            PractitionerRole.organization_id == organization_id,
            or_(PractitionerRole.is_active, PractitionerRole.id.in_(besides)),
        )
    )
    return sorted(rows, key=lambda role: (role.practitioner.search_name, role.id))
