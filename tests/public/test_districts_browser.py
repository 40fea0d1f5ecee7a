"""The search for a district in Chromium: accessible, fitting, by keyboard alone, without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.models.enums import Parity
from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine
from tests.live import Live

pytestmark = on_one_engine


def arranged(live: Live) -> None:
    with live.session() as session:
        tenant = make.make_polyclinic(session)
        district = make.make_district(session, tenant)
        make.make_district_doctor(session, district, make.make_role(session, tenant))
        make.make_range(session, district, first_house=1, last_house=15, parity=Parity.ODD)


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("javascript", [True, False])
def test_somebody_finds_the_district_by_keyboard(
    live: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    arranged(live)
    page = open_page(live.url, width=width, javascript=javascript)
    page.goto("/")
    page.get_by_role("link", name="Поиск участка").click()
    page.get_by_label("Улица").focus()
    page.keyboard.type("Ленина ул.")
    page.keyboard.press("Tab")
    page.keyboard.type("7 корп. 2")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ваш участок: Участок №91, Терапевтический")).to_be_visible()
    expect(page.get_by_text("Ваш врач: Еловая Марта Сергеевна")).to_be_visible()
    assert "street=" in page.url and "house=" in page.url
    if javascript:
        axe(page)
        fits(page)
    page.get_by_label("Номер дома").fill("8")
    page.get_by_role("button", name="Найти участок").click()
    expect(page.get_by_text("Нет совпадений. Уточните параметры поиска")).to_be_visible()
