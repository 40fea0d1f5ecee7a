"""A new e-mail, telephone or policy of one's own cabinet (row E56), each with the password once more."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms.validators import Length

from app.models.enums import DocumentKind
from forms.accounts import EMAIL_NEEDED, PASSWORD_NEEDED
from forms.fields import Form, SecretField, TextField
from forms.identity_fields import mobile, number_shape
from forms.validators import Needed, email_shape


class PasswordOnceMoreForm(Form):
    """Whoever has no password (ESIA alone) is asked for none: app.public.fresh."""

    current = SecretField(_l("Your password"), [Needed(PASSWORD_NEEDED)])

    def __init__(self, *, has_password: bool = True, **rest: Any) -> None:
        super().__init__(**rest)
        if not has_password:
            del self.current

    @property
    def typed(self) -> str:
        """The password as it was typed; empty where none is asked for."""
        return (self.current.data or "") if "current" in self else ""


class ChangeEmailForm(PasswordOnceMoreForm):
    email = TextField(_l("New e-mail"), [Needed(EMAIL_NEEDED), Length(max=254), email_shape])


class ChangePhoneForm(PasswordOnceMoreForm):
    number = TextField(
        _l("New mobile phone number"),
        [Needed(_l("Enter the number")), Length(max=30), mobile],
        render_kw={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "maxlength": "30"},
    )


class ChangePolicyForm(PasswordOnceMoreForm):
    """An OMS policy: its check digit is tried here already."""

    kind = DocumentKind.OMS
    number = TextField(
        _l("Number of the OMS policy"),
        [Needed(_l("Enter the number of the policy")), Length(max=60), number_shape],
        render_kw={"autocomplete": "off", "inputmode": "numeric", "maxlength": "60"},
    )
