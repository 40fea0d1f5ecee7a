"""Parts of an SMS, numbers it reaches, and whether a code is still worth sending."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy.orm import Session

from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageChannel
from app.models.enums import MessageKind as K
from app.rules import outbox, sms
from app.rules.delivery import Verdict, verdict
from app.rules.letters import CodeNeeded, EmptyText, UnknownField, check_letter
from tests import make

NOW = make.NOW
HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("{" * 80, 1),
        ("{" * 81, 2),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("a" * 70 + "№", 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_parts_are_counted_as_operators_count_them(text: str, count: int) -> None:
    assert sms.parts(text) == count


@pytest.mark.parametrize("number", ["+79001234567", "+79999999999"])
def test_a_mobile_number_is_reached(number: str) -> None:
    assert sms.mobile(number) == number


@pytest.mark.parametrize(
    "number", ["+78001234567", "+74951234567", "89001234567", "+7900123456", "+7900123456a", "x"]
)
def test_other_numbers_are_not(number: str) -> None:
    with pytest.raises(sms.NeverSent, match="not a mobile number"):
        sms.mobile(number)


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    tenant = make.make_tenant(session)
    donor = make.make_donor(session, tenant, phone="+79001234567")
    day = make.make_schedule(session, tenant)
    held = make.make_appointment(session, tenant, donor, day, status=A.HELD)
    booking = make.make_proposed(session, held, code_until=NOW + HOUR)
    message = outbox.tell_by_sms(session, booking, K.CONFIRM_CODE, now=NOW)
    session.flush()
    return SimpleNamespace(session=session, booking=booking, message=message)


def test_a_code_goes_by_sms_and_is_of_no_use_after_its_hour(world: SimpleNamespace) -> None:
    assert world.message.channel is MessageChannel.SMS
    assert world.message.useless_after == NOW + HOUR
    assert "code" not in {key for key in world.message.facts if key != "code_sent"}
    assert verdict(world.session, world.message, now=NOW) is Verdict.SEND
    assert verdict(world.session, world.message, now=NOW + HOUR) is Verdict.DROP


@pytest.mark.parametrize(
    "changes",
    [
        {"status": A.BOOKED},
        {"status": A.EXPIRED},
        {"status": A.CANCELLED},
        {"code_sent": 2},
        {"code_until": NOW},
        {"code_nonce": ""},
    ],
)
def test_a_code_that_opens_nothing_is_not_sent(
    world: SimpleNamespace, changes: dict[str, object]
) -> None:
    for name, value in changes.items():
        setattr(world.booking, name, value)
    assert verdict(world.session, world.message, now=NOW) is Verdict.DROP


def test_whoever_confirmed_no_address_still_gets_an_sms(world: SimpleNamespace) -> None:
    world.booking.status = A.EXPIRED
    account = make.make_account(world.session, email_confirmed_at=None)
    message = outbox.tell_by_sms(
        world.session, world.booking, K.BOOKING_LAPSED, now=NOW, account_id=account.id
    )
    world.session.flush()
    assert message.useless_after == world.booking.starts_at
    assert verdict(world.session, message, now=NOW) is Verdict.SEND
    world.booking.status = A.BOOKED
    assert verdict(world.session, message, now=NOW) is Verdict.DROP


def test_letters_go_by_e_mail_unless_said_otherwise(session: Session) -> None:
    account = make.make_account(session)
    letter = outbox.add(session, kind=K.PASSWORD_CHANGED, key="x", now=NOW, account_id=account.id)
    assert letter.channel is MessageChannel.EMAIL


def test_an_sms_needs_its_code_and_no_subject() -> None:
    check_letter(K.CONFIRM_CODE, subject="", body="Код {code}")
    check_letter(K.BOOKING_LAPSED, subject="", body="Запись {number} аннулирована")
    with pytest.raises(CodeNeeded):
        check_letter(K.CONFIRM_CODE, subject="", body="Код")
    with pytest.raises(EmptyText):
        check_letter(K.CONFIRM_CODE, subject="", body=" ")
    with pytest.raises(UnknownField):
        check_letter(K.BOOKING_LAPSED, subject="", body="{code}")
