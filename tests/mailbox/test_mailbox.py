"""The development mailbox: what would have been sent, staff's codes, and nothing in production."""

from __future__ import annotations

import datetime as dt
import uuid

import pyotp
import pytest
from flask import Flask
from sqlalchemy.orm import Session

import config
from app.extensions import own_transaction
from app.jobs.deliver import deliver
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind as K
from app.models.enums import Role
from app.models.scope import SYSTEM
from app.rules import mailbox, outbox
from tests import make
from tests.client import Visitor, headings, words
from tests.conftest import Clock
from tests.live import environment

NOW = make.NOW


@pytest.fixture
def approved(app: Flask, store: Session) -> uuid.UUID:
    """An approval that was «sent»; its outside id."""
    tenant = make.make_tenant(store)
    tenant.root.name = "Центр <b>крови</b>"
    donor = make.make_donor(store, tenant, email="donor@example.org")
    day = make.make_schedule(store, tenant)
    booking = make.make_appointment(store, tenant, donor, day, status=A.BOOKED)
    message = outbox.tell(store, booking, K.APPROVED, now=NOW)
    assert message is not None
    outbox.lease(store, now=NOW)
    store.commit()
    with app.app_context():
        deliver(message.id, 1)
    return message.uid


def test_an_empty_mailbox_says_so(client: Visitor) -> None:
    page = client.page("/mailbox?lang=ru")
    assert "Писем пока нет" in words(page)


def test_letters_are_listed_newest_first(
    app: Flask, store: Session, client: Visitor, clock: Clock
) -> None:
    for number in range(35):
        account = make.make_account(store, email=f"d{number}@example.org")
        message = outbox.add(
            store, kind=K.PASSWORD_CHANGED, key=f"k{number}", now=NOW, account_id=account.id
        )
        store.commit()
        with app.app_context(), own_transaction(SYSTEM) as session:
            mailbox.keep(
                session,
                message_id=message.id,
                recipient=account.email,
                subject=f"Письмо {number}",
                source="",
                now=NOW + dt.timedelta(seconds=number),
            )
    page = client.page("/mailbox")
    subjects = [a.text for a in page.xpath("//ol[@class='letters']//a")]
    assert subjects == [f"Письмо {number}" for number in range(34, 4, -1)]
    older = client.page(page.xpath("//a[@rel='next']/@href")[0])
    assert [a.text for a in older.xpath("//ol[@class='letters']//a")][-1] == "Письмо 0"
    one = client.page("/mailbox?to=D17@")
    assert [a.text for a in one.xpath("//ol[@class='letters']//a")] == ["Письмо 17"]


def test_a_letter_shows_its_text_links_and_attachments(
    client: Visitor, approved: uuid.UUID
) -> None:
    page = client.page(f"/mailbox/{approved}?lang=ru")
    assert headings(page)[0].startswith("Запись подтверждена: ср, 25 ноября 2026")
    said = words(page)
    assert "donor@example.org" in said
    assert "Центр <b>крови</b>" in said
    assert page.xpath("//div[@class='text']//a/@href")[0] == "http://localhost/bookings"
    ticket, entry = page.xpath("//h2[@id='attachments']/following-sibling::ul//a/@href")
    pdf = client.get(ticket)
    assert (pdf.mimetype, pdf.data[:4]) == ("application/pdf", b"%PDF")
    assert "attachment" in pdf.headers["Content-Disposition"]
    assert b"BEGIN:VCALENDAR" in client.get(entry).data


def test_the_page_of_a_letter_is_locked_in(client: Visitor, approved: uuid.UUID) -> None:
    frame = client.page(f"/mailbox/{approved}").xpath("//iframe")[0]
    assert "allow-scripts" not in frame.get("sandbox")
    response = client.get(frame.get("src"))
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy
    assert "Центр &lt;b&gt;крови&lt;/b&gt;" in response.get_data(as_text=True)


def test_an_sms_shows_its_number_and_text(app: Flask, store: Session, client: Visitor) -> None:
    tenant = make.make_tenant(store)
    donor = make.make_donor(store, tenant, phone="+79001234567")
    day = make.make_schedule(store, tenant)
    held = make.make_appointment(store, tenant, donor, day, status=A.HELD)
    booking = make.make_proposed(store, held, code_until=NOW + dt.timedelta(hours=1))
    message = outbox.tell_by_sms(store, booking, K.CONFIRM_CODE, now=NOW)
    store.flush()
    outbox.lease(store, now=NOW)
    store.commit()
    with app.app_context():
        deliver(message.id, 1)
    listed = client.page("/mailbox?lang=ru&to=%2B79001234567")
    assert "СМС с кодом подтверждения" in words(listed)
    text = listed.xpath("//ol[@class='letters']//a")[0].text
    assert text.startswith("Код подтверждения записи: ")
    page = client.page(f"/mailbox/{message.uid}?lang=ru")
    assert headings(page)[0] == "SMS"
    assert text in words(page) and "+79001234567" in words(page)
    assert not page.xpath("//iframe")
    for part in ("html", "1"):
        assert client.get(f"/mailbox/{message.uid}/{part}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/mailbox/x",
        "/mailbox/1",
        f"/mailbox/{make.NOBODYS_UID}",
        f"/mailbox/{make.NOBODYS_UID}/html",
    ],
)
def test_what_is_not_there_is_not_found(client: Visitor, path: str) -> None:
    assert client.get(path).status_code == 404


def test_attachments_are_counted_from_one(client: Visitor, approved: uuid.UUID) -> None:
    for number in ("0", "3", "-1", "99999999999999999999", "x"):
        assert client.get(f"/mailbox/{approved}/{number}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=x",
        "page=%D9%A3",
        f"page={10**30}",
        "page=" + "9" * 5000,
        "to=%25%27",
    ],
)
def test_odd_queries_are_answered(client: Visitor, query: str) -> None:
    assert client.get(f"/mailbox?{query}").status_code == 200


def test_codes_of_staff_are_those_of_their_telephones(
    store: Session, client: Visitor, clock: Clock
) -> None:
    user = make.make_staff(store, Role.REGISTRAR)
    make.make_staff(store, Role.SCHEDULER, totp_confirmed_at=None)
    gone = make.make_staff(store, Role.SCHEDULER, is_active=False)
    page = client.page("/mailbox?lang=ru")
    code = pyotp.TOTP(make.TOTP_SEED).at(clock.now)
    assert page.xpath("//td[@data-email]/text()") == [code]
    assert page.xpath("//td[@data-email]/@data-email") == [user.email]
    assert gone.email not in words(page)
    assert "Медицинский регистратор" in words(page)


def test_production_refuses_the_mailbox_and_has_no_such_page(app: Flask) -> None:
    with pytest.raises(config.BadSettings, match="TALON_MAILBOX"):
        config.load(environment("postgresql+psycopg://x/y", MODE="production", MAILBOX="1"))
    from app.factory import create_app

    without = create_app(config.load(environment(app.config["DATABASE_URL"], MAILBOX="0")))
    assert not [rule for rule in without.url_map.iter_rules() if "mailbox" in rule.rule]
