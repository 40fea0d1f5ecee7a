"""The donor's own bookings: which are shown, and what can be done with each (A28–A33)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.donor import Donor
from app.models.enums import ActorKind, AppointmentStatus
from app.rules.clock import local_date
from app.rules.errors import N_, NotFound, RuleError

HIDDEN = (AppointmentStatus.HELD, AppointmentStatus.RELEASED)
"""A choice that was not confirmed is no booking."""
CANCELLABLE = (AppointmentStatus.PENDING, AppointmentStatus.PROPOSED, AppointmentStatus.BOOKED)
WITH_TICKET = (*CANCELLABLE, AppointmentStatus.ARRIVED)
LOOK_BACK = dt.timedelta(days=400)
"""No policy keeps a booking in the list for longer than this."""


class LetGo(RuleError):
    code = "let_go"
    text = N_("You let this place go. If you still wish to book, choose a time once more, please.")


def bookings(
    session: Session, *, person_ids: Collection[int], now: dt.datetime
) -> list[Appointment]:
    """Bookings of these people that the cabinet still shows, the soonest visit first, then the past.

    A booking stays for the policy's ``cabinet_days`` after its date (A33). One query.
    """
    rows = session.scalars(
        select(Appointment)
        .options(
            joinedload(Appointment.slot),
            joinedload(Appointment.schedule),
            joinedload(Appointment.donation_type),
            joinedload(Appointment.organization),
            joinedload(Appointment.policy),
            joinedload(Appointment.reason),
        )
        .where(
            Appointment.person_id.in_(person_ids),
            Appointment.donation_type_id.is_not(
                None
            ),  # visits to doctors: app.rules.patient_visits
            Appointment.status.not_in(HIDDEN),
            Appointment.starts_at > now - LOOK_BACK,
        )
        .order_by(Appointment.starts_at, Appointment.id)
    ).all()
    shown = [row for row in rows if _is_shown(row, now)]
    ahead = [row for row in shown if row.status in WITH_TICKET and row.starts_at > now]
    rest = [row for row in shown if row not in ahead]
    return ahead + rest[::-1]


def _is_shown(row: Appointment, now: dt.datetime) -> bool:
    zone = row.organization.time_zone
    last = local_date(row.starts_at, zone) + dt.timedelta(days=row.policy.cabinet_days)
    return local_date(now, zone) <= last


def own(session: Session, *, uid: uuid.UUID) -> Appointment:
    """The reader's own booking (the session's scope decides whose it is). Raises NotFound."""
    found = session.scalars(
        select(Appointment)
        .options(
            joinedload(Appointment.slot),
            joinedload(Appointment.schedule),
            joinedload(Appointment.donation_type),
            joinedload(Appointment.organization),
            joinedload(Appointment.policy),
            joinedload(Appointment.reason),
        )
        .where(Appointment.uid == uid, Appointment.donation_type_id.is_not(None))
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def own_id(session: Session, *, uid: uuid.UUID) -> int:
    """The key of the reader's own booking, for an act that reads it anew under its lock. Raises NotFound."""
    found = session.scalar(
        select(Appointment.id).where(
            Appointment.uid == uid, Appointment.donation_type_id.is_not(None)
        )
    )
    if found is None:
        raise NotFound()
    return found


def let_go(row: Appointment) -> bool:
    """The donor closed the choice himself, or chose another place instead: its time did not run out."""
    return row.status is AppointmentStatus.RELEASED and row.ended_by is ActorKind.ACCOUNT


def may_cancel(row: Appointment, *, now: dt.datetime) -> bool:
    return row.status in CANCELLABLE and row.starts_at > now


def has_ticket(row: Appointment) -> bool:
    """A ticket is there while the request waits and after its approval (A30)."""
    return row.status in WITH_TICKET


def donor(session: Session, *, person_id: int) -> Donor:
    """What the reader said of himself at registration. Raises NotFound."""
    found = session.scalars(select(Donor).where(Donor.person_id == person_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found
