"""The administrator's pages in Chromium: accessible at both widths, usable by keyboard, asking before they act."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.models import Message, RejectionReason
from app.models.enums import MessageKind, MessageStatus, Role
from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine

pytestmark = on_one_engine

PAGES = (
    "/staff/",
    "/staff/organizations/",
    "/staff/organizations/new/",
    "/staff/staff/",
    "/staff/staff/new/",
    "/staff/policies/",
    "/staff/policies/new/",
    "/staff/medical/",
    "/staff/medical/new/",
    "/staff/donation-types/",
    "/staff/donation-types/new/",
    "/staff/reasons/",
    "/staff/reasons/new/",
    "/staff/letters/",
    "/staff/letters/approved/ru/",
    "/staff/consents/",
    "/staff/consents/new/",
    "/staff/messages/",
    "/staff/audit/",
    "/staff/password/",
)
WATCHMAN = ("/staff/", "/staff/access/", "/staff/audit/")
DOOR = ("/staff/sign-in/", "/staff/invitation/")
CUT = "[...document.querySelectorAll('.wide')].some(e => e.scrollWidth > e.clientWidth)"


@pytest.fixture
def office(live):
    """A centre with something in every list, its administrator and its security officer."""
    now = dt.datetime.now(dt.UTC)
    with live.session() as session:
        tenant = make.make_tenant(session, now=now - dt.timedelta(days=1))
        boss = make.make_staff(session, Role.ADMINISTRATOR, tenant.root, now=now)
        guard = make.make_staff(session, Role.SECURITY, tenant.root, now=now)
        make.make_staff(
            session, Role.REGISTRAR, tenant.branch, full_name="Соловьёва Алёна Петровна"
        )
        session.add(
            Message(
                tenant_id=tenant.id,
                kind=MessageKind.PASSWORD_CHANGED,
                key="test:1",
                status=MessageStatus.DEAD,
                staff_user_id=boss.id,
                run_at=now,
                created_at=now,
                ended_at=now,
                last_error="550",
            )
        )
        session.commit()
        yield tenant, boss, guard


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_page_of_the_administrator_is_accessible_and_fits(live, open_page, office, width):
    _, boss, guard = office
    for user, urls in ((boss, PAGES), (guard, WATCHMAN), (None, DOOR)):
        page = open_page(live.url, width=width)
        if user is not None:
            live.sign_in(page, user)
        for url in urls:
            response = page.goto(url)
            assert response is not None and response.status in (200, 410), (url, response.status)
            axe(page)
            fits(page)
            if width == WIDE:
                assert not page.evaluate(CUT), f"{url}: a table is wider than the window"


def test_errors_take_the_focus_and_lead_to_their_fields(live, open_page, office):
    _, boss, _ = office
    page = open_page(live.url)
    live.sign_in(page, boss)
    page.goto("/staff/reasons/new/")
    page.get_by_role("button", name="Сохранить").click()
    alert = page.get_by_role("alert")
    assert alert.evaluate("e => e === document.activeElement")
    axe(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "text_ru"


def rows(live):
    with live.session() as session:
        return len(session.scalars(select(RejectionReason)).all())


def test_nothing_is_deleted_without_a_dialog(live, open_page, office):
    _, boss, _ = office
    page = open_page(live.url)
    live.sign_in(page, boss)
    page.goto("/staff/reasons/")
    before = rows(live)
    first = page.get_by_role("link", name="Удалить").first
    first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    assert rows(live) == before
    assert page.evaluate("document.activeElement.textContent.trim()") == "Отменить"  # Enter is safe
    axe(page)
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert first.evaluate("e => e === document.activeElement")
    assert rows(live) == before
    first.click()
    page.get_by_role("dialog").get_by_role("button", name="Удалить").click()
    page.get_by_text("Готово: изменена 1 строка").wait_for()
    assert rows(live) == before - 1


def test_without_javascript_the_question_is_a_page(live, open_page, office):
    _, boss, _ = office
    page = open_page(live.url, javascript=False)
    live.sign_in(page, boss)
    page.goto("/staff/reasons/")
    before = rows(live)
    page.get_by_role("link", name="Удалить").first.click()
    assert page.locator("h1").inner_text() == "Удалить?"
    assert rows(live) == before
    page.get_by_role("button", name="Удалить").click()
    assert rows(live) == before - 1


def test_ticked_rows_are_asked_about_together(live, open_page, office):
    _, boss, _ = office
    page = open_page(live.url)
    live.sign_in(page, boss)
    page.goto("/staff/messages/")
    page.locator("[data-tick-all]").check()
    assert page.locator("td.pick input:checked").count() == 1
    page.get_by_role("button", name="Отправить ещё раз").click()
    page.get_by_role("heading", name="Отправить ещё раз?").wait_for()
    page.get_by_role("button", name="Отправить ещё раз").click()
    page.get_by_text("Готово: изменена 1 строка").wait_for()


@pytest.mark.parametrize("javascript", [True, False])
def test_the_menu_of_a_telephone_opens_by_key(live, open_page, office, javascript):
    _, boss, _ = office
    page = open_page(live.url, width=NARROW, javascript=javascript)
    live.sign_in(page, boss)
    page.goto("/staff/")
    menu = page.get_by_role("navigation", name="Меню")
    assert not menu.is_visible()
    way = page.locator("[data-menu]")
    way.focus()
    page.keyboard.press("Enter")
    assert menu.is_visible()
    page.get_by_role("link", name="Причины отклонения").click()
    page.get_by_role("heading", name="Причины отклонения").wait_for()


def test_one_finds_the_way_past_the_menu_by_key(live, open_page, office):
    _, boss, _ = office
    page = open_page(live.url)
    live.sign_in(page, boss)
    page.goto("/staff/reasons/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_what_is_pressed_is_large_enough(live, open_page, office):
    """Buttons and fields of 32 px and more; the menu of a telephone 44."""
    _, boss, _ = office
    small = """wanted => [...document.querySelectorAll(wanted[0])].filter(e => {
        const box = e.getBoundingClientRect();
        return box.width && box.height && box.height < wanted[1];
    }).map(e => e.outerHTML.slice(0, 120))"""
    page = open_page(live.url)
    live.sign_in(page, boss)
    for url in PAGES:
        page.goto(url)
        fields = "button, .button, select, input:not([type=checkbox]):not([type=hidden]), .menu a"
        assert page.evaluate(small, [fields, 32]) == [], url
    phone = open_page(live.url, width=NARROW)
    live.sign_in(phone, boss)
    phone.goto("/staff/")
    phone.locator("[data-menu]").click()
    assert phone.evaluate(small, [".menu a", 44]) == []
