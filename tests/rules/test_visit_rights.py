"""What attachment and referral let a card book (C9, C11–C15): the pure list, the booking, its way back, and races."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Appointment, Referral
from app.models.cabinet_choices import AttachmentStatus
from app.models.enums import AppointmentStatus, DistrictKind, Role
from app.models.scope import SYSTEM, set_scope
from app.rules import booking, desk, moving, patient_visits, patients, starters, visit_rights
from app.rules.actor import SYSTEM as NOBODY
from app.rules.actor import actor_of
from app.rules.errors import Refused, RuleError
from app.rules.invariants import check_invariants
from app.rules.patient_visits import Reader
from tests import make
from tests.make import NOW
from tests.rules.test_patient_races import at_once
from tests.statements import statements

A = AppointmentStatus
DAY = NOW.date() + dt.timedelta(days=2)


def arranged(session: Session) -> SimpleNamespace:
    """A polyclinic of column C: two therapy districts, the second without a doctor, and a specialist."""
    tenant = make.make_polyclinic(session, **starters.way("cabinet") | {"book_days_ahead": 60})
    own, other = make.make_role(session, tenant), make.make_role(session, tenant)
    specialist = make.make_role(session, tenant)
    districts = [
        make.make_district(session, tenant, number=number, kind=DistrictKind.THERAPY)
        for number in ("1", "2", "3")
    ]
    make.make_district_doctor(session, districts[0], own)
    make.make_district_doctor(session, districts[1], other)
    person = make.make_person(session, tenant, birth_date=dt.date(1980, 5, 1))
    registrar = make.make_staff(session, Role.REGISTRAR, tenant.root)
    return SimpleNamespace(
        session=session, tenant=tenant, own=own, other=other, specialist=specialist,
        districts=districts, person=person, registrar=registrar, actor=actor_of(registrar),
    )  # fmt: skip


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    return arranged(session)


def against(world: SimpleNamespace, role: Any, **more: Any) -> list[str]:
    rights = visit_rights.of_person(world.session, world.person.id, role.id)
    found = visit_rights.check(world.tenant.policy, role, rights, on=more.pop("on", DAY), **more)
    return [refusal.code for refusal in found]


def attach(world: SimpleNamespace, number: int, **more: Any) -> None:
    make.make_attachment(world.session, world.person, world.districts[number], **more)


def refer(world: SimpleNamespace, **more: Any) -> Referral:
    return make.make_referral(
        world.session, world.person, world.specialist, world.registrar, **more
    )


def book(world: SimpleNamespace, role: Any, *, at: int = 0, person: Any = None) -> Appointment:
    """As the site does: held by a browser, named, confirmed."""
    session, person = world.session, person or world.person
    day = make.make_sitting(session, role)
    slot = make.slots_of(session, day)[at]
    token = f"browser {slot.id}"
    held = patients.hold(session, slot_uid=slot.uid, token=token, actor=NOBODY, now=NOW)
    patients.name(
        session, appointment_id=held.id, token=token, person_id=person.id, actor=NOBODY, now=NOW
    )
    return booking.confirm(session, appointment_id=held.id, actor=NOBODY, now=NOW)


def test_who_is_not_attached_is_told_so_and_nothing_else(world):
    assert against(world, world.own) == against(world, world.specialist) == ["not_attached"]
    attach(world, 0, status=AttachmentStatus.REQUESTED)
    assert against(world, world.own) == ["not_attached"]


def test_only_the_doctor_of_ones_own_district(world):
    attach(world, 0)
    assert against(world, world.own) == []
    assert against(world, world.other) == ["not_own_district"]


def test_a_district_without_a_permanent_doctor_is_the_desks(world):
    attach(world, 2)
    assert against(world, world.own) == ["no_doctor"]


def test_an_attachment_without_a_district_says_what_to_do(world):
    attach(world, 0, district_id=None)
    assert against(world, world.own) == ["no_district"]


def test_a_doctor_whose_term_is_over_serves_the_district_no_more(world):
    attach(world, 2)
    last = DAY - dt.timedelta(days=1)
    make.make_district_doctor(world.session, world.districts[2], world.own, ends_on=last)
    assert against(world, world.own, on=last) == []
    assert against(world, world.own, on=DAY) == ["no_doctor"]


def test_a_specialist_by_a_referral_of_his_specialty_that_holds_on_the_day(world):
    attach(world, 0)
    assert against(world, world.specialist) == ["no_referral"]
    make.make_referral(world.session, world.person, world.other, world.registrar)
    assert against(world, world.specialist) == ["no_referral"]
    refer(world, valid_until=DAY - dt.timedelta(days=1))
    assert against(world, world.specialist) == ["referral_over"]
    refer(world, withdrawn_at=NOW)
    assert against(world, world.specialist) == ["referral_over"]
    refer(world, valid_until=DAY)
    assert against(world, world.specialist) == []
    assert against(world, world.specialist, on=DAY + dt.timedelta(days=1)) == ["referral_over"]


def test_a_referral_for_one_service_opens_that_one_alone(world):
    attach(world, 0)
    service = make.make_service(world.session, world.tenant)
    refer(world, service_id=service.id)
    assert against(world, world.specialist) == ["no_referral"]
    assert against(world, world.specialist, service_id=service.id) == []


def test_without_the_settings_nothing_is_asked(world):
    policy = world.tenant.policy
    policy.attachment_required = policy.referral_required = False
    assert against(world, world.own) == against(world, world.specialist) == []
    assert not visit_rights.asked(policy)
    policy.referral_required = True
    assert against(world, world.own) == []  # a district's doctor needs no referral
    assert against(world, world.specialist) == ["no_referral"]


def test_the_booking_hears_the_same(world):
    attach(world, 0)
    with pytest.raises(Refused) as refusal:
        book(world, world.other)
    assert refusal.value.code == "not_own_district"
    assert book(world, world.own).status is A.BOOKED


def test_the_referral_is_used_up_by_the_booking_and_comes_back_with_its_place(world):
    attach(world, 0)
    referral = refer(world)
    row = book(world, world.specialist)
    world.session.refresh(referral)
    assert referral.appointment_id == row.id
    assert against(world, world.specialist) == ["referral_used"]
    booking.cancel(world.session, appointment_id=row.id, actor=NOBODY, now=NOW)
    world.session.refresh(referral)
    assert referral.appointment_id is None
    assert against(world, world.specialist) == []


def test_the_desk_books_anybody_but_uses_a_referral_that_is_there(world):
    referral = refer(world)
    slots = make.slots_of(world.session, make.make_sitting(world.session, world.specialist))
    row = desk.book(
        world.session, slot_uid=slots[0].uid, person=world.person, actor=world.actor, now=NOW
    )
    world.session.refresh(referral)
    assert row.status is A.BOOKED and referral.appointment_id == row.id


def test_a_move_keeps_the_referral(world):
    attach(world, 0)
    referral = refer(world)
    row = book(world, world.specialist)
    slots = make.slots_of(world.session, row.schedule)
    moved = moving.move(
        world.session, uid=row.uid, slot_uid=slots[2].uid, actor=NOBODY, now=NOW, at_desk=False
    )
    world.session.refresh(referral)
    assert moved.slot_id == slots[2].id and referral.appointment_id == row.id
    assert moved.moved_by_owner == 1


def test_facts_of_a_whole_list_take_three_queries(world):
    people = [make.make_person(world.session, world.tenant) for _ in range(5)]
    for person in people:
        make.make_attachment(world.session, person, world.districts[0])
    world.session.flush()
    with statements(world.session) as seen:
        found = visit_rights.of_people(
            world.session, [person.id for person in people], [world.own.id]
        )
    assert len(seen) == 3
    assert all(rights.attached and world.own.id in rights.doctors(DAY) for rights in found.values())


# --- at once


def on_the_site(slot: Any, person: Any) -> Any:
    """Choose, then confirm for that card, as an account does: two transactions."""
    uid, person_id, token = slot.uid, person.id, f"{slot.id} {person.id}"

    def act(session: Session) -> int:
        set_scope(session, SYSTEM)
        row = patients.hold(session, slot_uid=uid, token=token, actor=NOBODY, now=NOW)
        session.commit()
        reader = Reader(token=token, cards=(person_id,))
        patient_visits.book(
            session, row=row, reader=reader, person_id=person_id, actor=NOBODY, now=NOW
        )
        session.commit()
        return row.id

    return act


def test_a_referral_is_used_once_by_two_bookings_at_once(engine, store, scale):
    world = arranged(store)
    attach(world, 0)
    twin = make.make_role(store, world.tenant)
    twin.specialty_id = world.specialist.specialty_id
    for number in range(max(3, scale(20))):
        referral = refer(world)
        days = [
            make.make_sitting(store, role, days=5 + number) for role in (world.specialist, twin)
        ]
        slots = [make.slots_of(store, day)[0] for day in days]
        slots[1].starts_at += dt.timedelta(hours=2)  # two visits that do not meet
        store.commit()
        results = at_once(engine, [on_the_site(slot, world.person) for slot in slots])
        assert sum(isinstance(each, int) for each in results) == 1, results
        refused = next(each for each in results if not isinstance(each, int))
        assert isinstance(refused, RuleError) and refused.code == "referral_used"
        store.expire_all()
        won = next(each for each in results if isinstance(each, int))
        assert store.get(Referral, referral.id).appointment_id == won
        for day in days:  # the next round has days of its own
            day.status = day.status.__class__.CLOSED
        booking.cancel(store, appointment_id=won, actor=NOBODY, now=NOW)
        store.refresh(referral)
        assert referral.appointment_id is None
        referral.withdrawn_at = NOW
        store.commit()


def test_fifty_families_want_the_two_tickets_of_a_district(engine, store, scale):
    world = arranged(store)
    make.make_sitting(store, world.own, times=("09:00", "09:15"))
    slots = list(store.scalars(select(make.Slot)))
    families = [make.make_person(store, world.tenant) for _ in range(max(10, scale(50)))]
    for person in families:
        make.make_attachment(store, person, world.districts[0])
    store.commit()
    acts = [on_the_site(slots[n % 2], person) for n, person in enumerate(families)]
    results = at_once(engine, acts)
    assert sum(isinstance(each, int) for each in results) == 2, results
    store.expire_all()
    booked = store.scalars(select(Appointment).where(Appointment.status == A.BOOKED)).all()
    assert len(booked) == 2 and {row.slot_id for row in booked} == {slot.id for slot in slots}
    assert check_invariants(store, now=NOW) == []
