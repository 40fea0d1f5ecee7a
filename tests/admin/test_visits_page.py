"""Patients' requests on the registrar's screen: the same decisions, other checks; donors' stay apart."""

from __future__ import annotations

import datetime as dt
import re
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.models import AccessEvent, Message
from app.models.enums import AppointmentStatus as A
from app.models.enums import Confirmation, MessageKind, Role
from tests import make
from tests.client import words
from tests.statements import statements

VISITS = "/staff/visits/"


@pytest.fixture
def world(store, as_staff) -> SimpleNamespace:
    """Two requests for one doctor, one for another, under «approval, then code»."""
    tenant = make.make_polyclinic(
        store, confirmation=Confirmation.APPROVAL_CODE, live_limit=3, undo_seconds=60
    )
    doctors = [
        make.make_practitioner(store, tenant, family_name=name) for name in ("Еловая", "Дубова")
    ]
    days = [
        make.make_sitting(store, make.make_role(store, tenant, practitioner=doctor))
        for doctor in doctors
    ]
    rows = []
    for number, day in ((1, days[0]), (2, days[0]), (3, days[1])):
        person = make.make_person(
            store,
            tenant,
            family_name=f"Пациент{'абв'[number - 1]}",
            birth_date=dt.date(1970, 1, number),
        )
        person.phone = f"+7900123456{number}"
        make.make_document(store, person)
        rows.append(make.make_appointment(store, tenant, person, day))
    registrar = make.make_staff(store, Role.REGISTRAR, tenant.root)
    return SimpleNamespace(
        store=store, tenant=tenant, doctors=doctors, rows=rows, client=as_staff(registrar)
    )


def decide(world, row, what: str, **data: str):
    return world.client.submit(f"{VISITS}?open={row.uid}", data, form=what)


def test_requests_of_patients_with_doctor_and_checks(world):
    page = world.client.page(VISITS)
    said = words(page)
    assert "На утверждении 3" in said
    assert "Пациента" in said and "Еловая М." in said
    for name in ("Прикрепление", "Направление"):
        assert re.search(rf"{name} \W* ?в порядке нет, и не нужно", said)
    assert "в карте: Полис ОМС" in said and "СМС дойдёт" in said
    assert "Группа крови" not in said and "донаци" not in said.casefold()
    assert "visits" in world.store.scalars(select(AccessEvent.action)).all()


def test_the_filter_takes_a_doctor(world):
    said = words(world.client.page(f"{VISITS}?doctor={world.doctors[1].uid}"))
    assert "На утверждении 1" in said and "Пациентв" in said and "Пациента" not in said
    assert world.client.get(f"{VISITS}?doctor={make.NOBODYS_UID}").status_code == 404


def test_approved_goes_on_to_the_next_and_the_code_leaves_after_the_minute(world):
    answer = decide(world, world.rows[0], "approve")
    assert answer.location == f"{VISITS}?open={world.rows[1].uid}" or "open=" in answer.location
    world.store.expire_all()
    assert world.rows[0].status is A.PROPOSED
    assert world.store.scalars(select(Message.kind)).all() == [MessageKind.CONFIRM_CODE]
    page = world.client.page(answer.location)
    assert "Утверждена" in words(page)
    world.client.submit(answer.location, form="undo")
    world.store.expire_all()
    assert world.rows[0].status is A.PENDING


def test_rejected_with_a_reason_the_person_learns_it_by_sms(world):
    decide(world, world.rows[0], "reject", reason=str(world.tenant.reasons[0].uid))
    world.store.expire_all()
    assert world.rows[0].status is A.REJECTED
    assert world.store.scalars(select(Message.kind)).all() == [MessageKind.VISIT_REFUSED]
    said = words(world.client.page(f"/staff/ticket/{world.rows[0].uid}"))
    assert "Код донора не совпадает" in said


def test_many_at_once(world):
    picks = "".join(f"&pick={row.uid}" for row in world.rows)
    answer = world.client.submit(f"/staff/visits-bulk/?do=approve{picks}")
    assert "Решены 3 заявки" in words(answer) or "3 заявки" in words(answer)
    world.store.expire_all()
    assert {row.status for row in world.rows} == {A.PROPOSED}


def test_the_page_of_a_request_decides_it_too(world):
    page = f"/staff/ticket/{world.rows[0].uid}"
    assert "Открыть в очереди" in words(world.client.page(page))
    world.client.submit(page, form="approve")
    world.store.expire_all()
    assert world.rows[0].status is A.PROPOSED


def test_neither_queue_shows_the_other_ones_requests(world, as_staff):
    centre = make.make_tenant(world.store)
    donor = make.make_donor(world.store, centre, family_name="Донорова")
    make.make_appointment(world.store, centre, donor, make.make_schedule(world.store, centre))
    both = as_staff(Role.REGISTRAR)
    donors, patients = words(both.page("/staff/queue/")), words(both.page(VISITS))
    assert "Донорова" in donors and "Пациента" not in donors
    assert "Пациента" in patients and "Донорова" not in patients
    today = words(both.page("/staff/"))
    assert "3 заявки на приём ждут решения" in today and "1 заявка ждёт решения" in today


def test_two_hundred_requests_are_one_page_of_a_few_queries(world, engine):

    role = world.rows[0].schedule.role
    counts = []
    for days in (3, 4):
        times = [f"{8 + n // 6:02}:{n % 6 * 10:02}" for n in range(30)]
        day = make.make_sitting(world.store, role, days=days, times=times, minutes=10)
        for number in range(30):
            person = make.make_person(
                world.store, world.tenant, birth_date=dt.date(1960, 1, 1 + number)
            )
            make.make_appointment(world.store, world.tenant, person, day)
        world.store.commit()
        url = f"{VISITS}?per=100"
        world.client.page(url)
        with statements(world.client.application) as seen:
            world.client.page(url)
        counts.append(len(seen))
    assert counts[0] == counts[1], counts
