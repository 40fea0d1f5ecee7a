"""The ticket (A30, issue row 6): what stands on it, how it fails, what it never fetches."""

from __future__ import annotations

import datetime as dt
import http.server
import io
import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from pypdf import PdfReader
from reportlab.pdfbase import ttfonts
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.documents import ticket
from app.documents.ticket import TicketFailed, ticket_pdf
from app.models import Account, AccountPerson
from app.models.enums import AppointmentStatus as A
from app.models.enums import Role
from app.models.scope import PUBLIC, set_scope
from app.rules import access
from app.rules.errors import NotFound
from tests import make


@pytest.fixture(autouse=True)
def _in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def text_of(pdf: bytes) -> str:
    return " ".join(
        " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split()
    )


def booked(
    session: Session, status: A = A.BOOKED, zone: str = "Europe/Moscow", **person: str
) -> object:
    tenant = make.make_tenant(session, time_zone=zone)
    tenant.branch.address = "ул. Вымышленная, 1"
    tenant.branch.phone = "+7 495 000-00-00"
    tenant.platelets.memo_ru = "Накануне – лёгкий ужин.\nВозьмите паспорт."
    tenant.platelets.memo_en = "A light supper the day before."
    donor = make.make_donor(session, tenant, donor_code="456545", **person)
    day = make.make_schedule(session, tenant, date=dt.date(2026, 11, 25))
    place = make.slots_of(session, day)[1]
    return make.make_appointment(session, tenant, donor, day, status=status, slot=place)


def test_the_ticket_says_who_what_when_and_where(session: Session) -> None:
    appointment = booked(session, family_name="Ёлкина", given_name="Анна", patronymic="Щукинична")
    said = text_of(ticket_pdf(appointment, "ru"))
    for words in (
        f"№ {appointment.number}",
        "Ёлкина Анна Щукинична",
        "Тромбоцитаферез, III (B) −",
        "ср, 25 ноября 2026",
        "8:00",
        "место 2",
        "по московскому времени",
        "отделение «Сосны»",
        "ул. Вымышленная, 1",
        "+7 495 000-00-00",
        "Запись на донацию подтверждена",
        "Накануне – лёгкий ужин.",
        "Возьмите паспорт.",
    ):
        assert words in said, words


def test_the_english_ticket_is_english(session: Session) -> None:
    said = text_of(ticket_pdf(booked(session), "en"))
    for words in ("Donation ticket", "Thrombocytapheresis", "Wed, 25 November 2026", "Moscow time"):
        assert words in said, words
    assert "Талон" not in said


def test_the_donor_and_the_staff_of_the_branch_get_it_and_a_stranger_does_not(
    session: Session,
) -> None:
    appointment = booked(session)
    account = session.scalars(
        select(Account).join(AccountPerson).where(AccountPerson.person_id == appointment.person_id)
    ).one()
    own, other = appointment.organization, make.make_tenant(session, name="Чужой центр").root
    seen_by = [
        access.account_scope(session, account, now=make.NOW),
        access.staff_scope(session, make.make_staff(session, Role.REGISTRAR, own)),
    ]
    blind = [
        PUBLIC,
        access.account_scope(session, make.make_account(session), now=make.NOW),
        access.staff_scope(session, make.make_staff(session, Role.REGISTRAR, other)),
    ]
    for scope in seen_by:
        set_scope(session, scope)
        assert f"№ {appointment.number}" in text_of(ticket_pdf(appointment, "ru"))
    for scope in blind:
        set_scope(session, scope)
        with pytest.raises(NotFound):
            ticket_pdf(appointment, "ru")


def test_a_pending_request_is_said_not_to_be_a_booking(session: Session) -> None:
    said = text_of(ticket_pdf(booked(session, A.PENDING), "ru"))
    assert "На утверждении – это ещё не подтверждённая запись" in said
    assert "подтверждена" not in said


def test_without_a_name_the_donor_code_stands_for_the_donor(session: Session) -> None:
    said = text_of(ticket_pdf(booked(session, family_name="", given_name="", patronymic=""), "ru"))
    assert "код донора 456545" in said


def test_the_time_is_the_branch_s_own_and_its_zone_is_named(session: Session) -> None:
    said = text_of(ticket_pdf(booked(session, zone="Asia/Kamchatka"), "ru"))
    assert "8:00" in said
    assert "UTC+12" in said


def test_it_is_one_a5_page_with_pt_sans_inside(session: Session) -> None:
    reader = PdfReader(io.BytesIO(ticket_pdf(booked(session), "ru")))
    assert len(reader.pages) == 1
    width, height = (float(side) / 72 * 25.4 for side in reader.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (148, 210)
    fonts = [
        font.get_object()["/BaseFont"] for font in reader.pages[0]["/Resources"]["/Font"].values()
    ]
    assert any("PTSans" in name for name in fonts)


def test_the_code_opens_the_staff_s_look_up_of_this_ticket(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(ticket, "_code", lambda address: drawn.append(address) or "")
    appointment = booked(session)
    monkeypatch.setattr(ticket, "drawn", lambda page, title: page.encode())
    ticket_pdf(appointment, "ru")
    assert drawn == [f"http://localhost/staff/ticket/{appointment.uid}"]


def test_without_its_font_there_is_no_ticket(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    appointment = booked(session)
    monkeypatch.setattr(ticket, "FONTS", tmp_path)
    ticket._policy.cache_clear()
    try:
        with pytest.raises(TicketFailed):  # the font is away, its glyphs are known
            ticket_pdf(appointment, "ru")
        ticket._glyphs.cache_clear()
        with pytest.raises(TicketFailed):
            ticket_pdf(appointment, "ru")
        shutil.copy(Path(ticket.__file__).parent.parent / "fonts/PTSans-Regular.ttf", tmp_path)
        with pytest.raises(TicketFailed):  # one cut is not enough
            ticket_pdf(appointment, "ru")
    finally:
        ticket._policy.cache_clear()
        ticket._glyphs.cache_clear()


def test_a_letter_that_the_font_lacks_costs_nobody_the_ticket(session: Session) -> None:
    appointment = booked(session, family_name="Ли 李", given_name="😀", patronymic="\u202eнанвИ")
    assert "Ли ?" in text_of(ticket_pdf(appointment, "ru"))


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine and the paths that were asked of it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


PAYLOADS = (
    '<img src="{url}/img">',
    '<img src="{file}">',
    '<img src="file://{file}">',
    "<style>@import url({url}/css);</style>",
    "<style>@font-face {{font-family: x; src: url({url}/font)}}</style>",
    '<link rel="stylesheet" href="{url}/link">',
    '<pdf:font name="x" src="{file}">',
    '<pdf:include src="{file}">',
    '</p></td></table><pdf:nextpage><img src="{url}/x">',
    "<p style='background: url({url}/bg)'>x</p>",
    "<![CDATA[<img src={url}/cdata>]]>",
    "&lt;img src={url}/entity&gt;",
    "{{{{ config }}}}",
    "%(name)s {{0.__class__}}",
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_in_every_field_stay_words_and_fetch_nothing(
    session: Session, payload: str, canary: tuple[str, list[str]], tmp_path: Path
) -> None:
    url, asked = canary
    secret = tmp_path / "canary.txt"
    secret.write_text("CANARY-IN-A-FILE")
    words = payload.format(url=url, file=secret)
    appointment = booked(session, family_name=words[:80], given_name="", patronymic="")
    branch, donation_type = appointment.organization, appointment.donation_type
    branch.phone = words[:40]
    branch.name = branch.address = donation_type.name_ru = words[:200]
    branch.directions = donation_type.memo_ru = words
    session.flush()
    said = "".join(text_of(ticket_pdf(appointment, "ru")).split())
    assert asked == []
    assert "CANARY-IN-A-FILE" not in said
    assert "".join(words.split()) in said


def test_the_address_itself_is_refused_by_the_policy(
    canary: tuple[str, list[str]], tmp_path: Path
) -> None:
    """Negative control: markup that does get into the page is stopped all the same."""
    url, asked = canary
    secret = tmp_path / "canary.ttf"
    secret.write_text("CANARY")
    for source in (f"{url}/img", str(secret), f"file://{secret}", "/etc/hostname"):
        with pytest.raises(TicketFailed):
            ticket.drawn(f'<html><body><img src="{source}"></body></html>', "x")
    assert asked == []


def test_nothing_of_the_page_gets_into_the_log(
    session: Session,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG, logger="")
    appointment = booked(session, family_name="Секретова")
    ticket_pdf(appointment, "ru")
    monkeypatch.setattr(ticket, "FONTS", tmp_path)
    ticket._policy.cache_clear()
    with pytest.raises(TicketFailed) as failed:
        ticket_pdf(appointment, "ru")
    ticket._policy.cache_clear()
    assert "Секретова" not in caplog.text
    assert "Секретова" not in str(failed.value)


def test_a_warm_ticket_reads_no_font_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading the two cuts takes three times as long as drawing (docs/performance.md measures a ticket)."""
    appointment = booked(session)
    ticket_pdf(appointment, "ru")
    read: list[object] = []
    begin = ttfonts.TTFontFile.__init__

    def note(font: object, file: object, *args: object, **more: object) -> None:
        read.append(file)
        begin(font, file, *args, **more)

    monkeypatch.setattr(ttfonts.TTFontFile, "__init__", note)
    ticket_pdf(appointment, "en")
    assert read == []
    ticket._glyphs.cache_clear()
    ticket_pdf(appointment, "ru")
    assert len(read) == 2, "the two cuts: the test sees what is read"


def test_a_long_memo_flows_on_to_a_second_page(session: Session) -> None:
    appointment = booked(session)
    appointment.donation_type.memo_ru = "\n".join(f"Совет {n}: пейте воду." for n in range(90))
    session.flush()
    pdf = ticket_pdf(appointment, "ru")
    assert "Совет 89" in text_of(pdf)
    assert len(PdfReader(io.BytesIO(pdf)).pages) > 1
