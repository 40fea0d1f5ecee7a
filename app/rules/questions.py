"""A question against robots that everybody can hear and answer: «Сколько будет два плюс пять?» (row E58).

Nothing is drawn and nobody else is asked. The browser's own signed cookie holds only a nonce and the
instant; what is asked follows from them by HMAC and is computed when needed. How often a question was
tried and that it has been used stands in the database, so that a copied cookie opens nothing twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.models.crypto import keys
from app.rules import throttle
from app.rules.errors import N_, Phrase, RuleError, TooManyTries
from app.rules.identification import networks

LASTS = dt.timedelta(minutes=30)
"""Time enough to write a long letter; an expired one only means a new question."""
NUMBERS = (
    N_("zero"), N_("one"), N_("two"), N_("three"), N_("four"), N_("five"), N_("six"), N_("seven"),
    N_("eight"), N_("nine"), N_("ten"),
)  # fmt: skip
_OF_DATA = json.loads((throttle.DATA / "identification.json").read_text(encoding="utf-8"))[
    "question"
]
ASKED_AFTER: int = _OF_DATA["after"]
"""Failed tries of an address after which the forms that look for a person or a ticket ask first."""
COUNTED: tuple[str, ...] = tuple(_OF_DATA["kinds"])
"""The limits whose tries count for that; each counts failures only, by ``networks(address)[0]``."""
Kind = tuple[str, Callable[[int, int], int]]
KINDS: tuple[Kind, ...] = (
    (N_("How much is %(first)s plus %(second)s?"), lambda first, second: first + second),
    (N_("How much is %(first)s minus %(second)s?"), lambda first, second: first - second),
    (N_("Which number is greater: %(first)s or %(second)s?"), max),
    (N_("Which number is smaller: %(first)s or %(second)s?"), min),
)
"""What is asked, and the answer. The first number is always the greater one; the words may swap them."""


class WrongAnswer(RuleError):
    code = "wrong_answer"
    text = N_("The answer is not right. Work it out once more, please, and type it in digits.")


class QuestionOver(RuleError):
    code = "question_over"
    text = N_("This question is over: answer the new one, please. What you have written is kept.")


@dataclass(frozen=True)
class Question:
    """One question, as the cookie keeps it."""

    nonce: str
    asked_at: dt.datetime

    def lives(self, now: dt.datetime) -> bool:
        return self.asked_at <= now < self.asked_at + LASTS

    @property
    def asked(self) -> Asked:
        return _asked(self)


@dataclass(frozen=True)
class Asked:
    """The sentence (to be translated, with its numbers as words) and the right answer."""

    text: str
    params: Mapping[str, Phrase]
    answer: int


def new(now: dt.datetime) -> Question:
    return Question(secrets.token_urlsafe(12), now.replace(microsecond=0))


def is_due(session: Session, *, address: str, now: dt.datetime) -> bool:
    """Whether who comes from this network address has failed so often that a question is asked first."""
    one, _ = networks(address)
    return throttle.spent(session, [(kind, one) for kind in COUNTED], now=now) >= ASKED_AFTER


def _asked(question: Question) -> Asked:
    said = f"question|{question.nonce}|{int(question.asked_at.timestamp())}"
    digest = hmac.new(keys().token, said.encode(), hashlib.sha256).digest()
    text, answer_of = KINDS[digest[0] % len(KINDS)]
    smaller = 1 + digest[1] % 5
    greater = smaller + 1 + digest[2] % (10 - smaller)
    first, second = greater, smaller
    if digest[3] % 2 and "minus" not in text:
        first, second = second, first
    params = {"first": Phrase(NUMBERS[first]), "second": Phrase(NUMBERS[second])}
    return Asked(text, params, answer_of(first, second))


def attempt(session: Session, *, question: Question, answer: str, now: dt.datetime) -> None:
    """Count one try and compare. Raises QuestionOver, WrongAnswer; the caller commits in every case."""
    if not question.lives(now):
        raise QuestionOver()
    try:
        throttle.count(session, kind="question_try", value=question.nonce, now=question.asked_at)
    except TooManyTries as spent:
        raise QuestionOver() from spent
    if _number(answer) != question.asked.answer:
        raise WrongAnswer()


def use(session: Session, *, question: Question) -> None:
    """The question has done its work, in the transaction that it let in. Raises QuestionOver."""
    try:
        throttle.count(session, kind="question_used", value=question.nonce, now=question.asked_at)
    except TooManyTries as used:
        raise QuestionOver() from used


def _number(text: str) -> int | None:
    """«7», « 7. »; None for what is no number."""
    found = re.fullmatch(r"\s*([0-9]{1,3})\s*\.?\s*", text)
    return int(found[1]) if found else None
