"""The map in Chromium: marks on plain ground, cards by mouse and by keys, nobody else asked; the list without it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine
from tests.live import Live

pytestmark = on_one_engine

ADDRESS = "/institutions?street=Ленина&house=7"


def arranged(live: Live) -> None:
    """Four institutions, two of them in one house, and an address."""
    points = {"Дальняя": (61.0, 69.05), "Ближняя": (61.003, 69.0), "Соседняя": (61.003, 69.0), "Где-то": None}  # fmt: skip
    with live.session() as session:
        for name, at in points.items():
            tenant = make.make_polyclinic(session, name=f"{name} больница")
            tenant.root.takes_patients = False
            place = tenant.branch
            place.short_name, place.address = name, "ул. Мира, 1"
            place.phones = "+7 495 111-22-33"
            place.latitude, place.longitude = at or (None, None)
        make.make_address(session, house="7", at=(61.0, 69.0))


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_marks_stand_on_plain_ground_and_open_their_cards(
    live: Live, open_page: Callable[..., Page], width: int
) -> None:
    arranged(live)
    page = open_page(live.url, width=width)
    page.emulate_media(reduced_motion="reduce")  # nothing to wait for
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(ADDRESS)
    box = page.locator(".map")
    box.scroll_into_view_if_needed()
    marks = box.get_by_role("button", name=re.compile("^[0-9]"))
    expect(marks).to_have_text(["1, 2", "3"])
    expect(box.get_by_role("img", name="Указанный адрес: Лесной, Ленина, 7")).to_be_visible()
    expect(box.locator(".leaflet-control-scale")).to_contain_text("м")
    axe(page)
    fits(page)

    marks.last.click()
    card = box.get_by_role("dialog", name="3. Дальняя")
    for said in ("Дальняя", "Поликлиника", "Лесной, ул. Мира, 1", "+7 495 111-22-33", "2,7 км"):
        expect(card).to_contain_text(said)
    axe(page)
    fits(page)
    card.get_by_role("button", name="Закрыть").click()
    expect(card).to_have_count(0)

    marks.first.focus()
    page.keyboard.press("Enter")
    card = box.get_by_role("dialog", name="1. Ближняя; 2. Соседняя")
    expect(card).to_be_focused()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    expect(marks.first).to_be_focused()

    page.get_by_role("button", name=re.compile("показать на карте.*Соседняя")).click()
    card = box.get_by_role("dialog", name="2. Соседняя")
    card.get_by_role("link", name=re.compile("Подробнее.*Соседняя")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Соседняя")

    page.get_by_text("показать на карте").click()
    box.scroll_into_view_if_needed()
    expect(box.get_by_role("button", name="Соседняя")).to_be_visible()
    axe(page)
    fits(page)
    page.get_by_role("link", name="Другая больница").click()
    expect(page.get_by_text("Найдено учреждений: 4")).to_be_visible()

    box.scroll_into_view_if_needed()
    expect(marks).to_have_text(["1, 3", "2"])
    for _ in range(8):  # from afar they share one mark, which is looked at from nearer
        box.get_by_role("button", name="Отдалить").click()
    expect(marks).to_have_text(["1–3"])
    marks.focus()
    page.keyboard.press("Enter")
    expect(marks).to_have_count(2)
    expect(marks.first).to_be_focused()
    assert asked and all(url.startswith(live.url) for url in asked)


def test_the_list_comes_first_and_stands_alone(live: Live, open_page: Callable[..., Page]) -> None:
    arranged(live)
    page = open_page(live.url, javascript=False)
    page.goto(ADDRESS)
    places = page.locator(".institutions > li")
    expect(places).to_contain_text(["Ближняя", "Соседняя", "Дальняя", "Где-то"])
    expect(places.nth(2)).to_contain_text("2,7 км от указанного адреса")
    expect(page.locator(".map")).to_be_hidden()
    expect(page.get_by_role("button", name=re.compile("показать на карте"))).to_have_count(0)
    page.get_by_role("link", name=re.compile("Подробнее.*Дальняя")).click()
    page.get_by_text("показать на карте").click()
    expect(page.get_by_role("link", name="61.0000, 69.0500")).to_be_visible()
    expect(page.locator(".map")).to_be_hidden()
