"""The question against robots: heard and answered by anybody, used once, over after a while."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from app.rules import questions, throttle
from app.rules.questions import KINDS, LASTS, Question, QuestionOver, WrongAnswer

SECOND = dt.timedelta(seconds=1)
pytestmark = pytest.mark.usefixtures("session")  # and with it the keys


def right(question: Question) -> str:
    return str(question.asked.answer)


def test_every_kind_is_asked_and_its_answer_is_a_small_number(now: dt.datetime) -> None:
    asked = [questions.new(now).asked for _ in range(400)]
    assert {each.text for each in asked} == {text for text, _ in KINDS}
    assert all(0 <= each.answer <= 20 for each in asked)
    assert len({(each.text, *each.params.values()) for each in asked}) > 50


def test_the_answer_follows_from_the_words(now: dt.datetime) -> None:
    for _ in range(200):
        asked = questions.new(now).asked
        first, second = (
            questions.NUMBERS.index(asked.params[name]) for name in ("first", "second")
        )
        expected = {"plus": first + second, "minus": first - second, "greater": max(first, second), "smaller": min(first, second)}  # fmt: skip
        [said] = [value for word, value in expected.items() if word in asked.text]
        assert asked.answer == said >= 0


def test_the_cookie_s_own_words_do_not_say_the_answer(now: dt.datetime) -> None:
    """The same nonce under another key asks something else: nothing follows from it without the key."""
    from app.models import crypto

    question = questions.new(now)
    mine = [Question(f"{question.nonce}{n}", now).asked for n in range(20)]
    before = crypto.keys()
    try:
        crypto.use_keys(crypto.KeyRing.from_secret(b"another"))
        assert [Question(f"{question.nonce}{n}", now).asked for n in range(20)] != mine
    finally:
        crypto.use_keys(before)


def test_the_right_answer_opens_once(session: Session, now: dt.datetime) -> None:
    question = questions.new(now)
    questions.attempt(session, question=question, answer=f" {right(question)}. ", now=now)
    questions.use(session, question=question)
    with pytest.raises(QuestionOver):
        questions.use(session, question=question)


@pytest.mark.parametrize("answer", ["", "99", "-1", "٣", "1e0", "семь", "0x1", "9" * 400])
def test_a_wrong_answer_is_refused(session: Session, now: dt.datetime, answer: str) -> None:
    with pytest.raises(WrongAnswer):
        questions.attempt(session, question=questions.new(now), answer=answer, now=now)


def test_there_are_several_tries_and_then_a_new_question(
    session: Session, now: dt.datetime
) -> None:
    question = questions.new(now)
    for _ in range(4):
        with pytest.raises(WrongAnswer):
            questions.attempt(session, question=question, answer="99", now=now)
    questions.attempt(session, question=question, answer=right(question), now=now)
    with pytest.raises(QuestionOver):
        questions.attempt(session, question=question, answer=right(question), now=now)
    other = questions.new(now)
    questions.attempt(session, question=other, answer=right(other), now=now)


@pytest.mark.parametrize("late", [LASTS, LASTS + SECOND, dt.timedelta(days=1), -SECOND])
def test_an_expired_question_and_one_from_the_future_are_over(
    session: Session, now: dt.datetime, late: dt.timedelta
) -> None:
    question = questions.new(now)
    with pytest.raises(QuestionOver):
        questions.attempt(session, question=question, answer=right(question), now=now + late)


@pytest.mark.parametrize("minute", [0, 29, 58, 59])
def test_sweeping_the_limits_forgets_no_question_that_still_lives(
    session: Session, now: dt.datetime, minute: int
) -> None:
    asked_at = now.replace(minute=minute, second=59)
    question = questions.new(asked_at)
    questions.use(session, question=question)
    throttle.sweep(session, now=asked_at + LASTS)
    with pytest.raises(QuestionOver):
        questions.use(session, question=question)
