"""Who somebody without an account is: one form for each variant of E8, and seed B's (rows E7–E15, B9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField
from wtforms.validators import InputRequired, Length, Optional

from app.models.enums import DocumentKind, IdentifyBy
from app.rules.donors import normal_phone
from app.rules.identification import BY_DOCUMENT, Given
from forms.fields import Form, TextField
from forms.identity_fields import (
    BirthDateField,
    MethodField,
    NameField,
    agreed_to_survey,
    born,
    mobile,
    name_shape,
    number_shape,
    second_shape,
)
from forms.inputs import NotBlank, RowField
from forms.questions import AnswerField
from forms.validators import Needed, email_shape

HINTS = {
    IdentifyBy.OMS: _l("16 digits; of an older policy the number without the series"),
    IdentifyBy.SNILS: _l("For example, 112-233-445 95"),
    IdentifyBy.PASSPORT: _l("For example, 45 08 123456"),
    IdentifyBy.DMS: _l("As it stands on the policy"),
}


# --- fields that several variants have --------------------------------------------------------


def _number(
    text: Any,
    shape: Callable[[Any, Any], None] = number_shape,
    needed: Any = _l("Enter the number of the document"),
    **attributes: str,
) -> Any:
    return TextField(
        text,
        [Needed(needed), Length(max=60), shape],
        render_kw={"autocomplete": "off", "maxlength": "60", "spellcheck": "false", **attributes},
    )


def _birth_date(text: Any) -> Any:
    return BirthDateField(
        text,
        [NotBlank(_l("Enter the birth date")), born],
        description=_l("Day, month, year: for example, 08.03.1985"),
        render_kw={"autocomplete": "bday", "inputmode": "numeric", "maxlength": "20"},
    )


def _name(text: Any, autocomplete: str, *needed: Any) -> Any:
    return NameField(
        text,
        [*needed, Length(max=80), name_shape],
        render_kw={"autocomplete": autocomplete, "maxlength": "80"},
    )


def _phone() -> Any:
    return TextField(
        _l("Mobile phone number"),
        [Optional(), Length(max=30), mobile],
        description=_l("For example, +7 900 123-45-67"),
        render_kw={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "maxlength": "30"},
    )


def _email() -> Any:
    return TextField(
        _l("E-mail to send the questionnaire to"),
        [Optional(), Length(max=254), email_shape],
        description=_l("Not needed for booking. After the visit one questionnaire is sent there."),
        render_kw={
            "type": "email",
            "autocomplete": "email",
            "inputmode": "email",
            "maxlength": "254",
        },
    )


def _survey() -> Any:
    return BooleanField(
        _l("I agree that the questionnaire is sent to this e-mail"), [agreed_to_survey]
    )


def _consent() -> Any:
    return BooleanField(
        _l("I agree to the processing of my personal data"),
        [
            InputRequired(
                _l("Without your consent Talon may not keep your data, and so cannot book for you.")
            )
        ],
    )


# --- the forms --------------------------------------------------------------------------------


def variant_form(
    *, organizations: Iterable[Any], methods: Iterable[IdentifyBy], **rest: Any
) -> Any:
    """The first two questions (E7, E8); their answers decide which fields come next.

    ``organizations`` are rows with ``uid`` and names, ``methods`` what the policy allows. With
    ``formdata=request.args`` they are asked without JavaScript, by a GET that holds nothing personal.
    """
    rows = list(organizations)

    class VariantForm(Form):
        organization = RowField(
            _l("Medical institution"),
            [NotBlank(_l("Choose the medical institution"))],
            rows=lambda: rows,
            blank=_l("Choose"),
            words=lambda row: row.short_name or row.name,
            not_offered=_l("Choose the medical institution"),
        )
        method = MethodField(
            _l("Identity document"),
            allowed=methods,
            validators=[Needed(_l("Choose the identity document"))],
        )

    return VariantForm(**rest)


class _Identity(Form):
    """What the variants share. ``today``: the date where the organization is."""

    kind: DocumentKind

    def __init__(self, *, today: dt.date, **rest: Any) -> None:
        self.today = today
        super().__init__(**rest)

    def _read(self, name: str) -> Any:
        return self[name].data if name in self else None

    def given(self) -> Given:
        """For ``app.rules.identification.identify``."""
        names = ("number", "second", "family_name", "given_name", "patronymic")
        return Given(
            birth_date=self._read("birth_date"),
            phone=self.phone_given(),
            **{name: self._read(name) or "" for name in names},
        )

    def phone_given(self) -> str:
        """«+79001234567», or empty."""
        return normal_phone(self._read("phone") or "")

    def survey_email(self) -> str:
        """Where the questionnaire goes; empty unless its box is ticked."""
        return (self._read("email") or "") if self._read("survey") else ""


class NameForm(_Identity):
    """«Без удостоверяющего документа» (E9). The telephone is part of who it is."""

    family_name = _name(_l("Family name"), "family-name", NotBlank(_l("Enter the family name")))
    given_name = _name(_l("Given name"), "given-name", NotBlank(_l("Enter the given name")))
    patronymic = _name(_l("Patronymic"), "additional-name")
    birth_date = _birth_date(_l("Birth date"))
    phone = _phone()
    email = _email()
    survey = _survey()
    consent = _consent()
    consent_text = HiddenField()
    answer = AnswerField()


class DocumentForm(_Identity):
    """One document and the birth date (E10–E13; the source asks for no date with SNILS and passport)."""

    number = _number(_l("Number of the document"))
    birth_date = _birth_date(_l("Birth date"))
    phone = _phone()
    email = _email()
    survey = _survey()
    consent = _consent()
    consent_text = HiddenField()
    answer = AnswerField()

    def __init__(self, *, method: IdentifyBy, **rest: Any) -> None:
        self.kind = BY_DOCUMENT[method]
        super().__init__(**rest)
        self.number.description = HINTS[method]
        letters = method is IdentifyBy.DMS
        self.number.render_kw = {
            **self.number.render_kw,
            "inputmode": "text" if letters else "numeric",
        }
        if method is IdentifyBy.PASSPORT:
            self.number.label.text = _l("Series and number of the passport")


class TwoDocumentsForm(_Identity):
    """Seed B's «Авторизация»: the consent has been given on a screen before (B8), no telephone is asked."""

    kind = DocumentKind.OMS
    number = _number(
        _l("Number of the OMS policy, without the series"),
        needed=_l("Enter the number of the OMS policy"),
        inputmode="numeric",
    )
    second = _number(
        _l(
            "Number of the passport, social card, birth certificate or pension insurance certificate, "
            "without the series"
        ),
        second_shape,
        needed=_l("Enter the number of the second document"),
    )
    birth_date = _birth_date(_l("Birth date (DD.MM.YYYY)"))
    answer = AnswerField()


def form_for(
    method: IdentifyBy, *, today: dt.date, phone_required: bool = True, **rest: Any
) -> NameForm | DocumentForm | TwoDocumentsForm:
    """The form of a variant. The consent is never ticked beforehand."""
    if method is IdentifyBy.TWO_DOCUMENTS:
        return TwoDocumentsForm(today=today, **rest)
    form: NameForm | DocumentForm
    if method is IdentifyBy.NONE:
        form = NameForm(today=today, **rest)
    else:
        form = DocumentForm(method=method, today=today, **rest)
    if phone_required or method is IdentifyBy.NONE:
        need = Needed(_l("Enter the mobile phone number"))
        form.phone.validators = [need, *form.phone.validators[1:]]
        form.phone.flags.required = True
        form.phone.flags.optional = False
    return form
