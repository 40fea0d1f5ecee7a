"""The blood centre of seed A with its branches, its staff, and its donor days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.blood import BloodType
from app.models.donation_type import DonationType
from app.models.enums import Role
from app.models.organization import Organization
from app.models.staff import RoleAssignment, StaffUser
from app.rules import organizations, passwords
from app.rules.actor import SYSTEM, actor_of
from app.rules.holidays import day_off
from app.rules.matrix import Dates, Line, Matrix
from app.rules.publishing import publish_matrix

CENTRE = "ГБУЗ МО «МОЦК»"
PASSWORD = "demo-demo-demo-demo"  # noqa: S105 - of the demo, printed at its start
TOTP = {
    Role.ADMINISTRATOR: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3AAA",
    Role.MANAGER: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3BBB",
    Role.REGISTRAR: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3CCC",
    Role.SCHEDULER: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3DDD",
    Role.OPERATOR: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3EEE",
    Role.ANALYST: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3FFF",
    Role.SECURITY: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3GGG",
}
PEOPLE = {
    Role.ADMINISTRATOR: ("admin@example.ru", "Тихонова Вера Борисовна"),
    Role.MANAGER: ("manager@example.ru", "Орлов Степан Ильич"),
    Role.REGISTRAR: ("registrar@example.ru", "Соловьёва Алёна Петровна"),
    Role.SCHEDULER: ("scheduler@example.ru", "Крылов Пётр Сергеевич"),
    Role.OPERATOR: ("operator@example.ru", "Белова Дарья Андреевна"),
    Role.ANALYST: ("analyst@example.ru", "Гусев Артём Павлович"),
    Role.SECURITY: ("security@example.ru", "Ершов Михаил Юрьевич"),
}
SECOND_REGISTRAR = ("registrar2@example.ru", "Никитина Юлия Олеговна")

TABLE_OF_A = {"AB-": 300, "AB+": 6, "B+": 4, "B-": 7, "A+": 6, "A-": 10, "O+": 9, "O-": 10}
"""The eight rows of seed A: «Всего слотов» by blood type, 08:00–14:00."""
BRANCHES = (
    ("Щёлково", "Щёлковское подразделение", "ул. Придуманная, 12"),
    ("Воскресенск", "Воскресенское подразделение", "ул. Вымышленная, 3"),
    ("Орехово-Зуево", "Орехово-Зуевское подразделение", "Примерный проезд, 7"),
    ("Подольск", "Подольское подразделение", "ул. Несуществующая, 21"),
)


@dataclass(frozen=True)
class Centre:
    """What the rest of the demo needs of it."""

    root: Organization
    branches: tuple[Organization, ...]
    types: dict[str, DonationType]
    staff: dict[Role, StaffUser]
    second_registrar: StaffUser


def find(session: Session) -> Organization | None:
    return session.scalars(select(Organization).where(Organization.name == CENTRE)).first()


def load(session: Session, root: Organization) -> Centre:
    """The centre as it stands in the database."""
    branches = session.scalars(
        select(Organization).where(Organization.part_of_id == root.id).order_by(Organization.id)
    ).all()
    types = session.scalars(select(DonationType).where(DonationType.tenant_id == root.id)).all()
    by_email = {user.email: user for user in session.scalars(select(StaffUser))}
    return Centre(
        root,
        tuple(branches),
        {each.code: each for each in types},
        {role: by_email[email] for role, (email, _) in PEOPLE.items()},
        by_email[SECOND_REGISTRAR[0]],
    )


def make(session: Session, *, now: dt.datetime) -> Centre:
    """The organization, its branches and a member of staff for each role."""
    root = organizations.create_root(
        session,
        actor=SYSTEM,
        now=now,
        name=CENTRE,
        short_name="Московский областной Центр крови",
        settlement="Москва",
        address="ул. Выдуманная, 1",
        directions="От метро пешком 7 минут, вход со двора, регистратура на первом этаже.",
        phone="+7 (495) 000-00-00",
    )
    for settlement, name, address in BRANCHES:
        organizations.create_branch(
            session,
            part_of=root,
            actor=SYSTEM,
            now=now,
            name=f"{CENTRE}, {name}",
            short_name=name,
            settlement=settlement,
            address=f"г. {settlement}, {address}",
            phone="+7 (496) 000-00-00",
        )
    for role, (email, name) in PEOPLE.items():
        user(session, role, email, name, TOTP[role], [root.id], now)
    email, name = SECOND_REGISTRAR
    seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3HHH"
    user(session, Role.REGISTRAR, email, name, seed, [root.id], now)
    session.flush()
    return load(session, root)


def user(
    session: Session,
    role: Role,
    email: str,
    name: str,
    seed: str,
    tenant_ids: Collection[int],
    now: dt.datetime,
) -> None:
    """A member of staff with one role over these organizations, who may sign in at once."""
    made = StaffUser(
        uid=uuid4(),
        email=email,
        full_name=name,
        password_hash=password_hash(),
        password_changed_at=now,
        totp_confirmed_at=now,
        created_at=now,
    )
    made.totp_seed = seed
    over = [None] if role is Role.ADMINISTRATOR else tenant_ids
    made.roles = [RoleAssignment(role=role, organization_id=key) for key in over]
    session.add(made)


@cache
def password_hash() -> str:
    """Of the one password: hashing takes long on purpose."""
    return passwords.hashed(PASSWORD)


def weekdays(first: dt.date, count: int) -> list[dt.date]:
    """The next ``count`` Mondays to Fridays from ``first`` on."""
    return _next(first, count, lambda day: day.weekday() < 5)


def workdays(first: dt.date, count: int) -> list[dt.date]:
    """The same without public holidays and days off."""
    return _next(first, count, lambda day: day_off(day) is None)


def _next(first: dt.date, count: int, wanted: Callable[[dt.date], bool]) -> list[dt.date]:
    days: list[dt.date] = []
    while len(days) < count:
        if wanted(first):
            days.append(first)
        first += dt.timedelta(days=1)
    return days


def publish_table_of_a(session: Session, centre: Centre, day: dt.date, *, now: dt.datetime) -> None:
    """Exactly the eight rows of seed A: platelets, a row for each blood type."""
    platelets = centre.types["platelets"].id
    lines = tuple(
        Line(platelets, total, frozenset({BloodType.parse(text)}), places_per_time=25)
        if total == 300
        else Line(platelets, total, frozenset({BloodType.parse(text)}))
        for text, total in TABLE_OF_A.items()
    )
    matrix = Matrix(dates=Dates.of(day), organization_ids=(centre.root.id,), lines=lines)
    _publish(session, centre, matrix, "Таблица донорского кабинета", now)


def publish_weeks(
    session: Session, centre: Centre, days: list[dt.date], *, now: dt.datetime
) -> None:
    """Plasma and platelets by blood type at the centre, whole blood at the branches."""
    plasma, platelets, blood = (centre.types[c].id for c in ("plasma", "platelets", "blood"))
    types = ("O+", "O-", "A+", "A-", "B+", "B-", "AB+", "AB-")
    at_centre = tuple(
        Line(type_id, 6 if text.endswith("+") else 4, frozenset({BloodType.parse(text)}))
        for type_id in (plasma, platelets)
        for text in types
    )
    anybody = (Line(blood, 24),)
    at_branches = Matrix(
        dates=Dates.of(*days),
        organization_ids=tuple(branch.id for branch in centre.branches),
        end=dt.time(12),
        lines=anybody,
    )
    main = Matrix(dates=Dates.of(*days), organization_ids=(centre.root.id,), lines=at_centre)
    _publish(session, centre, main, "Центр: плазма и тромбоциты", now)
    _publish(session, centre, at_branches, "Подразделения: цельная кровь", now)


def _publish(
    session: Session, centre: Centre, matrix: Matrix, title: str, now: dt.datetime
) -> None:
    actor = actor_of(centre.staff[Role.SCHEDULER])
    publish_matrix(session, matrix=matrix, actor=actor, now=now, title=title)
