"""Seed D whole, through the real local provider: in by ESIA, organization, institution, service, doctor, date, time,
booked, the countdown, the visit cancelled (D1–D22)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Account, Appointment, Person, Slot
from app.models.enums import AppointmentStatus, Channel, SlotStatus
from app.provider.people import citizens, password
from tests import servers, stores
from tests.browser import by_turns
from tests.esia import BACK, CLIENT, SECRET, Orders, Served, served
from tests.journeys.people import now
from tests.journeys.test_booking import text_of
from tests.journeys.test_visits import FORM_OF_READER, Patient
from tests.live import Live
from tests.public.clinic import make_clinic

__all__ = ["served"]
ARTYOM = citizens()[1]
"""Nobody's registry has him."""


@pytest.fixture
def portal(
    databases: stores.Store, tmp_path_factory: pytest.TempPathFactory, served: Served
) -> Iterator[Live]:
    """A site of its own, since the shared one knows no ESIA."""
    name = f"esia{next(NUMBERS)}"
    site = Live(
        databases.create(name),
        tmp_path_factory.mktemp(name),
        web_processes=1,
        ESIA_ISSUER=served.issuer,
        ESIA_CLIENT_ID=CLIENT,
        ESIA_SECRET=SECRET,
    )
    served.orders = Orders()
    served.clients[CLIENT].redirect_uris.append(f"{site.url}{BACK}")
    with servers.closing(site):
        site.start()
        yield site


NUMBERS = iter(range(100))


@pytest.mark.parametrize(("width", "javascript"), FORM_OF_READER)
@by_turns
def test_the_regional_portal_through_esia(
    portal: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    """Rows D1–D22 in the order in which a citizen meets them."""
    with portal.session() as session:
        clinic = make_clinic(session, "esia", now=now())
        taken, at_desk = (session.get_one(Slot, slot.id) for slot in clinic.slots[1:3])
        taken.status, at_desk.channel = SlotStatus.BUSY, Channel.DESK
    page = open_page(portal.url, width=width, javascript=javascript)
    patient = Patient(portal, page, javascript=javascript)

    patient.go("/")
    patient.follow("Вход")
    patient.press("Войти через ЕСИА")
    assert patient.heading() == "Учебная ЕСИА"
    patient.fill(login=ARTYOM.snils, password="wrong")
    patient.press("Войти")
    patient.says("Такого логина с таким паролем нет")
    patient.fill(login=ARTYOM.snils, password=password())
    patient.press("Войти")
    assert patient.heading() == "Вы входите через ЕСИА впервые"
    patient.says("Жуков Артём Павлович")
    patient.press("Да, я даю согласие")
    expect(page.locator(".own-name")).to_contain_text("Жуков А. П.")

    patient.follow("Список медицинских учреждений", within="header")
    patient.follow("Сначала медицинская организация", within="main")
    assert patient.heading() == "Выберите медицинскую организацию"
    patient.follow("Лесная поликлиника", within="main")
    assert patient.heading() == "Выберите лечебное учреждение"
    patient.follow(re.compile("Выбрать услугу.*Сосны"), within="main")
    patient.follow("B01.064.001 Прием врача стоматолога первичный", within="main")
    patient.follow("Захарова Софья Сергеевна (прием по полису ОМС)", within="main")
    patient.follow(re.compile("свободно: 2"), within="nav[aria-labelledby=days]")
    expect(page.locator("li.cell-taken")).to_contain_text("занято")
    expect(page.locator("li.cell-desk")).to_contain_text("только через регистратуру")
    patient.press(re.compile("^9:00 "))
    assert patient.heading() == "Войти через ЕСИА"  # there is no card yet, and ESIA has its data
    patient.press("Перейти в ЕСИА")
    patient.fill(login=ARTYOM.snils, password=password())
    patient.press("Войти")
    assert patient.heading() == "Ваша карта: Сосны"
    patient.press("Да, я даю согласие")
    patient.press("Продолжить запись на 9:00")  # the chosen time has come along
    assert patient.heading() == "Соглашение об обработке персональных данных"
    patient.press("Да, я даю согласие")
    assert patient.heading() == "Выберите телефон для связи с вами"
    expect(
        page.get_by_label(re.compile(r"\+7 \*\*\* "))
    ).to_be_checked()  # what ESIA has said of him
    expect(page.get_by_label("Я не хочу указывать контактный телефон")).not_to_be_checked()
    patient.press("Подтвердить")
    assert patient.heading() == "Вы успешно записались на приём!"
    patient.says("Ждём Вас в назначенное время с полисом медицинского страхования")
    patient.says(re.compile("Автоматический выход произойдёт через 1[0-8] секунд"))
    patient.press("Остаться")
    expect(page.get_by_text("Автоматический выход")).to_have_count(0)

    patient.follow("Личный кабинет")
    card = page.get_by_role("region", name="Активные талоны")
    for line in ("B01.064.001 Прием врача стоматолога первичный", "врач-стоматолог Захарова Софья Сергеевна",
                 "Сосны", "9:00", "Заявка подтверждена"):  # fmt: skip
        expect(card).to_contain_text(line)
    ticket = text_of(patient.file(re.compile("^Печать талона"), within=".tickets"))
    assert "Жуков Артём Павлович" in ticket
    patient.follow("Отменить эту запись", within="main")
    patient.press("Да, отменить")
    assert patient.heading() == "Заявка отменена"
    with portal.session() as session:
        booking = session.scalars(select(Appointment)).one()
        assert booking.status is AppointmentStatus.CANCELLED
        assert session.get_one(Person, booking.person_id).full_name == ARTYOM.full_name
        assert session.scalars(select(Account.email)).all() == [None]

    patient.press("Выход", within="header")  # and in again, by telephone
    patient.go("/sign-in")
    patient.press("Войти через ЕСИА")
    patient.press("Не сообщать, кто я")
    patient.says("ЕСИА не разрешено сообщить, кто вы")
    patient.press("Войти через ЕСИА")
    patient.fill(login=ARTYOM.phone_number, password=password())
    patient.press("Войти")
    patient.go("/cabinet/events")
    patient.says("Вход в систему")
    expect(page.locator("header")).to_contain_text("Выход")
