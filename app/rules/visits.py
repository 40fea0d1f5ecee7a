"""What a ticket or a letter says about one booking: who, what, when and where, as facts without words."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.blood import BloodType
from app.models.donation_type import DonationType
from app.models.donor import Donor
from app.models.enums import AppointmentStatus
from app.models.organization import Organization
from app.models.person import Person
from app.models.schedule import Slot
from app.rules.errors import NotFound


@dataclass(frozen=True)
class Visit:
    """One booking. Names are as stored; the reader's language is chosen later."""

    number: int
    uid: uuid.UUID
    status: AppointmentStatus
    full_name: str
    """Empty until staff or the blood service's file have given it."""
    donor_code: str
    blood_type: BloodType | None
    type_names: dict[str, str]
    """Of the donation type, by locale."""
    memos: dict[str, str]
    """How to prepare, by locale."""
    starts_at: dt.datetime
    place: int
    centre: str
    branch: str
    settlement: str
    address: str
    directions: str
    phone: str
    time_zone: str


def visit_of(session: Session, *, appointment_id: int) -> Visit:
    """The facts of one booking. Raises NotFound if it is not there or not yours to see."""
    row = session.execute(
        select(Appointment, Person, Donor, DonationType, Slot.place, Organization)
        .join(Person, Person.id == Appointment.person_id)
        .outerjoin(Donor, Donor.person_id == Appointment.person_id)
        .join(DonationType, DonationType.id == Appointment.donation_type_id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(Organization, Organization.id == Appointment.organization_id)
        .where(Appointment.id == appointment_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    appointment, person, donor, donation_type, place, at = row
    whole = session.get(Organization, appointment.tenant_id) or at
    return Visit(
        number=appointment.number,
        uid=appointment.uid,
        status=appointment.status,
        full_name=person.full_name,
        donor_code=donor.donor_code if donor else "",
        blood_type=donor.blood_type if donor else None,
        type_names={"ru": donation_type.name_ru, "en": donation_type.name_en},
        memos={"ru": donation_type.memo_ru, "en": donation_type.memo_en},
        starts_at=appointment.starts_at,
        place=place,
        centre=whole.name,
        branch=at.name,
        settlement=at.settlement,
        address=at.address,
        directions=at.directions,
        phone=at.phone or whole.phone,
        time_zone=at.time_zone,
    )
