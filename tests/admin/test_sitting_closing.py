"""Closing a practitioner's day in the back office: who is on it, how each learns of it, the reason."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.models import AccessEvent, Appointment, Message, Slot
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind, Role, ScheduleStatus, SlotStatus
from tests import make
from tests.client import words

GRID = "/staff/grid/"


@pytest.fixture
def tenant(store):
    return make.make_polyclinic(store)


@pytest.fixture
def role(store, tenant):
    return make.make_role(store, tenant)


@pytest.fixture
def days(store, role):
    """Two sittings of one day: a morning and an evening."""
    return [
        make.make_sitting(store, role),
        make.make_sitting(store, role, times=("18:00", "18:15")),
    ]


@pytest.fixture
def scheduler(as_staff, tenant):
    return as_staff(Role.SCHEDULER, tenant.root)


def page_of(role, days) -> str:
    return f"{GRID}close/?role={role.uid}&date={days[0].date}"


def test_the_day_is_closed_and_everybody_is_told(scheduler, store, tenant, role, days):
    texted = make.make_person(store, tenant, phone="+79001234567", family_name="Мобильная")
    phoned = make.make_person(store, tenant, family_name="Безтелефонная")
    for person, day in ((texted, days[0]), (phoned, days[1])):
        make.make_appointment(store, tenant, person, day, status=A.BOOKED)
    day_page = scheduler.page(f"{GRID}day/?role={role.uid}&date={days[0].date}")
    [link] = day_page.xpath("//a[contains(@class,'danger')]/@href")
    page = scheduler.page(link)
    told = words(page)
    assert "Мобильная" in told and "по СМС" in told
    assert "Безтелефонная" in told and "нет адреса: позвоните" in told
    assert "Закрыть день: 1 записанный получит сообщение" in told
    assert "sittings.close" in set(store.scalars(select(AccessEvent.action)))
    answer = scheduler.submit(link, {"reason": "Врач заболел"}, follow_redirects=True)
    said = words(answer)
    assert "День закрыт" in said and "2 записи отменены" in said
    assert "Позвоните этим людям: до них не дошло ни одно сообщение Безтелефонная" in said
    assert "Мобильная" not in said
    assert set(store.scalars(select(Appointment.status))) == {A.CANCELLED}
    kinds = list(store.scalars(select(Message.kind)))
    assert kinds == [MessageKind.VISIT_CANCELLED] * 2
    assert set(store.scalars(select(Slot.status))) == {SlotStatus.CLOSED}
    for day in days:
        store.refresh(day)
        assert day.status is ScheduleStatus.CLOSED
    assert scheduler.page(link).xpath("//main//form") == [], "there is nothing more to close"


def test_who_has_no_number_stands_in_the_list_of_calls(scheduler, as_staff, store, tenant, role, days):  # fmt: skip
    person = make.make_person(store, tenant, family_name="Безтелефонная")
    make.make_appointment(store, tenant, person, days[0], status=A.BOOKED)
    scheduler.submit(page_of(role, days), {"reason": "Врач заболел"})
    calls = words(as_staff(Role.REGISTRAR, tenant.root).page("/staff/calls/"))
    assert "Безтелефонная" in calls and "Врач заболел" in calls


def test_without_a_reason_nothing_happens(scheduler, store, tenant, role, days):
    make.make_appointment(store, tenant, make.make_person(store, tenant), days[0])
    answer = scheduler.submit(page_of(role, days), {"reason": " "}, follow_redirects=True)
    assert answer.status_code == 200 and "Укажите причину" in words(answer)
    assert set(store.scalars(select(Appointment.status))) == {A.PENDING}
    store.refresh(days[0])
    assert days[0].status is ScheduleStatus.PUBLISHED


def test_whoever_may_not_close_days_sees_no_button(as_staff, tenant, role, days):
    for who, status in ((Role.REGISTRAR, 403), (Role.OPERATOR, 403), (Role.MANAGER, 200)):
        visitor = as_staff(who, tenant.root)
        assert visitor.get(page_of(role, days)).status_code == status
        page = visitor.page(f"{GRID}day/?role={role.uid}&date={days[0].date}")
        assert bool(page.xpath("//a[contains(@class,'danger')]")) == (status == 200)


def test_somebody_elses_practitioner_is_not_there(as_staff, store, role, days):
    other = make.make_polyclinic(store, name="Чужая поликлиника")
    stranger = as_staff(Role.SCHEDULER, other.root)
    assert stranger.get(page_of(role, days)).status_code == 404
    fields = {"role": str(role.uid), "date": str(days[0].date), "reason": "x"}
    assert stranger.send(f"{GRID}close/", fields).status_code == 404
    store.refresh(days[0])
    assert days[0].status is ScheduleStatus.PUBLISHED
