"""Seed C whole in Chromium: registration by policy, the letter, the family, the child's ticket, the day's quota, a
referral that staff give, the specialist, a profile confirmed and a copy of a document by letter (C1–C17).

With JavaScript on a wide screen, without it on a phone; each page is looked at by axe on its way.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import Appointment, MedicalDocument, PersonDocument
from app.models.enums import AppointmentStatus, ConsentPurpose
from tests import make
from tests.browser import on_one_engine
from tests.journeys.people import Worker, now
from tests.journeys.test_booking import text_of
from tests.journeys.test_visits import FORM_OF_READER, Patient
from tests.live import Live
from tests.public.household import CERTIFICATE, CHILD_BORN, Household, make_household

EMAIL = "maria@example.org"
OWN = "сорок-два-синих-облака"


def arranged(live: Live) -> tuple[Household, str]:
    """A household whose mother has a policy and no cabinet yet; the policy's number."""
    with live.session() as session:
        home = make_household(session, now=now())
        make.make_consent_text(
            session, home.tenant.root, now=now(), purpose=ConsentPurpose.DOCUMENTS,
            text_ru="Согласие на копии\nПрошу присылать мне копии.",
        )  # fmt: skip
        session.delete(home.kept)
        session.flush()
        session.delete(home.account)
        home.mother.patronymic, home.mother.search_name = "Петровна", "иванова мария петровна"
        policy: PersonDocument = make.make_document(session, home.mother)
        return home, policy.number


def another_family(live: Live, home: Household) -> None:
    """Takes the day's other ticket meanwhile."""
    with live.session() as session:
        make.make_appointment(
            session, home.tenant, home.father, home.day,
            slot=home.slots[1], status=AppointmentStatus.BOOKED, now=now(),
        )  # fmt: skip


@pytest.mark.parametrize(("width", "javascript"), FORM_OF_READER)
@on_one_engine
def test_from_registration_to_the_specialist_and_a_copy_by_letter(
    live: Live, open_page: Callable[..., Page], tmp_path: Path, width: int, javascript: bool
) -> None:
    home, policy = arranged(live)
    page = open_page(live.url, width=width, javascript=javascript)
    mother = Patient(live, page, javascript=javascript)

    mother.go("/")
    mother.follow("Регистрация")
    mother.says("Цифры на обороте листа номером полиса не являются")
    mother.says("Полис добровольного страхования (ДМС) не подходит")
    mother.press("Продолжить")  # empty: each slip is said at its field
    expect(page.get_by_role("alert").get_by_role("link")).to_have_count(7)
    mother.fill(
        family_name="Иванова",
        given_name="Мария",
        patronymic="Петровна",
        birth_date="05.05.1985",
    )
    mother.fill(number=policy[:-1] + str((int(policy[-1]) + 1) % 10), email=EMAIL, password=OWN)
    mother.tick("consent")
    mother.press("Продолжить")
    mother.says("последняя цифра")
    mother.fill(number=policy, password=OWN)
    mother.press("Продолжить")
    mother.says("Проверьте почту")
    mother.letter(EMAIL, "Подтвердите")
    mother.leave(page.locator("div.text a").first.click)
    mother.press("Подтвердить адрес")
    mother.says("ваша карта найдена")
    mother.fill(email=EMAIL, password=OWN)
    mother.press("Вход")
    expect(page.locator(".own-name")).to_contain_text("Иванова М. П.")

    mother.follow("Личный кабинет")
    mother.follow("Семья", within="nav.tabs")
    mother.says("Участок №1, Терапевтический")
    mother.follow("Ребёнок до 18 лет", within="main")
    mother.press("Добавить")
    expect(page.get_by_role("alert").get_by_role("link")).to_have_count(2)
    mother.fill(number=CERTIFICATE, birth_date="09.03.2018")
    mother.press("Добавить")
    mother.says("Вход невозможен")
    mother.fill(number=CERTIFICATE, birth_date=CHILD_BORN)
    mother.press("Добавить")
    mother.says("Ребёнок добавлен в семью")

    mother.follow(re.compile("Талоны.*Лиза"), within="main")
    mother.says(re.compile("не более 2 талонов"))
    mother.press(re.compile("^9:00"))
    expect(page.get_by_label(re.compile("Лиза"))).to_be_checked()
    mother.press("Да, записаться")
    mother.says(home.child.full_name)
    ticket = text_of(mother.file(re.compile("распечатать|Печат", re.IGNORECASE)))
    assert home.child.full_name in ticket

    mother.go(home.district(home.child))
    another_family(live, home)
    mother.press(re.compile("^9:15"))  # which stands on the page still
    mother.says(re.compile("уже занят|только что"))
    mother.go(home.district(home.child))
    mother.says("Все талоны на этот день выданы")

    mother.follow(home.mother.full_name, within="main")
    mother.says("К специалистам направляет только участковый врач")
    desk = open_page(live.url, javascript=javascript)
    live.sign_in(desk, home.registrar)
    worker = Worker(live, desk, javascript=javascript)
    worker.go(f"/staff/referrals/card/{home.mother.uid}/")
    worker.fill(specialty="Врач-невролог")
    worker.fill(valid_until=f"{now() + dt.timedelta(days=30):%Y-%m-%d}")
    worker.press("Выдать направление")
    worker.says("открыто")
    mother.go(home.district(home.mother))
    mother.follow(re.compile("Выбрать время"), within="main")
    mother.follow(re.compile("Ивлева"), within="main")
    mother.press(re.compile("^12:00"))
    page.get_by_label(re.compile("Мария")).check()
    mother.press("Да, записаться")
    mother.says(home.mother.full_name)
    with live.session() as session:
        booked = select(Appointment.person_id).where(Appointment.status == AppointmentStatus.BOOKED)
        taken = session.scalars(booked.order_by(Appointment.id)).all()
        assert taken == [home.child.id, home.father.id, home.mother.id]

    mother.follow("Личный кабинет")
    mother.follow("Карта пациента", within="nav.tabs")
    mother.follow("Подтвердить профиль", within="main")
    assert mother.file(re.compile("Печать согласия")).startswith(b"%PDF")
    mother.press("Попросить подтвердить профиль")
    mother.says(re.compile("Профиль ждёт подтверждения"))
    worker.go("/staff/confirmations/")
    worker.follow(re.compile("Иванова"), within="main")
    desk.get_by_label("Подписанное согласие получено").check()
    worker.press("Подтвердить профиль")
    worker.follow("Копии документов", within="main")
    copy = tmp_path / "scan.pdf"
    copy.write_bytes(make.PDF)
    worker.fill(kind="test_results", title="Анализ крови")
    desk.locator("main [name=file]").set_input_files(str(copy))
    worker.press("Загрузить копию")
    worker.says("Анализ крови")
    mother.letter(EMAIL, "Копия медицинского документа")
    attached = page.locator("main a").filter(has_text=re.compile("talon-copy"))
    expect(attached).to_have_count(1)
    mother.go("/cabinet/card")
    assert mother.file(re.compile("Анализ крови")) == make.PDF
    with live.session() as session:
        stored = session.scalar(select(MedicalDocument.content_ciphertext))
        assert stored is not None and make.PDF not in stored
