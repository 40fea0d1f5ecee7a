"""What is asked before one's data are handed out, or the cabinet is deleted."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField
from wtforms.validators import InputRequired

from forms.contacts import PasswordOnceMoreForm


class DataForm(PasswordOnceMoreForm):
    """The password once more."""


class DeleteForm(PasswordOnceMoreForm):
    sure = BooleanField(
        _l("I have read what happens and want my cabinet to be deleted"),
        [InputRequired(_l("Tick the box, please: nothing brings a deleted cabinet back."))],
    )
