"""Refusals. A rule raises one or returns; the edge says it in the reader's language (app.i18n.say)."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple


def N_(text: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Mark a sentence for translation; it is translated where it is shown."""
    return text


class Phrase(str):
    """A word or phrase among a refusal's params that is itself to be translated."""

    __slots__ = ()


class Words(NamedTuple):
    """A name or text that staff keep in both languages, among a refusal's params."""

    ru: str
    en: str
    """Empty where nobody has written it: then the Russian one is shown."""


class RuleError(Exception):
    """A refusal in one sentence that can be read aloud: why, until when, what to do next.

    ``text`` is the English source sentence with ``%(name)s`` places; dates, times and enums among
    ``params`` are formatted where it is shown.
    """

    code = "refused"
    text = N_("This cannot be done.")
    is_noted = False
    """That somebody was refused is itself written down, before anything else: the entry point commits."""

    def __init__(self, **params: Any) -> None:
        super().__init__(self.code)
        self.params = params


class NotFound(RuleError):
    code = "not_found"
    text = N_("There is nothing here, or it is not yours to see.")


class NotAllowed(RuleError):
    code = "not_allowed"
    text = N_("Your role does not allow this. Ask your administrator.")


class Taken(RuleError):
    code = "taken"
    text = N_("Taken: somebody chose this place a moment ago. Choose another one, please.")


class NoPlaces(RuleError):
    code = "no_places"
    text = N_("No places are left at this time. Choose another time, please.")


class HoldEnded(RuleError):
    code = "hold_ended"
    text = N_(
        "The place was kept for you for a while and is free again. Choose a time once more, please."
    )


class TooManyHolds(RuleError):
    code = "too_many_holds"
    text = N_(
        "Too many places are being chosen from your network just now. Try again in a few minutes, please."
    )


class NoMoreExtensions(RuleError):
    code = "no_more_extensions"
    text = N_("The place cannot be kept for longer. Confirm the booking or let it go, please.")


class Refused(RuleError):
    """One or more preconditions say no; the first is the sentence, all are in ``refusals``."""

    code = "refused_by_rule"

    def __init__(self, refusals: list[Any]) -> None:
        first = refusals[0]
        super().__init__(**first.params)
        self.refusals = refusals
        self.text = first.text
        self.code = first.code
        self.earliest: dt.date | None = first.earliest


class AlreadyDecided(RuleError):
    code = "already_decided"
    text = N_("Already decided: %(status)s, %(who)s, %(at)s.")


class AlreadyChanged(RuleError):
    code = "already_changed"
    text = N_("This booking has changed meanwhile: it is now “%(status)s”.")


class UndoOver(RuleError):
    code = "undo_over"
    text = N_("The minute for undoing is over: the letter is on its way.")


class ReasonNeeded(RuleError):
    code = "reason_needed"
    text = N_("Give a reason, please: the person will read it in the letter.")


class CheckFails(RuleError):
    """Approving although a check fails needs the right and a reason."""

    code = "check_fails"
    text = N_("A check fails: %(checks)s. To approve all the same, give the reason.")


class TooManyTries(RuleError):
    code = "too_many_tries"
    text = N_("Too many tries. Try again in %(minutes)s min., please.")
