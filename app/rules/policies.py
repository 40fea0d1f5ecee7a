"""Which version of the booking policy holds, and the medical numbers valid on a date."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.directory import Department
from app.models.donation_type import DonationInterval, DonationLimit
from app.models.enums import DonationKind, Sex
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.rules.errors import N_, RuleError


class NoPolicy(RuleError):
    code = "no_policy"
    text = N_(
        "This organization has no booking policy yet. The administrator sets it up under “Policies”."
    )


@dataclass(frozen=True)
class About:
    """What a booking is for, as far as policies attach to it."""

    organizations: tuple[int, ...] = ()
    """The branch, then what it is part of, up to the legal body."""
    departments: tuple[int, ...] = ()
    """The practitioner's, then what it stands under."""
    service_id: int | None = None
    donation_type_id: int | None = None


Rank = tuple[bool, bool, int, int, dt.datetime, int]


def rank(policy: BookingPolicy, about: About) -> Rank | None:
    """Of several policies the one with the highest rank holds; None: this one is about something else.

    From the most specific: a service in a department, a service, a department, an organization, everything.
    A service comes before a department because what is done decides how it is booked (who pays, who has to
    allow it), wherever it is done, and a department is one place among others; so does a donation type
    come before a branch. Of departments and of organizations the nearest wins, and what holds for one
    holds for all under it that have none of their own. Among equals it is the newest that has begun.
    Donations are of no department and visits of no donation type, so those two never meet.
    policy_query.policy_of says the same in SQL.
    """
    if policy.donation_type_id not in (None, about.donation_type_id):
        return None
    if policy.service_id not in (None, about.service_id):
        return None
    department = _nearness(policy.department_id, about.departments)
    organization = _nearness(policy.organization_id, about.organizations)
    if department is None or organization is None:
        return None
    return (
        policy.donation_type_id is not None,
        policy.service_id is not None,
        department,
        organization,
        policy.valid_from,
        policy.id,
    )


EVERYWHERE = -1000
"""Less near than anything up a tree of departments or organizations."""


def _nearness(attached: int | None, chain: tuple[int, ...]) -> int | None:
    """0 for the place itself, less for what is above it; None: it is not there at all."""
    if attached is None:
        return EVERYWHERE
    return -chain.index(attached) if attached in chain else None


def chain(start: int | None, above: Mapping[int, int | None]) -> tuple[int, ...]:
    """``start`` and the keys above it, the nearest first; ``above``: key → the key it is part of."""
    found: list[int] = []
    while start is not None and start not in found:
        found.append(start)
        start = above.get(start)
    return tuple(found)


def effective(
    session: Session,
    *,
    tenant_id: int,
    now: dt.datetime,
    organization_id: int | None = None,
    department_id: int | None = None,
    service_id: int | None = None,
    donation_type_id: int | None = None,
) -> BookingPolicy:
    """The newest version already valid of the most specific that fit (``rank``).

    One query, and one more for each tree that a policy hangs in. Raises NoPolicy.
    """
    known = versions(session, tenant_ids=[tenant_id], now=now, numbers=False)
    return known.policy(
        tenant_id=tenant_id,
        organization_id=organization_id,
        department_id=department_id,
        service_id=service_id,
        donation_type_id=donation_type_id,
    )


@dataclass(frozen=True)
class MedicalNumbers:
    """Intervals in days by (from, to), and yearly limits by (kind, sex)."""

    intervals: dict[tuple[DonationKind, DonationKind], int]
    limits: dict[tuple[DonationKind, Sex | None], int]


NO_NUMBERS = MedicalNumbers({}, {})


def medical_numbers(session: Session, *, tenant_id: int, on: dt.date) -> MedicalNumbers:
    """The numbers valid on the visit's date: of each, the newest whose ``valid_from`` has come."""
    intervals = session.execute(
        select(DonationInterval.from_kind, DonationInterval.to_kind, DonationInterval.days)
        .where(DonationInterval.tenant_id == tenant_id, DonationInterval.valid_from <= on)
        .order_by(DonationInterval.valid_from)
    )
    limits = session.execute(
        select(DonationLimit.kind, DonationLimit.sex, DonationLimit.times)
        .where(DonationLimit.tenant_id == tenant_id, DonationLimit.valid_from <= on)
        .order_by(DonationLimit.valid_from)
    )
    return MedicalNumbers(
        intervals={(row.from_kind, row.to_kind): row.days for row in intervals},
        limits={(row.kind, row.sex): row.times for row in limits},
    )


@dataclass(frozen=True)
class Versions:
    """Policies and medical numbers of some tenants, loaded once for a whole list of days."""

    policies: tuple[BookingPolicy, ...]
    """Oldest first, only those already valid."""
    intervals: tuple[DonationInterval, ...]
    limits: tuple[DonationLimit, ...]
    organizations: Mapping[int, int | None]
    """Key → the key it is part of; empty where no policy is about an organization."""
    departments: Mapping[int, int | None]
    """The same of departments."""

    def policy(
        self,
        *,
        tenant_id: int,
        organization_id: int | None,
        department_id: int | None = None,
        service_id: int | None = None,
        donation_type_id: int | None = None,
    ) -> BookingPolicy:
        """As ``effective``. Raises NoPolicy."""
        about = About(
            chain(organization_id, self.organizations),
            chain(department_id, self.departments),
            service_id,
            donation_type_id,
        )
        fitting = [
            (found, row)
            for row in self.policies
            if row.tenant_id == tenant_id and (found := rank(row, about)) is not None
        ]
        if not fitting:
            raise NoPolicy()
        return max(fitting, key=itemgetter(0))[1]

    def numbers(self, *, tenant_id: int, on: dt.date) -> MedicalNumbers:
        """As ``medical_numbers``."""
        return MedicalNumbers(
            intervals={
                (row.from_kind, row.to_kind): row.days
                for row in self.intervals
                if row.tenant_id == tenant_id and row.valid_from <= on
            },
            limits={
                (row.kind, row.sex): row.times
                for row in self.limits
                if row.tenant_id == tenant_id and row.valid_from <= on
            },
        )


def by_organization(
    session: Session, *, organizations: Collection[Organization], now: dt.datetime
) -> dict[int, BookingPolicy]:
    """The policy for visits at each of these organizations that has one, by its id, as far as no department
    or service has another. One query, and one more where branches have their own."""
    tenants = {row.tenant_id for row in organizations}
    known = versions(session, tenant_ids=tenants, now=now, numbers=False, departments={})
    found = {}
    for row in organizations:
        with contextlib.suppress(NoPolicy):
            found[row.id] = known.policy(tenant_id=row.tenant_id, organization_id=row.id)
    return found


def versions(
    session: Session,
    *,
    tenant_ids: Collection[int],
    now: dt.datetime,
    numbers: bool = True,
    departments: Mapping[int, int | None] | None = None,
    policies: tuple[BookingPolicy, ...] | None = None,
) -> Versions:
    """Everything ``effective`` and ``medical_numbers`` may be asked about these tenants. Three queries,
    one without ``numbers``, where there are no donations to count from; and one more for each tree that
    a policy hangs in: that of ``departments`` may be given (key → the one above) or left out (empty).
    ``policies``: if they are read already, oldest first."""
    if policies is None:
        policies = tuple(
            session.scalars(
                select(BookingPolicy)
                .where(BookingPolicy.tenant_id.in_(tenant_ids), BookingPolicy.valid_from <= now)
                .order_by(BookingPolicy.valid_from, BookingPolicy.id)
            )
        )
    places: dict[int, int | None] = {}
    if any(policy.organization_id is not None for policy in policies):
        places = dict(
            session.execute(
                select(Organization.id, Organization.part_of_id).where(
                    Organization.root_id.in_(tenant_ids)
                )
            ).all()
        )
    if departments is None:
        departments = {}
        if any(policy.department_id is not None for policy in policies):
            departments = dict(
                session.execute(
                    select(Department.id, Department.part_of_id).where(
                        Department.tenant_id.in_(tenant_ids)
                    )
                ).all()
            )
    if not numbers:
        return Versions(policies, (), (), places, departments)
    intervals = session.scalars(
        select(DonationInterval)
        .where(DonationInterval.tenant_id.in_(tenant_ids))
        .order_by(DonationInterval.valid_from)
    ).all()
    limits = session.scalars(
        select(DonationLimit)
        .where(DonationLimit.tenant_id.in_(tenant_ids))
        .order_by(DonationLimit.valid_from)
    ).all()
    return Versions(policies, tuple(intervals), tuple(limits), places, departments)
