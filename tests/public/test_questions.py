"""The question against robots at forms that look for somebody: asked after failed tries, once for each try."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flask
import pytest
from flask import Flask, render_template_string
from lxml import html
from sqlalchemy.orm import Session

from app import sessions
from app.models.enums import IdentifyBy
from app.public import questions as asking
from app.rules import identification, questions, throttle
from app.rules.questions import Question
from forms.identity import form_for
from tests import make
from tests.client import words

PAGE = (
    "{% from 'parts/identity.html' import identity %}<body>{{ identity(form, '/a', '/b') }}</body>"
)
TYPED = {
    "number": "8451 9991 2289 9990",
    "birth_date": "08.03.1985",
    "phone": "8 900 123-45-67",
    "consent": "y",
}


class Desk:
    """Requests of one browser, which keeps its cookie."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.cookie: dict[str, Any] = {}

    @contextmanager
    def request(self, **typed: str) -> Iterator[Any]:
        with self.app.test_request_context(
            "/?lang=ru",
            method="POST",
            data={**TYPED, **typed},
            environ_base={"REMOTE_ADDR": "127.0.0.1"},
        ):
            sessions.enter()
            flask.session.update(self.cookie)
            yield form_for(IdentifyBy.OMS, today=make.NOW.date())
            self.cookie = dict(flask.session)

    def shown(self) -> str:
        with self.request() as form:
            asking.put_if_due(form.answer)
            return words(html.document_fromstring(render_template_string(PAGE, form=form)))

    def question(self) -> Question:
        nonce, instant = self.cookie["question"]
        return Question(nonce, dt.datetime.fromtimestamp(instant, dt.UTC))

    def tries(self, answer: str | None = None) -> tuple[bool, list[str]]:
        with self.request(**({} if answer is None else {"answer": answer})) as form:
            return asking.valid(form), [str(each) for each in form.answer.errors]


@pytest.fixture
def desk(app: Flask, store: Session) -> Desk:
    return Desk(app)


def fail(store: Session, kind: str, times: int, address: str = "127.0.0.1") -> None:
    for _ in range(times):
        value = identification.networks(address)[0]
        throttle.count(store, kind=kind, value=value, now=make.NOW)
    store.commit()


def fail_enough(store: Session) -> None:
    fail(store, "identify_address", 1)
    fail(store, "ticket_address", questions.ASKED_AFTER - 1)


def test_who_has_not_failed_is_asked_nothing(desk: Desk, store: Session) -> None:
    fail(store, "identify_address", questions.ASKED_AFTER - 1)
    fail(store, "identify_address", 9, "192.0.2.7")
    assert "роботов" not in desk.shown() and desk.cookie == {}
    assert desk.tries() == (True, [])


def test_after_tries_at_either_form_each_further_one_takes_an_answer(
    desk: Desk, store: Session
) -> None:
    fail_enough(store)
    assert desk.tries() == (False, ["Ответьте на вопрос для защиты от роботов"])
    assert "Защита от роботов." in desk.shown()
    first = desk.question()
    assert desk.tries("99")[0] is False and desk.question() == first
    answer = str(first.asked.answer)
    copied = dict(desk.cookie)
    assert desk.tries(answer) == (True, []) and "question" not in desk.cookie
    desk.cookie = copied  # a kept cookie opens nothing twice
    assert desk.tries(answer)[0] is False and "question" not in desk.cookie
    desk.shown()
    assert desk.question().nonce != first.nonce


def test_a_form_with_another_mistake_keeps_its_question(desk: Desk, store: Session) -> None:
    fail_enough(store)
    desk.shown()
    question = desk.question()
    with desk.request(answer=str(question.asked.answer), number="1") as form:
        assert asking.valid(form) is False and "number" in form.errors
    assert desk.question() == question
    assert desk.tries(str(question.asked.answer)) == (True, [])


def test_in_the_next_hour_nobody_is_asked(desk: Desk, store: Session, clock: Any) -> None:
    fail_enough(store)
    assert "роботов" in desk.shown()
    clock.forward(hours=1)
    assert "роботов" not in desk.shown()


def test_only_failures_bring_the_question_nearer(store: Session, now: dt.datetime) -> None:
    """Each counted limit is one of failures; the question comes before the limit does."""
    for kind in questions.COUNTED:
        assert throttle.LIMITS[kind].tries > questions.ASKED_AFTER
    person = make.make_person(store, make.make_polyclinic(store), birth_date=dt.date(1985, 3, 8))
    document = make.make_document(store, person)
    given = identification.Given(birth_date=person.birth_date, number=document.number)
    for _ in range(questions.ASKED_AFTER + 1):
        identification.identify(
            store,
            organization_id=person.tenant_id,
            method=IdentifyBy.OMS,
            given=given,
            address="127.0.0.1",
            now=now,
        )
    assert not questions.is_due(store, address="127.0.0.1", now=now)
