"""Native inputs of the back office that take things as they should be taken: tidy text, ASCII digits, zoned instants.

A field checks shape only; what depends on the database is a rule's to say.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from flask import g, has_request_context
from flask_babel import gettext
from wtforms import SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import Choice
from wtforms.validators import Length
from wtforms.widgets import DateInput, DateTimeLocalInput, NumberInput

from app.rules import clock

INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
"""Controls, zero-width and bidirectional marks: never part of what a person means to say."""
DEFAULT_ZONE = "Europe/Moscow"
LOCAL = "%Y-%m-%dT%H:%M"
LARGEST = 2**31 - 1


def tidy_line(text: str | None) -> str:
    """One line: composed, without invisible characters, single spaces, no spaces around."""
    return " ".join(INVISIBLE.sub("", unicodedata.normalize("NFC", text or "")).split())


def tidy_text(text: str | None) -> str:
    """Several lines: composed, without invisible characters, line ends as ``\\n``."""
    plain = unicodedata.normalize("NFC", text or "").replace("\r\n", "\n").replace("\r", "\n")
    return INVISIBLE.sub("", plain).strip()


def typed(values: list[Any]) -> str:
    """The first value of a field as text without spaces around; empty if nothing was sent."""
    return str(values[0]).strip() if values else ""


class LineField(StringField):
    """One line of text, tidied; ``longest`` is the column's size."""

    def __init__(
        self, label: Any = None, validators: Iterable[Any] = (), *, longest: int = 200, **rest: Any
    ) -> None:
        super().__init__(label, [*validators, Length(max=longest)], **rest)

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            self.data = tidy_line(valuelist[0])


class ParagraphField(TextAreaField):
    """Several lines of text, tidied; ``longest`` is the column's size."""

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Any] = (),
        *,
        longest: int = 20000,
        **rest: Any,
    ) -> None:
        super().__init__(label, [*validators, Length(max=longest)], **rest)

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            self.data = tidy_text(valuelist[0])


class WholeField(StringField):
    """A whole number in ASCII digits: WTForms' own field also takes «٣» and «1_0»."""

    widget = NumberInput(step="1")

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Any] = (),
        *,
        least: int = 0,
        most: int = LARGEST,
        **rest: Any,
    ) -> None:
        super().__init__(label, list(validators), **rest)
        self.least, self.most = least, most
        limits = {"min": least} if most == LARGEST else {"min": least, "max": most}
        self.render_kw = {**limits, **(self.render_kw or {})}

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else str(self.data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data: int | None = None
        text = typed(valuelist)
        if not text:
            return
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            raise ValueError(gettext("Type a whole number, please."))
        number = int(text)
        if not self.least <= number <= self.most:
            raise ValueError(
                gettext(
                    "A number from %(least)s to %(most)s, please.",
                    least=self.least,
                    most=self.most,
                )
            )
        self.data = number


def staff_zone() -> str:
    """The zone of the organization the reader works in (set where the request begins)."""
    return str(g.get("staff_zone", DEFAULT_ZONE)) if has_request_context() else DEFAULT_ZONE


class LocalDateTimeField(StringField):
    """A date and an hour on an organization's own clock; ``data`` is the instant, aware, in UTC."""

    widget = DateTimeLocalInput()

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Any] = (),
        *,
        zone: Callable[[], str] = staff_zone,
        **rest: Any,
    ) -> None:
        self.zone = zone
        super().__init__(label, list(validators), **rest)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else clock.local(self.data, self.zone()).strftime(LOCAL)

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data: dt.datetime | None = None
        text = typed(valuelist)
        if not text:
            return
        wall = parsed_wall(text)
        if wall is None:
            raise ValueError(gettext("Type a date and an hour, please."))
        try:
            self.data = clock.instant(wall.date(), wall.time(), self.zone())
        except ValueError:
            raise ValueError(
                gettext("There is no such hour on that day: the clocks skip it.")
            ) from None


def parsed_wall(text: str) -> dt.datetime | None:
    """``2026-11-25T08:00`` → what the wall clock says, without a zone; None for anything else."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?", text):
        return None
    try:
        wall = dt.datetime.strptime(text[:16], LOCAL)  # noqa: DTZ007 - the caller knows the zone
    except ValueError:
        return None
    return wall if 1900 <= wall.year <= 2200 else None


class DayField(StringField):
    """A calendar date (the browser's own date picker)."""

    widget = DateInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.data.isoformat()

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data: dt.date | None = None
        text = typed(valuelist)
        if not text:
            return
        self.data = parsed_day(text)
        if self.data is None:
            raise ValueError(gettext("Type a date, please."))


def parsed_day(text: str) -> dt.date | None:
    """``2026-11-25`` → the date; None for anything else, or a year nobody means."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year <= 2200 else None


class ChosenField(SelectField):
    """One of some things, each with a key in the page and words; ``data`` is the thing itself.

    ``not_offered``: what to say to a key that is none of theirs.
    """

    def __init__(
        self,
        label: Any,
        validators: Iterable[Any],
        things: dict[str, Any],
        words: Callable[[Any], Any],
        blank: Any,
        *,
        not_offered: Any = None,
        **rest: Any,
    ) -> None:
        self.not_offered = not_offered
        self.things = things
        self.blank = blank
        self.words = words
        super().__init__(label, list(validators), validate_choice=False, **rest)

    def process_data(self, value: Any) -> None:
        self.data = value

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = typed(valuelist)
        self.data = self.things.get(self.key_typed(text))
        if self.data is None and (text or self.blank is None):
            refusal = self.not_offered or gettext("Choose one from the list, please.")
            raise ValueError(str(refusal))

    def key_typed(self, text: str) -> str:
        return text

    def key_of(self, thing: Any) -> str:
        return str(thing)

    def iter_choices(self) -> Any:
        chosen = "" if self.data is None else self.key_of(self.data)
        if self.blank is not None:
            yield Choice("", str(self.blank), chosen == "", {})
        for key, thing in self.things.items():
            yield Choice(key, str(self.words(thing)), key == chosen, {})

    def pre_validate(self, form: Any) -> None:
        """Reading what was sent has refused everything that is not offered."""


class RowField(ChosenField):
    """One of the rows the reader may see, by its ``uid``; ``rows`` is called when the form is made."""

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Any] = (),
        *,
        rows: Callable[[], Iterable[Any]],
        words: Callable[[Any], Any] = str,
        blank: Any = None,
        **rest: Any,
    ) -> None:
        things = {str(row.uid): row for row in rows()}
        super().__init__(label, validators, things, words, blank, **rest)

    def key_typed(self, text: str) -> str:
        try:
            return str(uuid.UUID(text))
        except ValueError:
            return ""

    def key_of(self, thing: Any) -> str:
        return str(thing.uid)


class MemberField(ChosenField):
    """One member of a closed list, shown by its label; None if the blank one is chosen."""

    def __init__(
        self,
        label: Any = None,
        validators: Iterable[Any] = (),
        *,
        members: Iterable[Any],
        words: Callable[[Any], Any],
        blank: Any = None,
        **rest: Any,
    ) -> None:
        things = {str(member.value): member for member in members}
        super().__init__(label, validators, things, words, blank, **rest)

    def key_of(self, thing: Any) -> str:
        return str(thing.value)


class NotBlank:
    """A validator: something has to be typed or chosen."""

    field_flags = {"required": True}  # noqa: RUF012 - WTForms reads it from the class

    def __init__(self, message: Any) -> None:
        self.message = message

    def __call__(self, _form: Any, field: Any) -> None:
        empty = field.data is None or (isinstance(field.data, str) and not field.data.strip())
        if empty and not field.process_errors:
            raise ValidationError(str(self.message))
