"""The form «Обратная связь» (row E58) and what staff do with what comes by it."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms.validators import ValidationError

from app.rules.donors import normal_phone
from app.rules.feedback import LONGEST_ANSWER, LONGEST_QUESTION, Letter
from forms.fields import Form, TextField
from forms.inputs import LineField, NotBlank, ParagraphField
from forms.questions import AnswerField
from forms.validators import Needed, email_shape

PHONE = re.compile(r"\+?[0-9 ().-]{5,29}")


def _phone_shape(_form: Any, field: Any) -> None:
    """Any country's: people write from abroad, and nobody is asked to prove it."""
    text = field.data or ""
    if not PHONE.fullmatch(text) or sum(char.isdigit() for char in text) < 5:
        raise ValidationError(_l("A telephone number, please: +7 900 123-45-67."))


class FeedbackForm(Form):
    """Six required fields, one more, and one that only robots fill in."""

    family_name = LineField(
        _l("Your family name"), [Needed(_l("Enter your family name"))], longest=80
    )
    given_name = LineField(_l("Your given name"), [Needed(_l("Enter your given name"))], longest=80)
    patronymic = LineField(_l("Your patronymic"), longest=80)
    phone = LineField(
        _l("Phone"), [Needed(_l("Enter your telephone number")), _phone_shape], longest=30
    )
    email = LineField(
        _l("E-mail address"), [Needed(_l("Enter your e-mail address")), email_shape], longest=254
    )
    question = ParagraphField(
        _l("Your question"),
        [Needed(_l("Write your question"))],
        longest=LONGEST_QUESTION,
        render_kw={"rows": 7},
    )
    answer = AnswerField()
    leave_empty = TextField(_l("Leave this field empty: only robots fill it in"))

    def validate_leave_empty(self, field: Any) -> None:
        """Invisible to the eye, named for the ear; a robot fills in whatever there is."""
        if field.data:
            raise ValidationError(_l("Leave this field empty, please."))

    @property
    def letter(self) -> Letter:
        phone = self.phone.data or ""
        return Letter(
            family_name=self.family_name.data or "",
            given_name=self.given_name.data or "",
            patronymic=self.patronymic.data or "",
            phone=normal_phone(phone) or phone,
            email=self.email.data or "",
            question=self.question.data or "",
        )


class AnswerForm(FlaskForm):
    """The answer, as the person will read it."""

    answer = ParagraphField(
        _l("Answer"),
        [NotBlank(_l("Write the answer, please: the person will read it in a letter."))],
        longest=LONGEST_ANSWER,
        description=_l(
            "Goes to the person's e-mail as it stands here. An empty line begins a paragraph."
        ),
        render_kw={"rows": 9},
    )
