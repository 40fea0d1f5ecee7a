"""One's own cabinet in Chromium: a telephone by its code, a reminder stopped by its letter, the data fetched,
the cabinet deleted. Wide with JavaScript, and on a phone without."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from app.models import Account, Message
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind, MessageStatus
from app.rules import outbox
from tests import make
from tests.browser import NARROW, WIDE, axe, by_turns, fits
from tests.live import Live

pytestmark = by_turns
EMAIL = "prava@example.org"


def arranged(live: Live) -> Account:
    """Somebody with a booking, of which he is reminded now."""
    now = dt.datetime.now(dt.UTC)
    with live.session() as session:
        tenant = make.make_tenant(session, now=now)
        donor = make.make_donor(session, tenant, email=EMAIL, now=now)
        day = make.make_schedule(session, tenant, date=(now + dt.timedelta(days=4)).date())
        booked = make.make_appointment(session, tenant, donor, day, status=A.BOOKED, now=now)
        booked.undo_until = None
        outbox.tell(session, booked, MessageKind.REMINDER, now=now)
        session.commit()
        return donor.account


def led(what: Locator) -> None:
    """Press it, and wait for the page to which it leads: a click alone does not."""
    with what.page.expect_navigation():
        what.click()


def looked_at(page: Page) -> None:
    axe(page)
    fits(page)


@pytest.mark.parametrize(("width", "scripts"), [(WIDE, True), (NARROW, False)])
def test_from_a_new_telephone_to_a_deleted_cabinet(
    live: Live, open_page: Callable[..., Page], width: int, scripts: bool
) -> None:
    account = arranged(live)
    page = open_page(live.url, width=width, javascript=scripts)
    live.sign_in(page, account)
    check = looked_at if scripts else (lambda page: None)
    page.goto("/profile")
    check(page)
    led(page.get_by_role("link", name=re.compile("Указать.*Телефон")))
    check(page)
    page.get_by_label("Новый номер").fill("8 900 123-45-67")
    page.get_by_label("Ваш пароль").fill(make.PASSWORD)
    led(page.get_by_role("button", name="Отправить код"))
    check(page)
    code = re.search(r"телефона: (\d{6})", newest(live, MessageKind.PHONE_CODE, page))
    assert code is not None
    page.goto("/profile/phone/code")
    page.get_by_label("Введите код").fill(code[1])
    led(page.get_by_role("button", name="Подтвердить номер"))
    expect(page).to_have_url(re.compile("/profile$"))
    expect(page.get_by_text("+7 *** ***-45-67").first).to_be_visible()

    letter = newest(live, MessageKind.REMINDER, page)
    address = re.search(r"https?://\S+/notices/stop/[\w.-]+", letter)
    assert address is not None
    stranger = open_page(live.url, width=width, javascript=scripts)
    stranger.goto(urlsplit(address[0]).path)
    check(stranger)
    led(stranger.get_by_role("button", name="Не присылать"))
    expect(stranger.get_by_role("heading", level=1)).to_have_text(
        "Такие уведомления больше не приходят"
    )
    page.goto("/profile/notices")
    check(page)
    expect(page.get_by_label("Напоминания о визитах: эл. почта")).not_to_be_checked()

    page.goto("/profile/rights")
    check(page)
    led(page.get_by_role("link", name="Забрать мои данные"))
    page.get_by_label("Ваш пароль").fill(make.PASSWORD)
    led(page.get_by_role("button", name="Собрать архив"))
    check(page)
    newest(live, MessageKind.DATA_READY, page)
    page.goto("/profile/data")
    expect(page.get_by_text("Архив готов")).to_be_visible()
    check(page)
    page.get_by_label("Ваш пароль").fill(make.PASSWORD)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Забрать архив").click()
    with zipfile.ZipFile(waiting.value.path()) as packed:
        assert EMAIL in packed.read("data.html").decode()

    page.goto("/profile/delete")
    check(page)
    page.get_by_label("Мне понятно").check()
    page.get_by_label("Ваш пароль").fill(make.PASSWORD)
    led(page.get_by_role("button", name="Удалить кабинет"))
    expect(page.get_by_text("Ваш кабинет удалён.")).to_be_visible()
    with live.session() as session:
        gone = session.scalars(select(Account)).one()
        assert gone.email is None and gone.erased_at is not None


def newest(live: Live, kind: MessageKind, page: Page) -> str:
    """The text of the newest message of this kind, once the worker has sent it."""
    sent = select(Message.uid).where(Message.kind == kind, Message.status == MessageStatus.SENT)
    for _ in range(100):
        with live.session() as session:
            found = session.scalars(sent.order_by(Message.id.desc())).first()
        if found is not None:
            page.goto(f"/mailbox/{found}")
            return page.locator("main").inner_text()
        page.wait_for_timeout(200)
    raise AssertionError(f"no {kind} has been sent")
