"""The question against robots at a form: of feedback always, of others after failed tries of an address.

A form has ``answer = AnswerField()`` (forms.questions), its template ``question(form.answer)``. A view that
asks only who has failed before needs two calls: ``valid(form)`` instead of ``form.validate()``, and
``put_if_due(form.answer)`` before each time the page is rendered.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import g, session

from app.extensions import db
from app.i18n import say
from app.rules import questions
from app.rules.errors import RuleError
from app.rules.questions import Question, QuestionOver, WrongAnswer, use
from app.sessions import client_ip
from forms.questions import AnswerField

__all__ = ["REFUSALS", "answered", "forget", "put", "put_if_due", "refuse", "use", "valid"]

ASKED = "question"
"""Key of the browser's own signed cookie: the question it was asked, [nonce, instant]."""
LATEST = 2**33
"""Seconds since 1970; a cookie that says more is none of ours."""
REFUSALS = (WrongAnswer, QuestionOver)


def valid(form: Any) -> bool:
    """Whether all fields are right and, where a question is due, it has been answered: once for each try.

    Commits what it has counted. What is wrong stands at the field.
    """
    field: AnswerField = form.answer
    if _is_due():
        field.need()
    if not form.validate():
        return False
    if not field.needed:
        return True
    try:
        question = answered(field)
        try:
            use(db.session(), question=question)
        finally:
            db.session.commit()
    except REFUSALS as refusal:
        refuse(field, refusal)
        return False
    forget()
    return True


def put_if_due(field: AnswerField) -> None:
    """Ask, if this address has failed often enough by now; the page is about to be rendered."""
    if _is_due():
        field.need()
        put(field)


def put(field: AnswerField) -> None:
    """Ask the same question while it lives: two open windows do not disturb each other."""
    question = _asked()
    if question is None:
        question = questions.new(g.now)
        session[ASKED] = [question.nonce, int(question.asked_at.timestamp())]
        field.data = ""
    field.ask(say(question.asked))


def answered(field: AnswerField) -> Question:
    """The question that was answered rightly. Commits the try. Raises WrongAnswer, QuestionOver."""
    question = _asked()
    if question is None:
        raise QuestionOver()
    try:
        questions.attempt(db.session(), question=question, answer=field.data or "", now=g.now)
    finally:
        db.session.commit()
    return question


def refuse(field: AnswerField, refusal: RuleError) -> None:
    """Say the refusal at the field, which is empty again."""
    field.data = ""
    field.errors = [say(refusal)]
    if isinstance(refusal, QuestionOver):
        forget()


def forget() -> None:
    """The question has done its work; the next one is another."""
    session.pop(ASKED, None)


def _is_due() -> bool:
    return questions.is_due(db.session(), address=client_ip(), now=g.now)


def _asked() -> Question | None:
    """The question in the reader's cookie, if it is one and still lives."""
    match session.get(ASKED):
        case [str(nonce), int(instant)] if 0 < instant < LATEST:
            question = Question(nonce, dt.datetime.fromtimestamp(instant, dt.UTC))
            return question if question.lives(g.now) else None
    return None
