"""Seed E whole in Chromium: a sign-in from the call centre, one's own password, the code of an SMS, a visit booked
by the three columns, moved, attended and rated (E44–E56, B17).

With JavaScript on a wide screen, all of the cabinet by keyboard alone; without it on a phone, by touch.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Appointment, Message, Review, Slot, StaffUser
from app.models.enums import MessageChannel, MessageKind, Role
from app.rules import transitions
from app.rules.actor import actor_of
from tests import make
from tests.browser import on_one_engine
from tests.journeys.people import POST, Worker, now
from tests.journeys.test_visits import FORM_OF_READER, Patient
from tests.live import Live
from tests.public.clinic import POLICY, SNILS, make_clinic

OWN = "сорок-два-синих-облака"
TABS = {
    "Участковый врач": "Талоны к участковому врачу",
    "Карта пациента": "771*****235",
    "Журнал событий": "Перенос посещения",
    "Лист ожидания": "Лист ожидания",
    "Семья": "Состав семьи",
}
"""A word of each."""


def arranged(live: Live) -> StaffUser:
    """A clinic that asks strangers for the code of an SMS, with a department and a survey; its operator."""
    with live.session() as session:
        clinic = make_clinic(session, "registry_code", now=now())
        clinic.patient.phone = "+79001234567"
        clinic.role.department_id = make.make_department(
            session, clinic.tenant, name="Отделение стоматологии", code="292"
        ).id
        make.make_question(session, clinic.tenant)
        return make.make_staff(session, Role.OPERATOR, clinic.tenant.root)


def issued(live: Live, page: Page, operator: StaffUser, *, javascript: bool) -> str:
    """The operator holds SNILS and policy against the card; the one-time password."""
    desk = Worker(live, page, javascript=javascript)
    desk.sign_in(operator)
    desk.go("/staff/accounts/")
    desk.fill(q="Рябинина")
    desk.press("Найти")
    desk.follow("Открыть вход", within="main")
    desk.fill(snils=SNILS, oms=POLICY)
    desk.press("Проверить и выдать")
    return desk.page.locator("#one-time").inner_text()


def another_code(patient: Patient, former: str) -> str:
    """That of the next SMS, once it has come."""
    end = time.monotonic() + POST
    while (code := patient.code_of_sms()) == former:
        assert time.monotonic() < end, "no other code has come"
        time.sleep(0.3)
    return code


def attended(live: Live, operator: StaffUser) -> None:
    """The day has come: the patient was there."""
    with live.session() as session:
        row = session.scalars(select(Appointment)).one()
        row.starts_at -= dt.timedelta(days=7)
        session.get_one(Slot, row.slot_id).starts_at = row.starts_at
        for event in ("arrive", "fulfil"):
            transitions.move(
                session, appointment_id=row.id, event=event, actor=actor_of(operator), now=now()
            )


def sms_of(live: Live) -> list[MessageKind]:
    """What has been sent to telephones, or is about to be."""
    with live.session() as session:
        query = select(Message.kind).where(Message.channel == MessageChannel.SMS)
        return list(session.scalars(query.order_by(Message.id)))


@pytest.mark.parametrize(("width", "javascript"), FORM_OF_READER)
@on_one_engine
def test_from_the_call_centre_s_password_to_a_rated_visit(
    live: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    operator = arranged(live)
    one_time = issued(
        live, open_page(live.url, javascript=javascript), operator, javascript=javascript
    )

    page = open_page(live.url, width=width, javascript=javascript)
    patient = Patient(live, page, javascript=javascript)
    patient.by_keys = javascript
    patient.go("/sign-in")
    patient.fill(email=SNILS, password="wrong-wrong")
    patient.press("Вход")
    patient.says("Логин или пароль неверны")
    patient.fill(email=SNILS, password=one_time)
    patient.press("Вход")
    assert patient.heading() == "Свой пароль"
    patient.fill(password=OWN)
    patient.press("Задать пароль и открыть кабинет")
    expect(page.locator(".own-name")).to_contain_text("Рябинина А. П.")

    patient.follow("Профиль")
    patient.says("771*****235")
    patient.unfold("Включить")
    patient.mark("by-factor", "sms")
    patient.fill(**{"by-current": OWN})
    patient.press("Перейти к коду")
    first = patient.code_of_sms()
    patient.fill(code=first)
    patient.press("Включить")
    patient.says("Теперь после пароля нужен код")
    patient.press("Выход", within="header")
    patient.go("/sign-in")
    patient.fill(email=SNILS, password=OWN)
    patient.press("Вход")
    assert patient.heading() == "Код для входа"
    code = another_code(patient, first)
    patient.fill(code=f"{(int(code) + 1) % 10**6:06}")
    patient.press("Вход")
    patient.says("Осталось попыток: 4")
    patient.fill(code=code)
    patient.press("Вход")
    expect(page.locator(".own-name")).to_contain_text("Рябинина А. П.")

    sent = sms_of(live)
    patient.follow("Личный кабинет")
    patient.follow("Запись на приём", within="nav.tabs")
    patient.follow("Сосны", within="main")
    patient.follow("Отделение стоматологии (292)", within="main")
    patient.follow(re.compile("свободно"), within="table.week")
    patient.press(re.compile("^9:00 "))
    patient.press("Подтвердить")  # the telephone of the account
    assert patient.heading().startswith("Ждём вас на приём")
    assert sms_of(live) == sent, "booking from the cabinet sends nothing to a telephone (E53)"
    patient.follow("Личный кабинет")
    patient.follow(re.compile("Перенести запись"), within="main")
    patient.press(re.compile("^9:15"))
    patient.says("Номер талона прежний")
    assert sms_of(live) == sent, "nor does moving"
    patient.follow("Личный кабинет")
    for tab, words in TABS.items():
        patient.follow(tab, within="nav.tabs")
        patient.says(words)

    attended(live, operator)
    patient.follow("Талоны на приём", within="nav.tabs")
    patient.follow(re.compile("Оценить приём"), within="main")
    patient.press("Отправить оценку")
    patient.says("Выберите, пожалуйста, от одной до пяти звёзд.")
    patient.mark("stars", "5")
    patient.fill(comment="Всё было хорошо")
    patient.press("Отправить оценку")
    patient.says("5 из 5")
    with live.session() as session:
        review = session.scalars(select(Review)).one()
        assert (review.stars, review.comment) == (5, "Всё было хорошо")
