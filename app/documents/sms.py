"""SMS: a row of the outbox made into a number and a text, as the world is when it is sent.

The number is decrypted and the code derived here and nowhere before; neither is kept.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from babel.dates import format_date
from flask import current_app
from flask_babel import force_locale, gettext
from sqlalchemy.orm import Session, object_session

from app import i18n
from app.documents import account_fields
from app.documents.fields import of_offer
from app.documents.letters import filled_text
from app.models.appointment import Appointment
from app.models.enums import MessageKind
from app.models.message import Message
from app.models.organization import Organization
from app.rules import clock, codes, delivery, reach, sms
from app.rules.letters import check_letter, filled

LONGEST_REASON = 50
"""With it and the words around, an SMS keeps to its two parts."""


@dataclass(frozen=True)
class Sms:
    """One SMS. Its printed form shows neither number nor text."""

    id: str
    """The same at each try: the gateway sends it once."""
    number: str = field(repr=False)
    text: str = field(repr=False)


def render(message: Message) -> Sms:
    """The SMS for ``message``. Raises app.rules.sms.NeverSent if no SMS can reach the person."""
    session, booking = object_session(message), message.appointment
    assert session is not None
    if message.kind in sms.OF_ACCOUNT:
        return _to_account(session, message)
    if booking is None or booking.person_id is None:
        raise sms.NeverSent("no phone number")
    number = sms.mobile(reach.number_of(booking))
    locale = _locale(message)
    with force_locale(locale):
        values = _values(session, booking, message.kind)
    _, text = filled_text(session, message, locale, values)
    return Sms(str(message.uid), number, one_line(text))


def _to_account(session: Session, message: Message) -> Sms:
    """To the number that is being proved, else to the account's own."""
    proof = delivery.proof_of(session, message)
    if proof is None and message.kind in sms.CODES:
        raise sms.NeverSent("the code has been replaced")
    own = message.account.phone if message.account is not None else None
    number = sms.mobile(proof.value or own if proof is not None else own)
    locale = _locale(message)
    with force_locale(locale):
        values = account_fields.of_account(session, message, _address, now=message.run_at)
    values = {"centre": "", "site": _site()} | values
    _, text = filled_text(session, message, locale, values)
    return Sms(str(message.uid), number, one_line(text))


def preview(kind: MessageKind, locale: str, subject: str, body: str) -> tuple[str, str]:
    """No subject, and the text with invented values. Raises what check_letter raises, SmsTooLong."""
    check_letter(kind, subject=subject, body=body)
    with force_locale(locale):
        text = one_line(filled(body, sample_values()))
    count = sms.parts(text)
    if count > sms.MOST_PARTS:
        raise sms.SmsTooLong(parts=count, most=sms.MOST_PARTS)
    return "", text


def sample_values() -> dict[str, str]:
    """Every field of an SMS with an invented value."""
    return {
        "centre": "Поликлиника № 1" if i18n.locale() == "ru" else "Clinic No. 1",
        "site": _site(),
        "code": "123456",
        "link": f"{_site()}offers/…",
        "until": "14:35",
        "number": "1002",
        "date": _figures(dt.date(2030, 11, 25)),
        "phone": "+7 000 000-00-00",
        "reason": gettext("The doctor has fallen ill"),
        **account_fields.samples(_address),
        "time": "10:30",
    }


def one_line(text: str) -> str:
    return " ".join(text.split())


def _values(session: Session, booking: Appointment, kind: MessageKind) -> dict[str, str]:
    """In the current locale; hours are those of the branch's own clock."""
    branch = booking.organization
    whole = session.get(Organization, booking.tenant_id) or branch
    starts = clock.local(booking.starts_at, branch.time_zone)
    values = {
        "centre": whole.short_name,
        "site": _site(),
        "number": str(booking.number),
        "date": _figures(starts.date()),
        "time": i18n.hour(starts.time()),
        "phone": branch.phone or whole.phone,
    }
    if kind is MessageKind.CONFIRM_CODE:
        assert booking.code_until is not None
        until = clock.local(booking.code_until, branch.time_zone)
        values |= {"code": codes.code_of(booking), "until": i18n.hour(until.time())}
    elif kind is MessageKind.VISIT_OFFERED:
        values |= of_offer(session, booking, branch.time_zone)
        if booking.hold_until is not None:
            until = clock.local(booking.hold_until, branch.time_zone)
            values["until"] = i18n.hour(until.time())
    elif kind is MessageKind.VISIT_CANCELLED:
        values["reason"] = _shortened(booking.comment)
    elif kind is MessageKind.VISIT_REFUSED:
        listed = i18n.localized(booking.reason, "text") if booking.reason else ""
        values["reason"] = _shortened(listed or booking.comment)
    return values


def _shortened(reason: str) -> str:
    """As a part of a sentence, at most LONGEST_REASON signs; some reasons are Talon's own sentences."""
    said = one_line(gettext(reason)).rstrip(". ") if reason.strip() else ""
    if len(said) <= LONGEST_REASON:
        return said
    return f"{said[:LONGEST_REASON].rsplit(' ', 1)[0].rstrip(',;: ')}…"


def _locale(message: Message) -> str:
    """That of the account, else the one the booking was made in, else Russian."""
    wished = message.account.locale if message.account else message.facts.get("locale")
    return wished if wished in i18n.LOCALES else "ru"


def _figures(day: dt.date) -> str:
    """«25.11», in English «25 Nov»: two figures would be read both ways."""
    pattern = "dd.MM" if i18n.locale() == "ru" else "d MMM"
    return str(format_date(day, pattern, locale=i18n.locale()))


def _address(path: str) -> str:
    return f"{current_app.config['PUBLIC_URL']}{path}"


def _site() -> str:
    return f"{current_app.config['PUBLIC_URL']}/"
