"""Forms of «Семья»: a relative by a document and the birth date, and the address one asks to be attached by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms.validators import Length

from app.i18n import label
from app.models.enums import DocumentKind, Relation
from app.models.organization import Organization
from app.rules.family import PROOFS
from app.rules.identification import Given
from forms.fields import Form, TextField
from forms.identity_fields import BirthDateField, born, number_shape
from forms.inputs import MemberField, NotBlank, RowField
from forms.questions import AnswerField
from forms.validators import Needed

NUMBERS = {
    DocumentKind.BIRTH_CERTIFICATE: (
        _l("Series and number of the birth certificate"),
        _l("For example, II-МЮ 123456"),
    ),
}


def relative_form(
    relation: Relation, *, places: Sequence[Organization], today: dt.date, **rest: object
) -> Form:
    """All fields are required (C8). ``places``: where families are kept; of one nothing is asked."""
    kinds = PROOFS[relation]

    class RelativeForm(Form):
        organization = RowField(
            _l("Medical institution"),
            [NotBlank(_l("Choose the medical institution"))],
            rows=lambda: places,
            blank=_l("Choose"),
            words=lambda row: row.short_name or row.name,
            not_offered=_l("Choose the medical institution"),
        )
        document = MemberField(
            _l("Identity document"),
            [NotBlank(_l("Choose the identity document"))],
            members=kinds,
            words=label,
            blank=_l("Choose"),
        )
        number = TextField(
            _l("Number of the document"),
            [Needed(_l("Enter the number of the document")), Length(max=60), _shape],
            render_kw={"autocomplete": "off", "maxlength": "60", "spellcheck": "false"},
        )
        birth_date = BirthDateField(
            _l("Birth date"),
            [NotBlank(_l("Enter the birth date")), born],
            description=_l("Day, month, year: for example, 08.03.1985"),
            render_kw={"autocomplete": "off", "inputmode": "numeric", "maxlength": "20"},
        )
        answer = AnswerField()

        def __init__(self, **more: object) -> None:
            self.today = today
            super().__init__(**more)
            if len(places) == 1:
                del self.organization
            if len(kinds) == 1:
                del self.document
                self.number.label.text, self.number.description = NUMBERS[kinds[0]]

        @property
        def kind(self) -> DocumentKind:
            """Of the number; until one is chosen, the first."""
            chosen = self.document.data if "document" in self else None
            return chosen or kinds[0]

        @property
        def place(self) -> Organization:
            return self.organization.data if "organization" in self else places[0]

        def given(self) -> Given:
            return Given(birth_date=self.birth_date.data, number=self.number.data or "")

    return RelativeForm(**rest)


def _shape(form: object, field: object) -> None:
    """Once it is known of which document it is."""
    if "document" not in form or form.document.data is not None:  # type: ignore[operator, attr-defined]
        number_shape(form, field)


def address_form(places: Sequence[Organization], **rest: object) -> Form:
    """Where somebody lives, within one legal body's districts."""

    class AddressForm(Form):
        organization = RowField(
            _l("Medical institution"),
            [NotBlank(_l("Choose the medical institution"))],
            rows=lambda: places,
            blank=_l("Choose"),
            words=lambda row: row.short_name or row.name,
            not_offered=_l("Choose the medical institution"),
        )
        street = TextField(
            _l("Street"),
            [Needed(_l("Type the street, please.")), Length(max=120)],
            description=_l("For example: ул. Ленина. Another settlement stands after a comma."),
            render_kw={"autocomplete": "off", "maxlength": "120"},
        )
        house = TextField(
            _l("House number"),
            [Needed(_l("Type the house number, please.")), Length(max=40)],
            description=_l("Without the flat: 12, 14А, 12/3, 7к2, 5 стр. 1."),
            render_kw={"autocomplete": "off", "maxlength": "40"},
        )

        def __init__(self, **more: object) -> None:
            super().__init__(**more)
            if len(places) == 1:
                del self.organization

        @property
        def place(self) -> Organization:
            return self.organization.data if "organization" in self else places[0]

    return AddressForm(**rest)
