"""Schedules of the demo's polyclinics: weekly templates, weeks published from them, absences, withdrawn times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.directory import Practitioner, PractitionerRole
from app.models.enums import Channel, PublicationKind, ScheduleStatus, SlotKind, SlotStatus
from app.models.schedule import Publication, Schedule, Slot
from app.models.template import ScheduleTemplate
from app.rules import absences as absence_rules
from app.rules import drafts, publishing, sitting_previews, slot_acts, templates
from app.rules.clock import local_date
from app.rules.matrix import Dates
from app.rules.sittings import Line, Plan
from app.seeds.clinic_directory import Roles
from app.seeds.clinics import Clinic

DAY = dt.timedelta(days=1)
PAST = 7 * DAY
"""How far back the first publication reaches: so that there are visits that are over."""
WEEKS = 4
"""From tomorrow on (row E22)."""


def make(
    session: Session,
    clinic: Clinic,
    receive: Roles,
    services: Mapping[str, int],
    *,
    now: dt.datetime,
) -> list[Plan]:
    """The templates of the file; for each a plan without dates."""
    plans = []
    for key, row in clinic.data["templates"].items():
        template = templates.create(
            session,
            organization_id=clinic.place(row.get("branch")).id,
            title=row["title"],
            lines=list(_lines(row["lines"], services)),
            actor=clinic.scheduler,
            now=now,
        )
        role_ids = tuple(role.id for role in receive[key])
        plans.append(Plan(template.id, role_ids, Dates(), templates.lines_of(template)))
    return plans


def _lines(rows: list[dict[str, Any]], services: Mapping[str, int]) -> Iterator[Line]:
    """«135» are Monday, Wednesday and Friday."""
    for row in rows:
        start, end = map(dt.time.fromisoformat, row["hours"].split("-"))
        for weekday in row["days"]:
            yield Line(
                weekday=int(weekday),
                start=start,
                end=end,
                step_minutes=row["step"],
                times=tuple(map(dt.time.fromisoformat, row.get("times", "").split())),
                kind=SlotKind(row.get("kind", SlotKind.PLANNED)),
                channel=Channel(row.get("channel", Channel.WEB)),
                web_share=row.get("share"),
                service_id=services[row["service"]] if "service" in row else None,
            )


def publish(
    session: Session,
    clinic: Clinic,
    plans: list[Plan],
    *,
    first: dt.date,
    last: dt.date,
    now: dt.datetime,
) -> None:
    """Each plan for the days from ``first`` to ``last``, under the name of the template's institution."""
    places = {place.id: place for place in (clinic.root, *clinic.branches.values())}
    for plan in plans:
        assert plan.template_id is not None
        template = session.get_one(ScheduleTemplate, plan.template_id)
        draft = drafts.save(
            session,
            tenant_id=clinic.root.id,
            matrix=Plan(plan.template_id, plan.role_ids, Dates(first, last), plan.lines),
            title=places[template.organization_id].short_name,
            actor=clinic.scheduler,
            now=now,
        )
        publishing.publish(session, publication_id=draft.id, actor=clinic.scheduler, now=now)


def lie_ahead(session: Session, clinic: Clinic, *, now: dt.datetime) -> bool:
    """Whether a day after today is published there."""
    today = local_date(now, clinic.root.time_zone)
    query = select(Schedule.id).where(
        Schedule.tenant_id == clinic.root.id,
        Schedule.role_id.is_not(None),
        Schedule.status == ScheduleStatus.PUBLISHED,
        Schedule.date > today,
    )
    return session.scalar(query.limit(1)) is not None


def plans_again(session: Session, clinic: Clinic) -> list[Plan]:
    """Of each template what was published last, by its lines of now, for who still receives there."""
    rows = session.scalars(
        select(Publication)
        .where(
            Publication.tenant_id == clinic.root.id,
            Publication.kind == PublicationKind.PATIENTS,
            Publication.published_at.is_not(None),
        )
        .order_by(Publication.id)
    )
    newest = {plan.template_id: plan for plan in (Plan.from_json(row.matrix) for row in rows)}
    active = {row.id: row for row in templates.listed(session) if row.is_active}
    found = []
    for template_id, plan in newest.items():
        there = sitting_previews.roles_of(session, tenant_id=clinic.root.id, role_ids=plan.role_ids)
        role_ids = tuple(key for key in plan.role_ids if key in there)
        if template_id in active and role_ids:
            lines = templates.lines_of(active[template_id])
            found.append(Plan(template_id, role_ids, Dates(), lines))
    return found


def absences(
    session: Session, clinic: Clinic, *, before: bool, today: dt.date, now: dt.datetime
) -> None:
    """Those of the file that were known ``before`` publishing, or came later: free times are closed then."""
    for row in clinic.data.get("absences", ()):
        if row.get("before", False) is not before:
            continue
        role = _role(session, clinic, row["doctor"]) if "doctor" in row else None
        place = role.organization if role else clinic.place(row["branch"])
        first, last = (today + days * DAY for days in row["days"])
        absence_rules.add(
            session,
            organization_id=place.id,
            role_id=role.id if role else None,
            first=first,
            last=last,
            reason=row["reason"],
            actor=clinic.scheduler,
            now=now,
        )


def meeting(session: Session, clinic: Clinic, *, now: dt.datetime) -> None:
    """The last free times of a doctor's next day are withdrawn."""
    row = clinic.data.get("meeting")
    if row is None:
        return
    role = _role(session, clinic, row["doctor"])
    ahead = [
        slot
        for slot in session.scalars(
            select(Slot)
            .where(Slot.role_id == role.id, Slot.starts_at > now + DAY)
            .order_by(Slot.starts_at)
            .limit(30)
        )
        if slot.status is SlotStatus.FREE
    ]
    if not ahead:
        return
    same_day = [slot for slot in ahead if slot.schedule_id == ahead[0].schedule_id]
    slot_acts.close(
        session,
        slot_uids=[slot.uid for slot in same_day[-row["slots"] :]],
        role_id=role.id,
        actor=clinic.scheduler,
        now=now,
    )


def _role(session: Session, clinic: Clinic, family_name: str) -> PractitionerRole:
    """The first role of the doctor of that name."""
    return session.scalars(
        select(PractitionerRole)
        .join(PractitionerRole.practitioner)
        .where(
            PractitionerRole.tenant_id == clinic.root.id, Practitioner.family_name == family_name
        )
        .order_by(PractitionerRole.id)
        .limit(1)
    ).one()
