"""The Back button in Chromium: what a form answered can be gone back to, without sending it again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.models.enums import Role
from tests import make
from tests.browser import on_one_engine

pytestmark = on_one_engine


@pytest.fixture
def centre(live: Any) -> Any:
    now = dt.datetime.now(dt.UTC)
    with live.session() as session:
        tenant = make.make_tenant(session, now=now)
        donor = make.make_donor(session, tenant, now=now, family_name="Возвратова")
        donor.person.phone = "+79001234567"
        user = make.make_staff(session, Role.REGISTRAR, tenant.root, now=now)
        address = f"/staff/donors/{donor.person.uid}/"
    return address, user


def test_back_leads_from_the_card_to_what_was_found(live: Any, page: Page, centre: Any) -> None:
    card, user = centre
    live.sign_in(page, user)
    page.goto("/staff/donors/")
    page.locator("#q").fill("Возвратова")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Возвратова").click()
    page.wait_for_url(f"**{card}")
    page.go_back()
    expect(page.get_by_role("link", name="Возвратова")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="Возвратова")).to_be_visible()


def test_back_leads_to_a_form_that_was_refused(live: Any, page: Page, centre: Any) -> None:
    card, user = centre
    live.sign_in(page, user)
    page.goto(f"{card}donation/")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("[data-focus]")).to_be_visible()  # refused: nothing was filled in
    page.goto("/staff/")
    page.go_back()
    expect(page.locator("main form button[type=submit]")).to_be_visible()
    assert page.locator("[data-focus]").count() == 0


def test_back_leads_to_the_shown_phone(live: Any, page: Page, centre: Any) -> None:
    card, user = centre
    live.sign_in(page, user)
    page.goto(card)
    page.locator("details.ask-phone summary").click()
    page.locator("details.ask-phone select").select_option("call")
    page.locator("details.ask-phone button").click()
    expect(page.locator("strong#phone")).to_have_text("+79001234567")
    page.goto("/staff/")
    page.go_back()
    expect(page.locator("strong#phone")).to_have_text("+79001234567")
