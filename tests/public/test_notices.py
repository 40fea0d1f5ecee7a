"""What an account is told of: its switches, the link that stops a letter, reminders of medicines (E56)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.documents import letters
from app.models import Account, AccountEvent, Consent, Message
from app.models.cabinet_choices import AccountEventKind as E
from app.models.cabinet_choices import NoticeEvent
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageChannel, MessageKind
from app.rules import delivery, notices, outbox
from app.rules.delivery import Verdict
from tests import make
from tests.client import Visitor, words
from tests.make import NOW


def reminder(store: Session) -> tuple[make.KnownDonor, Message]:
    tenant = make.make_tenant(store)
    donor = make.make_donor(store, tenant)
    day = make.make_schedule(store, tenant)
    booked = make.make_appointment(store, tenant, donor, day, status=A.BOOKED)
    booked.undo_until = None
    message = outbox.tell(store, booked, MessageKind.REMINDER, now=NOW)
    assert message is not None
    store.flush()
    return donor, message


def wishes(store: Session, account: Account, event: NoticeEvent) -> bool:
    return notices.choices(store, account_id=account.id)[event, MessageChannel.EMAIL]


def test_every_kind_of_message_says_what_it_tells_of() -> None:
    import json

    listed = json.loads(notices.DATA.read_text())["events"]
    assert sorted(listed) == sorted(kind.value for kind in MessageKind)


def test_a_switch_stops_the_next_letter_and_stands_in_the_log(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    donor, message = reminder(store)
    client = as_account(donor)
    page = client.page("/profile/notices")
    ticked = page.xpath("//input[@name='on'][@checked]/@value")
    assert "reminder:email" in ticked and "reminder:sms" not in ticked
    assert delivery.verdict(store, message, now=NOW) is Verdict.SEND
    left = [value for value in ticked if value != "reminder:email"]
    client.send("/profile/notices", {"on": left})
    assert delivery.verdict(store, message, now=NOW) is Verdict.DROP
    log = store.scalars(select(AccountEvent.kind)).all()
    assert log == [E.NOTICES]
    client.send("/profile/notices", {"on": ticked})
    assert delivery.verdict(store, message, now=NOW) is Verdict.SEND


def test_a_letter_bears_the_way_to_stop_it(
    client: Visitor, as_account: Callable[..., Visitor], store: Session, app: Any
) -> None:
    donor, message = reminder(store)
    with app.app_context():
        letter = letters.render(message, now=NOW)
    address = letter["List-Unsubscribe"].strip("<>")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in letter.get_body(("plain",)).get_content()
    path = urlsplit(address).path
    assert "Напоминания" in words(client.page(path))  # a GET only asks
    assert wishes(store, donor.account, NoticeEvent.REMINDER)
    assert client.post(path, data={}).status_code == 400  # not from another page
    assert client.submit(path).status_code == 200
    assert not wishes(store, donor.account, NoticeEvent.REMINDER)
    assert delivery.verdict(store, message, now=NOW) is Verdict.DROP
    assert "больше не приходят" in words(client.page(path))


def test_a_mail_program_stops_it_with_one_post(client: Visitor, store: Session) -> None:
    donor, _ = reminder(store)
    token = notices.stop_token(donor.account, NoticeEvent.REMINDER, MessageChannel.EMAIL)
    done = client.post(f"/notices/stop/{token}", data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert not wishes(store, donor.account, NoticeEvent.REMINDER)
    assert wishes(store, donor.account, NoticeEvent.BOOKING)


def test_a_made_up_link_stops_nothing(client: Visitor, store: Session) -> None:
    donor, _ = reminder(store)
    token = notices.stop_token(donor.account, NoticeEvent.REMINDER, MessageChannel.EMAIL)
    for other in (token[:-1], token.replace("reminder", "booking"), "x", "a.b.c.d", "..."):
        assert client.get(f"/notices/stop/{other}").status_code == 404
        form = {"List-Unsubscribe": "One-Click"}
        assert client.post(f"/notices/stop/{other}", data=form).status_code == 404


def test_what_nobody_may_miss_has_no_way_to_stop_it(store: Session, app: Any) -> None:
    _, message = reminder(store)
    message.kind = MessageKind.CANCELLED_BY_STAFF
    with app.app_context():
        assert letters.render(message, now=NOW)["List-Unsubscribe"] is None


def test_reminders_of_medicines_want_a_consent_of_their_own(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    client = as_account(donor)
    without = client.send("/profile/medication", {"sms": "y", "agree": "y"})
    assert without.status_code == 409 and "Сначала укажите телефон" in words(without)
    donor.account.phone, donor.account.phone_confirmed_at = "+79001234567", NOW
    silent = client.send("/profile/medication", {"sms": "y"})
    assert silent.status_code == 400 and "Без этого согласия" in words(silent)
    assert client.send("/profile/medication", {"sms": "y", "agree": "y"}).status_code == 303
    given = store.scalars(select(Consent).order_by(Consent.id.desc()).limit(1)).one()
    assert given.account_id == donor.account.id and given.withdrawn_at is None
    chosen = notices.choices(store, account_id=donor.account.id)
    assert chosen[NoticeEvent.MEDICATION, MessageChannel.SMS]
    client.send("/profile/medication", {})
    assert given.withdrawn_at == NOW
    log = list(store.scalars(select(AccountEvent.kind).order_by(AccountEvent.id)))
    assert log == [E.CONSENT_GIVEN, E.NOTICES, E.CONSENT_WITHDRAWN, E.NOTICES]
