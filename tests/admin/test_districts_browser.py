"""The street screen in Chromium: accessible and fitting, wide and on a phone, also with faults on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.models.enums import Role
from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine
from tests.live import Live

pytestmark = on_one_engine


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_manager_corrects_an_overlap(
    live: Live, open_page: Callable[..., Page], width: int
) -> None:
    with live.session() as session:
        tenant = make.make_polyclinic(session)
        one, two = (make.make_district(session, tenant, number=n) for n in "12")
        make.make_range(session, one, first_house=1, last_house=9)
        manager = make.make_staff(session, Role.MANAGER, tenant.branch)
        other, district = str(two.uid), str(one.uid)
        session.expunge(manager)
    page = open_page(live.url, width=width)
    live.sign_in(page, manager)
    for path in ("/staff/districts/", "/staff/district-streets/", "/staff/district-files/"):
        page.goto(path)
        axe(page)
        fits(page)
    page.goto("/staff/district-streets/street/?key=%D0%BB%D0%B5%D0%BD%D0%B8%D0%BD%D0%B0")
    row = page.locator("tbody tr").nth(1)
    row.get_by_label("Строка 2: Участок").select_option(other)
    row.get_by_label("Строка 2: С дома").fill("9")
    page.keyboard.press("Enter")
    expect(page.get_by_text("дом 9 – и на участке №1, и на участке №2")).to_be_visible()
    axe(page)
    fits(page)
    page.get_by_label("Строка 2: С дома").fill("10")
    page.get_by_role("button", name="Сохранить улицу").click()
    expect(page.get_by_text("Улица сохранена")).to_be_visible()
    axe(page)
    fits(page)
    assert page.get_by_label("Строка 1: Участок").input_value() == district
