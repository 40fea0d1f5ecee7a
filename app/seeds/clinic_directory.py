"""The directory of a polyclinic of the demo: departments, services, doctors and where they receive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.directory import Department, HealthcareService, PractitionerRole, Specialty
from app.models.enums import Payment, Role
from app.rules import directory, directory_edit, practitioners
from app.rules.actor import Actor, actor_of
from app.seeds import clinics
from app.seeds.clinics import Clinic

Roles = dict[str, list[PractitionerRole]]
"""Key of a template → who receives by it."""


def make(session: Session, clinic: Clinic, *, now: dt.datetime) -> tuple[Roles, dict[str, int]]:
    """Everything the file says of it; who receives by which template, and services by the file's keys."""
    directory.ensure_specialties(session)
    specialties = {row.code: row for row in session.scalars(select(Specialty))}
    by = actor_of(clinic.staff[Role.MANAGER])
    departments = dict(_departments(session, clinic, clinic.data["departments"], None, by, now))
    services = dict(_services(session, clinic, specialties, by, now))
    clinics.rules_apart(session, clinic, services, now=now)
    receive: Roles = {}
    for number, doctor in enumerate(clinic.data["doctors"], start=1):
        family, given, patronymic = doctor["name"].split()
        who = practitioners.save_practitioner(
            session,
            tenant_id=clinic.root.id,
            actor=by,
            now=now,
            code=f"{clinic.column}-{number:03d}",
            family_name=family,
            given_name=given,
            patronymic=patronymic,
            position=doctor["position"],
            note_ru=doctor.get("note_ru", ""),
            note_en=doctor.get("note_en", ""),
        )
        practitioners.set_services(
            session,
            practitioner=who,
            services=[services[key] for key in doctor["services"]],
            actor=by,
            now=now,
        )
        for department_key, specialty, room, template in doctor["roles"]:
            department = departments[department_key]
            role = practitioners.save_role(
                session,
                practitioner=who,
                organization=department.organization,
                department=department,
                specialty=specialties[specialty],
                actor=by,
                now=now,
                room=room,
            )
            receive.setdefault(template, []).append(role)
    return receive, {key: row.id for key, row in services.items()}


def _departments(
    session: Session,
    clinic: Clinic,
    rows: Iterable[dict[str, Any]],
    part_of: Department | None,
    by: Actor,
    now: dt.datetime,
) -> Iterator[tuple[str, Department]]:
    """The tree depth first, in the file's order."""
    for position, row in enumerate(rows, start=1):
        place = part_of.organization if part_of else clinic.place(row.get("branch"))
        own = {key: row[key] for key in ("name", "code", "kind", "address", "phone") if key in row}
        made = directory_edit.save_department(
            session,
            organization=place,
            part_of=part_of,
            actor=by,
            now=now,
            position=position,
            **own,
        )
        yield row["key"], made
        yield from _departments(session, clinic, row.get("parts", ()), made, by, now)


def _services(
    session: Session,
    clinic: Clinic,
    specialties: dict[str, Specialty],
    by: Actor,
    now: dt.datetime,
) -> Iterator[tuple[str, HealthcareService]]:
    for position, row in enumerate(clinic.data["services"], start=1):
        made = directory_edit.save_service(
            session,
            tenant_id=clinic.root.id,
            actor=by,
            now=now,
            code=row["code"],
            name_ru=row["name_ru"],
            name_en=row["name_en"],
            edition=row.get("edition", clinic.data["edition"]) if row["code"] else "",
            specialty_id=specialties[row["specialty"]].id,
            payment=Payment(row.get("payment", Payment.OMS)),
            memo_ru=row.get("memo_ru", ""),
            memo_en=row.get("memo_en", ""),
            position=position,
        )
        yield row["key"], made
