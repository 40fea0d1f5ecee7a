"""The donor's whole way with JavaScript off, on a phone; the registrar's button works without it too."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests import make
from tests.browser import NARROW
from tests.journeys.people import Donor, Visitor, Worker, engine
from tests.journeys.test_booking import CODE, centre, text_of
from tests.live import Live


@engine("postgresql")
def test_a_donor_needs_no_scripts_from_start_to_end(
    live: Live, open_page: Callable[..., Page]
) -> None:
    registrar = centre(live, undo_seconds=1)
    phone = open_page(live.url, width=NARROW, javascript=False)
    donor = Donor(live, phone, javascript=False)
    donor.go("/register")
    donor.press("Зарегистрироваться")  # empty: what is missing is said on the page
    expect(donor.page.get_by_role("alert").get_by_role("link")).to_have_count(7)
    donor.register(CODE)
    donor.confirm_address()
    donor.sign_in()

    donor.go("/")
    donor.page.locator("details.filters summary").click()
    donor.fill(group="B", q="тромбо")
    donor.press("Показать")
    expect(donor.page.locator("tbody tr")).to_have_count(2)
    donor.follow("Записаться", within="tbody")
    donor.press("9:00 (2)")
    donor.says("Место держится за вами до")
    donor.press("Продлить")
    donor.leave(donor.page.get_by_role("button", name="Закрыть").click)
    number = donor.book("8:00 (2)")

    desk = Worker(live, open_page(live.url, javascript=False), javascript=False)
    desk.sign_in(registrar)
    desk.go("/staff/queue/")
    desk.press("Утвердить")
    desk.says("Заявок нет: по всем решение принято")

    assert donor.status() == "Запись на донацию подтверждена"
    ticket = text_of(donor.file("PDF", within="table.list"))
    assert "Ёлкина Вера Ильинична" in ticket
    assert str(number) in ticket
    post = Visitor(live, open_page(live.url, javascript=False), javascript=False)
    post.letter(donor.email, "Запись подтверждена")

    donor.follow("Отменить", within="table.list")
    donor.says("Место сразу станет доступно другому донору")
    donor.press("Да, отменить запись")
    assert donor.status() == "Запись отменена"
    donor.follow("Профиль")
    donor.fill(current=make.PASSWORD, password="другой-тихий-бор-43")
    donor.press("Изменить пароль")
    donor.leave(donor.page.get_by_role("button", name="Выход").click)
    donor.follow("Вход")
    donor.fill(email=donor.email, password="другой-тихий-бор-43")
    donor.press("Вход")
    expect(donor.page.locator(".own-group")).to_be_visible()
