"""What an account is told of: a box for each event and channel; reminders of medicines with their consent."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField
from wtforms.validators import ValidationError

from forms.fields import Form


class NoticesForm(Form):
    """The boxes are named «event:channel» and are read by the view: the list is data (notices.json)."""


class MedicationForm(Form):
    """Row E56. Without a box there are no reminders, and the consent is withdrawn."""

    sms = BooleanField(_l("By SMS"))
    email = BooleanField(_l("By e-mail"))
    agree = BooleanField(
        _l("I agree to the processing of what medicines I take, for these reminders")
    )

    def __init__(self, *, agreed: bool, **rest: object) -> None:
        self.agreed = agreed
        super().__init__(**rest)

    @property
    def wished(self) -> bool:
        return bool(self.sms.data or self.email.data)

    def validate_agree(self, field: BooleanField) -> None:
        if self.wished and not self.agreed and not field.data:
            raise ValidationError(
                _l(
                    "Without this consent no reminders of medicines can be sent: tick the box, please."
                )
            )
