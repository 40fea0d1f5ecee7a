"""Guessing who is in a registry: hit and miss are one answer, and whoever goes on guessing is stopped."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.rules import documents
from app.rules.questions import Question
from app.rules.throttle import LIMITS
from tests.client import Visitor, form_of, words
from tests.public.clinic import BORN, POLICY, Clinic, booking, make_clinic
from tests.statements import statements

CSRF = re.compile(r'(name="csrf_token" value=")[^"]+')
QUESTION = re.compile(r"Защита от роботов\.[^<?]*\?")
WRONG_DATE = "15.02.1985"
ANSWERS = {409: "looked up", 429: "stopped"}


def policy(number: int) -> str:
    """A number that could be somebody's."""
    body = f"{880_000_000_000_000 + number}"
    return body + str(documents.policy_check_digit(body))


def address(number: int) -> dict[str, Any]:
    """Another subscriber of another network each."""
    return {"environ_base": {"REMOTE_ADDR": f"203.{number // 200}.{number % 200}.5"}}


def plain(answer: Any, *typed: str) -> str:
    """The body without its tokens and without what was typed into it."""
    body = CSRF.sub(r"\1", answer.get_data(as_text=True))
    for text in typed:
        body = body.replace(text, "…")
    return body


@pytest.fixture
def asked(app: Any) -> Iterator[list[str]]:
    """What the application asks of the database, without the values."""
    with statements(app) as seen:
        yield seen


class Door:
    """One browser at one of the ways in: before the schedule (E), or with a time held already (B)."""

    def __init__(self, clinic: Clinic, way: str, client: Visitor) -> None:
        self.client = client
        if way == "registry":
            self.page = self.url = (
                f"/appointment?organization={clinic.tenant.branch.uid}&method=oms"
            )
            self.rest = {"consent": "y"}
            return
        client.page(clinic.doctor)
        self.page = client.send("/visits", {"slot": str(clinic.slots[0].uid)}).location
        client.send(f"{self.page}/consent", {"text": str(clinic.tenant.consent_text.id)})
        self.url, self.rest = f"{self.page}/identify", {"second": "123456"}

    def ask(self, number: str, born: str, **where: Any) -> Any:
        """As a robot that reads forms, and even answers the questions against robots."""
        form = form_of(self.client.page(self.page, **where), self.url)
        fields = {**dict(form.form_values()), **self.rest, "number": number, "birth_date": born}
        if "answer" in form.fields:
            fields["answer"] = self.answer()
        return self.client.post(self.url, data=fields, **where)

    def answer(self) -> str:
        with self.client.session_transaction("/") as cookie:
            nonce, instant = cookie["question"]
        return str(Question(nonce, dt.datetime.fromtimestamp(instant, dt.UTC)).asked.answer)


@pytest.fixture(params=["registry", "portal"])
def door(store: Session, client: Visitor, request: pytest.FixtureRequest) -> Door:
    return Door(make_clinic(store, request.param), request.param, client)


def test_an_unknown_number_and_a_wrong_date_are_one_page_by_the_same_statements(
    door: Door, asked: list[str]
) -> None:
    """To the byte, but for tokens and what was typed."""
    door.ask(policy(0), BORN, **address(0))  # everything is compiled
    told = []
    for number, born in ((POLICY, WRONG_DATE), (policy(1), BORN), (policy(2), WRONG_DATE)):
        token = door.client.token(door.url)
        fields = {**door.rest, "csrf_token": token, "number": number, "birth_date": born}
        fields |= consent_of(door)
        asked.clear()
        answer = door.client.post(door.url, data=fields, **address(1 + len(told)))
        assert answer.status_code == 409 and "Вход невозможен" in words(answer)
        told.append((plain(answer, number, born), list(asked)))
    assert told[0] == told[1] == told[2]
    assert len(told[0][1]) > 8


def consent_of(door: Door) -> dict[str, str]:
    """The number of the text one agrees to, if the form carries it."""
    fields = dict(form_of(door.client.page(door.page), door.url).form_values())
    return {name: value for name, value in fields.items() if name == "consent_text"}


def test_two_thousand_birth_dates_of_one_number_are_stopped_wherever_they_come_from(
    door: Door, scale: Callable[[int], int]
) -> None:
    told: Counter[str] = Counter()
    first = dt.date(1950, 1, 1)
    for guess in range(scale(2000)):
        born = f"{first + dt.timedelta(days=guess):%d.%m.%Y}"
        answer = door.ask(POLICY, born, **address(guess % 50))
        told[ANSWERS[answer.status_code]] += 1
    assert told["looked up"] == LIMITS["identify_document"].tries
    assert door.ask(POLICY, BORN, **address(999)).status_code == 429, "and so is the right one"


def test_two_thousand_numbers_from_one_network_are_stopped(
    door: Door, scale: Callable[[int], int]
) -> None:
    told: Counter[str] = Counter()
    for guess in range(scale(2000)):
        where = {"environ_base": {"REMOTE_ADDR": f"203.0.113.{guess % 250}"}}
        told[ANSWERS[door.ask(policy(guess), BORN, **where).status_code]] += 1
    assert told["looked up"] == LIMITS["identify_network"].tries
    assert door.ask(POLICY, BORN, **address(99)).status_code == 303, "elsewhere one is let in"


def test_whoever_answers_no_question_is_asked_it_instead_of_looked_up(door: Door) -> None:
    for number in range(3):
        assert door.ask(policy(number), BORN).status_code == 409
    page = door.client.page(door.page)
    assert "Защита от роботов" in words(page)
    fields = {**dict(form_of(page, door.url).form_values()), **door.rest}
    fields |= {"number": POLICY, "birth_date": BORN, "answer": "99"}
    answer = door.client.post(door.url, data=fields)
    assert answer.status_code == 400 and "Ответ неверный" in words(answer)
    assert door.ask(POLICY, BORN).status_code == 303


# --- a ticket by its number and a birth date ---------------------------------------------------


@pytest.fixture
def number(store: Session, client: Visitor) -> int:
    """Of somebody's ticket."""
    clinic = make_clinic(store, "registry")
    Door(clinic, "registry", client).ask(POLICY, BORN)
    client.page(clinic.doctor)
    url = client.send("/visits", {"slot": str(clinic.slots[0].uid)}).location
    assert client.send(f"{url}/confirm").status_code == 303
    return booking(store).number


def find(client: Visitor, number: int, born: str, **where: Any) -> Any:
    form = form_of(client.page("/visits", **where), "/visits/find")
    fields = {**dict(form.form_values()), "number": str(number), "birth_date": born}
    if "answer" in form.fields:
        with client.session_transaction("/") as cookie:
            nonce, instant = cookie["question"]
        question = Question(nonce, dt.datetime.fromtimestamp(instant, dt.UTC))
        fields["answer"] = str(question.asked.answer)
    return client.post("/visits/find", data=fields, **where)


def test_no_such_ticket_and_a_wrong_date_are_one_page_by_the_same_statements(
    number: int, new_client: Callable[[], Visitor], asked: list[str]
) -> None:
    stranger, told = new_client(), []
    find(stranger, number + 1, BORN, **address(0))
    for wanted, born in ((number, WRONG_DATE), (number + 7, BORN)):
        token = stranger.token("/visits")
        fields = {"csrf_token": token, "number": str(wanted), "birth_date": born}
        asked.clear()
        answer = stranger.post("/visits/find", data=fields, **address(1 + len(told)))
        assert answer.status_code == 409
        told.append((plain(answer, f'"{wanted}"', born), list(asked)))
    assert told[0] == told[1]


def test_birth_dates_of_one_ticket_and_tickets_of_one_date_are_stopped(
    number: int, new_client: Callable[[], Visitor], scale: Callable[[int], int]
) -> None:
    """Both ways of guessing; the robot answers the questions against robots."""
    robot, dates, numbers = new_client(), Counter(), Counter()
    first = dt.date(1950, 1, 1)
    for guess in range(scale(1000)):
        born = f"{first + dt.timedelta(days=guess):%d.%m.%Y}"
        dates[ANSWERS[find(robot, number, born, **address(guess % 50)).status_code]] += 1
        where = {"environ_base": {"REMOTE_ADDR": f"198.51.100.{guess % 250}"}}
        numbers[ANSWERS[find(robot, number + 1 + guess, BORN, **where).status_code]] += 1
    assert dates["looked up"] == LIMITS["ticket_number"].tries
    assert numbers["looked up"] == LIMITS["ticket_network"].tries


def test_failures_at_either_form_bring_the_question_to_both(
    number: int, new_client: Callable[[], Visitor]
) -> None:
    robot = new_client()
    assert "Защита от роботов" not in words(robot.page("/visits"))
    for guess in range(3):
        assert find(robot, number + 1 + guess, BORN).status_code == 409
    assert "Защита от роботов" in words(robot.page("/visits"))
    token = robot.token("/visits")
    fields = {"csrf_token": token, "number": str(number), "birth_date": BORN}
    answer = robot.post("/visits/find", data=fields)
    assert answer.status_code == 400
    assert "Ответьте на вопрос для защиты от роботов" in words(answer)
    assert find(robot, number, BORN).status_code == 303
