"""The donor's walk in Chromium: wide and on a phone, by keyboard, and with JavaScript off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Account, Appointment
from app.models.blood import BloodType
from app.models.enums import AppointmentStatus, BloodGroup, Sign
from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine
from tests.live import Live

pytestmark = on_one_engine

AB_MINUS = BloodType(BloodGroup.AB, Sign.NEGATIVE)


def arranged(live: Live, *, per_time: int = 3) -> Account:
    """A centre with a day for the donor, one for another group and a full one; a donor."""
    now = dt.datetime.now(dt.UTC)
    with live.session() as session:
        tenant = make.make_tenant(session, now=now)
        ahead = [now.date() + dt.timedelta(days=n) for n in (2, 3, 4)]
        make.make_schedule(session, tenant, date=ahead[0], blood_types=[AB_MINUS])
        make.make_schedule(
            session, tenant, date=ahead[1], blood_types=[make.B_NEGATIVE], per_time=per_time
        )
        full = make.make_schedule(session, tenant, date=ahead[2], total=1)
        make.make_appointment(session, tenant, make.make_donor(session, tenant), full, now=now)
        donor = make.make_donor(session, tenant, now=now)
        session.expunge(donor.account)
        return donor.account


def seen(page: Page, *, javascript: bool = True) -> None:
    """The page as it stands is accessible and fits its window."""
    if javascript:
        axe(page)
        fits(page)


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("javascript", [True, False])
def test_a_donor_signs_in_books_and_cancels(
    live: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    account = arranged(live)
    page = open_page(live.url, width=width, javascript=javascript)

    def look() -> None:
        seen(page, javascript=javascript)

    page.goto("/")
    look()
    page.get_by_role("link", name="Вход", exact=True).click()
    look()
    page.get_by_label("Электронная почта").fill(account.email)
    page.get_by_label("Пароль").fill(make.PASSWORD)
    page.get_by_role("button", name="Вход").click()
    expect(page.locator(".own-group")).to_contain_text("III (B) −")
    look()
    page.locator("tbody").get_by_role("link", name="Записаться").first.click()
    look()
    page.get_by_role("button", name="9:00 (2)").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Подтверждение записи")
    expect(page.locator(".countdown")).to_contain_text("ещё 9:" if javascript else "до ")
    look()
    page.get_by_role("button", name="Продлить").click()
    page.get_by_role("button", name="Подтверждаю запись").click()
    expect(page.locator(".big-state")).to_have_text("На утверждении")
    look()
    page.get_by_role("link", name="Мои донации").click()
    look()
    page.get_by_role("link", name="Отменить", exact=False).last.click()
    look()
    page.get_by_role("button", name="Да, отменить запись").click()
    expect(page.get_by_role("status")).to_contain_text("отменена")
    page.get_by_role("button", name="Выход").click()
    expect(page.get_by_role("link", name="Вход", exact=True)).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_page_is_accessible(
    live: Live, open_page: Callable[..., Page], width: int, colours: str
) -> None:
    account = arranged(live, per_time=12)
    page = open_page(live.url, width=width)
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    for path in (
        "/?group=B&per=25",
        "/?q=zzz",
        "/register",
        "/register/sent",
        "/confirm-email/1.x",
        "/forgot-password",
        "/forgot-password/sent",
        "/reset-password/1.x",
        "/settings",
        "/none",
    ):
        page.goto(path)
        seen(page)
    page.goto("/register")
    page.get_by_role("button", name="Зарегистрироваться").click()
    expect(page.get_by_role("alert")).to_be_visible()
    seen(page)
    live.sign_in(page, account)
    for path in ("/", "/profile", "/bookings"):
        page.goto(path)
        seen(page)
    for link in page.goto("/") and page.locator("tbody a[href^='/places/']").all():
        page.goto(link.get_attribute("href") or "")
        page.locator("details.more").first.locator("summary").click()
        seen(page)
        break


def chosen_and_booked(live: Live) -> tuple[Account, list[str]]:
    """A donor with a held place and a request, and the addresses of what he can look at."""
    now = dt.datetime.now(dt.UTC)
    with live.session() as session:
        tenant = make.make_tenant(session, name="Орехово-Зуевское подразделение", now=now)
        next_year = dt.date(now.year + 1, 1, 2)
        make.make_schedule(session, tenant, date=next_year, blood_types=[AB_MINUS])
        day = make.make_schedule(session, tenant, date=now.date() + dt.timedelta(days=3))
        donor = make.make_donor(session, tenant, now=now)
        held, pending = (
            make.make_appointment(session, tenant, donor, day, status=status, now=now).uid
            for status in (AppointmentStatus.HELD, AppointmentStatus.PENDING)
        )
        paths = [f"/places/{day.uid}", f"/bookings/{held}/confirm", f"/bookings/{pending}"]
        session.expunge(donor.account)
        return donor.account, [*paths, f"/bookings/{pending}/cancel"]


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("view", ["", "large.high.wide", "huge.high.wide"])
def test_no_size_of_type_makes_a_page_scroll_sideways(
    live: Live, open_page: Callable[..., Page], view: str, width: int
) -> None:
    account, own = chosen_and_booked(live)
    page = open_page(live.url, width=width)
    page.context.add_cookies([{"name": "talon-view", "value": view, "url": live.url}])
    for path in ("/?group=B&q=x", "/", "/register", "/sign-in", "/mailbox"):
        page.goto(path)
        fits(page)
    live.sign_in(page, account)
    for path in ("/", "/?lang=en", "/profile?lang=ru", "/settings", "/bookings", *own):
        page.goto(path)
        seen(page)


def test_the_places_of_a_time_stand_in_one_row(live: Live, page: Page) -> None:
    live.sign_in(page, arranged(live, per_time=3))
    page.goto("/")
    page.locator("tbody").get_by_role("link", name="Записаться").first.click()
    places = page.locator(".time").first.locator(".place")
    expect(places).to_have_count(4)  # any place, and the three
    tops = places.evaluate_all("all => all.map(one => Math.round(one.getBoundingClientRect().top))")
    assert len(set(tops)) == 1, tops


def test_the_whole_walk_needs_no_mouse(live: Live, page: Page) -> None:
    account = arranged(live)

    def tab_to(words: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            focus = page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [(e.innerText || e.name || '').replace(/\\s+/g, ' '), s.outlineWidth,
                        e.getBoundingClientRect().height]; }"""
            )
            assert focus[1] == "3px", f"the focus on {focus[0]!r} cannot be seen"
            assert focus[2] >= 24, f"{focus[0]!r} is too small to be hit"
            if words in focus[0]:
                return
        raise AssertionError(f"{words!r} is not reached by keyboard")

    page.goto("/sign-in")
    tab_to("Перейти к содержанию")
    page.keyboard.press("Enter")
    tab_to("email")
    page.keyboard.type(account.email)
    page.keyboard.press("Tab")
    page.keyboard.type(make.PASSWORD)
    for words in ("Enter", "Записаться :", "8:00 (1)", "Подтверждаю запись"):
        if words != "Enter":
            tab_to(words)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    expect(page.locator(".big-state")).to_have_text("На утверждении")
    with live.session() as session:
        statuses = [row.status for row in session.scalars(select(Appointment))]
    assert statuses.count(AppointmentStatus.PENDING) == 2
