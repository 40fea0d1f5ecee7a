"""Letters: a row of the outbox and the state of the world, made into a whole message with its attachments.

Nothing is taken from the time the row was written but ids: names, words and links are read now.
"""

from __future__ import annotations

import datetime as dt
import logging
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from app import i18n
from app.documents import words
from app.documents.account_fields import recipient, stop_address, stop_words
from app.documents.calendar import event_ics
from app.documents.fields import sample_values, values_of
from app.documents.ticket import ticket_name, ticket_pdf
from app.models.appointment import Appointment
from app.models.enums import MessageKind
from app.models.message import Message, MessageTemplate
from app.rules import feedback, medical_documents, sms, surveys
from app.rules.letters import FIELDS, UnknownField, check_letter, filled, subject_line

__all__ = [
    "FIELDS",
    "NoRecipient",
    "check_letter",
    "default_text",
    "filled_text",
    "preview",
    "render",
]

log = logging.getLogger("talon.jobs")
LETTERS = Path(__file__).resolve().parent.parent / "data" / "letters"


class NoRecipient(Exception):
    """There is nobody to write to, or no such address can exist."""


def render(message: Message, *, now: dt.datetime) -> EmailMessage:
    """The whole letter for ``message``. Raises NoRecipient, TicketFailed.

    Its Message-ID is that of the row, so that a repeated try is the same letter to every mail server.
    """
    session = object_session(message)
    assert session is not None
    asked = feedback.of_message(session, message) or surveys.of_message(session, message)
    reader = message.account or message.staff_user or asked
    email = recipient(session, message) or (reader.email if reader is not None else None)
    if reader is None or not email:
        raise NoRecipient("nobody")
    wished = getattr(reader, "locale", message.facts.get("locale", ""))
    locale = wished if wished in i18n.LOCALES else "ru"
    with force_locale(locale):
        values = values_of(session, message, now=now)
    subject, body = filled_text(session, message, locale, values)
    stop = stop_address(message)
    if stop:
        with force_locale(locale):
            body += f"\n{stop_words(stop)}\n"
    letter = _letter(subject, body, locale)
    if stop:  # RFC 8058: the reader's program asks nothing more
        letter["List-Unsubscribe"] = f"<{stop}>"
        letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter["To"] = _addressee(email)
    letter["From"] = _sender()
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = f"<{message.uid}@{_host()}>"
    letter["Auto-Submitted"] = "auto-generated"
    if message.kind is MessageKind.APPROVED:
        assert message.appointment is not None
        _attach(letter, message.appointment, locale)
    if message.kind is MessageKind.DOCUMENT_COPY:
        _attach_copy(letter, session, message, now)
    letter["Content-Language"] = locale  # last: adding parts takes Content-… headers along
    return letter


def default_text(kind: MessageKind, locale: str, *, visit: bool = False) -> tuple[str, str]:
    """Subject and body as they come with Talon; of a ``visit`` to a doctor in its own words, where a
    donation has others. An SMS has no subject.
    """
    if kind in sms.KINDS:
        return "", _file(kind, locale, False).strip() + "\n"
    subject, _, body = _file(kind, locale, visit).partition("\n")
    return subject.strip(), body.strip() + "\n"


def preview(kind: MessageKind, locale: str, subject: str, body: str) -> tuple[str, str]:
    """The letter with invented values, as plain text. Raises what ``check_letter`` raises."""
    check_letter(kind, subject=subject, body=body)
    with force_locale(locale):
        values = sample_values()
    return subject_line(subject, values), filled(body, values)


@lru_cache(maxsize=64)
def _file(kind: MessageKind, locale: str, visit: bool) -> str:
    own = LETTERS / locale / "visits" / f"{kind}.txt"
    path = own if visit and own.exists() else LETTERS / locale / f"{kind}.txt"
    return path.read_text(encoding="utf-8")


def filled_text(
    session: Session, message: Message, locale: str, values: dict[str, str]
) -> tuple[str, str]:
    """Subject and body by the tenant's own text, else by the one that comes with Talon.

    An own text that cannot be filled (a field that is no more) must not keep the letter back.
    """
    own = session.execute(
        select(MessageTemplate.subject, MessageTemplate.body).where(
            MessageTemplate.tenant_id == message.tenant_id,
            MessageTemplate.kind == message.kind,
            MessageTemplate.locale == locale,
        )
    ).one_or_none()
    if own is not None:
        try:
            return subject_line(own.subject, values), filled(own.body, values)
        except UnknownField:
            log.warning("tenant %s: unknown field in %s", message.tenant_id, message.kind)
    booking = message.appointment
    visit = booking is not None and booking.donation_type_id is None
    subject, body = default_text(message.kind, locale, visit=visit)
    return subject_line(subject, values), filled(body, values)


def _letter(subject: str, body: str, locale: str) -> EmailMessage:
    """The text, and the same as a page that loads nothing from anywhere."""
    letter = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    letter["Subject"] = subject
    letter.set_content(body)
    page = current_app.jinja_env.get_template("mail/letter.html").render(
        lang=locale,
        subject=subject,
        paragraphs=[words.lines(part) for part in body.split("\n\n")],
    )
    letter.add_alternative(page, subtype="html")
    return letter


def _attach(letter: EmailMessage, booking: Appointment, locale: str) -> None:
    """The ticket and the calendar entry."""
    letter.add_attachment(
        ticket_pdf(booking, locale),
        maintype="application",
        subtype="pdf",
        filename=ticket_name(booking.number),
    )
    letter.add_attachment(
        event_ics(booking, locale).decode(),
        subtype="calendar",
        filename=f"talon-{booking.number}.ics",
        params={"method": "PUBLISH"},
    )


def _attach_copy(
    letter: EmailMessage, session: Session, message: Message, now: dt.datetime
) -> None:
    """The copy of a document. Raises NoRecipient if it may not go any more: the next try ends it."""
    row = medical_documents.of_message(session, message)
    if row is None or not medical_documents.may_go(session, message, now=now):
        raise NoRecipient("the consent was withdrawn")
    file = medical_documents.file_of(row)
    kind, _, subtype = file.content_type.partition("/")
    letter.add_attachment(file.body, maintype=kind, subtype=subtype, filename=file.name)


def _addressee(email: str) -> Address:
    """The address with its domain as DNS spells it. Raises NoRecipient for what is no address."""
    name, _, domain = email.rpartition("@")
    if not name or not domain or not email.isprintable() or " " in email:
        raise NoRecipient("not an address")
    try:
        return Address(username=name, domain=domain.encode("idna").decode())
    except (UnicodeError, ValueError) as error:
        raise NoRecipient("not an address") from error


def _sender() -> Address:
    """TALON_MAIL_FROM, else talon@ the site's host."""
    name, spec = parseaddr(current_app.config["MAIL_FROM"])
    address = _addressee(spec or f"talon@{_host()}")
    return Address(name or "Talon", address.username, address.domain)


def _host() -> str:
    return urlsplit(current_app.config["PUBLIC_URL"]).hostname or "talon.invalid"
