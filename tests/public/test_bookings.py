"""«Мой список записей»: what is shown, for how long, and what can be done with each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy.orm import Session

from app.models import Appointment, Schedule
from app.models.enums import AppointmentStatus, SlotStatus
from tests import make
from tests.client import Visitor, headings, words

A = AppointmentStatus
COLUMNS = ["№ записи", "Тип донации", "Дата", "Время", "Статус", "Скачать", "Отменить запись"]


@pytest.fixture
def tenant(store: Session) -> make.Tenant:
    return make.make_tenant(store)


@pytest.fixture
def day(store: Session, tenant: make.Tenant) -> Schedule:
    return make.make_schedule(store, tenant)


@pytest.fixture
def donor(store: Session, tenant: make.Tenant) -> make.KnownDonor:
    return make.make_donor(store, tenant)


@pytest.fixture
def visitor(as_account: Callable[..., Visitor], donor: make.KnownDonor) -> Visitor:
    return as_account(donor)


@pytest.fixture
def pending(
    store: Session, tenant: make.Tenant, donor: make.KnownDonor, day: Schedule
) -> Appointment:
    return make.make_appointment(store, tenant, donor, day)


@pytest.mark.parametrize(
    ("minutes", "left"), [(0, "10 минут"), (6, "4 минуты"), (8.5, "2 минуты"), (9.5, "1 минута")]
)
def test_a_place_that_waits_to_be_confirmed_stands_on_top(
    visitor: Visitor,
    store: Session,
    tenant: make.Tenant,
    donor: make.KnownDonor,
    day: Schedule,
    clock: Any,
    minutes: float,
    left: str,
) -> None:
    held = make.make_appointment(store, tenant, donor, day, status=A.HELD)
    clock.forward(minutes=minutes)
    page = visitor.page("/bookings")
    assert headings(page)[1] == "Место выбрано, но запись ещё не подтверждена"
    verb = "осталась" if left == "1 минута" else "осталось"
    assert f"Место держится за вами до 10:10, {verb} {left}" in words(page)
    [link] = page.xpath("//main//a[normalize-space()='Подтвердить']/@href")
    assert link == f"/bookings/{held.uid}/confirm"
    closed = visitor.submit("/bookings", form=f"/bookings/{held.uid}/close")
    assert closed.status_code == 303
    assert "не подтверждена" not in words(visitor.page("/bookings"))


def test_a_place_whose_time_is_over_waits_for_nobody(
    visitor: Visitor,
    store: Session,
    tenant: make.Tenant,
    donor: make.KnownDonor,
    day: Schedule,
    clock: Any,
) -> None:
    make.make_appointment(store, tenant, donor, day, status=A.HELD)
    clock.forward(minutes=11)
    assert "не подтверждена" not in words(visitor.page("/bookings"))


@pytest.mark.parametrize("asked", ["щелково", "ЩЁЛКОВО"])
def test_search_does_not_tell_yo_from_ye(
    visitor: Visitor, tenant: make.Tenant, pending: Appointment, asked: str
) -> None:
    tenant.branch.short_name = "Щёлково"
    assert len(visitor.page(f"/bookings?q={quote(asked)}").xpath("//tbody/tr")) == 1


def test_the_list_has_the_columns_of_the_source(visitor: Visitor, pending: Appointment) -> None:
    page = visitor.page("/bookings")
    assert headings(page)[0] == "Мой список записей"
    assert [th.text_content().strip() for th in page.xpath("//thead//th")] == COLUMNS
    cells = [" ".join(td.text_content().split()) for td in page.xpath("//tbody/tr/td")]
    assert cells[0] == str(pending.number)
    assert cells[3] == "8:00"
    assert cells[4] == "На утверждении"
    assert "PDF" in cells[5]
    assert "✕" in cells[6]
    assert "Показано 1 до 1 из 1 записи" in words(page)


def test_the_rules_of_the_source_stand_below(visitor: Visitor, pending: Appointment) -> None:
    text = words(visitor.page("/bookings"))
    assert "Обратите внимание" in text
    assert "вы уже записаны на плазмадачу" in text
    assert "10 дней после даты донации" in text
    assert "только на следующий день" in text
    assert "только через 10 дней после последней донации" in text


@pytest.mark.parametrize(
    ("status", "said"),
    [(A.PENDING, "На утверждении"), (A.BOOKED, "Запись на донацию подтверждена")],
)
def test_the_status_words_are_those_of_the_source(
    visitor: Visitor,
    store: Session,
    tenant: make.Tenant,
    donor: make.KnownDonor,
    day: Schedule,
    status: AppointmentStatus,
    said: str,
) -> None:
    row = make.make_appointment(store, tenant, donor, day, status=status)
    assert said in words(visitor.page("/bookings"))
    assert said in words(visitor.page(f"/bookings/{row.uid}"))


def test_a_rejected_booking_says_why_and_what_to_do(
    visitor: Visitor, store: Session, tenant: make.Tenant, donor: make.KnownDonor, day: Schedule
) -> None:
    reason = tenant.reasons[0]
    reason.advice_ru = "Уточните код в центре."
    row = make.make_appointment(
        store, tenant, donor, day, status=A.REJECTED, reason_id=reason.id, comment="Ждем вас лично."
    )
    for url in ("/bookings", f"/bookings/{row.uid}"):
        text = words(visitor.page(url))
        assert reason.text_ru in text
        assert "Уточните код в центре." in text
        assert "Ждем вас лично." in text
    assert visitor.get(f"/bookings/{row.uid}/ticket.pdf").status_code == 404


def test_a_kept_place_is_no_booking(
    visitor: Visitor, store: Session, tenant: make.Tenant, donor: make.KnownDonor, day: Schedule
) -> None:
    row = make.make_appointment(store, tenant, donor, day, status=A.HELD)
    assert "У вас пока нет записей" in words(visitor.page("/bookings"))
    assert visitor.get(f"/bookings/{row.uid}").headers["Location"].endswith("/confirm")


def test_a_booking_stays_ten_days_after_its_date(
    visitor: Visitor,
    store: Session,
    donor: make.KnownDonor,
    pending: Appointment,
    clock: Any,
) -> None:
    number = str(pending.number)
    clock.forward(days=12)  # the 5th of December, ten days after the 25th of November
    visitor.sign_in(donor.account, now=clock.now)
    assert number in words(visitor.page("/bookings"))
    clock.forward(days=1)
    visitor.sign_in(donor.account, now=clock.now)
    assert number not in words(visitor.page("/bookings"))


def test_search_and_paging_stand_in_the_url(
    visitor: Visitor, store: Session, tenant: make.Tenant, donor: make.KnownDonor
) -> None:
    day = make.make_schedule(store, tenant, per_time=12)
    rows = [make.make_appointment(store, tenant, donor, day, status=A.CANCELLED) for _ in range(11)]
    page = visitor.page("/bookings")
    assert len(page.xpath("//tbody/tr")) == 10
    [following] = page.xpath("//a[@rel='next']/@href")
    assert len(visitor.page(following).xpath("//tbody/tr")) == 1
    found = visitor.page(f"/bookings?q={rows[3].number}")
    assert len(found.xpath("//tbody/tr")) == 1
    assert "Ничего не найдено" in words(visitor.page("/bookings?q=zzz"))


def test_cancelling_asks_first_and_then_frees_the_place(
    visitor: Visitor, store: Session, pending: Appointment
) -> None:
    url = f"/bookings/{pending.uid}/cancel"
    assert "Отменить запись?" in words(visitor.page(url))
    assert store.get_one(Appointment, pending.id).status is A.PENDING
    done = visitor.submit(url, follow_redirects=True)
    assert f"Запись № {pending.number} отменена." in words(done)
    store.expire_all()
    assert pending.status is A.CANCELLED
    assert pending.slot.status is SlotStatus.FREE
    again = visitor.send(url)
    assert again.status_code == 409


def test_after_ones_own_cancel_booking_is_possible_the_next_day(
    visitor: Visitor, store: Session, donor: make.KnownDonor, pending: Appointment, clock: Any
) -> None:
    visitor.submit(f"/bookings/{pending.uid}/cancel")
    assert "24 ноября" in words(visitor.page("/"))
    assert not visitor.page("/").xpath("//tbody//a")
    clock.forward(days=1)
    visitor.sign_in(donor.account, now=clock.now)
    assert visitor.page("/").xpath("//tbody//a")


def test_the_ticket_and_the_calendar_are_there_while_pending_and_after_approval(
    visitor: Visitor, pending: Appointment
) -> None:
    ticket = visitor.get(f"/bookings/{pending.uid}/ticket.pdf")
    assert ticket.data.startswith(b"%PDF")
    assert ticket.headers["Cache-Control"] == "no-store"
    assert f"talon-{pending.number}.pdf" in ticket.headers["Content-Disposition"]
    calendar = visitor.get(f"/bookings/{pending.uid}/visit.ics")
    assert calendar.data.startswith(b"BEGIN:VCALENDAR")


def test_somebody_elses_booking_is_not_there(
    as_account: Callable[..., Visitor], store: Session, tenant: make.Tenant, pending: Appointment
) -> None:
    stranger = as_account(make.make_donor(store, tenant))
    for part in ("", "/cancel", "/ticket.pdf", "/visit.ics", "/confirm"):
        assert stranger.get(f"/bookings/{pending.uid}{part}").status_code == 404
    assert stranger.send(f"/bookings/{pending.uid}/cancel").status_code == 404
    assert str(pending.number) not in words(stranger.page("/bookings"))
    store.expire_all()
    assert pending.status is A.PENDING


def test_the_next_visit_is_the_first_thing_on_the_page(
    visitor: Visitor, pending: Appointment
) -> None:
    page = visitor.page("/bookings")
    assert headings(page)[1] == "Ближайший визит"
    assert page.xpath(f"//section//a[@href='/bookings/{pending.uid}/ticket.pdf']")
