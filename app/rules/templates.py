"""Weekly patterns: making and changing them. A change never moves a slot that exists already."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from app.models.directory import HealthcareService
from app.models.organization import Organization
from app.models.scope import scope_of
from app.models.template import ScheduleTemplate, TemplateLine
from app.rules import audit
from app.rules.access import reaches
from app.rules.actor import Actor
from app.rules.errors import N_, NotFound, RuleError
from app.rules.sittings import Line
from app.rules.template_lines import LinesWrong, faults

MOST_LINES = 100


class NoLines(RuleError):
    code = "no_lines"
    text = N_("A template needs at least one line: a weekday with its hours.")


class TooManyLines(RuleError):
    code = "too_many_lines"
    text = N_("A template has at most %(limit)s lines. Make two of it, please.")


class NoTitle(RuleError):
    code = "no_title"
    text = N_("Give the template a name by which your colleagues will know it.")


def create(
    session: Session,
    *,
    organization_id: int,
    title: str,
    lines: Sequence[Line],
    actor: Actor,
    now: dt.datetime,
) -> ScheduleTemplate:
    """A new pattern of this organization. Raises NoTitle, NoLines, TooManyLines, LinesWrong, NotFound."""
    organization = session.get(Organization, organization_id)
    if organization is None or not reaches(scope_of(session), organization_id):
        raise NotFound()
    assert actor.id is not None
    _check(session, organization.tenant_id, title, lines)
    template = ScheduleTemplate(
        tenant_id=organization.tenant_id,
        organization_id=organization_id,
        title=title.strip(),
        created_at=now,
        created_by_id=actor.id,
        lines=[_row(line) for line in lines],
    )
    session.add(template)
    session.flush()  # the audit needs the id
    audit.record(
        session,
        verb="template.create",
        subject=template,
        actor=actor,
        now=now,
        changes={"title": [None, template.title], "lines": [0, len(lines)]},
    )
    return template


def change(
    session: Session,
    *,
    template_id: int,
    title: str,
    lines: Sequence[Line],
    actor: Actor,
    now: dt.datetime,
) -> ScheduleTemplate:
    """Other lines from now on; what was published stays. Raises as ``create`` does."""
    template = _own(session, template_id)
    _check(session, template.tenant_id, title, lines)
    before = (template.title, len(template.lines))
    template.title = title.strip()
    template.lines = [_row(line) for line in lines]
    audit.record(
        session,
        verb="template.edit",
        subject=template,
        actor=actor,
        now=now,
        changes={"title": [before[0], template.title], "lines": [before[1], len(lines)]},
    )
    return template


def switch(
    session: Session, *, template_id: int, is_active: bool, actor: Actor, now: dt.datetime
) -> ScheduleTemplate:
    """Offer it for publishing, or no more."""
    template = _own(session, template_id)
    if template.is_active is not is_active:
        template.is_active = is_active
        audit.record(session, verb="template.switch", subject=template, actor=actor, now=now)
    return template


def lines_of(template: ScheduleTemplate) -> tuple[Line, ...]:
    """The pattern as rules use it, by weekday and hour."""
    rows = sorted(template.lines, key=lambda row: (row.weekday, row.start_time))
    return tuple(
        Line(
            weekday=row.weekday,
            start=row.start_time,
            end=row.end_time,
            step_minutes=row.step_minutes,
            times=tuple(map(dt.time.fromisoformat, row.times)),
            kind=row.kind,
            channel=row.channel,
            web_share=row.web_share,
            service_id=row.service_id,
        )
        for row in rows
    )


def listed(session: Session) -> list[ScheduleTemplate]:
    """Every template in scope with its lines: those in use first, by name."""
    return list(
        session.scalars(
            select(ScheduleTemplate)
            .options(selectinload(ScheduleTemplate.lines))
            .order_by(ScheduleTemplate.is_active.desc(), ScheduleTemplate.title)
        )
    )


def named(session: Session, uid: uuid.UUID) -> ScheduleTemplate:
    """Raises NotFound."""
    found = session.scalars(
        select(ScheduleTemplate)
        .options(selectinload(ScheduleTemplate.lines))
        .where(ScheduleTemplate.uid == uid)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def places(session: Session) -> list[Organization]:
    """Where the session's scope may keep templates: whatever takes patients, and its root."""
    rows = session.scalars(
        select(Organization)
        .where(Organization.takes_patients, Organization.is_active)
        .order_by(Organization.root_id.is_not(None), Organization.short_name)
    )
    return [row for row in rows if reaches(scope_of(session), row.id)]


def services(
    session: Session, *, tenant_id: int, besides: Sequence[int] = ()
) -> list[HealthcareService]:
    """What a line may be for; with ``besides`` also retired ones that stand there already."""
    return list(
        session.scalars(
            select(HealthcareService)
            .where(
                HealthcareService.tenant_id == tenant_id,
                or_(HealthcareService.is_active, HealthcareService.id.in_(besides)),
            )
            .order_by(HealthcareService.position, HealthcareService.name_ru)
        )
    )


def _check(session: Session, tenant_id: int, title: str, lines: Sequence[Line]) -> None:
    if not title.strip():
        raise NoTitle()
    if not lines:
        raise NoLines()
    if len(lines) > MOST_LINES:
        raise TooManyLines(limit=MOST_LINES)
    wrong = faults(lines, services=[row.id for row in services(session, tenant_id=tenant_id)])
    if wrong:
        raise LinesWrong(wrong)


def _own(session: Session, template_id: int) -> ScheduleTemplate:
    template = session.scalars(
        select(ScheduleTemplate)
        .where(ScheduleTemplate.id == template_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if template is None or not reaches(scope_of(session), template.organization_id):
        raise NotFound()
    return template


def _row(line: Line) -> TemplateLine:
    return TemplateLine(
        weekday=line.weekday,
        start_time=line.start,
        end_time=line.end,
        step_minutes=line.step_minutes,
        times=[f"{time:%H:%M}" for time in line.times],
        kind=line.kind,
        channel=line.channel,
        web_share=line.web_share,
        service_id=line.service_id,
    )
