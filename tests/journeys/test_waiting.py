"""The waiting list in Chromium (N6): somebody cancels, the next declines by his letter, the third takes the place."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import WaitingEntry
from app.models.enums import AppointmentStatus
from tests import make
from tests.browser import NARROW
from tests.journeys.people import Donor, Visitor, engine, now
from tests.live import Live


def full_day(live: Live) -> str:
    """A centre with one place, which is taken by «first»; «second» and «third» have sign-ins."""
    with live.session() as session:
        tenant = make.make_tenant(session, now=now())
        date = now().date() + dt.timedelta(days=4)
        day = make.make_schedule(session, tenant, date=date, total=1)
        people = [
            make.make_donor(session, tenant, now=now(), email=f"{name}@example.org")
            for name in ("first", "second", "third")
        ]
        make.make_appointment(
            session, tenant, people[0], day, status=AppointmentStatus.BOOKED, now=now()
        )
        return f"/places/{day.uid}"


def signed_in(live: Live, page: Page, name: str, *, javascript: bool = True) -> Donor:
    donor = Donor(live, page, javascript=javascript)
    donor.email = f"{name}@example.org"
    donor.go("/sign-in")
    donor.sign_in()
    return donor


def join(donor: Donor, day: str) -> None:
    donor.go(day)
    donor.follow("Сообщить, когда появится место", within="main")
    donor.press("Встать в лист ожидания")
    assert donor.heading() == "Лист ожидания"


@engine("sqlite")
def test_a_place_goes_from_hand_to_hand(live: Live, open_page: Callable[..., Page]) -> None:
    day = full_day(live)
    second = signed_in(live, open_page(live.url), "second")
    join(second, day)
    second.says("Перед вами никого нет.")
    third = signed_in(
        live, open_page(live.url, width=NARROW, javascript=False), "third", javascript=False
    )
    join(third, day)
    third.says("Перед вами 1 человек.")

    first = signed_in(live, open_page(live.url), "first")
    first.go("/bookings")
    first.follow("Отменить", within="table.list")
    first.press("Да, отменить запись")

    post = Visitor(live, open_page(live.url))
    post.letter(second.email, "Освободилось место")
    post.leave(post.page.locator("div.text a").first.click)
    assert post.heading() == "Вам предложено место"
    expect(post.page.locator(".countdown-text")).to_contain_text("Место держится за вами")
    post.by_keys = True
    post.press(re.compile("^Отказаться"))
    assert post.heading() == "Место передано следующему"

    mail = Visitor(live, open_page(live.url), javascript=True)
    mail.letter(third.email, "Освободилось место")
    third.go("/cabinet/waiting")
    third.says("Вам предложено место")
    third.press("Записаться")
    expect(third.page.locator(".big-state")).to_have_text("На утверждении")
    second.go("/cabinet/waiting")
    second.says("Перед вами никого нет.")
    with live.session() as session:
        query = select(WaitingEntry.status).order_by(WaitingEntry.id)
        assert [status.value for status in session.scalars(query)] == ["waiting", "booked"]
