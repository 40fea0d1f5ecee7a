"""«Выберите телефон для связи с вами»: one of the numbers known, a new one, or none (rows D11–D13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField
from wtforms.validators import Length, Optional, StopValidation

from app.formats import masked_phone
from app.rules.donors import normal_phone
from forms.fields import Form, TextField
from forms.identity_fields import mobile

NEW = "new"


def _chosen(form: Any, field: Any) -> None:
    """A new number is needed unless a known one is chosen or none is wanted."""
    if field.data or form.number_chosen() or ("none" in form and form.none.data):
        return
    raise StopValidation(_l("Enter a mobile number, or say that you want to give none."))


class PhoneForm(Form):
    """``known``: numbers by a key that stands in the page; the numbers themselves do not."""

    known = RadioField(_l("Choose a telephone to reach you by"), validate_choice=False)
    number = TextField(
        _l("Or type a new number"),
        [_chosen, Optional(), Length(max=30), mobile],
        description=_l("For example, +7 900 123-45-67"),
        render_kw={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "maxlength": "30"},
    )
    none = BooleanField(_l("I do not want to give a telephone"))

    def __init__(self, *, known: Mapping[str, str], may_decline: bool, **rest: Any) -> None:
        self.numbers = dict(known)
        super().__init__(**rest)
        self.known.choices = [(key, masked_phone(number)) for key, number in known.items()]
        if known:
            self.known.choices.append((NEW, gettext("another number")))
            if not self.known.data or self.known.data not in {*known, NEW}:
                self.known.data = next(iter(known))
        else:
            del self.known
            self.number.label.text = gettext("Mobile phone number")
        if not may_decline:
            del self.none

    def number_chosen(self) -> str:
        """The known number chosen; empty if none is."""
        return self.numbers.get(self.known.data or "", "") if "known" in self else ""

    def phone(self) -> str:
        """«+79001234567», or empty: he wants to give none."""
        if "none" in self and self.none.data:
            return ""
        return normal_phone(self.number.data or "") if self.number.data else self.number_chosen()
