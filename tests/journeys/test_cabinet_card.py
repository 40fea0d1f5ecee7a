"""A profile confirmed and a copy of a document by letter; a visit rated (C16–C17, E51), in Chromium."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.models import MedicalDocument, Review
from app.models.enums import AppointmentStatus, ConsentPurpose, Role
from tests import make
from tests.browser import NARROW, WIDE
from tests.journeys.people import Visitor, Worker, engine, now
from tests.live import Live


def arranged(live: Live) -> tuple[make.KnownDonor, make.StaffUser]:
    """A donor with a past visit, and the registrar of the blood centre."""
    with live.session() as session:
        tenant = make.make_tenant(session, now=now())
        make.make_consent_text(
            session, tenant.root, now=now(), purpose=ConsentPurpose.DOCUMENTS,
            text_ru="Согласие на копии\nПрошу присылать мне копии.",
        )  # fmt: skip
        donor = make.make_donor(session, tenant, now=now(), family_name="Ольховая")
        day = make.make_schedule(session, tenant, date=(now() - dt.timedelta(days=3)).date())
        make.make_appointment(
            session, tenant, donor, day, status=AppointmentStatus.FULFILLED, now=now()
        )
        make.make_question(session, tenant)
        registrar = make.make_staff(session, Role.REGISTRAR, tenant.root, now=now())
        session.flush()
        session.expunge_all()
    return donor, registrar


@pytest.mark.parametrize(("width", "javascript"), [(WIDE, True), (NARROW, False)])
@engine("sqlite")
def test_a_profile_is_confirmed_and_its_copy_comes_by_letter(
    live: Live, open_page: Callable[..., Page], tmp_path: Path, width: int, javascript: bool
) -> None:
    donor, registrar = arranged(live)
    page = open_page(live.url, width=width, javascript=javascript)
    live.sign_in(page, donor.account)
    patient = Visitor(live, page, javascript=javascript)

    patient.go("/cabinet/card")
    patient.follow("Подтвердить профиль", within="main")
    assert patient.file(re.compile("Печать согласия")).startswith(b"%PDF")
    patient.press("Попросить подтвердить профиль")
    patient.says(re.compile("Профиль ждёт подтверждения"))

    desk = open_page(live.url, width=width, javascript=javascript)
    live.sign_in(desk, registrar)
    worker = Worker(live, desk, javascript=javascript)
    worker.go("/staff/confirmations/")
    worker.follow(re.compile("Ольховая"), within="main")
    desk.get_by_label("Подписанное согласие получено").check()
    worker.press("Подтвердить профиль")
    worker.follow("Копии документов", within="main")
    copy = tmp_path / "scan.pdf"
    copy.write_bytes(make.PDF)
    worker.fill(kind="test_results", title="Анализ крови")
    desk.locator("main [name=file]").set_input_files(str(copy))
    worker.press("Загрузить копию")
    worker.says("Анализ крови")

    patient.letter(donor.account.email, "Копия медицинского документа")
    attached = page.locator("main a").filter(has_text=re.compile("talon-copy"))
    expect(attached).to_have_count(1)
    patient.go("/cabinet/card")
    assert patient.file(re.compile("Анализ крови")) == make.PDF
    with live.session() as session:
        stored = session.scalar(select(MedicalDocument.content_ciphertext))
        assert stored is not None and make.PDF not in stored

    patient.go("/visits")
    patient.follow(re.compile("Оценить приём"), within="main")
    patient.press("Отправить оценку")
    patient.says("Выберите, пожалуйста, от одной до пяти звёзд.")
    page.locator("[name=stars][value='5']").check()
    page.get_by_label("Да").check()
    patient.fill(comment="Всё было хорошо")
    patient.press("Отправить оценку")
    patient.says("5 из 5")
    with live.session() as session:
        review = session.scalars(select(Review)).one()
        assert (review.stars, review.comment) == (5, "Всё было хорошо")
