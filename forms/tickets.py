"""The code of an SMS, and a ticket asked for again by its number and the birth date."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms.validators import Length

from forms.fields import Form, TextField
from forms.identity_fields import BirthDateField, born
from forms.inputs import NotBlank, tidy_line
from forms.questions import AnswerField
from forms.validators import Needed

LONGEST = 15
"""Digits; more fit no number of a ticket."""


class CodeForm(Form):
    """«Введите код подтверждения» (E29)."""

    code = TextField(
        _l("Enter the confirmation code"),
        [Needed(_l("Enter the code from the SMS")), Length(max=30)],
        description=_l("Six digits from the SMS"),
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "30"},
    )


class NumberField(TextField):
    """The number of a ticket as people copy it: «№ 1002», «1 002»."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.typed = tidy_line(valuelist[0]) if valuelist else ""
        self.data = None
        digits = "".join(self.typed.replace("№", "").split())
        if not self.typed:
            return
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError(str(_l("The number of a ticket has digits only, like 1002.")))
        if len(digits) > LONGEST:
            raise ValueError(
                str(_l("The number is too long: it stands on the ticket and in the SMS."))
            )
        self.data = int(digits)

    def _value(self) -> str:
        return getattr(self, "typed", "")


class FindForm(Form):
    """What stands on the ticket, and what only its owner knows."""

    number = NumberField(
        _l("Number of the ticket"),
        [NotBlank(_l("Enter the number of the ticket"))],
        description=_l("It stands on the ticket and in the SMS, after the sign №"),
        render_kw={"inputmode": "numeric", "maxlength": "30", "autocomplete": "off"},
    )
    birth_date = BirthDateField(
        _l("Birth date"),
        [NotBlank(_l("Enter the birth date")), born],
        description=_l("Day, month, year: for example, 08.03.1985"),
        render_kw={"autocomplete": "bday", "inputmode": "numeric", "maxlength": "20"},
    )
    answer = AnswerField()

    def __init__(self, *, today: dt.date, **rest: Any) -> None:
        self.today = today
        super().__init__(**rest)
