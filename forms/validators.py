"""What a value must look like. Each says in one sentence what to type instead."""

from __future__ import annotations

import re
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l
from wtforms.validators import ValidationError

from app.i18n import say
from app.rules import passwords
from app.rules.errors import RuleError

DONOR_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z/-]{0,19}")
"""The format of codes is the centre's own (features.md 5.1); the sample of seed A has six digits."""


def email_shape(_form: Any, field: Any) -> None:
    """An e-mail address; Cyrillic domains too. Nobody is asked whether it exists."""
    try:
        validate_email(field.data or "", check_deliverability=False)
    except EmailNotValidError as error:
        raise ValidationError(_l("Enter an e-mail address like this: name@example.ru")) from error


def donor_code_shape(_form: Any, field: Any) -> None:
    """ASCII digits and letters only: other digits look alike and match nothing."""
    if not DONOR_CODE.fullmatch(field.data or ""):
        raise ValidationError(
            _l("The donor code has digits and Latin letters only, at most 20: for example, 456545")
        )


def good_password(_form: Any, field: Any) -> None:
    """Long enough and not one of the common ones (app.rules.passwords)."""
    try:
        passwords.demand(field.data or "")
    except RuleError as refusal:
        raise ValidationError(say(refusal)) from refusal


class Needed:
    """The field must be filled in; ``message`` says what to do. Stops further checks."""

    def __init__(self, message: Any) -> None:
        self.field_flags = {"required": True}
        self.message = message

    def __call__(self, _form: Any, field: Any) -> None:
        from wtforms.validators import StopValidation

        if field.data is None or not str(field.data).strip():
            field.errors[:] = []
            raise StopValidation(self.message)
