"""The texts of SMS: short, in both languages, on the branch's own clock, and nothing about the person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.documents.letters import default_text
from app.documents.sms import preview, render
from app.models import Message, MessageTemplate
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind as K
from app.rules import outbox, sms
from app.rules.codes import code_of
from tests import make
from tests.documents.test_letters import message_of as letter_of

NOW = make.NOW


@pytest.fixture(autouse=True)
def _in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def message_of(session: Session, kind: K, **facts: object) -> Message:
    tenant = make.make_tenant(session)
    tenant.branch.time_zone = "Asia/Yekaterinburg"
    donor = make.make_donor(session, tenant, phone="+79001234567", family_name="Секретова")
    day = make.make_schedule(session, tenant, date=dt.date(2026, 11, 25))
    held = make.make_appointment(session, tenant, donor, day, status=A.HELD)
    booking = make.make_proposed(session, held, code_until=NOW + dt.timedelta(hours=1))
    message = outbox.tell_by_sms(session, booking, kind, now=NOW, **facts)
    session.flush()
    return message


def _message(session: Session, kind: K, locale: str) -> Message:
    if kind not in sms.OF_ACCOUNT:
        return message_of(session, kind, locale=locale)
    message = letter_of(session, kind, locale)
    assert message.account is not None
    message.account.phone = "+79001234567"
    return message


@pytest.mark.parametrize("locale", ["ru", "en"])
@pytest.mark.parametrize("kind", sorted(sms.KINDS - {K.SIGN_IN_CODE}))  # of no booking
def test_the_texts_that_come_with_talon_are_short_and_whole(
    session: Session, kind: K, locale: str
) -> None:
    subject, body = default_text(kind, locale)
    assert subject == ""
    _, shown = preview(kind, locale, "", body)
    text = render(_message(session, kind, locale)).text
    for said in (shown, text):
        assert sms.parts(said) <= sms.MOST_PARTS
        assert not set(said) & set("{}\n")
        if kind is not K.MEDICATION_SMS:  # staff's own words
            assert any("а" <= char <= "я" for char in said.casefold()) == (locale == "ru")
    assert "Секретова" not in text
    if kind is K.CONFIRM_CODE:
        assert sms.parts(text) == 1


def test_hours_are_those_of_the_branch(session: Session) -> None:
    message = message_of(session, K.CONFIRM_CODE)
    code = code_of(message.appointment)
    assert render(message).text == f"Код подтверждения записи: {code}. Действует до 13:00."
    lapsed = message_of(session, K.BOOKING_LAPSED)
    assert render(lapsed).text.startswith("Запись на 25.11 в 8:00 аннулирована")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Врач заболел.", "Причина: Врач заболел. "),
        ("", "отменена. Телефон"),
        (
            "В кабинете прорвало трубу, приём переносится на неопределённое время, просим прощения",
            "Причина: В кабинете прорвало трубу, приём переносится на…. ",
        ),
    ],
)
def test_a_cancelled_visit_is_told_with_its_reason_and_whom_to_phone(
    session: Session, reason: str, said: str
) -> None:
    message = message_of(session, K.VISIT_CANCELLED)
    assert message.appointment is not None
    message.appointment.comment = reason
    text = render(message).text
    assert text.startswith("Запись на 25.11 в 8:00 отменена. ")
    assert said in text and message.appointment.organization.phone in text
    assert sms.parts(text) <= sms.MOST_PARTS


def test_the_account_s_language_wins(session: Session) -> None:
    message = message_of(session, K.CONFIRM_CODE, locale="ru")
    message.account_id = make.make_account(session, locale="en").id
    session.flush()
    assert render(message).text.startswith("Code")
    assert "Код" in render(message_of(session, K.CONFIRM_CODE, locale="x")).text


def test_the_tenant_s_own_text_is_used_as_one_line(session: Session) -> None:
    message = message_of(session, K.CONFIRM_CODE)
    body = "{centre}:\n\nваш код {code}\n"
    session.add(
        MessageTemplate(
            tenant_id=message.tenant_id,
            kind=K.CONFIRM_CODE,
            locale="ru",
            subject="",
            body=body,
            updated_at=NOW,
        )
    )
    session.flush()
    code = code_of(message.appointment)
    assert render(message).text.endswith(f": ваш код {code}")


def test_a_long_text_is_refused(session: Session) -> None:
    with pytest.raises(sms.SmsTooLong):
        preview(K.CONFIRM_CODE, "ru", "", "Очень длинно " * 10 + "{code}")
