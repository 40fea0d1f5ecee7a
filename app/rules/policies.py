"""Which version of the booking policy holds, and the medical numbers valid on a date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

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


def effective(
    session: Session,
    *,
    tenant_id: int,
    now: dt.datetime,
    organization_id: int | None = None,
    donation_type_id: int | None = None,
) -> BookingPolicy:
    """The newest version already valid; one for a type beats one for a branch beats the general one.

    Raises NoPolicy.
    """
    rows = session.scalars(
        select(BookingPolicy)
        .where(
            BookingPolicy.tenant_id == tenant_id,
            BookingPolicy.valid_from <= now,
            or_(
                BookingPolicy.organization_id.is_(None),
                BookingPolicy.organization_id == organization_id,
            ),
            or_(
                BookingPolicy.donation_type_id.is_(None),
                BookingPolicy.donation_type_id == donation_type_id,
            ),
        )
        .order_by(BookingPolicy.valid_from, BookingPolicy.id)
    ).all()
    if not rows:
        raise NoPolicy()
    return max(
        rows,
        key=rank,
    )


def rank(policy: BookingPolicy) -> tuple[bool, bool, dt.datetime, int]:
    """Of several policies that fit, the one with the highest rank holds (donor_day.policy_of agrees)."""
    return (
        policy.donation_type_id is not None,
        policy.organization_id is not None,
        policy.valid_from,
        policy.id,
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

    def policy(
        self, *, tenant_id: int, organization_id: int, donation_type_id: int
    ) -> BookingPolicy:
        """As ``effective``. Raises NoPolicy."""
        fitting = [
            row
            for row in self.policies
            if row.tenant_id == tenant_id
            and row.organization_id in (None, organization_id)
            and row.donation_type_id in (None, donation_type_id)
        ]
        if not fitting:
            raise NoPolicy()
        return max(
            fitting,
            key=rank,
        )

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
    """The policy for doctors' visits of each of these organizations that has one, by its id. One query."""
    tenants = {row.tenant_id for row in organizations}
    known = versions(session, tenant_ids=tenants, now=now, numbers=False)
    found = {}
    for row in organizations:
        fitting = [
            policy
            for policy in known.policies
            if policy.tenant_id == row.tenant_id
            and policy.organization_id in (None, row.id)
            and policy.donation_type_id is None
        ]
        if fitting:
            found[row.id] = max(fitting, key=rank)
    return found


def versions(
    session: Session, *, tenant_ids: Collection[int], now: dt.datetime, numbers: bool = True
) -> Versions:
    """Everything ``effective`` and ``medical_numbers`` may be asked about these tenants. Three queries;
    one without ``numbers``, where there are no donations to count from."""
    policies = session.scalars(
        select(BookingPolicy)
        .where(BookingPolicy.tenant_id.in_(tenant_ids), BookingPolicy.valid_from <= now)
        .order_by(BookingPolicy.valid_from, BookingPolicy.id)
    ).all()
    if not numbers:
        return Versions(tuple(policies), (), ())
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
    return Versions(tuple(policies), tuple(intervals), tuple(limits))
