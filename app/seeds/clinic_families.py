"""Families, attachments and referrals of the demo's polyclinic that books from the cabinet (rows C8–C15)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import AccountPerson
from app.models.cabinet_choices import AttachmentSource
from app.models.directory import PractitionerRole, Specialty
from app.models.district import District
from app.models.enums import DistrictKind, DocumentKind, Relation
from app.rules import attachments, districts, family, referrals
from app.rules.actor import actor_of
from app.seeds.clinic_directory import Roles
from app.seeds.clinic_patients import Patient
from app.seeds.clinics import Clinic

DAY = dt.timedelta(days=1)
ATTACHED_BY = "cabinet"
"""The way of booking that asks for an attachment."""
UNATTACHED = 7
"""Every so many-th adult is attached nowhere yet."""
REFERRED = (0, 3, 5)
"""Adults who have a referral, by their number."""
HOLDS = 30 * DAY


def make(
    session: Session,
    clinic: Clinic,
    people: Sequence[Patient],
    receive: Roles,
    *,
    now: dt.datetime,
    today: dt.date,
) -> None:
    """Each card in a district for its age, some in the one without a doctor; a few referrals and requests."""
    if clinic.data["way"] != ATTACHED_BY:
        return
    rows = districts.of_organization(session, organization_id=clinic.root.id)
    adults = [row for row in rows if row.kind is DistrictKind.THERAPY]
    children = [row for row in rows if row.kind is DistrictKind.PAEDIATRIC]
    for number, patient in enumerate(people):
        if not patient.child and number % UNATTACHED == UNATTACHED - 1:
            continue
        among = children if patient.child else adults
        # two thirds and more with a doctor: the third adult district has none (C15)
        place = number % 9
        district = among[place % 2] if patient.child or place < 8 else among[-1]
        _attach(session, clinic, patient, district, now)
    grown = [patient for patient in people if not patient.child]
    _refer(session, clinic, [grown[number] for number in REFERRED], receive, now, today)
    _family(session, grown, now)


def _attach(
    session: Session, clinic: Clinic, patient: Patient, district: District, now: dt.datetime
) -> None:
    attachments.attach(
        session,
        person=patient.person,
        district=district,
        actor=actor_of(clinic.registrar),
        now=now,
        source=AttachmentSource.REGISTRY,
    )


def _refer(
    session: Session,
    clinic: Clinic,
    whom: Sequence[Patient],
    receive: Roles,
    now: dt.datetime,
    today: dt.date,
) -> None:
    """To the neurologist, by a district physician."""
    roles: list[PractitionerRole] = [role for rows in receive.values() for role in rows]
    wanted = session.scalars(select(Specialty).where(Specialty.code == "neurologist")).one()
    doctor = next(role for role in roles if role.specialty_id != wanted.id)
    for patient in whom:
        referrals.issue(
            session,
            person=patient.person,
            specialty=wanted,
            role=doctor,
            valid_until=today + HOLDS,
            actor=actor_of(clinic.registrar),
            now=now,
        )


def _family(session: Session, grown: Sequence[Patient], now: dt.datetime) -> None:
    """The first account keeps an elderly relative who has agreed, and has asked for another one; a third
    account waits until somebody sees its guardianship."""
    first, second, third, fourth = (grown[number] for number in (0, 1, 2, 4))
    for keeper, relative, relation, agreed in (
        (first, second, Relation.PARENT, now),
        (first, third, Relation.PARENT, None),
        (second, fourth, Relation.WARD, None),
    ):
        assert keeper.account is not None
        session.add(
            AccountPerson(
                account_id=keeper.account.id,
                person_id=relative.person.id,
                tenant_id=relative.person.tenant_id,
                relation=relation,
                basis=family.BASIS[relation],
                proof=DocumentKind.OMS,
                created_at=now,
                agreed_at=agreed,
            )
        )
    session.flush()
    person = grown[UNATTACHED - 1].person
    attachments.ask(
        session,
        person=person,
        organization=person.tenant,
        street="ул. Набережная",
        house="12",
        actor=grown[UNATTACHED - 1].actor,
        now=now,
    )
