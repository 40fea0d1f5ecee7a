"""Fields of a person's identity: names, a birth date as people write it, a mobile number, a document."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import ValidationError

from app.i18n import label, say
from app.models.enums import IdentifyBy
from app.rules import documents
from app.rules.donors import normal_phone
from app.rules.errors import RuleError
from forms.fields import EnumField
from forms.inputs import tidy_line

OLDEST = dt.date(1900, 1, 1)
DATE_LIKE = _l("Enter the birth date like this: 08.03.1985")
NO_SUCH_DAY = _l("There is no such day in the calendar: check the day and the month.")
NAME = re.compile(r"(?=.*[^\W\d_])(?:[^\W\d_]|[ .'’ʼ()-])+")


class BirthDateField(StringField):
    """A date as people write it: «8.3.1985», «08031985», or as a browser fills it in, «1985-03-08»."""

    WRITTEN = (
        re.compile(
            r"(?P<d>[0-9]{1,2})[.,/ -]{1,3}(?P<m>[0-9]{1,2})[.,/ -]{1,3}(?P<y>[0-9]{4})(?: ?г\.?)?"
        ),
        re.compile(r"(?P<d>[0-9]{2})(?P<m>[0-9]{2})(?P<y>[0-9]{4})"),
        re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"),
    )

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:%d.%m.%Y}"

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data: dt.date | None = None
        text = tidy_line(valuelist[0]) if valuelist else ""
        if not text:
            return
        found = next(filter(None, (way.fullmatch(text) for way in self.WRITTEN)), None)
        if found is None:
            raise ValueError(str(DATE_LIKE))
        try:
            self.data = dt.date(int(found["y"]), int(found["m"]), int(found["d"]))
        except ValueError:
            raise ValueError(str(NO_SUCH_DAY)) from None


class NameField(StringField):
    """A part of a full name: letters, with the signs that stand in names."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            self.data = tidy_line(valuelist[0])


class MethodField(EnumField):
    """One of the variants that the organization offers."""

    def __init__(self, text: Any, allowed: Iterable[IdentifyBy] = IdentifyBy, **options: Any):
        self.allowed = tuple(allowed)
        super().__init__(text, IdentifyBy, **options)

    def _offered(self) -> list[tuple[str, Any]]:
        return [("", _l("Choose"))] + [(m.value, label(m)) for m in self.allowed]

    def _member(self, text: Any) -> Any:
        member = super()._member(text)
        if member is not None and member not in self.allowed:
            raise ValueError(text)
        return member


# --- what must be true of a value ------------------------------------------------------------


def born(form: Any, field: Any) -> None:
    """Between 1900 and ``form.today``."""
    if field.data and not OLDEST <= field.data <= form.today:
        raise ValidationError(_l("The birth date lies between the year 1900 and today."))


def name_shape(_form: Any, field: Any) -> None:
    if field.data and not NAME.fullmatch(field.data):
        raise ValidationError(_l("Only letters, spaces and hyphens, please, as in the passport."))


def mobile(_form: Any, field: Any) -> None:
    """A number that a message can be sent to: 8-800 and town numbers are not (features.md 5.4)."""
    if not normal_phone(field.data or "").startswith("+79"):
        raise ValidationError(_l("Enter a mobile number like this: +7 900 123-45-67"))


def number_shape(form: Any, field: Any) -> None:
    """A number of the form's own kind of document (app.rules.documents)."""
    _by_rule(lambda: documents.normalised(form.kind, field.data or ""))


def second_shape(_form: Any, field: Any) -> None:
    _by_rule(lambda: documents.second(field.data or ""))


def _by_rule(read: Callable[[], object]) -> None:
    try:
        read()
    except RuleError as refusal:
        raise ValidationError(say(refusal)) from refusal


def agreed_to_survey(form: Any, field: Any) -> None:
    """An address is not kept without its own consent (152-FZ: each purpose has one)."""
    if form.email.data and not field.data:
        raise ValidationError(
            _l("Tick this box too if you want the questionnaire, or leave the e-mail empty.")
        )
