"""Forms of the registry desk: finding a person, booking for a caller, registering somebody once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, ValidationError
from wtforms.validators import Length

from app.i18n import localized, say
from app.models.directory import HealthcareService
from app.models.enums import ConsentChannel, DocumentKind, Sex
from app.models.organization import Organization
from app.rules import consents, desk, documents
from app.rules.donors import normal_phone
from app.rules.registering import NewCard
from forms.donors import CHOOSE, FILL_IN, SEXES, phone_shape
from forms.identity_fields import BirthDateField, NameField, born, name_shape
from forms.inputs import ChosenField, LineField, MemberField, NotBlank, RowField

LONGEST = 100
DATE = {"autocomplete": "off", "inputmode": "numeric", "placeholder": "14.02.1988"}
PHONE = {"type": "tel", "autocomplete": "off", "inputmode": "tel"}
AGREED = {
    ConsentChannel.PAPER: _l("signed on paper"),
    ConsentChannel.ORAL: _l("given by word, the text was read out"),
}
DOCUMENTS = {
    "oms": DocumentKind.OMS,
    "snils": DocumentKind.SNILS,
    "passport": DocumentKind.PASSPORT,
    "birth_certificate": DocumentKind.BIRTH_CERTIFICATE,
}
"""The fields for the usual ones; others are added on the card."""


class SearchForm(FlaskForm):
    """One line that means what it looks like (app.rules.person_search), and a birth date beside it."""

    q = LineField(_l("Who"), longest=LONGEST, render_kw={"autocomplete": "off", "type": "search"})
    born = BirthDateField(_l("Birth date"), render_kw={**DATE, "size": "11"})


def _read_again(field: ChosenField) -> None:
    """What was sent, now that it is known what is offered."""
    field.process_errors = []
    try:
        field.process_formdata(field.raw_data)
    except ValueError as error:
        field.process_errors = [str(error)]


def _demand(field: ChosenField, sentence: str) -> None:
    """Here it has to be answered."""
    field.validators = [NotBlank(gettext(sentence))]
    field.flags.required = True


def consent_field(**more: Any) -> MemberField:
    return MemberField(
        _l("Consent to the processing of data"),
        more.pop("validators", []),
        members=consents.AT_DESK,
        words=AGREED.get,
        blank=_l("How was it given?"),
        **more,
    )


class BookForm(FlaskForm):
    """What is asked besides the time and the person."""

    service = RowField(
        _l("What for"), rows=tuple, words=lambda row: localized(row, "name"), blank=_l("Choose")
    )
    phone = LineField(
        _l("Another telephone for this booking"),
        [phone_shape],
        longest=30,
        description=_l("If it is not the one on the card: +7 900 123-45-67."),
        render_kw=PHONE,
    )
    consent = consent_field()

    def offer(
        self,
        services: Sequence[HealthcareService],
        *,
        asks_consent: bool,
        has_phone: bool,
        former: int | None = None,
    ) -> BookForm:
        """Only what has to be asked here. Nothing is chosen beforehand but the ``former`` service."""
        self.service.things = {str(row.uid): row for row in services}
        if len(services) < 2:
            del self.service
        elif self.service.raw_data:
            _read_again(self.service)
        else:
            self.service.data = next((row for row in services if row.id == former), None)
        if "service" in self:
            _demand(self.service, desk.ServiceNeeded.text)
        if asks_consent:
            _demand(self.consent, consents.NotSaid.text)
        else:
            del self.consent
        if not has_phone:
            self.phone.label.text = str(_l("Telephone for this booking"))
            self.phone.description = _l("There is none on the card. +7 900 123-45-67.")
        return self

    def service_uid(self) -> uuid.UUID | None:
        row = self.service.data if "service" in self else None
        return row.uid if row is not None else None

    def agreed(self) -> ConsentChannel | None:
        return self.consent.data if "consent" in self else None

    def number(self) -> str:
        return normal_phone(self.phone.data or "")


def _document(words: Any, kind: DocumentKind) -> LineField:
    def shape(_form: Any, field: Any) -> None:
        if not field.data:
            return
        try:
            documents.normalised(kind, field.data)
        except documents.BadDocument as refusal:
            raise ValidationError(say(refusal)) from refusal

    kept = {"autocomplete": "off", "spellcheck": "false"}
    return LineField(words, [shape], longest=60, render_kw=kept)


class RegisterForm(FlaskForm):
    """A new card. Numbers are checked as they are typed; who is known already is a rule's to say."""

    organization = RowField(_l("Organization"), [NotBlank(CHOOSE)], rows=tuple, blank=_l("Choose"))
    family_name = NameField(_l("Family name"), [NotBlank(FILL_IN), Length(max=80), name_shape])
    given_name = NameField(_l("Given name"), [NotBlank(FILL_IN), Length(max=80), name_shape])
    patronymic = NameField(
        _l("Patronymic"), [Length(max=80), name_shape], description=_l("If there is one.")
    )
    birth_date = BirthDateField(_l("Birth date"), [NotBlank(FILL_IN), born], render_kw=DATE)
    sex = MemberField(_l("Sex"), members=Sex, words=SEXES.get, blank=_l("not known"))
    phone = LineField(
        _l("Phone"),
        [phone_shape],
        longest=30,
        description=_l("+7 900 123-45-67. SMS about bookings go there."),
        render_kw=PHONE,
    )
    oms = _document(_l("Number of the OMS policy"), DocumentKind.OMS)
    snils = _document(_l("SNILS"), DocumentKind.SNILS)
    passport = _document(_l("Series and number of the passport"), DocumentKind.PASSPORT)
    birth_certificate = _document(_l("Birth certificate"), DocumentKind.BIRTH_CERTIFICATE)
    consent = consent_field(
        validators=[NotBlank(_l("Mark how the consent was given: without it there is no card."))]
    )
    is_another = BooleanField(_l("I have looked: this is another person"))

    def __init__(self, *, today: dt.date, **rest: Any) -> None:
        self.today = today
        super().__init__(**rest)

    def offer(self, roots: Sequence[Organization]) -> RegisterForm:
        """Whose registry, where the reader sees several."""
        self.organization.things = {str(row.uid): row for row in roots}
        if len(roots) < 2:
            del self.organization
        elif self.organization.raw_data:
            _read_again(self.organization)
        return self

    def card(self) -> NewCard:
        assert self.birth_date.data is not None
        return NewCard(
            family_name=self.family_name.data or "",
            given_name=self.given_name.data or "",
            patronymic=self.patronymic.data or "",
            birth_date=self.birth_date.data,
            sex=self.sex.data,
            phone=normal_phone(self.phone.data or ""),
            documents=tuple(
                (kind, self[name].data) for name, kind in DOCUMENTS.items() if self[name].data
            ),
            consent=self.consent.data,
        )
