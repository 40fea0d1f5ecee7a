"""The directory's rules: trees without circles, codes, reach, what may not be switched off."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.models import AuditEvent, Specialty
from app.models.enums import Channel, Role, ScheduleStatus, SlotStatus
from app.models.scope import SYSTEM, set_scope
from app.rules import (
    access,
    bodies,
    directory,
    directory_edit,
    organizations,
    policies,
    practitioners,
)
from app.rules.actor import actor_of
from app.rules.errors import NotAllowed, NotFound
from app.rules.horizons import horizon
from app.rules.slot_states import State, state_of
from tests import make


@pytest.fixture
def clinic(session):
    return make.make_polyclinic(session)


@pytest.fixture
def who(session, clinic):
    return {"actor": actor_of(make.make_staff(session, Role.MANAGER, clinic.root)), "now": make.NOW}


def department(session, clinic, who, row=None, part_of=None, **fields):
    return directory_edit.save_department(
        session, organization=clinic.branch, part_of=part_of, department=row, **who, **fields
    )


def test_the_dictionaries_are_those_of_the_source(session):
    assert directory.ensure_specialties(session) == 16
    assert directory.ensure_specialties(session) == 0, "a second time adds nothing"
    names = set(session.scalars(select(Specialty.name_ru)))
    assert {"Зубной врач", "Врач-педиатр участковый", "Фельдшер"} <= names
    assert all(each.name_en for each in session.scalars(select(Specialty)))
    assert len(directory.department_kinds()) == 6
    assert directory.institution_kinds()["dental"].ru == "Стоматологическая поликлиника"


def test_what_staff_have_renamed_stays_renamed(session):
    directory.ensure_specialties(session)
    row = session.scalars(select(Specialty).where(Specialty.code == "surgeon")).one()
    row.name_ru = "Хирург"
    directory.ensure_specialties(session)
    assert row.name_ru == "Хирург"


def test_a_tree_is_read_depth_first_with_its_depths(session, clinic, who):
    top = department(session, clinic, who, name="Б", position=2)
    department(session, clinic, who, name="А", position=1)
    below = department(session, clinic, who, name="В", part_of=top)
    department(session, clinic, who, name="Г", part_of=below)
    found = directory.institution(session, uid=clinic.branch.uid)
    assert [(leaf.department.name, leaf.depth) for leaf in found.leaves] == [
        ("А", 0), ("Б", 0), ("В", 1), ("Г", 2),
    ]  # fmt: skip
    assert len(directory.under(found.leaves, top.id)) == 3


def test_an_institution_read_with_its_policies_says_what_a_query_of_its_own_says(
    session, clinic, who
):
    for number in range(3):
        department(session, clinic, who, name=f"Отделение {number}")
    for days in (1, 2):
        make.make_policy(session, clinic.root, valid_from=make.NOW - dt.timedelta(days=days))
    make.make_policy(session, clinic.root, valid_from=make.NOW + dt.timedelta(days=1))
    make.make_policy(session, make.make_polyclinic(session).root)
    found = directory.institution(session, uid=clinic.branch.uid, now=make.NOW)
    assert found.policies == tuple(
        policies.versions(
            session, tenant_ids=[clinic.root.id], now=make.NOW, numbers=False
        ).policies
    )
    assert len(found.policies) == 3
    alone = directory.institution(session, uid=clinic.branch.uid)
    assert (alone.policies, alone.leaves, alone.roots) == (None, found.leaves, found.roots)
    bare = make.make_polyclinic(session)
    assert len(directory.institution(session, uid=bare.branch.uid, now=make.NOW).policies) == 1


def test_no_department_stands_under_itself(session, clinic, who):
    top = department(session, clinic, who, name="А")
    below = department(session, clinic, who, name="Б", part_of=top)
    for above in (top, below):
        with pytest.raises(directory_edit.UnderItself):
            department(session, clinic, who, top, part_of=above, name="А")
    other = make.make_department(session, clinic, organization=clinic.root)
    with pytest.raises(directory_edit.OtherBranch):
        department(session, clinic, who, name="В", part_of=other)


def test_departments_are_only_so_many_levels_deep(session, clinic, who):
    above = None
    for number in range(directory_edit.DEEPEST):
        above = department(session, clinic, who, name=f"{number}", part_of=above)
    with pytest.raises(directory_edit.TooDeep):
        department(session, clinic, who, name="слишком", part_of=above)


@pytest.mark.parametrize("code", ["B01.064.001", "A16.07.002.001", ""])
def test_a_code_of_the_nomenclature_or_none_is_taken(session, clinic, who, code):
    made = directory_edit.save_service(session, tenant_id=clinic.id, code=code, name_ru="У", **who)
    assert made.code == code
    with pytest.raises(directory_edit.SameService):
        directory_edit.save_service(session, tenant_id=clinic.id, code=code, name_ru="У", **who)


@pytest.mark.parametrize(
    "code", ["В01.064.001", "B1.064", "C01.001", "B01", "B01.064.001\n", "B01.٠٦٤"]
)
def test_another_code_is_refused(session, clinic, who, code):
    with pytest.raises(directory_edit.BadServiceCode):
        directory_edit.save_service(session, tenant_id=clinic.id, code=code, name_ru="У", **who)


def test_what_has_times_ahead_is_not_switched_off(session, clinic, who):
    place = make.make_department(session, clinic)
    service = make.make_service(session, clinic)
    doctor = make.make_practitioner(session, clinic, services=[service])
    role = make.make_role(session, clinic, practitioner=doctor, department=place)
    day = make.make_sitting(session, role, service=service)
    again = {"practitioner": doctor, "organization": clinic.branch, "department": place,
             "specialty": role.specialty, "role": role}  # fmt: skip
    acts = [
        lambda: department(session, clinic, who, place, is_active=False),
        lambda: directory_edit.save_service(
            session, tenant_id=clinic.id, service=service, is_active=False, **who
        ),
        lambda: practitioners.save_practitioner(
            session, tenant_id=clinic.id, practitioner=doctor, is_active=False, **who
        ),
        lambda: practitioners.save_role(session, is_active=False, **again, **who),
        lambda: practitioners.set_services(session, practitioner=doctor, services=[], **who),
    ]
    for act in acts:
        with pytest.raises(directory_edit.TimesAhead) as refusal:
            act()
        assert refusal.value.params["date"] == dt.date(2026, 11, 25)
    with pytest.raises(organizations.PatientsAhead):
        organizations.change(session, organization=clinic.branch, takes_patients=False, **who)
    for slot in make.slots_of(session, day):
        slot.status = SlotStatus.CLOSED
    session.flush()
    for act in reversed(acts):
        act()
    assert not place.is_active and not doctor.is_active and not role.is_active


def test_a_doctor_without_a_staff_number_is_given_one_and_none_has_two_owners(session, clinic, who):
    first = practitioners.save_practitioner(
        session, tenant_id=clinic.id, family_name="Ёлкина", given_name="Анна", **who
    )
    assert first.code == f"T-{first.id}"
    assert first.search_name == "елкина анна"
    with pytest.raises(practitioners.SameStaffNumber):
        practitioners.save_practitioner(
            session, tenant_id=clinic.id, family_name="Другая", code=first.code, **who
        )


def test_the_same_place_of_reception_is_not_given_twice(session, clinic, who):
    role = make.make_role(session, clinic)
    with pytest.raises(practitioners.SameRole):
        practitioners.save_role(
            session, practitioner=role.practitioner, organization=clinic.branch, department=None,
            specialty=role.specialty, **who,
        )  # fmt: skip


def test_who_is_over_a_branch_changes_its_departments_and_not_what_is_everybodys(session, clinic):
    user = make.make_staff(session, Role.MANAGER, clinic.branch)
    who = {"actor": actor_of(user), "now": make.NOW}
    set_scope(session, access.staff_scope(session, user))
    try:
        assert department(session, clinic, who, name="Своё").id
        with pytest.raises(NotAllowed):
            directory_edit.save_service(session, tenant_id=clinic.id, name_ru="Чужое", **who)
        with pytest.raises(NotAllowed):
            practitioners.save_practitioner(session, tenant_id=clinic.id, family_name="А", **who)
        with pytest.raises(NotAllowed):
            directory_edit.save_specialty(session, code="x", name_ru="Чужая", **who)
        with pytest.raises(NotAllowed):
            directory_edit.save_department(
                session, organization=clinic.root, part_of=None, name="Чужое", **who
            )
    finally:
        set_scope(session, SYSTEM)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"site": "javascript:alert(1)"}, organizations.NotASite),
        ({"latitude": 55.7, "longitude": None}, organizations.HalfCoordinates),
        ({"latitude": 91.0, "longitude": 37.0}, organizations.HalfCoordinates),
    ],
)
def test_what_cannot_stand_on_an_institutions_page_is_refused(session, clinic, who, fields, error):
    with pytest.raises(error):
        organizations.change(session, organization=clinic.branch, **fields, **who)


def test_a_change_is_written_down_and_no_change_is_not(session, clinic, who):
    row = department(session, clinic, who, name="А")
    department(session, clinic, who, row, name="А")
    department(session, clinic, who, row, name="Б")
    session.flush()
    events = session.scalars(
        select(AuditEvent).where(AuditEvent.subject == "department").order_by(AuditEvent.id)
    ).all()
    assert [event.verb for event in events] == ["department.create", "department.edit"]
    assert events[1].changes == {"name": ["А", "Б"]}


@pytest.mark.parametrize(
    ("status", "channel", "hours", "sitting", "state"),
    [
        (SlotStatus.FREE, Channel.WEB, 24, ScheduleStatus.PUBLISHED, State.FREE),
        (SlotStatus.BUSY, Channel.WEB, 24, ScheduleStatus.PUBLISHED, State.TAKEN),
        (SlotStatus.BUSY, Channel.DESK, 24, ScheduleStatus.PUBLISHED, State.TAKEN),
        (SlotStatus.HELD, Channel.WEB, 24, ScheduleStatus.PUBLISHED, State.HELD),
        (SlotStatus.FREE, Channel.DESK, 24, ScheduleStatus.PUBLISHED, State.DESK),
        (SlotStatus.FREE, Channel.WEB, 0, ScheduleStatus.PUBLISHED, State.PAST),
        (SlotStatus.FREE, Channel.WEB, 24, ScheduleStatus.PAUSED, State.PAUSED),
        (SlotStatus.FREE, Channel.WEB, 24, ScheduleStatus.CLOSED, State.CLOSED),
        (SlotStatus.CLOSED, Channel.WEB, 24, ScheduleStatus.PUBLISHED, State.CLOSED),
        (SlotStatus.FREE, Channel.WEB, 24 * 9, ScheduleStatus.PUBLISHED, State.SOON),
    ],
)
def test_every_time_has_one_state(status, channel, hours, sitting, state):
    until = horizon(7, zone="Europe/Moscow", now=make.NOW)
    at = make.NOW + dt.timedelta(hours=hours)
    assert state_of(status, channel, at, sitting, now=make.NOW, until=until) is state


def test_the_last_open_day_is_open_to_its_end():
    until = horizon(7, zone="Europe/Moscow", now=make.NOW)
    assert until == dt.datetime(2026, 11, 30, 21, tzinfo=dt.UTC), "midnight in Moscow"


def test_a_body_stands_once_with_its_institutions_that_take_patients(session, clinic):
    """Row D5: first the organization, then its institution; the body itself first."""
    other = make.make_polyclinic(session, name="Горная поликлиника")
    other.root.takes_patients, other.branch.settlement = False, "Горный"
    make.make_tenant(session, name="Центр крови")
    session.flush()
    found = [(each.organization, each.institutions) for each in bodies.bodies(session)]
    assert found == [(other.root, 1), (clinic.root, 2)]
    (there,) = bodies.bodies(session, settlement="Горный")
    assert there.organization is other.root
    assert bodies.bodies(session, settlement="Дальний") == []
    for place in (clinic.root, clinic.branch):  # whichever is named
        assert bodies.institutions(session, uid=place.uid) == (
            clinic.root,
            [clinic.root, clinic.branch],
        )
    clinic.branch.takes_patients = clinic.root.takes_patients = False
    session.flush()
    with pytest.raises(NotFound):
        bodies.institutions(session, uid=clinic.root.uid)
