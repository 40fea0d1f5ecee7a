"""What stands against a patient's visit, from what is known about the patient. The page, the booking and
its confirmation ask the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.directory import PractitionerRole
from app.models.enums import AppointmentStatus, Channel, ScheduleStatus
from app.models.policy import BookingPolicy
from app.models.schedule import Schedule, Slot
from app.models.scope import widened
from app.rules import visit_rights
from app.rules.clock import local_date
from app.rules.donor_day import Day
from app.rules.eligibility import CLOSED, Refusal
from app.rules.errors import N_
from app.rules.facts import COUNTED
from app.rules.held_place import by_offer
from app.rules.known import HeldFact
from app.rules.visit_rights import Rights

A = AppointmentStatus
OF_OTHERS = ("same_doctor", "same_time", "too_many")
"""Refusals that come of the person's other visits."""


@dataclass(frozen=True)
class Visit:
    """A live visit of the person: to whom, when, for how long."""

    appointment_id: int
    practitioner_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True)
class Visits:
    """What is known about one patient, or of a browser of which nobody knows whose it is."""

    live: tuple[Visit, ...] = ()
    held: tuple[HeldFact, ...] = ()
    rights: Rights | None = None
    """By attachment and referral; None where the policy asks for neither, at the desk, and for a browser of which
    nobody knows whose it is."""
    own: int | None = None
    """The booking that is looked at: what it has used up is open to it."""

    def without(self, appointment_id: int) -> Visits:
        """What stands against this booking itself: it is not counted."""
        live = tuple(visit for visit in self.live if visit.appointment_id != appointment_id)
        return replace(self, live=live, own=appointment_id)


def check(
    day: Day,
    known: Visits,
    *,
    starts_at: dt.datetime,
    minutes: int,
    now: dt.datetime,
    service_id: int | None = None,
) -> list[Refusal]:
    """Every reason against a visit at that time, the day's own first. Pure."""
    zone, policy = day.organization.time_zone, day.policy
    found = []
    if starts_at <= now:
        found.append(Refusal("past", N_("This time is over.")))
    if day.schedule.status is ScheduleStatus.CLOSED:
        found.append(CLOSED)
    opens = local_date(starts_at, zone) - dt.timedelta(days=policy.book_days_ahead)
    if local_date(now, zone) < opens:
        found.append(
            Refusal(
                "too_far", N_("Booking for this day opens on %(date)s."), {"date": opens}, opens
            )
        )
    if known.rights is not None:
        found += visit_rights.check(
            policy,
            day.schedule.role,
            known.rights,
            on=local_date(starts_at, zone),
            service_id=service_id or day.schedule.service_id,
            own=known.own,
        )
    ends_at = starts_at + dt.timedelta(minutes=minutes)
    for visit in known.live:
        when = {"date": local_date(visit.starts_at, zone)}
        if visit.practitioner_id == day.schedule.role.practitioner_id:
            found.append(
                Refusal(
                    "same_doctor",
                    N_(
                        "There is a booking with this doctor already, on %(date)s. Cancel that first."
                    ),
                    when,
                )
            )
        elif visit.starts_at < ends_at and starts_at < visit.ends_at:
            found.append(
                Refusal(
                    "same_time",
                    N_(
                        "There is another visit at that time already, on %(date)s. Choose another time."
                    ),
                    when,
                )
            )
    if len(known.live) >= policy.live_limit:
        found.append(
            Refusal(
                "too_many",
                N_("You have %(count)s visits ahead; no more can be booked here at once."),
                {"count": len(known.live)},
            )
        )
    return found


def visits_of(session: Session, *, person_id: int | None, holder: bytes | None = None) -> Visits:
    """One query. A holder's visits are its held places alone."""
    whose = Appointment.person_id == person_id
    if person_id is None:
        whose = (Appointment.holder == holder) & Appointment.person_id.is_(None)
    return _visits(session, whose).get(person_id, Visits())


def check_booking(day: Day, known: Visits, row: Appointment, *, now: dt.datetime) -> list[Refusal]:
    """The same for a booking. The desk books anybody: attachment and referral stand against nothing there."""
    if row.channel is Channel.DESK:
        known = replace(known, rights=None)
    return check(
        day,
        known,
        starts_at=row.starts_at,
        minutes=row.slot.minutes or 0,
        now=now,
        service_id=row.service_id,
    )


def use_referral(session: Session, day: Day, row: Appointment, known: Visits | None) -> None:
    """Row C14: the booking has used up the referral that opened it. Raises Refused for the second of two."""
    if known is not None and known.rights is not None:
        visit_rights.use_fitting(session, day.policy, day.schedule.role, known.rights, row)


def with_rights(
    session: Session,
    known: Visits,
    *,
    policy: BookingPolicy,
    person_id: int | None,
    role_id: int | None,
) -> Visits:
    """The same with what that person may book by attachment and referral, if the policy asks: three queries."""
    if person_id is None or role_id is None or not visit_rights.asked(policy):
        return known
    return replace(known, rights=visit_rights.of_person(session, person_id, role_id))


def known_for(
    session: Session, day: Day, person_id: int, known: Visits | None = None
) -> Visits | None:
    """All that is known for a visit to that day's practitioner (``known``: the visits, read already); None for
    a donation."""
    role_id = day.schedule.role_id
    if role_id is None:
        return None
    known = known or visits_of(session, person_id=person_id)
    return with_rights(session, known, policy=day.policy, person_id=person_id, role_id=role_id)


def visits_of_many(session: Session, person_ids: Collection[int]) -> dict[int | None, Visits]:
    """The same for a list of people, in one query; who has none is left out."""
    return _visits(session, Appointment.person_id.in_(person_ids))


@cache
def _counted() -> Select[Appointment, int | None, int]:
    """Of everybody: asked twice in each booking, put together once."""
    return (
        select(Appointment, Slot.minutes, PractitionerRole.practitioner_id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(Schedule, Schedule.id == Appointment.schedule_id)
        .join(PractitionerRole, PractitionerRole.id == Schedule.role_id)
        .where(
            or_(
                Appointment.status.in_(COUNTED),
                and_(Appointment.status == A.HELD, ~by_offer()),
            )
        )
        .order_by(Appointment.starts_at)
    )


def _visits(session: Session, whose: ColumnElement[bool]) -> dict[int | None, Visits]:
    rows = session.execute(_counted().where(whose)).all()
    found: dict[int | None, Visits] = {}
    for row, minutes, practitioner_id in rows:
        known = found.get(row.person_id, Visits())
        if row.status is A.HELD:
            held = HeldFact(row.id, row.schedule_id, row.slot_id, row.starts_at, row.hold_until)
            known = replace(known, held=(*known.held, held))
        else:
            ends_at = row.starts_at + dt.timedelta(minutes=minutes or 0)
            live = Visit(row.id, practitioner_id, row.starts_at, ends_at)
            known = replace(known, live=(*known.live, live))
        found[row.person_id] = known
    return found


def others_against(session: Session, row: Appointment, *, now: dt.datetime) -> list[Refusal]:
    """What the person's other visits say against this one, by facts loaded just now."""
    with widened(session, "a visit in any branch counts"):
        known = visits_of(session, person_id=row.person_id).without(row.id)
    day = Day(row.schedule, row.organization, row.donation_type, row.policy)
    against = check(day, known, starts_at=row.starts_at, minutes=row.slot.minutes or 0, now=now)
    return [refusal for refusal in against if refusal.code in OF_OTHERS]
