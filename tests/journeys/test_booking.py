"""A donor's booking through everybody's hands: registration, the registrar's key, the letter, the ticket."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable

from playwright.sync_api import Page
from pypdf import PdfReader

from app.models import StaffUser
from app.models.enums import Role
from tests import make
from tests.browser import on_both_engines
from tests.journeys.people import Donor, Visitor, Worker, now
from tests.live import Live

pytestmark = on_both_engines

CODE = "456545"


def centre(live: Live, **policy: int) -> StaffUser:
    """A centre whose donor file knows the code, a day with places; its registrar."""
    today = now().date()
    with live.session() as session:
        tenant = make.make_tenant(session, now=now(), **policy)
        record = make.make_record(
            session,
            tenant,
            code=CODE,
            family_name="Ёлкина",
            given_name="Вера",
            patronymic="Ильинична",
        )
        make.make_donation(session, tenant, record, on_date=today - dt.timedelta(days=90))
        for days in (3, 4):
            make.make_schedule(
                session,
                tenant,
                date=today + dt.timedelta(days=days),
                blood_types=[make.B_NEGATIVE],
            )
        return make.make_staff(session, Role.REGISTRAR, tenant.root, now=now())


def text_of(pdf: bytes) -> str:
    """The words of a PDF, in one line."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def test_from_registration_to_the_ticket(live: Live, open_page: Callable[..., Page]) -> None:
    registrar = centre(live, undo_seconds=1)
    donor = Donor(live, open_page(live.url))
    donor.register(CODE)
    assert donor.heading() == "Проверьте почту"
    donor.confirm_address()
    donor.sign_in()
    number = donor.book()
    assert donor.status() == "На утверждении"

    desk = Worker(live, open_page(live.url))
    desk.sign_in(registrar)
    desk.go("/staff/queue/")
    assert desk.page.locator("#opened").inner_text() == "Ёлкина Вера Ильинична"
    desk.key("a")
    desk.says("Заявок нет: по всем решение принято")

    assert donor.status() == "Запись на донацию подтверждена"
    ticket = text_of(donor.file("PDF", within="table.list"))
    assert "Ёлкина Вера Ильинична" in ticket
    assert str(number) in ticket
    assert "Запись на донацию подтверждена" in ticket

    post = Visitor(live, open_page(live.url))
    post.letter(donor.email, "Запись подтверждена")
    assert text_of(post.file(f"talon-{number}.pdf")) == ticket
    event = post.file(f"talon-{number}.ics").decode()
    assert "BEGIN:VEVENT" in event
    assert str(number) in event
