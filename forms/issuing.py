"""Forms of the call centre: the numbers a sign-in is issued by, and that somebody's identity was checked."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, ValidationError
from wtforms.validators import InputRequired

from app.i18n import say
from app.models.enums import DocumentKind
from app.rules import documents
from forms.inputs import LineField, NotBlank


def _document(words: Any, kind: DocumentKind, needed: Any, hint: Any) -> LineField:
    def shape(_form: Any, field: Any) -> None:
        if not field.data:
            return
        try:
            documents.normalised(kind, field.data or "")
        except documents.BadDocument as refusal:
            raise ValidationError(say(refusal)) from refusal

    return LineField(
        words,
        [NotBlank(needed), shape],
        longest=60,
        description=hint,
        render_kw={"autocomplete": "off", "spellcheck": "false", "inputmode": "numeric"},
    )


class IssueForm(FlaskForm):
    """What the person reads out; both must stand on the card."""

    snils = _document(
        _l("SNILS"),
        DocumentKind.SNILS,
        _l("Type the SNILS, please."),
        _l("It becomes the login: 112-233-445 95."),
    )
    oms = _document(
        _l("Number of the OMS policy"),
        DocumentKind.OMS,
        _l("Type the number of the policy, please."),
        _l("As the person reads it out, not from the card."),
    )


class CheckedForm(FlaskForm):
    """Before a cabinet is opened, shut or its second step taken away."""

    checked = BooleanField(
        _l("I have checked who is asking, by the passport"),
        [InputRequired(_l("Check the passport and tick this box, please."))],
    )
