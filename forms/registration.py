"""A patient's registration, and asking for one's card in a cabinet that is open (C1–C7)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from app.i18n import label, say
from app.models.enums import DocumentKind
from app.rules import documents
from app.rules.errors import N_, RuleError
from forms.accounts import EMAIL_NEEDED
from forms.fields import EnumField, Form, SecretField, TextField
from forms.identity_fields import BirthDateField, NameField, born, name_shape
from forms.inputs import NotBlank
from forms.validators import Needed, email_shape, good_password

SIXTEEN = N_(
    "The number of an OMS policy has 16 digits. Of an older policy type the series too: then its number may be shorter."
)


class PolicyField(EnumField):
    """OMS or DMS, of those that the organization takes."""

    def __init__(self, text: Any, validators: Sequence[Any], **options: Any) -> None:
        self.allowed: tuple[DocumentKind, ...] = ()
        super().__init__(text, DocumentKind, validators=validators, **options)

    def _offered(self) -> list[tuple[str, Any]]:
        return [("", _l("Choose"))] + [(kind.value, label(kind)) for kind in self.allowed]

    def pre_validate(self, form: Any) -> None:
        if self.data is not None and self.data not in self.allowed:
            raise ValidationError(_l("This organization does not take such a policy."))


def _consent() -> BooleanField:
    return BooleanField(
        _l("I agree to the processing of my personal data"),
        [
            InputRequired(
                _l("Without your consent Talon may not keep your data, and so cannot book for you.")
            )
        ],
    )


class CardForm(Form):
    """What a card is found by: policy, birth date and full name, all three; and the consent."""

    family_name = NameField(
        _l("Family name"),
        [NotBlank(_l("Enter the family name")), Length(max=80), name_shape],
        render_kw={"autocomplete": "family-name", "maxlength": "80"},
    )
    given_name = NameField(
        _l("Given name"),
        [NotBlank(_l("Enter the given name")), Length(max=80), name_shape],
        render_kw={"autocomplete": "given-name", "maxlength": "80"},
    )
    patronymic = NameField(
        _l("Patronymic"),
        [Optional(), Length(max=80), name_shape],
        render_kw={"autocomplete": "additional-name", "maxlength": "80"},
    )
    birth_date = BirthDateField(
        _l("Birth date"),
        [NotBlank(_l("Enter the birth date")), born],
        render_kw={"autocomplete": "bday", "inputmode": "numeric", "maxlength": "20"},
    )
    kind = PolicyField(_l("Kind of the policy"), [Needed(_l("Choose the kind of the policy"))])
    series = TextField(
        _l("Series of the policy"),
        [Optional(), Length(max=20)],
        render_kw={"autocomplete": "off", "maxlength": "20", "spellcheck": "false"},
    )
    number = TextField(
        _l("Number of the policy"),
        [Needed(_l("Enter the number of the policy")), Length(max=60)],
        render_kw={"autocomplete": "off", "maxlength": "60", "spellcheck": "false"},
    )
    consent = _consent()
    consent_text = HiddenField()

    def __init__(self, *, today: dt.date, kinds: Sequence[DocumentKind], **rest: Any) -> None:
        self.today = today
        super().__init__(**rest)
        self.kinds = tuple(kinds)
        if len(self.kinds) < 2:
            del self.kind
        else:
            self.kind.allowed = self.kinds

    @property
    def chosen(self) -> DocumentKind:
        return self.kind.data if "kind" in self else self.kinds[0]

    def validate_series(self, field: Any) -> None:
        if field.data and not re.fullmatch(r"[^\W_]{1,10}", field.data):
            raise ValidationError(
                _l("Letters and digits only, as on the policy; or leave it empty.")
            )

    def validate_number(self, field: Any) -> None:
        """16 digits with their check; shorter with a series, and of a temporary certificate (row C4)."""
        if self.chosen is None or not field.data:
            return
        try:
            self.normalised()
        except RuleError as refusal:
            raise ValidationError(say(refusal)) from refusal

    def normalised(self) -> str:
        """The number as it is kept. Raises BadDocument."""
        number = documents.normalised(self.chosen, self.number.data or "")
        short = self.chosen is DocumentKind.OMS and len(number) not in (16, 9)
        if short and not self.series.data:
            raise documents.BadDocument(SIXTEEN)
        return number


class PatientForm(CardForm):
    """The same with the e-mail and the password of a new cabinet."""

    email = TextField(_l("E-mail"), [Needed(EMAIL_NEEDED), Length(max=254), email_shape])
    password = SecretField(_l("Password"), [Needed(_l("Think of a password")), good_password])
    consent = _consent()  # last, as on the page
