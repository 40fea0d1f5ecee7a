"""Patients without an account in Chromium: seeds B and E (both modes), in the words of the sources.

With JavaScript and without, wide and on a phone; each page is looked at by axe on its way.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Appointment
from app.models.enums import AppointmentStatus
from tests.browser import NARROW, WIDE, by_turns
from tests.journeys.people import Visitor, engine, now
from tests.journeys.test_booking import text_of
from tests.live import Live
from tests.public.clinic import BORN, PHONE, POLICY, Clinic, make_clinic

FORM_OF_READER = [(WIDE, True), (NARROW, False)]


class Patient(Visitor):
    """Somebody who comes to a doctor."""

    def tick(self, name: str) -> None:
        self.page.locator(f"main [name={name}]").check()

    def press(self, name: str | re.Pattern[str], *, within: str = "main") -> None:
        """A button by its whole name, or by how it begins."""
        exact = isinstance(name, str)
        self.act(self.page.locator(within).get_by_role("button", name=name, exact=exact).first)

    def code_of_sms(self) -> str:
        """What the telephone shows: the newest SMS of the mailbox."""
        back = self.page.url
        self.letter("+79001234567", "")
        code = re.search(r"\b[0-9]{6}\b", self.page.locator("div.text").inner_text())
        assert code is not None
        self.go(back)
        return code[0]


def arranged(live: Live, way: str, **policy: object) -> Clinic:
    with live.session() as session:
        return make_clinic(session, way, now=now(), **policy)


def status(live: Live) -> AppointmentStatus:
    """Of the newest booking."""
    with live.session() as session:
        newest = select(Appointment).order_by(Appointment.id.desc()).limit(1)
        return session.scalars(newest).one().status


@pytest.mark.parametrize(("width", "javascript"), FORM_OF_READER)
@by_turns
def test_the_electronic_registry_confirms_at_once(
    live: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    """Seed E, variant 2: data first, then department and doctor, «Да», the number of the ticket."""
    clinic = arranged(live, "registry")
    page = open_page(live.url, width=width, javascript=javascript)
    patient = Patient(live, page, javascript=javascript)
    patient.go("/")
    patient.follow("Записаться на приём")
    patient.page.get_by_label("Медицинское учреждение").select_option(label="Сосны")
    patient.page.get_by_label("Удостоверяющий документ").select_option(label="Полис ОМС")
    patient.press("Продолжить")
    assert not page.get_by_label(
        "Я даю согласие на обработку моих персональных данных"
    ).is_checked()
    patient.press("Записаться на приём")  # empty: each slip is said at its field
    expect(page.get_by_role("alert").get_by_role("link")).to_have_count(3)
    patient.fill(number=POLICY, birth_date="15.02.1985", email="anna@example.org")
    patient.tick("survey")
    patient.tick("consent")
    patient.press("Записаться на приём")  # another birth date
    patient.says("Вход невозможен, проверьте, что данные введены верно")
    patient.fill(birth_date=BORN)
    patient.press("Записаться на приём")
    patient.says("Нет активных талонов")
    patient.follow(re.compile("Захарова"), within="main")
    patient.press(re.compile("^9:15 "))
    assert re.fullmatch(r"Записаться на .*, 9:15\?", patient.heading())
    patient.press(re.compile("^Нет"))
    patient.says("Время снова свободно")
    patient.press(re.compile("^9:00 "))
    patient.press("Да, записаться")
    assert patient.heading().startswith("Ждём вас на приём")
    patient.says("Теперь необходимо распечатать талон либо записать его номер.")
    patient.says("Распечатать талон?")
    ticket = text_of(patient.file("Да, распечатать"))
    assert "Рябинина Анна Петровна" in ticket
    assert "B01.064.001 Прием врача стоматолога первичный" in ticket
    patient.follow(re.compile("^Нет"), within="main")
    expect(page.get_by_role("region", name="Активные талоны")).to_contain_text("Захарова")
    patient.follow("Отменить", within=".active-tickets")
    assert patient.heading().startswith("Отменить посещение")
    patient.says("Отменить посещение?")
    patient.press("Да, отменить")
    assert patient.heading() == "Приём отменён"
    assert status(live) is AppointmentStatus.CANCELLED
    assert clinic.slots


@pytest.mark.parametrize(("width", "javascript"), FORM_OF_READER)
@engine("postgresql")
def test_the_electronic_registry_asks_for_a_code(
    live: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    """Seed E, variant 1: «Введите код подтверждения», a wrong one, the right one, the ticket found again."""
    arranged(live, "registry_code")
    page = open_page(live.url, width=width, javascript=javascript)
    patient = Patient(live, page, javascript=javascript)
    patient.go("/appointment")
    patient.page.get_by_label("Медицинское учреждение").select_option(label="Сосны")
    patient.page.get_by_label("Удостоверяющий документ").select_option(
        label="Без удостоверяющего документа"
    )
    patient.press("Продолжить")
    patient.fill(family_name="Ольхин", given_name="Пётр", birth_date="01.03.1990", phone=PHONE)
    patient.tick("consent")
    patient.press("Записаться на приём")
    patient.follow(re.compile("Захарова"), within="main")
    patient.press(re.compile("^9:00 "))
    patient.press("Да, записаться")
    assert patient.heading().startswith("Вами забронирован талон на приём")
    number = page.locator(".number-line strong").inner_text()
    code = patient.code_of_sms()
    patient.fill(code=f"{(int(code) + 1) % 10**6:06}")
    patient.press("Подтвердить запись")
    patient.says("Осталось попыток: 4")
    patient.fill(code=code)
    patient.press("Подтвердить запись")
    assert "Запись на приём подтверждена. Вы можете распечатать талон" in patient.heading()
    assert "Ольхин Пётр" in text_of(patient.file("Да, распечатать"))

    later = Patient(
        live, open_page(live.url, width=width, javascript=javascript), javascript=javascript
    )
    later.go("/")
    later.follow("Талоны")
    later.fill(number=number, birth_date="01.03.1991")
    later.press("Найти талон")
    later.says("Талон с таким номером и датой рождения не найден")
    later.fill(birth_date="01.03.1990")
    later.press("Найти талон")
    later.says("Запись на приём подтверждена")


@pytest.mark.parametrize(("width", "javascript"), FORM_OF_READER)
@engine("sqlite")
def test_the_patient_portal(
    live: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    """Seed B: service, doctor, date, time, the agreement, two documents, and out by itself."""
    clinic = arranged(live, "portal", kiosk_seconds=6)
    page = open_page(live.url, width=width, javascript=javascript)
    patient = Patient(live, page, javascript=javascript)
    patient.go(f"{clinic.place}/services")
    patient.follow(re.compile("Прием врача стоматолога"), within="main")
    patient.follow(re.compile("Захарова"), within="main")
    patient.press(re.compile("^9:00 "))
    assert patient.heading() == "Соглашение об обработке персональных данных"
    expect(page.locator(".countdown")).to_contain_text("Время держится за вами")
    patient.press("Продлить")
    patient.press("Да, я даю согласие")
    assert patient.heading() == "Авторизация"
    patient.fill(number=POLICY, second="123456", birth_date="11.11.1911")
    patient.press("Войти")
    patient.says("Вход невозможен, проверьте, что данные введены верно")
    patient.fill(birth_date=BORN)
    page.get_by_role("button", name="Войти", exact=True).click()
    expect(page.locator("h1")).to_have_text("Вы успешно записались на приём!")
    expect(page.get_by_text(re.compile("Автоматический выход произойдёт через"))).to_be_visible()
    expect(page.get_by_role("link", name="Печать талона")).to_be_visible()
    expect(page.get_by_role("button", name="В начало")).to_be_visible()
    there = page.url
    page.wait_for_url("**/institutions")  # nobody has pressed anything
    answer = page.goto(there)
    assert answer is not None and answer.status == 404
    assert status(live) is AppointmentStatus.BOOKED


@engine("sqlite")
def test_by_keyboard_alone(live: Live, open_page: Callable[..., Page]) -> None:
    """Tab and Enter from the schedule to the ticket."""
    clinic = arranged(live, "portal")
    page = open_page(live.url)
    patient = Patient(live, page)
    patient.by_keys = True
    patient.go(f"{clinic.doctor}")
    patient.press(re.compile("^9:00 "))
    patient.press("Да, я даю согласие")
    patient.fill(number=POLICY, second="123456", birth_date=BORN)
    patient.key("Enter")
    assert patient.heading() == "Вы успешно записались на приём!"
