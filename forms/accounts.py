"""Registration, sign-in, passwords, the donor code (A10–A15)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField
from wtforms.validators import InputRequired, Length, Optional

from app.models.cabinet_choices import SecondFactor
from app.models.enums import BloodGroup, Sign
from forms.fields import EnumField, Form, SecretField, TextField
from forms.identity_fields import mobile
from forms.validators import Needed, donor_code_shape, email_shape, good_password

EMAIL_NEEDED = _l("Enter your e-mail address")
NAME_NEEDED = _l("Enter your e-mail address or SNILS")
PASSWORD_NEEDED = _l("Enter the password")


class DonorForm(Form):
    """What the blood centre has to know of whoever has a cabinet already, and the consent."""

    blood_group = EnumField(
        _l("Blood group"), BloodGroup, validators=[Needed(_l("Choose your blood group"))]
    )
    rh = EnumField(_l("Rh factor"), Sign, validators=[Needed(_l("Choose your Rh factor"))])
    donor_code = TextField(_l("Donor code"), [Needed(_l("Enter the donor code")), donor_code_shape])
    kell = EnumField(_l("Kell"), Sign, validators=[Needed(_l("Choose your Kell"))])
    consent = BooleanField(
        _l("I agree to the processing of my personal data"),
        [
            InputRequired(
                _l("Without your consent Talon may not keep your data, and so cannot book for you.")
            )
        ],
    )
    consent_text = HiddenField()


class RegistrationForm(DonorForm):
    """The six fields of row A11, all required, and the consent on its own unticked box."""

    email = TextField(_l("E-mail"), [Needed(EMAIL_NEEDED), Length(max=254), email_shape])
    password = SecretField(_l("Password"), [Needed(_l("Think of a password")), good_password])


class EmailForm(Form):
    """An address to send a letter to: another confirmation link, or a link to a new password."""

    email = TextField(_l("E-mail"), [Needed(EMAIL_NEEDED), Length(max=254), email_shape])


class NameForm(Form):
    """What one signs in by: an e-mail or a SNILS."""

    email = TextField(_l("E-mail or SNILS"), [Needed(NAME_NEEDED), Length(max=254)])


class SignInForm(NameForm):
    """Name and password; where to go afterwards."""

    password = SecretField(_l("Password"), [Needed(PASSWORD_NEEDED)])
    next = HiddenField()


class NewPasswordForm(Form):
    """A password to replace a forgotten one."""

    password = SecretField(_l("New password"), [Needed(_l("Think of a password")), good_password])


class ChangePasswordForm(Form):
    """By the signed-in owner."""

    current = SecretField(_l("Current password"), [Needed(PASSWORD_NEEDED)])
    password = SecretField(_l("New password"), [Needed(_l("Think of a password")), good_password])


class DonorCodeForm(Form):
    """The one fact that the donor may correct (A12)."""

    donor_code = TextField(_l("Donor code"), [Needed(_l("Enter the donor code")), donor_code_shape])


class PasswordForm(Form):
    """The password once more, before something that opens or closes doors."""

    current = SecretField(_l("Current password"), [Needed(PASSWORD_NEEDED)])


class FactorForm(PasswordForm):
    """Which second factor to switch on, and where its SMS go."""

    factor = EnumField(
        _l("Way to confirm the sign-in"),
        SecondFactor,
        validators=[Needed(_l("Choose a way, please"))],
    )
    phone = TextField(
        _l("Mobile phone number"),
        [Optional(), Length(max=30), mobile],
        render_kw={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "maxlength": "30"},
    )


class CodeForm(Form):
    """Six digits."""

    code = TextField(
        _l("Code"),
        [Needed(_l("Type the code, please")), Length(max=20)],
        render_kw={
            "autocomplete": "one-time-code",
            "inputmode": "numeric",
            "maxlength": "20",
            "spellcheck": "false",
        },
    )
