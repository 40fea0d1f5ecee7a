"""Forms of the desk for the documents on a card. A number that is kept is never sent to the page."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, ValidationError

from app.i18n import label, say
from app.models.enums import DocumentKind
from app.rules import documents
from app.rules.errors import RuleError
from forms.donors import CHOOSE, FILL_IN, PHONE_REASONS
from forms.inputs import LineField, MemberField, NotBlank

REASONS = {
    "compare": _l("to compare with the paper"),
    "asked": PHONE_REASONS["asked"],
    "doctor": PHONE_REASONS["doctor"],
}


def _demand(kind: DocumentKind, field: Any) -> None:
    try:
        documents.normalised(kind, field.data)
    except RuleError as refusal:
        raise ValidationError(say(refusal)) from refusal


class NumberForm(FlaskForm):
    """The right number of a document that is there."""

    number = LineField(
        _l("Number of the document"),
        [NotBlank(FILL_IN)],
        longest=60,
        description=_l("With its series where it has one. Kept encrypted."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    of_kind: DocumentKind | None = None

    def validate_number(self, field: Any) -> None:
        if field.data and self.of_kind is not None:
            _demand(self.of_kind, field)


class DocumentForm(NumberForm):
    """A document to be put on the card."""

    kind = MemberField(
        _l("Document"), [NotBlank(CHOOSE)], members=DocumentKind, words=label, blank=_l("Choose")
    )

    def validate_number(self, field: Any) -> None:
        if field.data and self.kind.data is not None:
            _demand(self.kind.data, field)


class ReasonForm(FlaskForm):
    """Why the whole number is needed: noted beside who saw it."""

    reason = SelectField(_l("What for"), choices=[("", _l("Choose")), *REASONS.items()])

    def validate_reason(self, field: Any) -> None:
        if field.data not in REASONS:
            raise ValidationError(str(CHOOSE))
