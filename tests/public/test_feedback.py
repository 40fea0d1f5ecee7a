"""«Обратная связь»: six required fields, a question for people, nothing typed is lost, a letter comes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.documents.letters import render
from app.models import Feedback, Message
from app.models.enums import PageKind
from app.rules import pages
from app.rules.questions import LASTS, Question
from tests import make
from tests.client import Visitor, form_of, parsed, words

TYPED = {
    "family_name": "Вымыслова",
    "given_name": "Анна",
    "patronymic": "Ивановна",
    "phone": "8 (900) 111-22-33",
    "email": "anna@example.org",
    "question": "Когда приём хирурга?\n\nСпасибо.",
}


@pytest.fixture
def tenant(store: Session) -> make.Tenant:
    return make.make_tenant(store)


def question_of(client: Visitor) -> Question:
    """The question in the visitor's cookie."""
    with client.session_transaction("/") as cookie:
        nonce, instant = cookie["question"]
    return Question(nonce, dt.datetime.fromtimestamp(instant, dt.UTC))


def right(client: Visitor) -> str:
    client.page("/feedback")
    return str(question_of(client).asked.answer)


def letters(store: Session) -> list[Feedback]:
    return list(store.scalars(select(Feedback)))


def still_there(answer: Any) -> bool:
    """Whether everything typed stands in the form again."""
    fields = dict(form_of(parsed(answer), "/feedback").fields)
    return {name: str(fields[name]).replace("\r\n", "\n").strip() for name in TYPED} == TYPED


def test_the_form_has_the_source_s_fields_and_words(client: Visitor, tenant: make.Tenant) -> None:
    page = client.page("/feedback")
    labels = {
        " ".join(label.text_content().split()): label.get("for") for label in page.iter("label")
    }
    required = ("Ваша фамилия *", "Ваше имя *", "Телефон *", "Адрес электронной почты *", "Ваш вопрос *")  # fmt: skip
    assert set(required) | {"Ваше отчество"} <= set(labels)
    [captcha] = [label for label in labels if label.startswith("Защита от роботов.")]
    assert captcha.endswith("? *")
    assert len([label for label in labels if label.endswith("*")]) == 6
    assert "Обязательные для заполнения поля отмечены звёздочкой" in words(page)
    assert not page.xpath("//main//img | //main//script")


def test_a_question_is_kept_and_its_coming_is_told(
    client: Visitor, store: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    answer = client.submit("/feedback", {**TYPED, "answer": right(client)}, form="/feedback")
    assert (answer.status_code, answer.location) == (303, "/feedback/sent")
    client.page("/feedback/sent")
    [row] = letters(store)
    assert row.name == "Вымыслова Анна Ивановна" and row.phone == "+79001112233"
    assert row.question == TYPED["question"] and row.tenant_id == tenant.id
    [message] = store.scalars(select(Message)).all()
    with client.application.app_context():
        letter = render(message, now=now)
    assert letter["To"] == "anna@example.org" and "Обращение получено" in letter["Subject"]
    assert "хирург" not in letter.as_string() and "Вымыслова" not in str(letter.get_body())


def test_each_missing_field_is_named_and_the_rest_stays(
    client: Visitor, store: Session, tenant: make.Tenant
) -> None:
    answer = client.submit("/feedback", {"given_name": "Анна"}, form="/feedback")
    assert answer.status_code == 400
    page = parsed(answer)
    targets = page.xpath("//*[@id='errors']//a/@href")
    assert targets == ["#family_name", "#phone", "#email", "#question", "#answer"]
    assert all(page.get_element_by_id(target[1:]) is not None for target in targets)
    assert page.get_element_by_id("given_name").get("value") == "Анна"
    assert letters(store) == []


@pytest.mark.parametrize("change", [{"email": "x"}, {"phone": "12"}, {"leave_empty": "spam"}])
def test_an_odd_value_loses_nothing(
    client: Visitor, store: Session, tenant: make.Tenant, change: dict[str, str]
) -> None:
    answer = client.submit(
        "/feedback", {**TYPED, "answer": right(client), **change}, form="/feedback"
    )
    assert answer.status_code == 400 and letters(store) == []
    if "leave_empty" in change:
        assert still_there(answer)


def test_a_wrong_answer_asks_the_same_again_and_keeps_what_was_typed(
    client: Visitor, store: Session, tenant: make.Tenant
) -> None:
    client.page("/feedback")
    before = question_of(client)
    answer = client.submit("/feedback", {**TYPED, "answer": "99"}, form="/feedback")
    assert answer.status_code == 400 and still_there(answer) and letters(store) == []
    assert "Ответ неверный" in words(answer)
    assert question_of(client) == before
    answer = client.submit("/feedback", {**TYPED, "answer": right(client)}, form="/feedback")
    assert answer.status_code == 303 and len(letters(store)) == 1


def test_after_several_wrong_answers_there_is_a_new_question(
    client: Visitor, store: Session, tenant: make.Tenant
) -> None:
    client.page("/feedback")
    before = question_of(client)
    for _ in range(6):
        answer = client.submit("/feedback", {**TYPED, "answer": "99"}, form="/feedback")
    assert still_there(answer) and question_of(client) != before


def test_a_used_question_opens_nothing_though_the_cookie_is_copied(
    client: Visitor, store: Session, tenant: make.Tenant
) -> None:
    answer = right(client)
    with client.session_transaction("/") as cookie:
        copied = list(cookie["question"])
    assert client.submit("/feedback", {**TYPED, "answer": answer}, form="/feedback").status_code == 303  # fmt: skip
    with client.session_transaction("/") as cookie:
        cookie["question"] = copied
    again = client.submit("/feedback", {**TYPED, "answer": answer}, form="/feedback")
    assert again.status_code == 400 and still_there(again)
    assert len(letters(store)) == 1


def test_an_expired_question_is_replaced(
    client: Visitor, store: Session, tenant: make.Tenant, clock: Any
) -> None:
    answer = right(client)
    before = question_of(client)
    page = client.page("/feedback")
    clock.forward(seconds=LASTS.total_seconds() + 1)
    fields = {name: value for name, value in form_of(page, "/feedback").fields.items()}
    late = client.post("/feedback", data={**fields, **TYPED, "answer": answer})
    assert late.status_code == 400 and still_there(late) and letters(store) == []
    assert "на новый" in words(late) and question_of(client) != before


def test_the_answer_of_another_session_s_question_is_of_no_use(
    client: Visitor, new_client: Any, store: Session, tenant: make.Tenant
) -> None:
    stranger = new_client()
    while True:  # two questions with different answers
        mine, theirs = right(client), right(stranger)
        if mine != theirs:
            break
        with client.session_transaction("/") as cookie:
            cookie.pop("question")
    assert client.submit("/feedback", {**TYPED, "answer": theirs}, form="/feedback").status_code == 400  # fmt: skip
    nobody = new_client().send("/feedback", {**TYPED, "answer": mine})
    assert nobody.status_code == 400 and still_there(nobody)
    assert letters(store) == []


@pytest.mark.parametrize("odd", ["x", 7, [], ["a"], ["a", "b"], [1, 2], ["a", 10**30], ["a", -(10**30)], {"a": 1}, None])  # fmt: skip
def test_a_cookie_of_an_older_day_means_a_new_question(
    client: Visitor, tenant: make.Tenant, odd: Any
) -> None:
    with client.session_transaction("/") as cookie:
        cookie["question"] = odd
    client.page("/feedback")
    assert question_of(client).nonce not in ("a", "")


def test_one_address_writes_so_often_and_no_more(
    client: Visitor, store: Session, tenant: make.Tenant
) -> None:
    for number in range(20):
        fields = {**TYPED, "email": f"a{number}@example.org", "answer": right(client)}
        assert client.submit("/feedback", fields, form="/feedback").status_code == 303
    answer = client.submit("/feedback", {**TYPED, "answer": right(client)}, form="/feedback")
    assert answer.status_code == 429 and still_there(answer)
    assert len(letters(store)) == 20


def test_nobody_s_mailbox_is_filled_by_this_form(
    client: Visitor, store: Session, tenant: make.Tenant
) -> None:
    for _ in range(5):
        client.submit("/feedback", {**TYPED, "answer": right(client)}, form="/feedback")
    answer = client.submit("/feedback", {**TYPED, "answer": right(client)}, form="/feedback")
    assert answer.status_code == 429 and still_there(answer)
    assert len(letters(store)) == 5


def test_with_several_organizations_the_choice_comes_first(
    client: Visitor, store: Session, tenant: make.Tenant
) -> None:
    other = make.make_tenant(store, name="Речной центр")
    page = client.page("/feedback")
    choices = page.xpath("//ul[@class='choices']//a/@href")
    assert f"/feedback?of={other.root.uid}" in choices and len(choices) == 2
    address = f"/feedback?of={other.root.uid}"
    client.page(address)
    fields = {**TYPED, "answer": str(question_of(client).asked.answer)}
    assert client.submit(address, fields, form=address).status_code == 303
    assert [row.tenant_id for row in letters(store)] == [other.id]
    assert client.get("/feedback?of=x").status_code == 404


def test_what_the_system_can_do_stands_above_the_form(
    client: Visitor, store: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    assert "Каковы возможности" not in words(client.page("/feedback"))
    pages.start(store, tenant_id=tenant.id, now=now, published_at=now)
    page = client.page("/feedback")
    assert "Каковы возможности системы?" in words(page)
    links = page.xpath("//main//nav//li/a")
    assert [link.text_content() for link in links] == [
        "Запись на приём без регистрации на портале",
        "Для чего мне нужен личный кабинет пациента?",
        "Информация о медицинском учреждении",
        "Вы хотите оставить отзыв или предложение?",
    ]
    address, _, anchor = links[2].get("href").partition("#")
    target = client.page(address).get_element_by_id(anchor)
    assert target.text_content() == links[2].text_content()
    plain = make.make_page(store, tenant, kind=PageKind.FAQ, position=-1, published_at=now)
    plain.body_ru = "<p>Без заголовков</p>"
    client.page("/feedback")
