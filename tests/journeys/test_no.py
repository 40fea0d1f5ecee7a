"""When it is «no»: the registrar rejects, undoes it within the minute, rejects for good; the donor cancels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from babel.dates import format_date
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Appointment, StaffUser
from app.models.enums import AppointmentStatus, MessageKind, Role
from app.rules.clock import local_date
from tests import make
from tests.journeys.people import Donor, Visitor, Worker, engine, letters_sent, now
from tests.live import Live

COMMENT = "Приходите с паспортом в регистратуру."
ADVICE = "Позвоните в центр, пожалуйста."
REASON = "Код донора не совпадает с данными"


@pytest.fixture
def today() -> dt.date:
    """In Moscow, where the centre is; no test may run over midnight."""
    return local_date(now(), "Europe/Moscow")


def requested(live: Live, page: Page, **policy: int) -> tuple[Donor, StaffUser]:
    """A donor, signed in, whose request waits; the registrar who is to decide it."""
    with live.session() as session:
        tenant = make.make_tenant(session, now=now(), **policy)
        known = make.make_donor(session, tenant, now=now(), email=Donor.email)
        make.make_record(session, tenant, known)
        days = [
            make.make_schedule(session, tenant, date=now().date() + dt.timedelta(days=ahead))
            for ahead in (3, 4)
        ]
        make.make_appointment(session, tenant, known, days[0], now=now())
        registrar = make.make_staff(session, Role.REGISTRAR, tenant.root, now=now())
    live.sign_in(page, known.account)
    return Donor(live, page), registrar


def reject(desk: Worker) -> None:
    """By keys alone: R, a reason, a comment, Enter."""
    desk.go("/staff/queue/")
    keys = desk.page.keyboard
    keys.press("r")
    keys.press("ArrowDown")
    keys.press("Tab")
    keys.type(COMMENT)
    desk.key("Enter")


@engine("sqlite")
def test_a_rejection_is_undone_and_the_donor_cancels(
    live: Live, open_page: Callable[..., Page], today: dt.date
) -> None:
    donor, registrar = requested(live, open_page(live.url), undo_seconds=300)
    desk = Worker(live, open_page(live.url))
    desk.sign_in(registrar)
    reject(desk)
    assert donor.status() == "Запись отклонена"
    for words in (REASON, ADVICE, COMMENT):
        donor.says(words)

    desk.key("u")
    assert donor.status() == "На утверждении"
    assert not donor.page.get_by_text(COMMENT).count()
    assert letters_sent(live, MessageKind.REJECTED) == 0

    donor.follow("Отменить", within="table.list")
    assert donor.heading() == "Отменить запись?"
    donor.follow("Нет, оставить")
    assert donor.status() == "На утверждении"
    donor.follow("Отменить", within="table.list")
    donor.press("Да, отменить запись")
    expect(donor.page.get_by_role("status")).to_contain_text("отменена")
    assert donor.status() == "Запись отменена"

    tomorrow = today + dt.timedelta(days=1)
    donor.go("/")
    day = format_date(tomorrow, "EEE, d MMMM", "ru")
    donor.says(f"Сегодня вы отменили запись: записаться снова можно с {day}")
    assert not donor.page.locator("tbody").get_by_role("link", name="Записаться").count()
    with live.session() as session:
        assert [row.status for row in session.scalars(select(Appointment))] == [
            AppointmentStatus.CANCELLED
        ]
    assert Visitor(live, desk.page).subjects(donor.email)[0].endswith("отменена")


@engine("postgresql")
def test_a_rejected_donor_reads_why_in_the_letter(
    live: Live, open_page: Callable[..., Page]
) -> None:
    donor, registrar = requested(live, open_page(live.url), undo_seconds=1)
    desk = Worker(live, open_page(live.url))
    desk.sign_in(registrar)
    reject(desk)
    post = Visitor(live, open_page(live.url))
    post.letter(donor.email, "отклонена")
    for words in (REASON, ADVICE, COMMENT):
        post.says(words)
    donor.go("/")
    donor.follow("Записаться", within="tbody")
    expect(donor.page.get_by_role("button", name="8:00 (2)")).to_be_visible()
