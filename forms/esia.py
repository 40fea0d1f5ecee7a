"""Signing in through ESIA, and linking a cabinet with it."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from forms.fields import Form, SecretField


class EsiaForm(Form):
    """Where to go afterwards; the password, where a cabinet that has one is to be linked."""

    current = SecretField(_l("Current password"))
    next = HiddenField()


class AgreeForm(Form):
    """What ESIA has asserted, sealed, and the texts that were shown."""

    attempt = HiddenField()
    sealed = HiddenField()
    texts = HiddenField()
