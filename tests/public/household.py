"""A polyclinic of column C with a mother's account, her child's card and her father's, its districts and a specialist."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.models import (
    Account,
    AccountPerson,
    District,
    Person,
    PractitionerRole,
    Referral,
    Schedule,
    Slot,
    StaffUser,
)
from app.models.enums import ConsentPurpose, DistrictKind, DocumentKind, Relation, Role
from app.rules import starters
from tests import make

CERTIFICATE = "II-МЮ 123456"
CHILD_BORN = "08.03.2018"
FATHER_BORN = "02.01.1950"
FATHER_POLICY = "7712345678901235"


@dataclass
class Household:
    tenant: make.Tenant
    account: Account
    """The mother's."""
    kept: AccountPerson
    """That she keeps her own card."""
    mother: Person
    child: Person
    father: Person
    fathers: Account
    therapist: PractitionerRole
    paediatrician: PractitionerRole
    specialist: PractitionerRole
    for_adults: District
    for_children: District
    day: Schedule
    """The paediatrician's: two tickets, the district's quota."""
    slots: list[Slot]
    registrar: StaffUser

    def district(self, person: Person) -> str:
        return f"/cabinet/district?who={person.uid}"

    def refer(self, session: Session, person: Person, *, now: dt.datetime) -> Referral:
        return make.make_referral(session, person, self.specialist, self.registrar, now=now)


def make_household(
    session: Session, *, now: dt.datetime = make.NOW, name: str = "Ивановы", **policy: object
) -> Household:
    way = starters.way("cabinet") | {"book_days_ahead": 30} | policy
    tenant = make.make_polyclinic(session, name=f"Поликлиника {name}", now=now, **way)
    root = tenant.root
    root.short_name = f"Поликлиника {name}"
    root.phones = "+7 495 111-22-33"
    make.make_consent_text(
        session, root, purpose=ConsentPurpose.FAMILY, text_ru="Разрешаю записывать меня."
    )
    roles = {}
    for key, family, words in (
        ("therapist", "Березина", "терапевт"),
        ("paediatrician", "Чернышова", "педиатр"),
        ("specialist", "Ивлева", "невролог"),
    ):
        doctor = make.make_practitioner(session, tenant, family_name=family)
        specialty = make.make_specialty(session, name_ru=f"Врач-{words}", name_en=f"{key}")
        roles[key] = make.make_role(
            session, tenant, practitioner=doctor, specialty=specialty, organization=root
        )
    at_root = {"organization": root}
    adults = make.make_district(session, tenant, **at_root, number="1")
    children = make.make_district(
        session, tenant, **at_root, number="7", kind=DistrictKind.PAEDIATRIC, web_quota=2
    )
    for district, role in ((adults, "therapist"), (children, "paediatrician")):
        make.make_district_doctor(session, district, roles[role])
        make.make_range(session, district, street="Ленина")
    names = {"family_name": "Иванова"}
    mother = make.make_person(
        session, tenant, given_name="Мария", birth_date=dt.date(1985, 5, 5), **names
    )
    child = make.make_person(
        session, tenant, given_name="Лиза", birth_date=dt.date(2018, 3, 8), **names
    )
    father = make.make_person(
        session, tenant, family_name="Иванов", given_name="Пётр", birth_date=dt.date(1950, 1, 2)
    )
    make.make_document(session, child, DocumentKind.BIRTH_CERTIFICATE, CERTIFICATE)
    make.make_document(session, father, DocumentKind.OMS, FATHER_POLICY)
    for person in (mother, father):
        make.make_attachment(session, person, adults, now=now)
    make.make_attachment(session, child, children, now=now)
    account, fathers = make.make_account(session, now=now), make.make_account(session, now=now)
    kept = make.make_kept(session, account, mother, Relation.SELF, now=now)
    make.make_kept(session, fathers, father, Relation.SELF, now=now)
    date = now.date() + dt.timedelta(days=2)
    day = make.make_sitting(session, roles["paediatrician"], date=date, times=("09:00", "09:15"))
    make.make_sitting(session, roles["therapist"], date=date, times=("10:00", "10:15"))
    make.make_sitting(session, roles["specialist"], date=date, times=("12:00", "12:15"))
    return Household(
        tenant, account, kept, mother, child, father, fathers, **roles,
        for_adults=adults, for_children=children, day=day, slots=make.slots_of(session, day),
        registrar=make.make_staff(session, Role.REGISTRAR, root, now=now),
    )  # fmt: skip
