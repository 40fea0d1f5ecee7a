"""The paper consent to copies by e-mail (C16): one A4 page to be printed, signed and brought to the desk."""

from __future__ import annotations

from flask import current_app
from flask_babel import force_locale, gettext

from app import i18n
from app.documents import words
from app.documents.ticket import FONTS, drawn
from app.models.consent import ConsentText
from app.models.organization import Organization
from app.models.person import Person

NAME = "consent-documents.pdf"
"""The file's name: nothing about the person."""


def consent_pdf(
    text: ConsentText, *, person: Person, tenant: Organization, email: str, locale: str
) -> bytes:
    """The text that holds now with the person's data; what Talon does not know stays to be written by
    hand. Raises TicketFailed."""
    with force_locale(locale):
        heading, *paragraphs = words.lines(i18n.localized(text, "text"))
        page = current_app.jinja_env.get_template("pdf/consent.html").render(
            fonts=FONTS.as_posix(),
            tenant=tenant,
            heading=heading,
            paragraphs=paragraphs,
            facts=[
                (gettext("Surname, name, patronymic"), person.full_name),
                (
                    gettext("Birth date"),
                    words.written(person.birth_date) if person.birth_date else "",
                ),
                (gettext("E-mail"), email),
                (gettext("Passport, by whom and when issued"), ""),
                (gettext("Address"), ""),
            ],
            version=text.version,
        )
        return drawn(page, heading)
