"""A polyclinic that books in one of the usual ways, with a doctor, his times and a patient known by documents."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    Account,
    AccountPerson,
    Appointment,
    HealthcareService,
    Person,
    PractitionerRole,
    Schedule,
    Slot,
)
from app.models.enums import ConsentPurpose, DocumentKind
from app.rules import starters
from tests import make

POLICY = "7712345678901235"
"""Of the patient: 16 digits whose last one fits the others."""
SNILS = "112-233-445 95"
PASSPORT = "45 08 123456"
DMS = "АЛЬФА-77/1234"
BORN = "14.02.1985"
PHONE = "+7 900 123-45-67"


@dataclass
class Clinic:
    tenant: make.Tenant
    service: HealthcareService
    role: PractitionerRole
    day: Schedule
    patient: Person
    slots: list[Slot]

    @property
    def place(self) -> str:
        return f"/institutions/{self.tenant.branch.uid}"

    @property
    def doctor(self) -> str:
        return f"{self.place}/doctors/{self.role.uid}?day={self.day.date.isoformat()}"


def make_clinic(
    session: Session, way: str = "registry", *, now: dt.datetime = make.NOW, **policy: Any
) -> Clinic:
    """``way``: a key of app/data/patient_policy.json; ``policy`` changes settings of it."""
    tenant = make.make_polyclinic(session, now=now, **starters.way(way) | policy)
    tenant.branch.phones = "+7 495 111-22-33"
    make.make_consent_text(
        session, tenant.root, purpose=ConsentPurpose.SURVEY, text_ru="Согласен получить анкету."
    )
    service = make.make_service(
        session,
        tenant,
        code="B01.064.001",
        name_ru="Прием врача стоматолога первичный",
        name_en="First visit to a dentist",
        memo_ru="Возьмите полис.",
    )
    doctor = make.make_practitioner(
        session,
        tenant,
        services=[service],
        family_name="Захарова",
        given_name="Софья",
        patronymic="Сергеевна",
        position="врач-стоматолог",
        note_ru="прием по полису ОМС",
    )
    role = make.make_role(session, tenant, practitioner=doctor)
    day = make.make_sitting(session, role, date=now.date() + dt.timedelta(days=2))
    patient = make_patient(session, tenant)
    slots = list(
        session.scalars(select(Slot).where(Slot.schedule_id == day.id).order_by(Slot.starts_at))
    )
    return Clinic(tenant, service, role, day, patient, slots)


def make_patient(session: Session, tenant: make.Tenant) -> Person:
    patient = make.make_person(
        session,
        tenant,
        family_name="Рябинина",
        given_name="Анна",
        patronymic="Петровна",
        birth_date=dt.date(1985, 2, 14),
    )
    for kind, number in (
        (DocumentKind.OMS, POLICY),
        (DocumentKind.SNILS, SNILS),
        (DocumentKind.PASSPORT, PASSPORT),
        (DocumentKind.DMS, DMS),
    ):
        make.make_document(session, patient, kind, number)
    return patient


def booking(store: Session) -> Appointment:
    """The only appointment there is."""
    return store.scalars(select(Appointment)).one()


def make_account(session: Session, clinic: Clinic) -> Account:
    """A sign-in linked to the patient's card."""
    account = make.make_account(session)
    kept = AccountPerson(
        account_id=account.id, person_id=clinic.patient.id, tenant_id=clinic.tenant.id
    )
    session.add(kept)
    session.flush()
    return account
