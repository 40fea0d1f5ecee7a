"""The scheduler's days as others see them: nothing before publishing, a letter each when a day is closed."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Appointment, Schedule
from app.models.enums import AppointmentStatus, Role
from tests import make
from tests.journeys.people import Donor, Visitor, Worker, engine, now
from tests.live import Live

WHY = "Аппарат на ремонте, просим прощения."


def next_monday() -> dt.date:
    today = now().date()
    return today + dt.timedelta(days=14 - today.weekday())


def fresh(stranger: Visitor) -> None:
    """Reload the public list once its page is no longer remembered (a second)."""
    time.sleep(2.1)
    stranger.go("/")


@engine("sqlite")
def test_a_published_place_is_seen_booked_and_closed(
    live: Live, open_page: Callable[..., Page]
) -> None:
    with live.session() as session:
        tenant = make.make_tenant(session, now=now(), undo_seconds=300)
        known = make.make_donor(session, tenant, now=now(), email=Donor.email)
        other = make.make_donor(session, tenant, now=now(), email="ivan@example.org")
        scheduler = make.make_staff(session, Role.SCHEDULER, tenant.root, now=now())
    stranger = Visitor(live, open_page(live.url))
    stranger.go("/")
    stranger.says("Сейчас мест для записи нет")

    desk = Worker(live, open_page(live.url))
    desk.sign_in(scheduler)
    desk.go("/staff/publishing/")
    desk.follow("Заполнить таблицу")
    monday = next_monday().isoformat()
    desk.fill(first=monday, last=monday)
    desk.page.get_by_label("Сосны").check()
    desk.page.get_by_label("Тромбоцитаферез, III (B) −").fill("5")
    desk.leave(desk.page.locator("form.publishing button.main").click)
    desk.says("Что будет создано")
    fresh(stranger)
    stranger.says("Сейчас мест для записи нет")  # a preview is nobody's yet

    desk.press("Опубликовать сейчас: 1 день, 5 мест")
    desk.says("Опубликовано: 1 день, 5 мест.")
    fresh(stranger)
    row = stranger.page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("III (B) −")
    expect(row).to_contain_text("5")

    donor = Donor(live, open_page(live.url))
    live.sign_in(donor.page, known.account)
    donor.book("8:00 (1)")
    with live.session() as session:
        day = session.scalars(select(Schedule)).one()
        make.make_appointment(
            session, tenant, other, day, status=AppointmentStatus.BOOKED, now=now()
        )

    desk.follow("Дни этой публикации")
    desk.follow("Тромбоцитаферез", within="table.rows")
    desk.follow("Закрыть день")
    desk.says("Записаны 2 человека")
    desk.page.get_by_label("Причина").fill(WHY)
    assert set(statuses(live)) == {AppointmentStatus.PENDING, AppointmentStatus.BOOKED}
    desk.press("Закрыть день: 2 записанных получат сообщение")
    desk.says("2 записи отменены.")
    assert set(statuses(live)) == {AppointmentStatus.CANCELLED}
    assert donor.status() == "Запись отменена"
    donor.says(WHY)
    fresh(stranger)
    stranger.says("Сейчас мест для записи нет")
    for email in (Donor.email, "ivan@example.org"):
        stranger.letter(email, "День донации")
        stranger.says(WHY)


def statuses(live: Live) -> list[AppointmentStatus]:
    with live.session() as session:
        return list(session.scalars(select(Appointment.status)))
