"""Patients choose a doctor in Chromium: wide and on a phone, with JavaScript and without."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.models.enums import Channel, SlotStatus
from tests import make
from tests.browser import NARROW, WIDE, axe, fits, on_one_engine
from tests.live import Live

pytestmark = on_one_engine


def arranged(live: Live) -> None:
    """A polyclinic with departments, three doctors and their times of this and the next weeks."""
    now = dt.datetime.now(dt.UTC)
    with live.session() as session:
        tenant = make.make_polyclinic(session, now=now, book_days_ahead=14)
        place = tenant.branch
        place.phones, place.hours = "+7 495 111-22-33, +7 495 111-22-34", "пн–пт 8:00–20:00"
        place.site = "https://clinic.example"
        service = make.make_service(session, tenant, name_ru="Прием врача-терапевта первичный")
        service.code = "B01.047.001"
        adults = make.make_department(
            session, tenant, name="Амбулаторно-поликлиническая служба", code="292"
        )
        children = make.make_department(session, tenant, name="Детская поликлиника")
        district = make.make_department(
            session, tenant, name="Детская поликлиника. Участок №10", part_of_id=children.id,
            address="ул. Детская, 5",
        )  # fmt: skip
        people = (
            ("Еловая", "врач-терапевт участковый", "Врач-терапевт участковый", adults),
            ("Пихтин", "врач-хирург", "Врач-хирург", adults),
            ("Кедрова-Можжевельникова", "врач-педиатр участковый", "Врач-педиатр", district),
        )
        for name, position, specialty, where in people:
            doctor = make.make_practitioner(
                session, tenant, family_name=name, position=position,
                note_ru="прием по полису ОМС", services=[service],
            )  # fmt: skip
            role = make.make_role(
                session, tenant, practitioner=doctor, department=where,
                specialty=make.make_specialty(session, name_ru=specialty),
            )  # fmt: skip
            for day in (1, 2, 3, 7, 8, 16):
                date = now.date() + dt.timedelta(days=day)
                times = [f"{hour:02}:{minute:02}" for hour in (9, 10) for minute in (0, 25, 45)]
                sitting = make.make_sitting(session, role, date=date, times=times)
                slots = make.slots_of(session, sitting)
                slots[0].status, slots[1].channel = SlotStatus.BUSY, Channel.DESK


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("javascript", [True, False])
def test_a_patient_finds_a_doctor_and_a_free_time(
    live: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    arranged(live)
    page = open_page(live.url, width=width, javascript=javascript)

    def look() -> None:
        if javascript:
            axe(page)
            fits(page)

    page.goto("/")
    look()
    page.get_by_role("main").get_by_role("link", name="Выбрать учреждение и врача").click()
    page.get_by_role("link", name="Выбрать населённый пункт").click()
    look()
    page.get_by_role("link", name="Лесной").click()
    expect(page.locator(".own-settlement")).to_contain_text("Ваш населённый пункт: Лесной")
    look()
    page.get_by_role("link", name=re.compile("Выбрать врача.*Сосны")).click()
    look()
    page.get_by_role("link", name="Детская поликлиника. Участок №10").click()
    page.get_by_role("link", name="Врач-педиатр", exact=True).click()
    look()
    page.get_by_role("rowheader").get_by_role("link", name="Кедрова-Можжевельникова").click()
    look()
    expect(page.get_by_text("свободно, плановый").first).to_be_visible()
    expect(page.locator(".legend")).to_contain_text("только через регистратуру")
    expect(page.get_by_text("Выберите время: оно будет держаться")).to_be_visible()
    page.go_back()
    page.go_back()
    page.go_back()
    page.go_back()
    page.get_by_role("link", name=re.compile("Выбрать услугу.*Сосны")).click()
    look()
    page.get_by_role("link", name="B01.047.001 Прием врача-терапевта первичный").click()
    expect(page.get_by_role("rowheader")).to_have_count(3)
