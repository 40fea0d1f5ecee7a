"""What a ticket or a letter says about one booking: who, what, when and where, as facts without words."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.blood import BloodType
from app.models.directory import (
    Department,
    HealthcareService,
    Practitioner,
    PractitionerRole,
    Specialty,
)
from app.models.donation_type import DonationType
from app.models.donor import Donor
from app.models.enums import AppointmentStatus
from app.models.organization import Organization
from app.models.person import Person
from app.models.policy_choices import Wording
from app.models.schedule import Schedule, Slot
from app.rules.errors import NotFound


@dataclass(frozen=True)
class Doctor:
    """Whom a patient comes to, for what (B13, D18–D20); names by locale where there are two."""

    full_name: str
    position: str
    notes: dict[str, str]
    specialties: dict[str, str]
    department: str
    room: str
    service_code: str
    services: dict[str, str]
    """Of the service; empty where none was chosen."""
    memos: dict[str, str]

    @property
    def wanted(self) -> dict[str, str]:
        """The service, or the specialty where none was chosen."""
        return self.services if self.services["ru"] else self.specialties


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
    """Of the donation type, or of what the doctor is wanted for, by locale."""
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
    wording: Wording = Wording.DONATION
    doctor: Doctor | None = None
    """None for a donation."""


def visit_of(session: Session, *, appointment_id: int) -> Visit:
    """The facts of one booking. Raises NotFound if it is not there or not yours to see."""
    row: Any = session.execute(
        select(Appointment, Person, Donor, DonationType, Slot.place, Organization)
        .join(Person, Person.id == Appointment.person_id)
        .outerjoin(Donor, Donor.person_id == Appointment.person_id)
        .outerjoin(DonationType, DonationType.id == Appointment.donation_type_id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(Organization, Organization.id == Appointment.organization_id)
        .options(joinedload(Appointment.policy))
        .where(Appointment.id == appointment_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    appointment, person, donor, donation_type, place, at = row
    whole = session.get(Organization, appointment.tenant_id) or at
    doctor, department = _doctor(session, appointment) if donation_type is None else (None, None)
    names = doctor.wanted if doctor else _both(donation_type, "name")
    memos = doctor.memos if doctor else _both(donation_type, "memo")
    return Visit(
        number=appointment.number,
        uid=appointment.uid,
        status=appointment.status,
        full_name=person.full_name,
        donor_code=donor.donor_code if donor else "",
        blood_type=donor.blood_type if donor else None,
        type_names=names,
        memos=memos,
        starts_at=appointment.starts_at,
        place=place,
        centre=whole.name,
        branch=at.name,
        settlement=at.settlement,
        address=(department.address if department else "") or at.address,
        directions=at.directions,
        phone=(department.phone if department else "") or at.phone or at.phones or whole.phone,
        time_zone=at.time_zone,
        wording=appointment.policy.wording,
        doctor=doctor,
    )


def _doctor(session: Session, appointment: Appointment) -> tuple[Doctor, Department | None]:
    """Whom the patient comes to, and the department, which may have an address of its own."""
    row = session.execute(
        select(PractitionerRole, Practitioner, Specialty, Department, HealthcareService)
        .select_from(Schedule)
        .join(PractitionerRole, PractitionerRole.id == Schedule.role_id)
        .join(Practitioner, Practitioner.id == PractitionerRole.practitioner_id)
        .join(Specialty, Specialty.id == PractitionerRole.specialty_id)
        .outerjoin(Department, Department.id == PractitionerRole.department_id)
        .outerjoin(HealthcareService, HealthcareService.id == appointment.service_id)
        .where(Schedule.id == appointment.schedule_id)
    ).one()
    role, practitioner, specialty, department, service = row
    nothing = {"ru": "", "en": ""}
    doctor = Doctor(
        full_name=practitioner.full_name,
        position=practitioner.position,
        notes=_both(practitioner, "note"),
        specialties=_both(specialty, "name"),
        department=department.name if department else "",
        room=role.room,
        service_code=service.code if service else "",
        services=_both(service, "name") if service else nothing,
        memos=_both(service, "memo") if service else nothing,
    )
    return doctor, department


def _both(row: Any, field: str) -> dict[str, str]:
    return {locale: getattr(row, f"{field}_{locale}") for locale in ("ru", "en")}
