"""The donor code: the one fact a donor may correct himself (row A12)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.donor import Donor, DonorRecord
from app.models.enums import AppointmentStatus
from app.models.person import Person
from app.models.scope import widened
from app.rules import audit
from app.rules.actor import Actor
from app.rules.donors import unlink_record
from app.rules.errors import N_, NotFound, RuleError


class LiveBookings(RuleError):
    code = "live_bookings"
    text = N_("The code cannot be changed while a booking is awaiting approval or confirmed.")


def change_donor_code(
    session: Session, *, person_id: int, code: str, actor: Actor, now: dt.datetime
) -> Donor:
    """The one fact a donor may correct himself (A12). Raises NotFound, LiveBookings.

    A record accepted under the old code is let go: the new code has to be checked anew.
    """
    donor = session.scalars(select(Donor).where(Donor.person_id == person_id)).one_or_none()
    if donor is None:
        raise NotFound()
    if donor.donor_code == code:
        return donor
    live = session.scalar(
        select(Appointment.id)
        .where(
            Appointment.person_id == person_id,
            Appointment.status.in_((AppointmentStatus.PENDING, AppointmentStatus.BOOKED)),
        )
        .limit(1)
    )
    if live is not None:
        raise LiveBookings()
    donor.donor_code = code
    audit.record(session, verb="donor.code", subject=donor, actor=actor, now=now)
    with widened(session, "the record accepted under the old code"):
        record = session.scalars(
            select(DonorRecord).where(DonorRecord.person_id == person_id)
        ).one_or_none()
        if record is not None:
            person = session.get_one(Person, person_id)
            unlink_record(session, person=person, record=record, actor=actor, now=now)
    return donor
