"""Journey C, its second half: family → the child's ticket → the quota is reached → referral → specialist (C8–C15, B17)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Appointment, Slot
from app.models.enums import AppointmentStatus
from tests import make
from tests.browser import on_one_engine
from tests.journeys.people import now
from tests.journeys.test_booking import text_of
from tests.journeys.test_visits import FORM_OF_READER, Patient
from tests.live import Live
from tests.public.household import CERTIFICATE, CHILD_BORN, Household, make_household


def booked(live: Live) -> list[Appointment]:
    with live.session() as session:
        query = select(Appointment).where(Appointment.status == AppointmentStatus.BOOKED)
        return list(session.scalars(query.order_by(Appointment.id)))


def refer(live: Live, home: Household) -> None:
    """The registry writes the referral down meanwhile."""
    with live.session() as session:
        home.refer(session, home.mother, now=now())
        session.commit()


@pytest.mark.parametrize(("width", "javascript"), FORM_OF_READER)
@on_one_engine
def test_a_mother_books_for_her_child_and_by_referral_for_herself(
    live: Live, open_page: Callable[..., Page], width: int, javascript: bool
) -> None:
    with live.session() as session:
        home = make_household(session, now=now())
    page = open_page(live.url, width=width, javascript=javascript)
    mother = Patient(live, page, javascript=javascript)
    mother.go("/sign-in?next=/cabinet/family")
    mother.fill(email=home.account.email or "", password=make.PASSWORD)
    mother.press("Вход")

    mother.go("/cabinet/family")
    mother.says("Участок №1, Терапевтический")
    mother.follow("Ребёнок до 18 лет")
    mother.press("Добавить")  # empty: each slip is said at its field
    expect(page.get_by_role("alert").get_by_role("link")).to_have_count(2)
    mother.fill(number=CERTIFICATE, birth_date="09.03.2018")
    mother.press("Добавить")
    mother.says("Вход невозможен")
    mother.fill(number=CERTIFICATE, birth_date=CHILD_BORN)
    mother.press("Добавить")
    mother.says("Ребёнок добавлен в семью")

    mother.go(home.district(home.child))
    mother.says(re.compile("не более 2 талонов"))
    mother.press(re.compile("^9:00"))
    expect(page.get_by_label(re.compile("Лиза"))).to_be_checked()
    mother.press("Да, записаться")
    mother.says(home.child.full_name)
    ticket = text_of(mother.file(re.compile("распечатать|Печат", re.IGNORECASE)))
    assert home.child.full_name in ticket
    mother.follow("Перенести запись", within="main")
    mother.press(re.compile("^9:15"))
    mother.says("Номер талона прежний")
    assert [row.moved_by_owner for row in booked(live)] == [1]

    with live.session() as session:  # another family takes the other ticket
        other = session.get_one(Slot, home.slots[0].id)
        other.status = other.status.__class__.BUSY
        session.commit()
    mother.go(home.district(home.child))
    mother.says("Все талоны на этот день выданы")

    mother.go(home.district(home.mother))
    mother.says("К специалистам направляет только участковый врач")
    refer(live, home)
    mother.go(home.district(home.mother))
    mother.follow(re.compile("Выбрать время"), within="main")
    mother.follow(re.compile("Ивлева"), within="main")
    mother.press(re.compile("^12:00"))
    page.get_by_label(re.compile("Мария")).check()
    mother.press("Да, записаться")
    mother.says(home.mother.full_name)
    assert [row.person_id for row in booked(live)] == [home.child.id, home.mother.id]
    mother.go("/cabinet/events")
    mother.says("Перенос посещения")
