"""The scheduler's day in Chromium: a matrix is filled in, published, changed and closed."""

from __future__ import annotations

import datetime as dt
import re
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models.enums import AppointmentStatus, PublicationStatus, Role
from app.models.schedule import Schedule
from app.rules import drafts
from app.rules.actor import actor_of
from app.rules.matrix import Dates
from app.rules.sittings import Line, Plan
from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine

pytestmark = on_one_engine

SENDING = "main form.publishing button.main"


@pytest.fixture(params=[WIDE, NARROW])
def window(request, live, open_page) -> Page:
    return open_page(live.url, width=request.param)


def arrange(live) -> make.Tenant:
    """A centre as of today: the site runs in real time."""
    with live.session() as session:
        return make.make_tenant(session, now=dt.datetime.now(dt.UTC))


def sign_in(live, page: Page, tenant) -> None:
    with live.session() as session:
        now = dt.datetime.now(dt.UTC)
        user = make.make_staff(session, Role.SCHEDULER, tenant.root, now=now)
    live.sign_in(page, user)


def sound(page: Page) -> None:
    axe(page)
    fits(page)


def next_week() -> tuple[dt.date, dt.date]:
    today = dt.datetime.now(dt.UTC).date()
    monday = today + dt.timedelta(days=14 - today.weekday())
    return monday, monday + dt.timedelta(days=1)


def test_a_scheduler_publishes_changes_and_closes_days(live, window):
    tenant = arrange(live)
    sign_in(live, window, tenant)
    first, last = next_week()

    window.goto("/staff/publishing/")
    sound(window)
    window.get_by_role("link", name="Заполнить таблицу").click()
    window.get_by_label("Первая дата").fill(first.isoformat())
    window.get_by_label("Последняя дата").fill(last.isoformat())
    window.get_by_label("Сосны").check()
    window.get_by_label("Тромбоцитаферез, III (B) −").fill("семь")
    window.get_by_label("Тромбоцитаферез, IV (AB) −").fill("300")
    window.locator(SENDING).click()
    expect(window.locator("[role=alert]")).to_be_focused()
    sound(window)

    window.locator("[role=alert] a").click()
    cell = window.get_by_label("Тромбоцитаферез, III (B) −")
    expect(cell).to_be_focused()
    expect(cell).to_have_value("семь")
    cell.fill("7")
    window.locator(SENDING).click()
    expect(window.get_by_text("помещается 36, а задано 300")).to_be_visible()
    sound(window)

    window.get_by_role("link", name="Исправить таблицу").click()
    window.get_by_label("Мест на время", exact=True).fill("3; AB−: 25")
    window.locator(SENDING).click()
    expect(window.get_by_role("heading", name="Что будет создано")).to_be_visible()
    sound(window)
    window.get_by_role("button", name="Опубликовать сейчас: 4 дня, 614 мест").click()
    expect(window.get_by_text("Опубликовано: 4 дня, 614 мест.")).to_be_visible()
    sound(window)

    window.get_by_role("link", name="Дни этой публикации").click()
    expect(window.get_by_text("Только дни публикации")).to_be_visible()
    sound(window)
    window.locator("table.rows a").first.click()
    expect(window.get_by_role("button", name="Сохранить места")).to_be_visible()
    sound(window)
    window.get_by_label("Мест в 8:00").fill("4")
    window.get_by_role("button", name="Сохранить места").click()
    expect(window.get_by_text("Добавлено 1 место.")).to_be_visible()

    uid = window.url.rstrip("/").rpartition("/")[2]
    with live.session() as session:
        day = session.scalars(select(Schedule).where(Schedule.uid == UUID(uid))).one()
        make.make_appointment(
            session,
            tenant,
            make.make_donor(session, tenant),
            day,
            status=AppointmentStatus.BOOKED,
            now=dt.datetime.now(dt.UTC),
        )
    window.get_by_role("link", name="Закрыть день").click()
    expect(window.get_by_text("Записан 1 человек")).to_be_visible()
    sound(window)
    window.get_by_role("button", name="Закрыть день: 1 записанный получит сообщение").click()
    expect(window.locator("[role=alert]")).to_be_focused()
    sound(window)
    window.get_by_label("Причина").fill("Аппарат на ремонте")
    window.get_by_role("button", name="Закрыть день: 1 записанный получит сообщение").click()
    expect(window.get_by_text("1 запись отменена.")).to_be_visible()
    sound(window)

    window.goto("/staff/pauses/new/")
    sound(window)
    window.get_by_label("Тип донации").select_option("Плазмаферез")
    window.get_by_label("Объявление по-русски").fill("Запас достаточен.")
    window.get_by_role("button", name="Приостановить").click()
    expect(window.get_by_text("Пауза установлена")).to_be_visible()
    sound(window)


def test_the_matrix_is_walked_and_copied_with_keys(live, open_page):
    tenant = arrange(live)
    page = open_page(live.url)
    sign_in(live, page, tenant)
    page.goto("/staff/publishing/new/")
    page.get_by_label("Цельная кровь, I (O) +").fill("9")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Плазмаферез, I (O) +")).to_be_focused()
    page.keyboard.type("4")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Плазмаферез, I (O) −")).to_be_focused()
    page.get_by_role("button", name="Плазмаферез: скопировать в строку ниже").press("Enter")
    expect(page.get_by_label("Тромбоцитаферез, I (O) +")).to_have_value("4")
    page.get_by_role("button", name="I (O) +: скопировать в столбец справа").press("Enter")
    expect(page.get_by_label("Цельная кровь, I (O) −")).to_have_value("9")
    expect(page.locator("[data-sum] strong")).to_have_text("34")


def test_enter_in_a_cell_checks_and_never_publishes(live, open_page):
    """The first button of the form is what Enter presses: it checks."""
    tenant = arrange(live)
    page = open_page(live.url)
    sign_in(live, page, tenant)
    page.goto("/staff/publishing/new/")
    page.get_by_label("Сосны").check()
    page.get_by_label("Цельная кровь, I (O) +").fill("9")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Опубликовать сейчас")).to_be_visible()
    with live.session() as session:
        assert session.scalars(select(Schedule)).all() == []


def test_without_scripts_a_matrix_is_published(live, open_page):
    tenant = arrange(live)
    page = open_page(live.url, javascript=False)
    sign_in(live, page, tenant)
    page.goto("/staff/publishing/new/")
    page.get_by_label("Сосны").check()
    page.get_by_role("button", name="Добавить открытый набор").click()
    page.get_by_label("Тип донации").select_option("Тромбоцитаферез")
    page.get_by_role("textbox", name="Мест в день").fill("5")
    page.get_by_label("I (O) −", exact=True).check()
    page.get_by_label("II (A) −", exact=True).check()
    page.locator(SENDING).click()
    page.get_by_role("button", name="Опубликовать сейчас: 5 дней, 25 мест").click()
    expect(page.get_by_text("Опубликовано: 5 дней, 25 мест.")).to_be_visible()


def test_a_large_publication_is_watched_until_it_is_done(live, window):
    """The worker makes what was begun; the page looks in by itself and shows what came of it."""
    now = dt.datetime.now(dt.UTC)
    first, last = next_week()
    with live.session() as session:
        tenant = make.make_polyclinic(session, now=now)
        role = make.make_role(session, tenant)
        user = make.make_staff(session, Role.SCHEDULER, tenant.root, now=now)
    live.sign_in(window, user)
    window.goto("/staff/sittings/")
    with live.session() as session:
        lines = tuple(Line(day, dt.time(9), dt.time(12), 20) for day in range(1, 8))
        plan = Plan(None, (role.id,), Dates(first, last), lines)
        row = drafts.save(
            session, tenant_id=tenant.id, matrix=plan, title="Весна", actor=actor_of(user), now=now
        )
        row.status, row.publish_at = PublicationStatus.PUBLISHING, now
        row.report = {"days": 0, "places": 10, "of": 18}
    window.goto(f"/staff/sittings/{row.uid}/")
    if window.locator("[data-progress]").count():
        sound(window)
    # in a week of holidays nothing could be made, and it is a draft again
    made = window.get_by_role("heading", name=re.compile("Что (будет )?создано"))
    expect(made).to_be_visible(timeout=30_000)
    sound(window)
