"""What publishing a plan of sittings would do now: the facts of the database, then the pure planning."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.directory import Practitioner, PractitionerRole
from app.models.district import District, DistrictDoctor
from app.models.enums import (
    Channel,
    DistrictKind,
    PublicationStatus,
    ScheduleStatus,
    SlotStatus,
)
from app.models.organization import Organization
from app.models.schedule import Publication, Schedule, Slot
from app.models.scope import widened
from app.models.template import ScheduleException
from app.rules.clock import local_date, midnight
from app.rules.errors import N_
from app.rules.matrix import MAX_RANGE
from app.rules.sitting_planning import (
    Away,
    Facts,
    Interval,
    Planned,
    Quota,
    Remark,
    RoleFacts,
    planned,
)
from app.rules.sittings import Plan, Sitting

MAX_SLOTS = 120_000
"""Slots of one publication: what one transaction makes in reasonable time."""
OPEN = (ScheduleStatus.PUBLISHED, ScheduleStatus.PAUSED)
POLICY = Path(__file__).parent.parent / "data" / "district_policy.json"
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Preview:
    """What publishing would do now: made, left out with reasons, and what forbids it altogether."""

    plan: Plan
    roles: dict[int, PractitionerRole]
    planned: Planned
    problems: list[Remark]

    @property
    def new(self) -> tuple[Sitting, ...]:
        return self.planned.sittings

    @property
    def left_out(self) -> tuple[Remark, ...]:
        return self.planned.left_out

    @property
    def slots(self) -> int:
        return sum(len(sitting.slots) for sitting in self.new)

    @property
    def on_web(self) -> int:
        return sum(sitting.on_web for sitting in self.new)


@cache
def default_quotas() -> dict[str, int]:
    """Web slots a day by adult and child districts (row C13)."""
    found: dict[str, int] = json.loads(POLICY.read_text(encoding="utf-8"))["web_quota"]
    return found


def web_quota(district: District) -> int:
    """The district's own number, else the policy's for its kind."""
    if district.web_quota is not None:
        return district.web_quota
    child = district.kind is DistrictKind.PAEDIATRIC
    return default_quotas()["child" if child else "adult"]


def preview_of(
    session: Session, publication: Publication, *, not_before: dt.datetime, lock: bool = False
) -> Preview:
    """What publishing it at ``not_before`` would make. ``lock``: whoever publishes for the same
    practitioners waits until the transaction ends. Eight queries, however many roles."""
    plan = Plan.from_json(publication.matrix)
    roles = roles_of(session, tenant_id=publication.tenant_id, role_ids=plan.role_ids)
    problems = list(_gaps(plan, roles))
    if problems and problems[0].code != "role_gone":
        return Preview(plan, roles, Planned((), ()), problems)
    if lock:
        lock_practitioners(session, roles.values())
    begun = publication.status is PublicationStatus.PUBLISHING
    facts = facts_of(
        session,
        roles.values(),
        first=plan.dates.first,
        last=plan.dates.last,
        without=publication.id if begun else None,
    )
    return Preview(plan, roles, planned(plan, facts, not_before=not_before), problems)


def roles_of(
    session: Session, *, tenant_id: int, role_ids: Sequence[int]
) -> dict[int, PractitionerRole]:
    """The chosen roles that are in use and in scope, with everything their names need."""
    rows = session.scalars(
        _choosable().where(
            PractitionerRole.tenant_id == tenant_id, PractitionerRole.id.in_(role_ids)
        )
    )
    return {row.id: row for row in rows}


def choices(session: Session, organization: Organization) -> list[PractitionerRole]:
    """Who may get a pattern of ``organization``: of a branch its own, of a root everybody's.

    By branch, department and name.
    """
    query = _choosable().where(PractitionerRole.tenant_id == organization.tenant_id)
    if organization.root_id is not None:
        query = query.where(PractitionerRole.organization_id == organization.id)
    rows = session.scalars(query)
    return sorted(rows, key=_place)


def _place(role: PractitionerRole) -> tuple[str, int, str, str]:
    department = role.department
    return (
        role.organization.short_name,
        department.position if department else -1,
        department.name if department else "",
        role.practitioner.full_name,
    )


def _choosable() -> Select[PractitionerRole]:
    return (
        select(PractitionerRole)
        .join(PractitionerRole.practitioner)
        .options(
            joinedload(PractitionerRole.practitioner),
            joinedload(PractitionerRole.specialty),
            joinedload(PractitionerRole.department),
            joinedload(PractitionerRole.organization),
        )
        .where(PractitionerRole.is_active, Practitioner.is_active)
    )


def _gaps(plan: Plan, roles: dict[int, PractitionerRole]) -> Iterator[Remark]:
    """What is missing or too much; a role that is gone forbids publishing, not looking."""
    if plan.dates.length > MAX_RANGE:
        text = N_("From the first to the last date there may be at most %(limit)s days.")
        yield Remark("long_range", text, {"limit": MAX_RANGE})
    if not plan.dates.days():
        yield Remark("no_dates", N_("No dates are chosen, or all of them are left out."))
    if not plan.lines:
        yield Remark("no_lines", N_("The pattern has no lines."))
    if not plan.role_ids:
        yield Remark("no_roles", N_("No practitioner is chosen."))
    asked = _asked(plan)
    if asked > MAX_SLOTS:
        text = N_(
            "That is up to %(slots)s slots; at most %(limit)s are published at once. Split it, please."
        )
        yield Remark("too_many", text, {"slots": asked, "limit": MAX_SLOTS})
    if len(roles) < len(set(plan.role_ids)):
        text = N_("A chosen practitioner receives here no more, or is not yours to publish for.")
        yield Remark("role_gone", text)


def _asked(plan: Plan) -> int:
    """Slots of the plan before anything is left out."""
    weekdays = Counter(date.isoweekday() for date in plan.dates.days())
    return sum(
        weekdays[line.weekday]
        * len(line.wall_slots())
        * (len(plan.role_ids) if line.role_id is None else 1)
        for line in plan.lines
    )


def lock_practitioners(session: Session, roles: Iterable[PractitionerRole]) -> None:
    """Whoever gives them slots too waits until this transaction ends."""
    ids = sorted({role.practitioner_id for role in roles})
    session.execute(
        select(Practitioner.id)
        .where(Practitioner.id.in_(ids))
        .order_by(Practitioner.id)
        .with_for_update(key_share=True)
    )


def facts_of(
    session: Session,
    roles: Iterable[PractitionerRole],
    *,
    first: dt.date | None,
    last: dt.date | None,
    without: int | None = None,
) -> Facts:
    """Exceptions, districts and what these practitioners have already, anywhere in the installation.

    ``without``: a publication whose own slots do not count, because it is being made.
    """
    facts = {
        role.id: RoleFacts(
            role.id, role.practitioner_id, role.organization_id, role.organization.time_zone
        )
        for role in roles
    }
    if first is None or not facts:
        return Facts(facts)
    last = last or first
    away = _away(session, {role.organization_id for role in facts.values()}, first, last)
    quotas = _quotas(session, facts)
    with widened(session, "a practitioner may receive in branches the scheduler does not see"):
        practitioners = {role.practitioner_id for role in facts.values()}
        every = session.execute(
            select(PractitionerRole.id, PractitionerRole.practitioner_id).where(
                PractitionerRole.practitioner_id.in_(practitioners)
            )
        )
        owners = {role_id: practitioner_id for role_id, practitioner_id in every}
        busy, on_web = _slots(session, owners, facts, first, last, without)
        opened = session.execute(
            select(Schedule.role_id, Schedule.date, Schedule.start_time).where(
                Schedule.role_id.in_(facts),
                Schedule.date.between(first, last),
                Schedule.status.in_(OPEN),
            )
        )
        keys = frozenset((row[0] or 0, row[1], row[2]) for row in opened)
    return Facts(facts, away, quotas, busy, keys, on_web)


def _away(
    session: Session, organization_ids: set[int], first: dt.date, last: dt.date
) -> list[Away]:
    rows = session.scalars(
        select(ScheduleException).where(
            ScheduleException.organization_id.in_(organization_ids),
            ScheduleException.first_day <= last,
            ScheduleException.last_day >= first,
        )
    )
    found = [
        Away(row.organization_id, row.role_id, row.first_day, row.last_day, row.reason)
        for row in rows
    ]
    return sorted(found, key=lambda each: each.role_id is not None)  # a closed day is said first


def _quotas(session: Session, roles: dict[int, RoleFacts]) -> list[Quota]:
    rows = session.scalars(
        select(DistrictDoctor)
        .join(DistrictDoctor.district)
        .options(joinedload(DistrictDoctor.district))
        .where(DistrictDoctor.role_id.in_(roles), District.is_active)
    )
    return [Quota(row.role_id, row.starts_on, row.ends_on, web_quota(row.district)) for row in rows]


def _slots(
    session: Session,
    owners: dict[int, int],
    roles: dict[int, RoleFacts],
    first: dt.date,
    last: dt.date,
    without: int | None,
) -> tuple[dict[int, list[Interval]], Counter[tuple[int, dt.date]]]:
    """Intervals by practitioner, joined where they touch, and web slots by role and date."""
    query = (
        select(Slot.role_id, Slot.starts_at, Slot.minutes, Slot.channel)
        .where(
            Slot.role_id.in_(owners),
            Slot.starts_at.between(midnight(first, "UTC") - DAY, midnight(last, "UTC") + 2 * DAY),
            Slot.status != SlotStatus.CLOSED,
        )
        .order_by(Slot.starts_at)
    )
    if without is not None:
        query = query.join(Slot.schedule).where(
            or_(Schedule.publication_id.is_(None), Schedule.publication_id != without)
        )
    rows = session.execute(query)
    busy: dict[int, list[Interval]] = defaultdict(list)
    on_web: Counter[tuple[int, dt.date]] = Counter()
    for role_id, starts_at, minutes, channel in rows:
        assert role_id is not None
        own = busy[owners[role_id]]
        ends_at = starts_at + dt.timedelta(minutes=minutes or 1)
        if own and starts_at <= own[-1][1]:
            own[-1] = (own[-1][0], max(own[-1][1], ends_at))
        else:
            own.append((starts_at, ends_at))
        if channel is Channel.WEB and role_id in roles:
            on_web[role_id, local_date(starts_at, roles[role_id].zone)] += 1
    return dict(busy), on_web
