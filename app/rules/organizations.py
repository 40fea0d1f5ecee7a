"""Making organizations and branches, with the rows a new one starts from (app/data)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.enums import (
    OrganizationKind,
    ScheduleStatus,
    SlotStatus,
)
from app.models.organization import Organization
from app.models.schedule import Schedule, Slot
from app.models.scope import scope_of
from app.rules import access, audit, pages, starters
from app.rules.actor import Actor
from app.rules.clock import local_date
from app.rules.errors import N_, NotAllowed, RuleError


class UnknownZone(RuleError):
    code = "unknown_zone"
    text = N_("There is no time zone “%(name)s”. Names look like Europe/Moscow.")


def create_root(session: Session, *, actor: Actor, now: dt.datetime, **fields: Any) -> Organization:
    """A new legal body (``fields`` of Organization) with its policy, numbers, types, reasons and consent text.

    Raises UnknownZone, NotASite, HalfCoordinates.
    """
    _demand_zone(fields.get("time_zone", "Europe/Moscow"))
    _demand_facts(fields)
    kind = fields.pop("kind", OrganizationKind.BLOOD_CENTRE)
    root = Organization(kind=kind, **fields)
    session.add(root)
    session.flush()  # the first rows need the id
    audit.record(
        session,
        verb="organization.create",
        subject=root,
        actor=actor,
        now=now,
        tenant_id=root.id,
        changes={"name": [None, root.name]},
    )
    if kind is OrganizationKind.BLOOD_CENTRE:
        starters.blood_centre(session, root.id, now)
    else:
        starters.polyclinic(session, root.id, now)
    pages.start(session, tenant_id=root.id, now=now)
    session.flush()
    return root


def create_branch(
    session: Session, *, part_of: Organization, actor: Actor, now: dt.datetime, **fields: Any
) -> Organization:
    """A branch of an organization (row A13); its zone may differ from the root's. Raises UnknownZone."""
    fields.setdefault("time_zone", part_of.time_zone)
    _demand_zone(fields["time_zone"])
    _demand_facts(fields)
    branch = Organization(
        kind=OrganizationKind.BRANCH, part_of_id=part_of.id, root_id=part_of.tenant_id, **fields
    )
    session.add(branch)
    session.flush()  # the audit needs the id
    audit.record(
        session,
        verb="organization.create",
        subject=branch,
        actor=actor,
        now=now,
        tenant_id=branch.tenant_id,
        changes={"name": [None, branch.name]},
    )
    return branch


def _demand_zone(name: str) -> None:
    if name not in available_timezones():
        raise UnknownZone(name=name)


class ZoneInUse(RuleError):
    code = "zone_in_use"
    text = N_(
        "Days are published there already, with their hours in the present zone. Close them first, or make a new branch."
    )


class NotASite(RuleError):
    code = "not_a_site"
    text = N_("The address of the site begins with https:// or http://.")


class HalfCoordinates(RuleError):
    code = "half_coordinates"
    text = N_("Give both the latitude (up to 90) and the longitude (up to 180), or neither.")


class PatientsAhead(RuleError):
    code = "patients_ahead"
    text = N_("Doctors’ times are published there up to %(date)s. Close them first.")


class StillParent(RuleError):
    code = "still_parent"
    text = N_("Branches still work under it. Switch them off first.")


def demand_over(session: Session, organization_id: int) -> None:
    """The reader's roles are held over that organization. Raises NotAllowed."""
    if not access.reaches(scope_of(session), organization_id):
        raise NotAllowed()


def change(
    session: Session,
    *,
    organization: Organization,
    actor: Actor,
    now: dt.datetime,
    **fields: Any,
) -> Organization:
    """Write ``fields`` of an organization.

    Raises NotAllowed, UnknownZone, ZoneInUse, StillParent, NotASite, HalfCoordinates, PatientsAhead.
    """
    demand_over(session, organization.id)
    zone = fields.get("time_zone", organization.time_zone)
    if zone != organization.time_zone:
        _demand_zone(zone)
        _demand_no_days(session, organization, now)
    if organization.is_active and fields.get("is_active") is False:
        _demand_no_branches(session, organization)
    _demand_facts(fields)
    off = fields.get("is_active") is False or fields.get("takes_patients") is False
    if organization.takes_patients and off:
        _demand_no_receptions(session, organization, now)
    for name, value in fields.items():
        setattr(organization, name, value)
    audit.record(
        session,
        verb="organization.edit",
        subject=organization,
        actor=actor,
        now=now,
        tenant_id=organization.tenant_id,
    )
    return organization


def _demand_no_days(session: Session, organization: Organization, now: dt.datetime) -> None:
    """Published days hold their hours and their instants: a new zone would tear them apart."""
    ahead = session.scalar(
        select(Schedule.id)
        .where(
            Schedule.organization_id == organization.id,
            Schedule.date >= now.date() - dt.timedelta(days=1),
            Schedule.status != ScheduleStatus.CLOSED,
        )
        .limit(1)
    )
    if ahead is not None:
        raise ZoneInUse()


def _demand_facts(fields: dict[str, Any]) -> None:
    """What stands on the institution's page can be shown there: links go nowhere but to sites."""
    site = fields.get("site", "")
    if site and not site.startswith(("https://", "http://")):
        raise NotASite()
    north, east = fields.get("latitude"), fields.get("longitude")
    if (north is None) != (east is None):
        raise HalfCoordinates()
    if north is not None and east is not None and not (abs(north) <= 90 and abs(east) <= 180):
        raise HalfCoordinates()


def _demand_no_receptions(session: Session, organization: Organization, now: dt.datetime) -> None:
    last = session.scalar(
        select(func.max(Slot.starts_at)).where(
            Slot.organization_id == organization.id,
            Slot.role_id.is_not(None),
            Slot.status != SlotStatus.CLOSED,
            Slot.starts_at > now,
        )
    )
    if last is not None:
        raise PatientsAhead(date=local_date(last, organization.time_zone))


def _demand_no_branches(session: Session, organization: Organization) -> None:
    working = session.scalar(
        select(Organization.id)
        .where(Organization.part_of_id == organization.id, Organization.is_active)
        .limit(1)
    )
    if working is not None:
        raise StillParent()


def in_scope(session: Session) -> list[Organization]:
    """Every organization the reader's roles are held over, branches after their root."""
    scope = scope_of(session)
    rows = [row for row in session.scalars(select(Organization)) if access.reaches(scope, row.id)]
    return sorted(rows, key=lambda row: (row.tenant_id, row.root_id is not None, row.short_name))
