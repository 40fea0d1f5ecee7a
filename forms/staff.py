"""Forms of the back office's door: sign-in, second step, invitation, one's own password."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import Length

from forms.inputs import LineField, LocalDateTimeField, NotBlank, ParagraphField

LONGEST_PASSWORD = 128
LANGUAGES = {"ru": _l("in Russian"), "en": _l("in English")}
"""Letters are written in these."""


class SignInForm(FlaskForm):
    """The first step. Which of the two was wrong is never said."""

    email = EmailField(
        _l("Work e-mail"),
        [NotBlank(_l("Type your e-mail address, please.")), Length(max=254)],
        render_kw={"autocomplete": "username", "autocapitalize": "off"},
    )
    password = PasswordField(
        _l("Password"),
        [NotBlank(_l("Type your password, please.")), Length(max=LONGEST_PASSWORD)],
        render_kw={"autocomplete": "current-password"},
    )


class CodeForm(FlaskForm):
    """Six digits of the telephone."""

    code = StringField(
        _l("Code from the application"),
        [NotBlank(_l("Type the six digits, please.")), Length(max=20)],
        description=_l("Six digits; a new code comes every half minute and works once."),
        render_kw={
            "autocomplete": "one-time-code",
            "inputmode": "numeric",
            "class": "code",
            "size": 8,
        },
    )


class NewPasswordForm(FlaskForm):
    """A password of one's own: length is what counts."""

    password = PasswordField(
        _l("New password"),
        [NotBlank(_l("Type the new password, please.")), Length(max=LONGEST_PASSWORD)],
        description=_l("At least 15 characters: four or five words are easy to remember."),
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        _l("The new password again"),
        [NotBlank(_l("Type the new password, please.")), Length(max=LONGEST_PASSWORD)],
        render_kw={"autocomplete": "new-password"},
    )

    def validate_again(self, field: PasswordField) -> None:
        """Both are the same, so that a slip of the finger locks nobody out."""
        if self.password.data and field.data and field.data != self.password.data:
            from wtforms import ValidationError

            raise ValidationError(str(_l("The two passwords differ.")))


class ChangePasswordForm(NewPasswordForm):
    """One's own password, with the old one first."""

    current = PasswordField(
        _l("Present password"),
        [NotBlank(_l("Type your present password, please.")), Length(max=LONGEST_PASSWORD)],
        render_kw={"autocomplete": "current-password"},
    )


class LetterForm(FlaskForm):
    """The text of a letter in one language; named fields in braces."""

    subject = LineField(_l("Subject"), [NotBlank(_l("Type the subject, please."))], longest=200)
    body = ParagraphField(
        _l("Text"),
        [NotBlank(_l("Type the text, please."))],
        longest=8000,
        description=_l(
            "An empty line begins a new paragraph. A line whose fields are all empty is left out."
        ),
        render_kw={"rows": 16, "class": "letter"},
    )


class SmsForm(FlaskForm):
    """The text of an SMS in one language."""

    body = ParagraphField(
        _l("Text"),
        [NotBlank(_l("Type the text, please."))],
        longest=1000,
        description=_l("The SMS goes out as one line."),
        render_kw={"rows": 5, "class": "letter"},
    )


class ConsentForm(FlaskForm):
    """The next version of a consent, in both languages."""

    text_ru = ParagraphField(
        _l("Text in Russian"),
        [NotBlank(_l("Type the text, please."))],
        longest=20000,
        render_kw={"rows": 14, "lang": "ru"},
    )
    text_en = ParagraphField(
        _l("Text in English"),
        [NotBlank(_l("Type the text, please."))],
        longest=20000,
        render_kw={"rows": 10, "lang": "en"},
    )
    valid_from = LocalDateTimeField(_l("Holds from"), description=_l("Empty: from now on."))
