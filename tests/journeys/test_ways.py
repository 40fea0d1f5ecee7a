"""The ways into the cabinet in Chromium: seed C's registration by policy, seed E's sign-in from the call centre.

With JavaScript on a wide screen, without it on a phone; each page is looked at by axe on its way.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.models.enums import Role
from tests import make
from tests.browser import NARROW, WIDE, on_one_engine
from tests.journeys.people import POST, Worker, now
from tests.journeys.test_visits import FORM_OF_READER, Patient
from tests.live import Live
from tests.public.clinic import BORN, POLICY, SNILS, make_clinic

EMAIL = "anna@example.org"
OWN = "сорок-два-синих-облака"


def another_code(patient: Patient, former: str) -> str:
    """That of the next SMS, once it has come."""
    end = time.monotonic() + POST
    while (code := patient.code_of_sms()) == former:
        assert time.monotonic() < end, "no other code has come"
        time.sleep(0.3)
    return code


@pytest.mark.parametrize(("width", "javascript"), FORM_OF_READER)
@on_one_engine
def test_a_patient_registers_by_policy_and_finds_his_card_in_the_cabinet(
    live: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    """«Личный кабинет» → «Регистрация» → «Продолжить» → the letter → the cabinet (C1–C7, D4)."""
    with live.session() as session:
        make_clinic(session, "cabinet", now=now())
    page = open_page(live.url, width=width, javascript=javascript)
    patient = Patient(live, page, javascript=javascript)
    patient.go("/")
    patient.follow("Регистрация")
    patient.says("Цифры на обороте листа номером полиса не являются")
    patient.press("Продолжить")  # empty: each slip is said at its field
    expect(page.get_by_role("alert").get_by_role("link")).to_have_count(7)
    patient.fill(family_name="Рябинина", given_name="Анна", patronymic="Петровна", birth_date=BORN)
    patient.fill(number=POLICY[:-1] + "0", email=EMAIL, password=OWN)
    patient.tick("consent")
    patient.press("Продолжить")
    patient.says("последняя цифра")
    patient.fill(number=POLICY, password=OWN)
    patient.press("Продолжить")
    patient.says("Проверьте почту")
    patient.letter(EMAIL, "Подтвердите")
    patient.leave(page.locator("div.text a").first.click)
    patient.press("Подтвердить адрес")
    patient.says("ваша карта найдена")
    patient.fill(email=EMAIL, password=OWN)
    patient.press("Вход")
    expect(page.locator(".own-name")).to_contain_text("Рябинина А. П.")
    patient.follow("Личный кабинет")
    patient.follow("Профиль")
    patient.says("это устройство")
    patient.press("Выход", within="header")
    expect(page.locator(".own-name")).to_have_count(0)


@pytest.mark.parametrize(("width", "javascript"), [(WIDE, True), (NARROW, False)])
@on_one_engine
def test_the_call_centre_s_sign_in_asks_for_a_password_and_then_for_a_code(
    live: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    """Operator: SNILS and policy → one-time password. Patient: his own password → SMS at sign-in (E44–E47)."""
    with live.session() as session:
        clinic = make_clinic(session, now=now())
        operator = make.make_staff(session, Role.OPERATOR, clinic.tenant.root)
        clinic.patient.phone = "+79001234567"
    desk = Worker(live, open_page(live.url, javascript=javascript), javascript=javascript)
    desk.sign_in(operator)
    desk.go("/staff/accounts/")
    desk.fill(q="Рябинина")
    desk.press("Найти")
    desk.follow("Открыть вход", within="main")
    desk.fill(snils=SNILS, oms=POLICY)
    desk.press("Проверить и выдать")
    one_time = desk.page.locator("#one-time").inner_text()

    page = open_page(live.url, width=width, javascript=javascript)
    patient = Patient(live, page, javascript=javascript)
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
    page.get_by_text("Включить", exact=True).click()
    page.get_by_label("по СМС: код приходит при каждом входе").check()
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
