"""The registrar's hour in Chromium: by keys, by touch and without scripts; nothing moves, nothing is inaccessible."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Appointment
from app.models.enums import AppointmentStatus, Role
from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine

pytestmark = on_one_engine

A = AppointmentStatus
QUEUE = "/staff/queue/"


class Hour:
    """A centre as of today with ``count`` requests, and its registrar signed in on ``page``."""

    def __init__(self, live: Any, page: Page, *, count: int, failing: int = 0) -> None:
        self.live, self.page = live, page
        now = dt.datetime.now(dt.UTC)
        with live.session() as session:
            tenant = make.make_tenant(session, now=now)
            today = now.date()
            for number in range(count + failing):
                donor = make.make_donor(session, tenant, now=now, family_name=f"Донор{number:02}")
                if number < count:
                    record = make.make_record(session, tenant, donor)
                    make.make_donation(
                        session, tenant, record, on_date=today - dt.timedelta(days=90)
                    )
                day = make.make_schedule(
                    session, tenant, date=today + dt.timedelta(days=2 + number)
                )
                make.make_appointment(session, tenant, donor, day, now=now)
            user = make.make_staff(session, Role.REGISTRAR, tenant.root, now=now)
        live.sign_in(page, user)
        page.goto(QUEUE)

    def statuses(self) -> list[AppointmentStatus]:
        with self.live.session() as session:
            query = select(Appointment.status).order_by(Appointment.starts_at)
            return list(session.scalars(query))

    def open_name(self) -> str:
        return self.page.locator("#opened").inner_text()

    def press(self, key: str) -> None:
        """A key that leads to another page; a person has read the request meanwhile."""
        self.page.wait_for_timeout(350)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)


def sound(page: Page) -> None:
    axe(page)
    fits(page)


def test_twenty_good_requests_take_twenty_keys(live: Any, page: Page) -> None:
    hour = Hour(live, page, count=20)
    places = set()
    for number in range(20):
        assert hour.open_name().startswith(f"Донор{number:02}")
        box = page.locator("#approve button").bounding_box()
        assert box is not None
        places.add((round(box["x"]), round(box["y"])))
        hour.press("a")
    assert hour.statuses() == [A.BOOKED] * 20
    assert len(places) == 1, "the button stays under the pointer"
    expect(page.get_by_text("Заявок нет: по всем решение принято")).to_be_visible()
    sound(page)


def test_every_key_does_what_the_list_of_keys_says(live: Any, page: Page) -> None:
    hour = Hour(live, page, count=4)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Клавиши")
    expect(dialog).to_be_visible()
    sound(page)
    page.keyboard.press("a")  # nothing behind an open dialog
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    hour.press("j")
    assert hour.open_name().startswith("Донор01")
    hour.press("ArrowDown")
    assert hour.open_name().startswith("Донор02")
    hour.press("k")
    hour.press("ArrowUp")
    assert hour.open_name().startswith("Донор00")

    page.keyboard.press("r")
    reason = page.get_by_label("Причина")
    expect(reason).to_be_focused()
    page.keyboard.press("Escape")
    expect(reason).not_to_be_focused()
    page.keyboard.press("r")
    page.keyboard.press("ArrowDown")
    hour.press("Enter")
    assert hour.statuses() == [A.REJECTED, A.PENDING, A.PENDING, A.PENDING]
    assert hour.open_name().startswith("Донор01")

    hour.press("u")
    assert hour.statuses() == [A.PENDING] * 4
    assert hour.open_name().startswith("Донор00")


def test_two_quick_taps_approve_one_request(live: Any, page: Page) -> None:
    hour = Hour(live, page, count=2)
    hour.press("a")
    page.evaluate("sessionStorage.setItem('queue-approved', String(Date.now()))")
    page.keyboard.press("a")  # the second of two taps, landing on the next request
    page.wait_for_timeout(400)
    assert hour.statuses() == [A.BOOKED, A.PENDING]
    hour.press("a")
    assert hour.statuses() == [A.BOOKED, A.BOOKED]


def test_keys_of_the_russian_layout_are_the_same_places(live: Any, page: Page) -> None:
    hour = Hour(live, page, count=2)
    with page.expect_navigation():
        page.evaluate(
            """document.body.dispatchEvent(new KeyboardEvent('keydown',
               {key: 'ф', code: 'KeyA', bubbles: true, cancelable: true}))"""
        )
    assert hour.statuses() == [A.BOOKED, A.PENDING]


def test_letters_typed_into_a_field_decide_nothing(live: Any, page: Page) -> None:
    hour = Hour(live, page, count=2)
    page.get_by_label("Комментарий к решению").click()
    page.keyboard.type("a r u j k ?")
    page.get_by_label("Причина").focus()
    page.keyboard.type("a")
    page.locator("#from").focus()
    page.keyboard.press("ArrowDown")
    assert hour.statuses() == [A.PENDING, A.PENDING]
    assert page.url.endswith(QUEUE)
    page.keyboard.press("Control+a")
    assert hour.statuses() == [A.PENDING, A.PENDING]


def test_a_failing_check_leads_the_key_to_the_reason(live: Any, page: Page) -> None:
    hour = Hour(live, page, count=0, failing=2)
    sound(page)
    page.keyboard.press("a")
    field = page.get_by_label("Утвердить вопреки проверке, потому что")
    expect(field).to_be_focused()
    page.keyboard.press("Enter")  # the browser asks for the reason
    assert hour.statuses() == [A.PENDING, A.PENDING]
    page.keyboard.type("Код выдан сегодня")
    hour.press("Enter")
    assert hour.statuses() == [A.BOOKED, A.PENDING]


def test_the_seconds_left_run_and_then_the_button_is_off(live: Any, page: Page) -> None:
    hour = Hour(live, page, count=2)
    page.clock.install()
    hour.press("a")
    left = page.locator("[data-seconds]")
    expect(left).to_contain_text("осталось")
    page.clock.run_for(61_000)
    expect(left).to_have_text("минута прошла")
    expect(page.locator("#undo button")).to_be_disabled()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_page_of_the_queue_is_sound(live: Any, open_page: Any, width: int) -> None:
    page = open_page(live.url, width=width)
    Hour(live, page, count=4, failing=2)
    sound(page)
    page.locator("td.who a").first.click()
    expect(page.locator("#opened")).to_be_visible()
    sound(page)
    page.locator("#approve button").click()
    expect(page.get_by_role("button", name="Отменить решение")).to_be_visible()
    sound(page)
    if width == NARROW:
        page.get_by_role("link", name="К списку").click()
    page.locator("input[name=whole]").check()
    page.get_by_role("button", name="Утвердить…").click()
    expect(page.get_by_text("2 заявки не войдут")).to_be_visible()
    sound(page)
    page.get_by_role("button", name="Утвердить 3 заявки").click()
    expect(page.get_by_role("heading", name="Решены 3 заявки")).to_be_visible()
    sound(page)
    page.locator(".left-out a").first.click()
    page.locator(".facts-of .small a").first.click()
    expect(page.get_by_role("heading", name="Что произошло")).to_be_visible()
    sound(page)
    page.get_by_role("link", name="Найти запись").last.click()
    page.get_by_label("Номер записи или код донора").fill("1")
    page.get_by_role("button", name="Найти").click()
    expect(page.get_by_text("Нет записи с таким номером")).to_be_visible()
    sound(page)


def test_without_scripts_requests_are_decided_and_undone(live: Any, open_page: Any) -> None:
    page = open_page(live.url, javascript=False)
    hour = Hour(live, page, count=4)
    expect(page.locator("[data-help]")).to_be_hidden()
    page.get_by_role("button", name="Утвердить", exact=True).click()
    assert hour.open_name().startswith("Донор01")
    page.get_by_role("button", name="Отменить решение").click()
    assert hour.statuses() == [A.PENDING] * 4
    page.get_by_label("Причина").select_option(index=1)
    page.get_by_role("button", name="Отклонить", exact=True).click()
    assert hour.statuses() == [A.REJECTED, A.PENDING, A.PENDING, A.PENDING]
    for box in page.locator("input[name=pick]").all()[:2]:
        box.check()
    page.get_by_role("button", name="Утвердить…").click()
    page.get_by_role("button", name="Утвердить 2 заявки").click()
    assert hour.statuses() == [A.REJECTED, A.BOOKED, A.BOOKED, A.PENDING]
