"""Districts of the demo's polyclinics, with their doctors, and where its towns' houses stand: files, as staff load them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.models.district import District
from app.models.enums import Role
from app.models.staff import StaffUser
from app.rules import (
    address_diff,
    address_file,
    address_imports,
    district_card,
    district_diff,
    district_file,
    district_imports,
    districts,
)
from app.rules.actor import actor_of
from app.rules.district_card import Term
from app.seeds.clinic_directory import Roles
from app.seeds.clinics import COLUMNS, DATA, Clinic

HOUR = dt.timedelta(hours=1)


def make(
    session: Session, clinic: Clinic, receive: Roles, *, now: dt.datetime, today: dt.date
) -> None:
    """Those of the root, if its file has any; doctors' days are counted from ``today``."""
    wanted = clinic.data.get("districts")
    if wanted is None:
        return
    _load_streets(session, clinic, now)
    by_name = {
        role.practitioner.family_name: role.id for roles in receive.values() for role in roles
    }
    for district in districts.of_organization(session, organization_id=clinic.root.id):
        terms = [
            Term(by_name[name], _day(today, first), _day(today, last) if last else None)
            for name, first, last in wanted["doctors"][district.kind][district.number]
        ]
        _staff(session, clinic, district, terms, wanted.get("web_quota"), now + HOUR)


def load_addresses(session: Session, by: StaffUser, *, now: dt.datetime) -> None:
    """Points of the three towns' streets, so that the nearest institution can be found (E37)."""
    name = "addresses.csv"
    rows = address_file.read_file((DATA / name).read_bytes(), home="")
    checked = address_imports.check(session, rows=rows, file_name=name, by=by, now=now)
    seen = address_diff.compare(session, rows=rows).fingerprint
    address_imports.apply(session, imported=checked, seen=seen, by=by, now=now)


def _load_streets(session: Session, clinic: Clinic, now: dt.datetime) -> None:
    name = f"{COLUMNS[clinic.column]}_districts.csv"
    rows = district_file.read_file((DATA / name).read_bytes(), home=clinic.root.settlement)
    by = clinic.staff[Role.MANAGER]
    checked = district_imports.check(
        session, organization_id=clinic.root.id, rows=rows, file_name=name, by=by, now=now
    )
    seen = district_diff.compare(session, organization=clinic.root, rows=rows).fingerprint
    district_imports.apply(session, imported=checked, seen=seen, by=by, now=now)


def _staff(
    session: Session,
    clinic: Clinic,
    district: District,
    terms: list[Term],
    web_quota: int | None,
    now: dt.datetime,
) -> None:
    district_card.edit(
        session,
        district_id=district.id,
        number=district.number,
        web_quota=web_quota,
        note="",
        is_active=True,
        terms=terms,
        actor=actor_of(clinic.staff[Role.MANAGER]),
        now=now,
    )


def _day(today: dt.date, days: int) -> dt.date:
    return today + dt.timedelta(days=days)
