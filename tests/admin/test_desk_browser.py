"""The registry desk in Chromium: a caller is booked and moved by keys alone; wide, on a phone, without scripts."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Appointment
from app.models.enums import AppointmentStatus, Confirmation, Role
from app.models.policy_choices import ConsentStep
from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine
from tests.live import Live

pytestmark = on_one_engine

MOST_TABS = 80


def arranged(live: Live) -> make.StaffUser:
    """A polyclinic that asks for consent; a doctor's day next week; two namesakes, one asks by the site."""
    now = dt.datetime.now(dt.UTC)
    monday = now.date() + dt.timedelta(days=7 - now.date().weekday())
    with live.session() as session:
        tenant = make.make_polyclinic(
            session, now=now, live_limit=3, consent=ConsentStep.SCREEN,
            confirmation=Confirmation.APPROVAL_CODE,
        )  # fmt: skip
        services = [make.make_service(session, tenant) for _ in range(2)]
        doctor = make.make_practitioner(session, tenant, services=services)
        role = make.make_role(session, tenant, practitioner=doctor)
        day = make.make_sitting(session, role, date=monday + dt.timedelta(days=2))
        for given, born in (("Анна", dt.date(1988, 2, 14)), ("Алла", dt.date(1990, 5, 1))):
            person = make.make_person(
                session, tenant, family_name="Алёнова", given_name=given, birth_date=born
            )
            person.phone = "+79001234567"
            make.make_document(session, person)
        make.make_appointment(session, tenant, person, day, now=now)
        registrar = make.make_staff(session, Role.REGISTRAR, tenant.root, now=now)
        session.expunge(registrar)
    return registrar


def tab_to(page: Page, words: str) -> None:
    """Press Tab until the focus stands on what begins with ``words``, as a person does."""
    for _ in range(MOST_TABS):
        text = page.evaluate("document.activeElement.innerText || ''")
        tag = page.evaluate("document.activeElement.tagName")
        if tag in ("A", "BUTTON") and text.strip().startswith(words):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{page.url}: Tab never came to “{words}”")


def go(page: Page, words: str) -> None:
    tab_to(page, words)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def sound(page: Page) -> None:
    axe(page)
    fits(page)


def test_a_caller_is_booked_and_moved_by_keys_alone(live: Live, page: Page) -> None:
    live.sign_in(page, arranged(live))
    page.goto("/staff/desk/")
    sound(page)
    page.keyboard.type("аленова 14.02.1988")  # the line has the focus
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_text("Алёнова Анна").first).to_be_visible()
    expect(page.get_by_text("Алёнова Алла")).to_have_count(0)
    sound(page)
    go(page, "Записать")
    sound(page)
    go(page, "свободно")
    sound(page)
    go(page, "Записать")
    sound(page)
    for _ in range(2):  # what for, and how the consent was given
        page.keyboard.press("Tab")
        while page.evaluate("document.activeElement.tagName") != "SELECT":
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
    go(page, "Записать")
    expect(page.get_by_text("Записано: №")).to_be_visible()
    sound(page)
    go(page, "Перенести")
    go(page, "свободно")
    go(page, "Перенести сюда")
    expect(page.get_by_role("button", name="Перенести сюда")).to_be_visible()
    sound(page)
    tab_to(page, "Перенести сюда")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_text("Перенесено: №")).to_be_visible()
    with live.session() as session:
        rows = session.scalars(select(Appointment).order_by(Appointment.id)).all()
        assert [row.status for row in rows] == [
            AppointmentStatus.PENDING,
            AppointmentStatus.BOOKED,
        ]
        assert [event.event for event in rows[1].events][-1] == "move"


@pytest.mark.parametrize("javascript", [True, False])
def test_on_a_phone_and_without_scripts_it_is_all_there(
    live: Live, open_page: Callable[..., Page], javascript: bool
) -> None:
    page = open_page(live.url, width=NARROW, javascript=javascript)
    live.sign_in(page, arranged(live))

    def look(page: Page) -> None:
        expect(page.locator("main h1")).to_be_visible()  # a page still on its way has no size
        page.wait_for_load_state()
        (sound if javascript else fits)(page)

    for path in ("/staff/", "/staff/desk/", "/staff/desk/new/", "/staff/visits/"):
        page.goto(path)
        look(page)
    page.goto("/staff/desk/")
    page.get_by_label("Кто", exact=True).fill("алёнова анна")
    page.get_by_role("button", name="Найти").click()
    page.locator("td a").first.click()
    look(page)
    page.get_by_role("link", name="Записать на приём").click()
    page.locator("a.sum-of-day").click()
    look(page)
    page.get_by_role("link", name=re.compile("^Записать ?: ")).first.click()
    page.get_by_label("Для чего").select_option(index=1)
    page.get_by_label("Согласие на обработку данных").select_option("oral")
    look(page)
    page.get_by_role("button", name="Записать").click()
    expect(page.get_by_text("Записано: №")).to_be_visible()
    page.get_by_role("link", name="Запись и талон").click()
    look(page)


def test_a_wide_screen_of_requests_and_of_the_lost_link(live: Live, page: Page) -> None:
    live.sign_in(page, arranged(live))
    page.goto("/staff/visits/")
    sound(page)
    page.wait_for_timeout(400)
    with page.expect_navigation():
        page.keyboard.press("a")
    expect(page.get_by_text("Утверждена")).to_be_visible()
    sound(page)
    page.goto("/staff/desk/")
    page.get_by_text("Связь с учреждением").click()
    sound(page)
    page.get_by_role("button", name=re.compile("Связь прервана")).first.click()
    expect(page.get_by_text("связь прервана").first).to_be_visible()
    sound(page)
    page.goto("/staff/")
    expect(page.get_by_text("связь прервана").first).to_be_visible()
    sound(page)
    assert page.viewport_size == {"width": WIDE, "height": 900}
