"""How far ahead the site is open at one institution, whose departments and services may differ in it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, case, func, literal
from sqlalchemy.orm import Session

from app.models.directory import PractitionerRole
from app.models.organization import Organization
from app.models.schedule import Schedule, Slot
from app.rules import policies
from app.rules.clock import local_date, midnight
from app.rules.directory import Institution
from app.rules.policies import NoPolicy, Versions

DAYS_AHEAD = 14
"""How far ahead the site is open where no policy says so."""


def horizon(days: int, *, zone: str, now: dt.datetime) -> dt.datetime:
    """The first instant that is not open yet, ``days`` ahead on the institution's calendar."""
    return midnight(local_date(now, zone) + dt.timedelta(days=days + 1), zone)


@dataclass(frozen=True)
class Horizons:
    """Asked for every time of a list; reckoned once for each department and service that differ."""

    place: Organization
    versions: Versions
    now: dt.datetime
    _days: dict[tuple[int | None, int | None], int] = field(default_factory=dict)

    def days(self, department_id: int | None, service_id: int | None) -> int:
        """Days ahead, as the policy says that holds for this service in this department."""
        key = (department_id, service_id)
        if key not in self._days:
            try:
                policy = self.versions.policy(
                    tenant_id=self.place.tenant_id,
                    organization_id=self.place.id,
                    department_id=department_id,
                    service_id=service_id,
                )
                self._days[key] = policy.book_days_ahead
            except NoPolicy:
                self._days[key] = DAYS_AHEAD
        return self._days[key]

    def until(self, department_id: int | None, service_id: int | None) -> dt.datetime:
        """The first instant that is not open yet, on the institution's calendar."""
        days = self.days(department_id, service_id)
        return horizon(days, zone=self.place.time_zone, now=self.now)

    def until_in_sql(self, meant: Any) -> Any:
        """The same for the PractitionerRole and the Schedule of a query; ``meant``: what a sitting for no
        service of its own is for. The conditions stand from the most specific on: the first one counts."""
        services = {row.service_id for row in self.versions.policies if row.service_id}
        departments: set[int] = set()
        if any(row.department_id for row in self.versions.policies):
            departments = {*self.versions.departments}
        kind = Slot.starts_at.type
        cases = []
        for service_id in (*sorted(services), None):
            general = self.until(None, service_id)
            what = []
            if service_id is not None:
                what = [func.coalesce(Schedule.service_id, meant) == service_id]
            for department_id in sorted(departments):
                until = self.until(department_id, service_id)
                if until != general:
                    here = PractitionerRole.department_id == department_id
                    cases.append((and_(here, *what), literal(until, kind)))
            if what:
                cases.append((and_(*what), literal(general, kind)))
        everywhere = literal(self.until(None, None), kind)
        if all(until.value == everywhere.value for _, until in cases):
            return everywhere
        return case(*cases, else_=everywhere)


def of(session: Session, *, institution: Institution, now: dt.datetime) -> Horizons:
    """One query, none where the institution was read with its policies; one more where branches have policies
    of their own."""
    leaves = (leaf.department for leaf in institution.leaves)
    known = policies.versions(
        session,
        tenant_ids=[institution.organization.tenant_id],
        now=now,
        numbers=False,
        departments={each.id: each.part_of_id for each in leaves},
        policies=institution.policies,
    )
    return Horizons(institution.organization, known, now)
