"""Which policy holds, as a part of a query: what app.rules.policies.rank says, in SQL.

A day or a time is read with its policy by one query (docs/decisions/0011); lists load the versions once
and ask app.rules.policies.Versions.
"""

from __future__ import annotations

import datetime as dt
import uuid
from functools import cache
from typing import Any

from sqlalchemy import CTE, ScalarSelect, Select, func, literal, or_, select
from sqlalchemy.orm import aliased

from app.models.directory import (
    Department,
    HealthcareService,
    PractitionerRole,
    PractitionerService,
)
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.models.schedule import Schedule
from app.rules.policies import EVERYWHERE


def policy_of(now: dt.datetime) -> ScalarSelect[Any]:
    """The key of the policy that holds for a donors' Schedule of the enclosing query."""
    return _of_donors().where(BookingPolicy.valid_from <= now).scalar_subquery()


def policy_of_visit(now: dt.datetime, service_id: Any) -> ScalarSelect[Any]:
    """The same for a practitioner's Schedule, whose PractitionerRole stands in the enclosing query too.

    ``service_id``: what the visit is for, an expression of those two (``service_of``).
    """
    return (
        _of_patients()
        .where(
            BookingPolicy.valid_from <= now,
            or_(BookingPolicy.service_id.is_(None), BookingPolicy.service_id == service_id),
        )
        .scalar_subquery()
    )


@cache
def _of_donors() -> Select[Any]:
    """Put together once: that costs more than running it."""
    places = _chain(Organization, Schedule.organization_id, "places_above")
    return (
        select(BookingPolicy.id)
        .outerjoin(places, places.c.id == BookingPolicy.organization_id)
        .where(
            BookingPolicy.tenant_id == Schedule.tenant_id,
            BookingPolicy.service_id.is_(None),
            BookingPolicy.department_id.is_(None),
            or_(BookingPolicy.organization_id.is_(None), places.c.id.is_not(None)),
            or_(
                BookingPolicy.donation_type_id.is_(None),
                BookingPolicy.donation_type_id == Schedule.donation_type_id,
            ),
        )
        .order_by(
            BookingPolicy.donation_type_id.is_(None),
            _farness(places),
            BookingPolicy.valid_from.desc(),
            BookingPolicy.id.desc(),
        )
        .limit(1)
        .correlate(Schedule)
    )


@cache
def _of_patients() -> Select[Any]:
    places = _chain(Organization, Schedule.organization_id, "places_above")
    departments = _chain(Department, PractitionerRole.department_id, "departments_above")
    return (
        select(BookingPolicy.id)
        .outerjoin(places, places.c.id == BookingPolicy.organization_id)
        .outerjoin(departments, departments.c.id == BookingPolicy.department_id)
        .where(
            BookingPolicy.tenant_id == Schedule.tenant_id,
            BookingPolicy.donation_type_id.is_(None),
            or_(BookingPolicy.department_id.is_(None), departments.c.id.is_not(None)),
            or_(BookingPolicy.organization_id.is_(None), places.c.id.is_not(None)),
        )
        .order_by(
            BookingPolicy.service_id.is_(None),
            _farness(departments),
            _farness(places),
            BookingPolicy.valid_from.desc(),
            BookingPolicy.id.desc(),
        )
        .limit(1)
        .correlate(Schedule, PractitionerRole)
    )


def service_of(wanted: uuid.UUID | None) -> Any:
    """The key of what a visit is for: the sitting's own service, else what ``meant`` says."""
    return func.coalesce(Schedule.service_id, meant(wanted))


def meant(wanted: uuid.UUID | None) -> ScalarSelect[Any]:
    """The key of the service ``wanted`` of the PractitionerRole of the enclosing query, if he gives it;
    without a wish that of the only one he gives. Empty: nothing says which."""
    if wanted is None:
        return _given().having(func.count() == 1).scalar_subquery()
    return _given().where(HealthcareService.uid == wanted).scalar_subquery()


@cache
def _given() -> Select[Any]:
    return (
        select(func.min(HealthcareService.id))
        .join(PractitionerService, PractitionerService.service_id == HealthcareService.id)
        .where(
            PractitionerService.practitioner_id == PractitionerRole.practitioner_id,
            HealthcareService.is_active,
        )
        .correlate(PractitionerRole)
    )


def _chain(model: type[Organization] | type[Department], start: Any, name: str) -> CTE:
    """A row and those above it, with the number of steps up to each."""
    own = (
        select(model.id, model.part_of_id, literal(0).label("steps"))
        .where(model.id == start)
        .correlate(Schedule, PractitionerRole)
        .cte(name, recursive=True, nesting=True)
    )
    above = aliased(model)
    return own.union_all(
        select(above.id, above.part_of_id, own.c.steps + 1).join(own, own.c.part_of_id == above.id)
    )


def _farness(rows: CTE) -> Any:
    return func.coalesce(rows.c.steps, -EVERYWHERE)
