"""Pages of the site and the feedback form in Chromium, wide and on a phone; the form also without JavaScript."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.models.enums import Role
from app.rules import pages
from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine
from tests.live import Live

pytestmark = on_one_engine

SUMS: dict[str, Callable[[int, int], int]] = {
    "плюс": lambda first, second: first + second,
    "минус": lambda first, second: first - second,
    "больше": max,
    "меньше": min,
}
NUMBERS = "ноль один два три четыре пять шесть семь восемь девять десять".split()


def heard(question: str) -> str:
    """The answer of somebody who has only heard the question."""
    [answer] = [rule for word, rule in SUMS.items() if word in question]
    first, second = (
        NUMBERS.index(word) for word in re.findall(r"\w+", question) if word in NUMBERS
    )
    return str(answer(first, second))


def arranged(live: Live) -> make.Tenant:
    now = dt.datetime.now(dt.UTC)
    with live.session() as session:
        tenant = make.make_tenant(session, now=now)
        pages.start(session, tenant_id=tenant.id, now=now, published_at=now)
        make.make_page(
            session,
            tenant,
            slug="wide",
            title_ru="Очень" + "длинное" * 5,
            body_ru="<table><tr>" + "<td>Столбец таблицы</td>" * 12 + "</tr></table>",
            position=99,
            published_at=now,
        )
        session.commit()
        return tenant


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_pages_are_accessible_and_fit(
    live: Live, open_page: Callable[..., Page], width: int
) -> None:
    arranged(live)
    page = open_page(live.url, width=width)
    for address in ("/", "/FAQ", "/information", "/hotline", "/news", "/pages/wide", "/feedback", "/feedback/sent"):  # fmt: skip
        response = page.goto(address)
        assert response is not None and response.status == 200, address
        axe(page)
        fits(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_question_is_asked_by_keyboard_and_ear(
    live: Live, open_page: Callable[..., Page], javascript: bool
) -> None:
    arranged(live)
    page = open_page(live.url, width=NARROW, javascript=javascript)
    page.goto("/feedback")
    page.get_by_label("Ваша фамилия").fill("Вымыслова")
    page.get_by_label("Ваше имя").fill("Анна")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("+7 900 111-22-33")
    page.keyboard.press("Tab")
    page.keyboard.type("anna@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type("Когда приём хирурга?")
    page.keyboard.press("Tab")  # straight to the answer: nobody tabs into the robots' field
    page.keyboard.type("99")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Ответ неверный")
    if javascript:
        axe(page)
        fits(page)
    expect(page.get_by_label("Ваш вопрос")).to_have_value("Когда приём хирурга?")
    field = page.get_by_label("Защита от роботов.")
    question = page.locator("label", has_text="Защита от роботов.").inner_text()
    field.fill(heard(question))
    page.get_by_role("button", name="Отправить вопрос").click()
    expect(page.get_by_role("heading", name="Обращение получено")).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_staff_s_pages_are_accessible_and_fit(
    live: Live, open_page: Callable[..., Page], width: int
) -> None:
    tenant = arranged(live)
    with live.session() as session:
        boss = make.make_staff(session, Role.MANAGER, tenant.root, now=dt.datetime.now(dt.UTC))
        question = "Когда приём хирурга и что взять с собой? " * 12
        row = make.make_feedback(session, tenant, question=question)
        draft = make.make_page(session, tenant)
        session.commit()
        session.expunge_all()
    page = open_page(live.url, width=width)
    live.sign_in(page, boss)
    for address in (
        "/staff/pages/",
        "/staff/pages/new/",
        f"/staff/pages/{draft.uid}/",
        f"/staff/pages/{draft.uid}/delete/",
        "/staff/feedback/",
        f"/staff/feedback/{row.uid}/",
    ):
        response = page.goto(address)
        assert response is not None and response.status == 200, address
        axe(page)
        fits(page)
