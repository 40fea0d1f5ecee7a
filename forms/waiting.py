"""Joining a waiting list (N6)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import SelectMultipleField
from wtforms.fields.choices import Choice
from wtforms.widgets import CheckboxInput, ListWidget

from app.models.person import Person
from forms.fields import Form
from forms.inputs import DayField


class PeopleField(SelectMultipleField):
    """Whose cards: boxes to tick, by the card's own key for the outside."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: Any, *, people: tuple[Person, ...] = (), **rest: Any) -> None:
        self.people = {str(person.uid): person for person in people}
        super().__init__(label, validate_choice=False, **rest)

    def process_data(self, value: Any) -> None:
        self.data = tuple(value or ())

    def process_formdata(self, valuelist: list[Any]) -> None:
        if any(text not in self.people for text in valuelist):
            raise ValueError(str(_l("Choose from the list, please.")))
        self.data = tuple(person for key, person in self.people.items() if key in valuelist)

    def iter_choices(self) -> Any:
        for key, person in self.people.items():
            yield Choice(key, person.full_name, person in (self.data or ()), {})

    def pre_validate(self, form: Any) -> None:
        """Reading what was sent has refused everybody who is not offered."""


class JoinForm(Form):
    """Who waits, and from which date to which; both dates may be left open."""

    people = PeopleField(_l("Who waits"))
    first_day = DayField(_l("From date"))
    last_day = DayField(_l("To date"))

    def __init__(self, *, people: tuple[Person, ...], **rest: Any) -> None:
        super().__init__(**rest)
        field = self.people
        sent = field.raw_data
        field.people = {str(person.uid): person for person in people}
        if sent is None:
            field.data = people[:1] if len(people) == 1 else ()
            return
        field.process_errors = []
        try:
            field.process_formdata(sent)
        except ValueError as error:
            field.data, field.process_errors = (), [str(error)]
