"""The demo: somebody who may book, somebody who may not, forty requests, and a past in the order of time."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import case, func, select

from app.models import (
    Account,
    AccountPerson,
    Appointment,
    AuditEvent,
    Department,
    District,
    DistrictDoctor,
    Feedback,
    HealthcareService,
    Message,
    Organization,
    Page,
    Person,
    PersonDocument,
    PractitionerRole,
    Specialty,
)
from app.models.enums import AppointmentStatus as A
from app.models.enums import (
    Channel,
    Confirmation,
    DistrictKind,
    FeedbackStatus,
    IdentifyBy,
    PageKind,
    Payment,
    ScheduleStatus,
    SlotKind,
    SlotStatus,
)
from app.models.enums import DocumentKind as K
from app.models.schedule import Schedule, Slot
from app.rules import (
    directory,
    district_streets,
    districts,
    documents,
    holidays,
    house_ranges,
    identification,
    pages,
    policies,
    starters,
)
from app.rules.horizons import horizon
from app.rules.identification import Given
from app.rules.invariants import check_invariants
from app.rules.slot_states import State, state_of
from app.seeds import centre, clinic_patients, clinic_staff, clinics
from app.seeds.agenda import Agenda
from app.seeds.demo import ensure_demo
from app.seeds.names import OF_SEED_A, invent
from app.seeds.sign_ins import sign_ins
from tests.make import NOW


def test_names_are_written_as_in_a_passport() -> None:
    people = invent(300, today=NOW.date(), rng=random.Random(1))
    patronymics = {person.patronymic for person in people}
    assert {"Михайловна", "Михайлович", "Петровна", "Павлович", "Фёдоровна"} <= patronymics
    assert not {"Федоров", "Федорова"} & {person.family_name for person in people}
    assert people[0].blood_type == OF_SEED_A


def test_an_agenda_keeps_the_order_of_time_whatever_is_added_when() -> None:
    done: list[int] = []
    agenda = Agenda()

    def first(at: dt.datetime) -> None:
        done.append(1)
        agenda.at(at + dt.timedelta(hours=1), lambda _at: done.append(2))

    agenda.at(NOW + dt.timedelta(hours=2), lambda _at: done.append(3))
    agenda.at(NOW, first)
    agenda.run()
    assert done == [1, 2, 3]


@pytest.mark.one_engine(
    "sqlite",
    why="./talon run keeps the demo on SQLite; every rule that makes it has tests of its own on both",
)
def test_the_demo_can_be_walked_at_once_and_rolls_itself_forward(session: Any, app: Any) -> None:
    ensure_demo(session, now=NOW)
    session.flush()
    session.expire_all()  # what is read below is what the database holds
    assert check_invariants(session, now=NOW) == []
    with app.test_request_context():
        told = sign_ins(session, now=NOW, site="http://localhost:8000")
    donors_are_there(session, told)
    patients_may_begin(session, told)
    happened_in_order(session)
    every_column_has_its_polyclinic(session)
    the_directory_is_whole(session)
    every_state_of_a_time_is_seen(session)
    a_quarter_to_a_half_is_taken(session)
    districts_fit(session)
    nobody_is_real(session)
    pages_and_letters_are_there(session)

    assert "на месте" in ensure_demo(session, now=NOW + dt.timedelta(days=3))
    later = NOW + dt.timedelta(days=40)
    assert "продлена" in ensure_demo(session, now=later)
    session.flush()
    broken = check_invariants(session, now=later)  # no worker has looked at the reminders meanwhile
    assert [each for each in broken if not each.startswith("I5 messages that wait")] == []
    ahead = days_ahead(session, later)
    assert ahead and ahead[-1] == later.date() + dt.timedelta(days=28)
    assert len(ahead) >= 15  # the New Year holidays are among the days
    assert doubles(session) == []
    assert "на месте" in ensure_demo(session, now=later)


@pytest.mark.one_engine(
    "sqlite",
    why="./talon run keeps the demo on SQLite; every rule that makes it has tests of its own on both",
)
def test_the_demo_can_be_made_at_any_hour_of_any_day(
    session: Any, app: Any, scale: Callable[[int], int]
) -> None:
    """It was not: a patient without a phone is booked by the approval, and no code waited for him."""
    minutes = random.Random(2).sample(range(400 * 24 * 60), scale(10) - 1)
    instants = [NOW + dt.timedelta(minutes=each) for each in minutes]
    for now in (dt.datetime(2027, 3, 18, 7, 56, tzinfo=dt.UTC), *instants):
        with session.begin_nested() as made:
            ensure_demo(session, now=now)
            session.flush()
            session.expire_all()
            assert check_invariants(session, now=now) == [], now
            with app.test_request_context():
                assert "пока не может" in sign_ins(session, now=now, site="http://localhost:8000")
            made.rollback()


def donors_are_there(session: Any, told: str) -> None:
    assert "donor001@example.ru: III (B) −, может записаться сегодня" in told
    assert ", пока не может. " in told
    pending = (Appointment.status == A.PENDING, Appointment.donation_type_id.is_not(None))
    assert session.scalar(select(func.count()).select_from(Appointment).where(*pending)) == 40
    donors_ahead = (Schedule.date > NOW.date(), Schedule.donation_type_id.is_not(None))
    ahead = session.scalars(select(Schedule.date).where(*donors_ahead).distinct())
    assert not holidays.days_off(ahead)


def patients_may_begin(session: Any, told: str) -> None:
    """What is printed opens the door of each way, and the whole of it stays readable."""
    lines = told.splitlines()
    assert len(lines) <= 30
    assert all(each["email"] in told for each in clinic_patients.of_esia())
    assert max(map(len, lines)) <= 160
    for column, kinds in (("B", (K.OMS, K.PASSPORT)), ("E", (K.OMS, K.SNILS, K.PASSPORT))):
        root = organization(session, column)
        assert f"http://localhost:8000/institutions/{root.uid}" in told
        person = first_person(session, root)
        typed = lines[lines.index(next(x for x in lines if str(root.uid) in x)) + 1]
        for row in session.scalars(
            select(PersonDocument).where(PersonDocument.person_id == person.id)
        ):
            assert (documents.shown(row.kind, row.number) in typed) is (row.kind in kinds)
            given = Given(birth_date=person.birth_date, number=row.number)
            if row.kind in kinds:
                found = identification.identify(
                    session,
                    organization_id=root.id,
                    method=IdentifyBy(row.kind.value),
                    given=given,
                    address="192.0.2.1",
                    now=NOW,
                )
                assert found == person.id
        assert f"{person.birth_date:%d.%m.%Y}" in typed
    for column in ("C", "D"):
        person = first_person(session, organization(session, column))
        email = session.scalar(
            select(Account.email).join(AccountPerson).where(AccountPerson.person_id == person.id)
        )
        assert email in told
    for people in (centre.PEOPLE, clinic_staff.PEOPLE):
        assert all(email in told for email, _ in people.values())


def happened_in_order(session: Any) -> None:
    for column in (Message.created_at, AuditEvent.at, Appointment.created_at):
        times = list(session.scalars(select(column).order_by(column.class_.id)))
        assert times == sorted(times), f"{column} is out of order"
        assert times[-1] <= NOW


def every_column_has_its_polyclinic(session: Any) -> None:
    """The policy table of the design: one organization each, in three settlements, E in three ways."""
    settlements = {name for name, _ in directory.settlements(session)}
    assert len(settlements) == 3
    for column, name in clinics.COLUMNS.items():
        root = organization(session, column)
        held = policies.effective(session, tenant_id=root.id, organization_id=root.id, now=NOW)
        wanted = starters.way(name)
        assert {key: getattr(held, key) for key in wanted} == wanted
    ways = set()
    for place in session.scalars(select(Organization).where(Organization.takes_patients)):
        held = policies.effective(
            session, tenant_id=place.tenant_id, organization_id=place.id, now=NOW
        )
        ways.add(held.confirmation)
    assert ways == {Confirmation.NONE, Confirmation.CODE, Confirmation.APPROVAL_CODE}
    paid = session.scalars(
        select(HealthcareService).where(
            HealthcareService.tenant_id == organization(session, "B").id,
            HealthcareService.payment == Payment.PAID,
        )
    ).one()
    visits = session.scalars(select(Appointment).where(Appointment.service_id == paid.id)).all()
    assert visits, "somebody has booked what is paid for"
    assert {row.policy.confirmation for row in visits if row.channel is Channel.WEB} == {
        Confirmation.APPROVAL
    }
    assert organization(session, "E").time_zone != organization(session, "B").time_zone
    for user in clinic_staff.load(session).values():
        assert {held.organization_id for held in user.roles} == {
            organization(session, column).id for column in clinics.COLUMNS
        }


def the_directory_is_whole(session: Any) -> None:
    """Of E: every specialty of E61 and every kind of department of E62, each with somebody's times."""
    root = organization(session, "E")
    rows = session.execute(
        select(Specialty.code, Department.kind)
        .select_from(Slot)
        .join(PractitionerRole, PractitionerRole.id == Slot.role_id)
        .join(Specialty, Specialty.id == PractitionerRole.specialty_id)
        .join(Department, Department.id == PractitionerRole.department_id)
        .where(PractitionerRole.tenant_id == root.id, Slot.starts_at > NOW)
        .distinct()
    ).all()
    assert len({row.code for row in rows}) == 16
    assert {row.kind for row in rows} == set(directory.department_kinds())
    numbers = session.scalars(select(Department.code).where(Department.tenant_id == root.id))
    assert "292" in set(numbers)
    services = session.scalars(select(HealthcareService)).all()
    assert {row.payment for row in services} >= {Payment.OMS, Payment.PAID}
    named = [row.name_ru for row in services if row.code == "B01.064.001"]
    assert len(set(named)) == 2  # one code, two editions
    kinds = session.scalars(select(Slot.kind).where(Slot.role_id.is_not(None)).distinct())
    assert set(kinds) == set(SlotKind)


def every_state_of_a_time_is_seen(session: Any) -> None:
    rows = session.execute(
        select(Slot, Schedule.status, Organization.time_zone)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .join(Organization, Organization.id == Slot.organization_id)
        .where(Slot.role_id.is_not(None))
    )
    seen = {
        state_of(
            slot.status, slot.channel, slot.starts_at, status,
            now=NOW, until=horizon(14, zone=zone, now=NOW),
        )
        for slot, status, zone in rows
    }  # fmt: skip
    assert seen == set(State)
    there = set(
        session.scalars(
            select(Appointment.status).where(Appointment.donation_type_id.is_(None)).distinct()
        )
    )
    assert there >= {
        A.PENDING, A.BOOKED, A.FULFILLED, A.NOSHOW, A.REJECTED, A.CANCELLED, A.EXPIRED,
    }  # fmt: skip


def a_quarter_to_a_half_is_taken(session: Any) -> None:
    taken = func.sum(case((Slot.status.in_((SlotStatus.BUSY, SlotStatus.HELD)), 1), else_=0))
    rows = session.execute(
        select(PractitionerRole.tenant_id, func.count(), taken)
        .join(PractitionerRole, PractitionerRole.id == Slot.role_id)
        .where(
            Slot.channel == Channel.WEB,
            Slot.status != SlotStatus.CLOSED,
            Slot.starts_at.between(NOW, NOW + dt.timedelta(days=14)),
        )
        .group_by(PractitionerRole.tenant_id)
    ).all()
    assert len(rows) == 4
    assert all(0.2 < busy / number < 0.5 for _, number, busy in rows), rows


def districts_fit(session: Any) -> None:
    """Nobody's house has two districts of a kind; a few have none; the quota of C holds."""
    gaps = []
    for column in ("C", "E"):
        root = organization(session, column)
        for street in districts.streets(session, organization_id=root.id):
            rows = district_streets.rows_of(session, organization_id=root.id, key=street.key)
            spans = [districts.span_of(row) for row in rows]
            assert house_ranges.overlaps(spans) == [], street
            gaps += house_ranges.gaps(spans)
    assert [(gap.first, gap.last) for gap in gaps] == [(20, 24)]
    root = organization(session, "C")
    days = session.execute(
        select(Slot.role_id, Schedule.date, DistrictDoctor.district_id, func.count())
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .join(DistrictDoctor, DistrictDoctor.role_id == Slot.role_id)
        .where(
            Schedule.tenant_id == root.id,
            Slot.channel == Channel.WEB,
            DistrictDoctor.ends_on.is_(None),
        )
        .group_by(Slot.role_id, Schedule.date, DistrictDoctor.district_id)
    ).all()
    child = {
        row.id: row.kind is DistrictKind.PAEDIATRIC
        for row in session.scalars(select(District).where(District.tenant_id == root.id))
    }
    assert {(child[row.district_id], row[3]) for row in days} == {(False, 2), (True, 5)}
    found = districts.serving(
        session,
        organization=organization(session, "E"),
        street="Ленина",
        house="12/3",
        on=NOW.date(),
    )
    assert [(each.district.number, each.doctor is not None) for each in found] == [
        ("91", True),
        ("1", True),
    ]


def nobody_is_real(session: Any) -> None:
    """Every telephone is of nobody, every number has its check digit."""
    texts = [
        text
        for model, names in (
            (Organization, ("phone", "phones")),
            (Department, ("phone",)),
            (Page, ("body_ru", "body_en")),
            (Feedback, ("phone",)),
            (Person, ("phone",)),
        )
        for row in session.scalars(select(model))
        for name in names
        if (text := getattr(row, name))
    ]
    telephones = [
        number for text in texts for number in re.findall(r"\+7[\d() -]{9,}|8-800[\d-]+", text)
    ]
    assert len(telephones) > 300
    for number in telephones:
        digits = re.sub(r"\D", "", number)
        assert re.fullmatch(r"7946000\d{4}|7\d{3,4}000\d{3,4}|880000000\d{2}", digits), number
    for row in session.scalars(select(PersonDocument)):
        assert documents.normalised(row.kind, row.number) == row.number
    for user in session.scalars(select(Account.email).where(Account.email.is_not(None))):
        assert user.endswith("@example.ru")


def pages_and_letters_are_there(session: Any) -> None:
    for column in clinics.COLUMNS:
        tenant_id = organization(session, column).id
        kinds = {link.kind for link in pages.links(session, tenant_id=tenant_id, now=NOW)}
        assert kinds == set(PageKind)
    assert set(session.scalars(select(Feedback.status).distinct())) == set(FeedbackStatus)


def organization(session: Any, column: str) -> Any:
    name = clinics.read(clinics.COLUMNS[column])["organization"]["name"]
    return session.scalars(select(Organization).where(Organization.name == name)).one()


def first_person(session: Any, root: Any) -> Any:
    query = select(Person).where(Person.tenant_id == root.id).order_by(Person.id).limit(1)
    return session.scalars(query).one()


def days_ahead(session: Any, now: dt.datetime) -> list[dt.date]:
    """Days on which doctors of E are published, after that of ``now``."""
    root = organization(session, "E")
    query = select(Schedule.date).where(
        Schedule.tenant_id == root.id,
        Schedule.status == ScheduleStatus.PUBLISHED,
        Schedule.date > now.date(),
    )
    return sorted(set(session.scalars(query)))


def doubles(session: Any) -> list[Any]:
    """Doctors with two open times at one instant."""
    return list(
        session.execute(
            select(PractitionerRole.practitioner_id, Slot.starts_at)
            .join(PractitionerRole, PractitionerRole.id == Slot.role_id)
            .where(Slot.status != SlotStatus.CLOSED)
            .group_by(PractitionerRole.practitioner_id, Slot.starts_at)
            .having(func.count() > 1)
        )
    )
