"""Seed D whole, through the real local provider: in by ESIA, booked, the countdown, the visit cancelled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Account, Appointment, Person
from app.models.enums import AppointmentStatus
from app.provider.people import citizens, password
from tests import servers, stores
from tests.browser import NARROW, WIDE, on_both_engines
from tests.esia import BACK, CLIENT, SECRET, Orders, Served, served
from tests.journeys.people import now
from tests.journeys.test_visits import Patient
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


@pytest.mark.parametrize(("width", "javascript"), [(WIDE, True), (NARROW, False)])
@on_both_engines
def test_the_regional_portal_through_esia(
    portal: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    """Rows D1–D22 in the order in which a citizen meets them."""
    with portal.session() as session:
        clinic = make_clinic(session, "esia", now=now())
    page = open_page(portal.url, width=width, javascript=javascript)
    patient = Patient(portal, page, javascript=javascript)

    patient.choose(clinic)  # without a cabinet: first one signs in, then one is back at the times
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
    patient.press(re.compile("^9:00 "))
    assert patient.heading() == "Соглашение об обработке персональных данных"
    patient.press("Да, я даю согласие")
    assert patient.heading() == "Выберите телефон для связи с вами"
    patient.press("Подтвердить")
    assert patient.heading() == "Вы успешно записались на приём!"
    patient.says("Ждём Вас в назначенное время с полисом медицинского страхования")
    patient.says(re.compile("Автоматический выход произойдёт через 1[0-8] секунд"))
    patient.press("Остаться")
    patient.go("/cabinet")
    patient.follow("Отменить", within="main")
    patient.press("Да, отменить")
    assert patient.heading() == "Заявка отменена"
    with portal.session() as session:
        booking = session.scalars(select(Appointment)).one()
        assert booking.status is AppointmentStatus.CANCELLED
        assert session.get_one(Person, booking.person_id).full_name == ARTYOM.full_name
        assert session.scalars(select(Account.email)).all() == [None]

    page.locator("header").get_by_role("button", name="Выход").click()  # and in again, at once
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
