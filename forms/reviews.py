"""What is read of the form «Оценить приём»: stars, words, and answers to the survey's questions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from app.rules.reviews import LONGEST_ANSWER, LONGEST_COMMENT, MOST_STARS
from forms.inputs import tidy_text

PREFIX = "q-"
"""Before the uid of a question, in the names of its fields."""


def stars_of(form: Mapping[str, str]) -> int | None:
    """From one to five; None for anything else."""
    text = form.get("stars", "")
    return int(text) if text in {str(number) for number in range(1, MOST_STARS + 1)} else None


def comment_of(form: Mapping[str, str]) -> str:
    """What was written in one's own words."""
    return tidy_text(form.get("comment", ""))[:LONGEST_COMMENT]


def answers_of(form: Mapping[str, str]) -> dict[uuid.UUID, str]:
    """Answers by question; names that cannot be of a question are left out."""
    found = {}
    for name in form:
        if not name.startswith(PREFIX):
            continue
        try:
            key = uuid.UUID(name.removeprefix(PREFIX))
        except ValueError:
            continue
        found[key] = tidy_text(form.get(name, ""))[:LONGEST_ANSWER]
    return found
