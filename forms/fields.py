"""Fields of the public forms: trimmed text, one value of a closed list, and the form they stand in."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField

from app.i18n import label


class Form(FlaskForm):
    """A form of the public site. The one CSRF guard is the application's; templates print its token."""

    class Meta(FlaskForm.Meta):
        csrf = False


class TextField(StringField):
    """One line without spaces around, and without the invisible characters that copying brings."""

    INVISIBLE = dict.fromkeys([*range(0x200B, 0x2010), 0x2060, 0xFEFF, *range(0x202A, 0x202F)])

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        if self.data:
            self.data = str(self.data).translate(self.INVISIBLE).strip()


class SecretField(PasswordField):
    """A password: never sent back to the page, never trimmed."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        self.data = self.data or ""


class EnumField(SelectField):
    """One member of a closed list; nothing is chosen beforehand."""

    def __init__(
        self,
        text: Any,
        members: type[enum.Enum],
        *,
        words: Callable[[Any], str] = label,
        **options: Any,
    ) -> None:
        self.members = members
        self.words = words
        super().__init__(text, coerce=self._member, choices=self._offered, **options)

    def _offered(self) -> list[tuple[str, Any]]:
        return [("", _l("Choose"))] + [(m.value, self.words(m)) for m in self.members]

    def _member(self, text: Any) -> enum.Enum | None:
        if isinstance(text, self.members) or text in (None, ""):
            return text or None
        return self.members(text)

    def iter_choices(self) -> Any:
        for value, words in self._offered():
            chosen = self.data.value == value if self.data is not None else value == ""
            yield value, words, chosen, {}

    def pre_validate(self, form: Any) -> None:
        """Coercion has refused everything that is not a member."""
