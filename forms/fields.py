"""Fields of the public forms: trimmed text, one value of a closed list, and the form they stand in."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import Choice
from wtforms.widgets import CheckboxInput, ListWidget

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


class MembersField(SelectMultipleField):
    """Any number of members of a closed list, as boxes to tick, in the list's order."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Any] = (),
        *,
        members: Iterable[Any],
        words: Callable[[Any], Any],
        **rest: Any,
    ) -> None:
        self.members = {str(member.value): member for member in members}
        self.words = words
        super().__init__(label, list(validators), validate_choice=False, **rest)

    def process_data(self, value: Any) -> None:
        self.data = tuple(value or ())

    def process_formdata(self, valuelist: list[Any]) -> None:
        unknown = [text for text in valuelist if text not in self.members]
        if unknown:
            raise ValueError(str(_l("Choose from the list, please.")))
        self.data = tuple(m for key, m in self.members.items() if key in valuelist)

    def iter_choices(self) -> Any:
        for key, member in self.members.items():
            yield Choice(key, str(self.words(member)), member in self.data, {})

    def pre_validate(self, form: Any) -> None:
        """Reading what was sent has refused everything that is not offered."""
