"""Reading the directory: settlements, institutions that take patients, their departments and services.

Read functions only, each with a fixed number of queries (rows B2–B5, D5–D6, E3, E17–E21, E36–E38). What
doctors of an institution are free when is ``app.rules.week``; writing is ``app.rules.directory_edit``.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, radians
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.models.directory import (
    Department,
    HealthcareService,
    Practitioner,
    PractitionerRole,
    PractitionerService,
    Specialty,
)
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.rules.distances import Point
from app.rules.donors import folded
from app.rules.errors import NotFound, Words
from app.rules.starters import starter

MOST_INSTITUTIONS = 200


@cache
def department_kinds() -> Mapping[str, Words]:
    """Key → name, of app/data/department_kinds.json (row E62)."""
    return _words("department_kinds")


@cache
def institution_kinds() -> Mapping[str, Words]:
    """Key → name, of app/data/institutions.json (row E37)."""
    return _words("institutions")


def _words(name: str) -> dict[str, Words]:
    return {key: Words(each["ru"], each["en"]) for key, each in starter(name)["kinds"].items()}


def ensure_specialties(session: Session) -> int:
    """Add the specialties of app/data/specialties.json whose codes are not there; how many.

    What staff have renamed or switched off stays as it is.
    """
    there = set(session.scalars(select(Specialty.code)))
    new = [each for each in starter("specialties")["specialties"] if each["code"] not in there]
    session.add_all(Specialty(**each) for each in new)
    session.flush()
    return len(new)


# --- what the public may see at all


def taking_patients() -> ColumnElement[bool]:
    """The condition for an organization that patients can be booked with."""
    return and_(Organization.is_active, Organization.takes_patients)


def front(session: Session) -> tuple[list[Organization], bool]:
    """The legal bodies that take donors, and whether anybody takes patients: for every page's frame.

    One query, or two where nobody takes donors.
    """
    other = aliased(Organization)
    patients = select(other.id).where(other.is_active, other.takes_patients).exists()
    rows = session.execute(
        select(Organization, patients).where(donor_root()).order_by(Organization.short_name)
    ).all()
    if rows:
        return [row[0] for row in rows], bool(rows[0][1])
    return [], bool(session.scalar(select(patients)))


def donor_root() -> ColumnElement[bool]:
    """The condition for a legal body that takes donors."""
    return and_(
        Organization.part_of_id.is_(None), Organization.is_active, Organization.takes_donors
    )


def settlements(session: Session) -> list[tuple[str, int]]:
    """Every settlement with institutions that take patients, and how many, by the alphabet."""
    rows = session.execute(
        select(Organization.settlement, func.count())
        .where(taking_patients(), Organization.settlement != "")
        .group_by(Organization.settlement)
    )
    return sorted(((name, number) for name, number in rows), key=lambda pair: folded(pair[0]))


def by_letter(names: Iterable[tuple[str, int]]) -> list[tuple[str, list[tuple[str, int]]]]:
    """The settlements under their first letters (row E3); Ё stands with Е."""
    found: dict[str, list[tuple[str, int]]] = {}
    for name, number in names:
        found.setdefault(folded(name)[:1].upper(), []).append((name, number))
    return list(found.items())


@dataclass(frozen=True)
class Search:
    """What somebody looks for among the institutions (E37)."""

    settlement: str = ""
    kind: str = ""
    specialty: str = ""
    """Its code."""
    text: str = ""
    street: str = ""
    house: str = ""
    """An address: the institutions nearest to it come first."""

    @property
    def narrows(self) -> bool:
        return bool(self.kind or self.specialty or self.text or self.street or self.house)


def institutions(
    session: Session, *, search: Search, near: Point | None = None
) -> list[Organization]:
    """Institutions that take patients and fit, by settlement and name: one query.

    ``near``: if there are too many, those that are about the nearest to it.
    """
    query = select(Organization).where(taking_patients())
    if search.settlement:
        query = query.where(Organization.settlement == search.settlement)
    if search.kind:
        query = query.where(Organization.institution == search.kind)
    if search.specialty:
        query = query.where(
            select(PractitionerRole.id)
            .where(
                PractitionerRole.organization_id == Organization.id,
                PractitionerRole.is_active,
                PractitionerRole.specialty_id == Specialty.id,
                Specialty.code == search.specialty,
            )
            .exists()
        )
    for word in folded(search.text).split()[:6]:
        query = query.where(
            or_(
                *(
                    func.replace(func.lower(column), "ё", "е").contains(word, autoescape=True)
                    for column in (Organization.name, Organization.short_name, Organization.address)
                )
            )
        )
    if near is not None:
        query = query.order_by(_about(near))
    query = query.order_by(Organization.settlement, Organization.short_name)
    return list(session.scalars(query.limit(MOST_INSTITUTIONS)))


def taking(session: Session, *, uid: uuid.UUID | None) -> Organization | None:
    """The institution that takes patients, by its outside name, if it is one."""
    return session.scalars(
        select(Organization).where(taking_patients(), Organization.uid == uid)
    ).one_or_none()


def _about(near: Point) -> ColumnElement[float]:
    """Grows with the distance, as on a flat map; who has no coordinates is last."""
    north = Organization.latitude - near.latitude
    east = (Organization.longitude - near.longitude) * cos(radians(near.latitude))
    return func.coalesce(north * north + east * east, 1e9)


def specialties(session: Session) -> list[Specialty]:
    """Those in use somewhere that takes patients."""
    return list(
        session.scalars(
            select(Specialty)
            .where(
                Specialty.is_active,
                select(PractitionerRole.id)
                .where(PractitionerRole.specialty_id == Specialty.id, PractitionerRole.is_active)
                .exists(),
            )
            .order_by(Specialty.name_ru)
        )
    )


# --- one institution


@dataclass(frozen=True)
class Leaf:
    """A department with its place in the tree (E20)."""

    department: Department
    depth: int
    """0 at the top."""


def tree(departments: Iterable[Department]) -> list[Leaf]:
    """Depth first, in the order staff have given. What hangs under a department that is not among
    these stands at the top."""
    rows = sorted(departments, key=lambda each: (each.position, folded(each.name), each.id))
    ids = {each.id for each in rows}
    below: dict[int | None, list[Department]] = {}
    for each in rows:
        below.setdefault(each.part_of_id if each.part_of_id in ids else None, []).append(each)
    found: list[Leaf] = []
    waiting = [Leaf(each, 0) for each in reversed(below.get(None, []))]
    while waiting:
        leaf = waiting.pop()
        found.append(leaf)
        waiting += [
            Leaf(each, leaf.depth + 1) for each in reversed(below.get(leaf.department.id, []))
        ]
    return found


def under(leaves: Sequence[Leaf], department_id: int) -> set[int]:
    """Keys of the department and everything below it."""
    found = {department_id}
    for leaf in leaves:  # parents come before their children
        if leaf.department.part_of_id in found:
            found.add(leaf.department.id)
    return found


@dataclass(frozen=True)
class Institution:
    """What the head of an institution's page shows, and the frame around it."""

    organization: Organization
    leaves: tuple[Leaf, ...]
    roots: tuple[Organization, ...]
    """Legal bodies that take donors: the frame names the only one."""
    policies: tuple[BookingPolicy, ...] | None = None
    """Of its legal body, already valid, oldest first; None: not read."""

    @property
    def kind(self) -> Words | None:
        return institution_kinds().get(self.organization.institution)


def institution(session: Session, *, uid: uuid.UUID, now: dt.datetime | None = None) -> Institution:
    """An institution that takes patients, with its departments, in one query. Raises NotFound.

    With ``now`` also with the versions of policies that are valid by then, for app.rules.horizons.
    """
    wanted = and_(taking_patients(), Organization.uid == uid)
    here = aliased(Department)
    rows = session.execute(
        select(Organization, here, BookingPolicy)
        .outerjoin(here, and_(here.organization_id == Organization.id, here.is_active, wanted))
        .outerjoin(BookingPolicy, _beside_the_first(here, wanted, now))
        .where(or_(wanted, donor_root()))
    ).all()
    place = next((row[0] for row in rows if row[0].uid == uid and row[0].takes_patients), None)
    if place is None:
        raise NotFound()
    roots = {row[0].id: row[0] for row in rows}.values()
    return Institution(
        place,
        tuple(tree({row[1].id: row[1] for row in rows if row[1] is not None}.values())),
        tuple(root for root in roots if root.part_of_id is None and root.takes_donors),
        tuple(sorted(filter(None, (row[2] for row in rows)), key=attrgetter("valid_from", "id")))
        if now
        else None,
    )


def _beside_the_first(here: Any, wanted: Any, now: dt.datetime | None) -> ColumnElement[bool]:
    """The institution's policies stand beside its first department alone: they add to the rows, and multiply nothing."""
    if now is None:
        return false()
    others = aliased(Department)
    there = and_(others.organization_id == Organization.id, others.is_active)
    first = select(func.min(others.id)).where(there).correlate(Organization).scalar_subquery()
    return and_(
        wanted,
        BookingPolicy.tenant_id == func.coalesce(Organization.root_id, Organization.id),
        BookingPolicy.valid_from <= now,
        or_(here.id.is_(None), here.id == first),
    )


def services(session: Session, *, organization: Organization) -> list[HealthcareService]:
    """Services open for booking that somebody gives at this institution (B4): one query."""
    given = (
        select(PractitionerService.service_id)
        .join(Practitioner, Practitioner.id == PractitionerService.practitioner_id)
        .join(PractitionerRole, PractitionerRole.practitioner_id == Practitioner.id)
        .where(
            PractitionerRole.organization_id == organization.id,
            PractitionerRole.is_active,
            Practitioner.is_active,
        )
    )
    return list(
        session.scalars(
            select(HealthcareService)
            .where(HealthcareService.is_active, HealthcareService.id.in_(given))
            .order_by(HealthcareService.position, HealthcareService.name_ru)
        )
    )
