"""The answer to the question against robots (row E58), in any form that may have to ask one."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms.validators import StopValidation

from forms.fields import TextField


class AnswerField(TextField):
    """Neither shown nor checked until ``need`` is called (app.public.questions)."""

    def __init__(self, label: Any = _l("Protection from robots"), **rest: Any) -> None:
        super().__init__(label, **rest)
        self.needed = False

    def need(self) -> None:
        self.needed = True
        self.flags.required = True

    def ask(self, question: str) -> None:
        """Show this question, already in the reader's language."""
        self.label.text = gettext("Protection from robots. %(question)s", question=question)

    def pre_validate(self, form: Any) -> None:
        if self.needed and not self.data:
            raise StopValidation(_l("Answer the question against robots"))
