"""Reading the queue of requests: soonest first, paged by key, filtered."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment, RejectionReason
from app.models.directory import Practitioner, PractitionerRole
from app.models.donation_type import DonationType
from app.models.enums import AppointmentStatus
from app.models.organization import Organization
from app.models.schedule import Schedule
from app.rules.clock import midnight

MOST_COUNTED = 1000
"""A number on a page is counted up to here and then reads «more than 1000»: counts over big tables are slow."""

LONGEST_UNDO = dt.timedelta(hours=1)
"""No decision older than this is looked at for «undo»; policies give a minute."""


@dataclass(frozen=True)
class QueueFilter:
    """What the registrar has chosen to see. Dates are the branches' own."""

    organization_ids: tuple[int, ...] = ()
    """Empty: every organization in scope."""
    donation_type_id: int | None = None
    date_from: dt.date | None = None
    date_to: dt.date | None = None
    overdue: bool = False
    status: AppointmentStatus = AppointmentStatus.PENDING
    of_patients: bool = False
    """Patients' requests for practitioners; donors' requests otherwise."""
    practitioner_id: int | None = None


@dataclass(frozen=True)
class Position:
    """A row's place in the order of the queue, for paging by key."""

    starts_at: dt.datetime
    id: int

    @classmethod
    def of(cls, appointment: Appointment) -> Position:
        return cls(appointment.starts_at, appointment.id)

    def before(self) -> ColumnElement[bool]:
        """SQL: rows that come before this one (the first half is what an index can begin with)."""
        earlier = or_(Appointment.starts_at < self.starts_at, Appointment.id < self.id)
        return and_(Appointment.starts_at <= self.starts_at, earlier)

    def after(self) -> ColumnElement[bool]:
        """SQL: rows that come after this one."""
        later = or_(Appointment.starts_at > self.starts_at, Appointment.id > self.id)
        return and_(Appointment.starts_at >= self.starts_at, later)


def loaded() -> Select[Appointment]:
    """Appointments with all that the queue and the checks read of them, in one query."""
    return select(Appointment).options(
        joinedload(Appointment.person),
        joinedload(Appointment.slot),
        joinedload(Appointment.schedule),
        joinedload(Appointment.organization),
        joinedload(Appointment.donation_type),
        joinedload(Appointment.policy),
    )


def kind(*, of_patients: bool) -> ColumnElement[bool]:
    """SQL: a patient's booking of a practitioner, or a donor's of a donation."""
    column = Appointment.donation_type_id
    return column.is_(None) if of_patients else column.is_not(None)


def conditions(chosen: QueueFilter, *, now: dt.datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        Appointment.status == chosen.status,
        kind(of_patients=chosen.of_patients),
    ]
    if chosen.status is AppointmentStatus.PENDING:
        found.append(Appointment.starts_at > now)
    if chosen.organization_ids:
        found.append(Appointment.organization_id.in_(chosen.organization_ids))
    if chosen.donation_type_id is not None:
        found.append(Appointment.donation_type_id == chosen.donation_type_id)
    if chosen.practitioner_id is not None:
        theirs = select(PractitionerRole.id).where(
            PractitionerRole.practitioner_id == chosen.practitioner_id
        )
        found.append(
            Appointment.schedule_id.in_(select(Schedule.id).where(Schedule.role_id.in_(theirs)))
        )
    dates = []
    if chosen.date_from is not None:
        # the index is on instants: a day more on each side, then the branch's own date exactly
        found.append(Appointment.starts_at >= midnight(chosen.date_from, "Etc/GMT-14"))
        dates.append(Schedule.date >= chosen.date_from)
    if chosen.date_to is not None:
        after = chosen.date_to + dt.timedelta(days=1)
        found.append(Appointment.starts_at < midnight(after, "Etc/GMT+12"))
        dates.append(Schedule.date <= chosen.date_to)
    if dates:
        found.append(Appointment.schedule_id.in_(select(Schedule.id).where(*dates)))
    if chosen.overdue:
        found.append(Appointment.decide_by <= now)
    return found


def page(
    session: Session,
    chosen: QueueFilter,
    *,
    now: dt.datetime,
    size: int,
    after: Position | None = None,
    before: Position | None = None,
) -> list[Appointment]:
    """``size`` requests after a position, or the last ``size`` before one; soonest visit first."""
    query = loaded().where(*conditions(chosen, now=now))
    if after is not None:
        query = query.where(after.after())
    if before is not None:
        backwards = query.where(before.before()).order_by(
            Appointment.starts_at.desc(), Appointment.id.desc()
        )
        return list(session.scalars(backwards.limit(size)).unique())[::-1]
    forwards = query.order_by(Appointment.starts_at, Appointment.id)
    return list(session.scalars(forwards.limit(size)).unique())


def ids(
    session: Session,
    chosen: QueueFilter,
    *,
    now: dt.datetime,
    limit: int,
    after: Position | None = None,
) -> list[int]:
    """Ids of the whole filter, soonest first, at most ``limit``."""
    query = select(Appointment.id).where(*conditions(chosen, now=now))
    if after is not None:
        query = query.where(after.after())
    return list(session.scalars(query.order_by(Appointment.starts_at, Appointment.id).limit(limit)))


def ids_of(session: Session, uids: Collection[uuid.UUID]) -> list[int]:
    """Ids of the requests picked by their outside names, soonest first; unknown ones are left out."""
    return list(
        session.scalars(
            select(Appointment.id)
            .where(Appointment.uid.in_(set(uids)))
            .order_by(Appointment.starts_at, Appointment.id)
        )
    )


def by_ids(session: Session, appointment_ids: Collection[int]) -> list[Appointment]:
    """These requests, loaded as a page is."""
    query = loaded().where(Appointment.id.in_(appointment_ids))
    ordered = query.order_by(Appointment.starts_at, Appointment.id)
    return list(session.scalars(ordered).unique())


def position_of(session: Session, uid: uuid.UUID) -> Position | None:
    """Where a request stands or stood in the queue; it may have been decided since."""
    row = session.execute(
        select(Appointment.starts_at, Appointment.id).where(Appointment.uid == uid)
    ).one_or_none()
    return None if row is None else Position(row.starts_at, row.id)


def beside(
    session: Session, chosen: QueueFilter, at: Position, *, now: dt.datetime, ahead: bool
) -> uuid.UUID | None:
    """The nearest request after a position (``ahead``), or before it."""
    query = select(Appointment.uid).where(*conditions(chosen, now=now)).limit(1)
    if ahead:
        query = query.where(at.after()).order_by(Appointment.starts_at, Appointment.id)
    else:
        query = query.where(at.before()).order_by(
            Appointment.starts_at.desc(), Appointment.id.desc()
        )
    return session.scalar(query)


def next_to(
    session: Session, chosen: QueueFilter, at: Position, *, now: dt.datetime
) -> uuid.UUID | None:
    """The request after a position, or else the one before it: where to go on after a decision."""
    return beside(session, chosen, at, now=now, ahead=True) or beside(
        session, chosen, at, now=now, ahead=False
    )


def count(session: Session, chosen: QueueFilter, *, now: dt.datetime) -> int:
    """How many, counted up to MOST_COUNTED + 1."""
    some = (
        select(Appointment.id)
        .where(*conditions(chosen, now=now))
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(some)) or 0


def overdue(session: Session, chosen: QueueFilter, *, now: dt.datetime) -> int:
    return count(session, replace(chosen, overdue=True), now=now)


@dataclass(frozen=True)
class Decided:
    """The latest decision of one registrar that can still be undone; ``count`` if many at once."""

    appointment: Appointment
    count: int


def last_decided(
    session: Session, *, staff_user_id: int, now: dt.datetime, of_patients: bool = False
) -> Decided | None:
    """What «undo» would undo now: decisions made in one go are undone in one go."""
    mine = (
        Appointment.decided_by_id == staff_user_id,
        Appointment.decided_at > now - LONGEST_UNDO,
        Appointment.undo_until > now,
        kind(of_patients=of_patients),
    )
    latest = session.scalars(
        loaded()
        .where(*mine)
        .order_by(Appointment.decided_at.desc(), Appointment.starts_at, Appointment.id)
        .limit(1)
    ).first()
    if latest is None:
        return None
    together = select(func.count()).where(*mine, Appointment.decided_at == latest.decided_at)
    return Decided(latest, session.scalar(together) or 1)


def organizations(session: Session) -> list[Organization]:
    """What the reader's filter offers: every organization in scope, branches after their root."""
    rows = session.scalars(select(Organization).where(Organization.is_active)).all()
    return sorted(rows, key=lambda o: (o.tenant_id, o.root_id is not None, o.short_name))


def places(organizations: Sequence[Organization]) -> dict[int, str]:
    """What each is called in a narrow list: by its settlement where that is enough, else by its name."""
    taken = Counter(row.settlement for row in organizations)
    return {
        row.id: row.settlement if row.settlement and taken[row.settlement] == 1 else row.short_name
        for row in organizations
    }


def under(organization: Organization, among: Collection[Organization]) -> tuple[int, ...]:
    """Ids of an organization and of everything below it."""
    found = {organization.id}
    grown = True
    while grown:
        below = {o.id for o in among if o.part_of_id in found}
        grown = not below <= found
        found |= below
    return tuple(sorted(found))


def reasons(session: Session, *, tenant_id: int) -> list[RejectionReason]:
    """The reasons in use, in the order the organization has given them (row A32)."""
    return list(
        session.scalars(
            select(RejectionReason)
            .where(RejectionReason.tenant_id == tenant_id, RejectionReason.is_active)
            .order_by(RejectionReason.position, RejectionReason.id)
        )
    )


def practitioners(session: Session) -> list[Practitioner]:
    """Practitioners that the filter of patients' requests offers, by name."""
    works = select(PractitionerRole.practitioner_id).where(PractitionerRole.is_active)
    return list(
        session.scalars(
            select(Practitioner)
            .where(Practitioner.id.in_(works), Practitioner.is_active)
            .order_by(Practitioner.search_name, Practitioner.id)
        )
    )


def types(session: Session) -> list[DonationType]:
    """Donation types that the filter offers, each organization's in its own order."""
    return list(
        session.scalars(
            select(DonationType).order_by(
                DonationType.tenant_id, DonationType.position, DonationType.id
            )
        )
    )
