"""The back office's pages of the site and «Обращения»: writing, cleaning, answering, who looked."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.documents.letters import render
from app.models import AccessEvent, AccessSubject, AuditEvent, Feedback, Message, Page
from app.models.enums import FeedbackStatus, MessageKind, PageKind, Role
from app.rules.feedback import ON_A_PAGE
from tests import make
from tests.client import Visitor, headings, words

FIELDS = {
    "kind": "news",
    "slug": "letom-rabotaem",
    "title_ru": "Летом работаем",
    "body_ru": "<p>С восьми</p><script>alert(1)</script>",
}


@pytest.fixture
def tenant(store: Session) -> make.Tenant:
    return make.make_tenant(store)


@pytest.fixture
def manager(as_staff: Any, tenant: make.Tenant) -> Visitor:
    visitor: Visitor = as_staff(Role.MANAGER, over=tenant.root)
    return visitor


def the_page(store: Session) -> Page:
    return store.scalars(select(Page)).one()


# --- pages


def test_a_page_is_written_cleaned_and_published(
    manager: Visitor, client: Visitor, store: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    form = manager.page("/staff/pages/new/")
    assert headings(form)[0] == "Новая страница"
    answer = manager.send("/staff/pages/new/", FIELDS)
    assert answer.status_code == 303
    row = the_page(store)
    assert (row.body_ru, row.published_at, row.kind) == ("<p>С восьми</p>", None, PageKind.NEWS)
    listed = words(manager.page("/staff/pages/"))
    assert "черновик" in listed and "Часть разметки" in listed
    assert client.get("/pages/letom-rabotaem").status_code == 404
    answer = manager.send(f"/staff/pages/{row.uid}/", {**FIELDS, "publish": "1"})
    assert answer.status_code == 303 and the_page(store).published_at == now
    assert "С восьми" in words(client.page("/pages/letom-rabotaem"))
    verbs = [line.verb for line in store.scalars(select(AuditEvent).order_by(AuditEvent.id))]
    assert verbs[-2:] == ["page.create", "page.edit"]


def test_the_preview_keeps_nothing_and_is_cleaned(manager: Visitor, store: Session) -> None:
    answer = manager.send("/staff/pages/new/", {**FIELDS, "look": "1"})
    assert answer.status_code == 200 and store.scalars(select(Page)).all() == []
    text = answer.get_data(as_text=True)
    assert "<p>С восьми</p>" in text and "<script>alert" not in text


@pytest.mark.parametrize("change", [{"slug": "Как"}, {"slug": "taken"}, {"body_ru": ""}, {"kind": "x"}, {"title_ru": ""}])  # fmt: skip
def test_what_cannot_be_kept_stays_in_the_form(
    manager: Visitor, store: Session, tenant: make.Tenant, change: dict[str, str]
) -> None:
    make.make_page(store, tenant, slug="taken")
    answer = manager.send("/staff/pages/new/", {**FIELDS, **change})
    assert answer.status_code == 422 and "summary" in answer.get_data(as_text=True)
    assert len(store.scalars(select(Page)).all()) == 1


def test_a_draft_is_deleted_after_a_question_and_a_published_page_is_not(
    manager: Visitor, store: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    row = make.make_page(store, tenant)
    shown = make.make_page(store, tenant, published_at=now)
    assert "Удалить черновик" in words(manager.page(f"/staff/pages/{row.uid}/delete/"))
    manager.send(f"/staff/pages/{row.uid}/delete/")
    manager.send(f"/staff/pages/{shown.uid}/delete/")
    assert the_page(store).uid == shown.uid
    assert "удалить нельзя" in words(manager.page("/staff/pages/"))


# --- letters to staff


def test_a_letter_is_taken_answered_and_closed(
    manager: Visitor, store: Session, tenant: make.Tenant, now: dt.datetime
) -> None:
    row = make.make_feedback(store, tenant, question="Когда приём?", email="asks@example.org")
    address = f"/staff/feedback/{row.uid}/"
    text = words(manager.page(address))
    for shown in ("Вымыслова Анна", "+79000000001", "asks@example.org", "Когда приём?", "Новое"):
        assert shown in text
    manager.send(f"{address}take/")
    assert "В работе" in words(manager.page(address))
    assert manager.send(f"{address}answer/", {"answer": " "}).status_code == 422
    manager.send(f"{address}answer/", {"answer": "По средам.\n\nДо встречи."})
    text = words(manager.page(address))
    assert "Отвечено" in text and "По средам." in text and "Отправить ответ" not in text
    manager.send(f"{address}close/")
    assert store.get_one(Feedback, row.id).status is FeedbackStatus.CLOSED
    [message] = store.scalars(select(Message)).all()
    assert (message.kind, message.facts) == (
        MessageKind.FEEDBACK_ANSWERED,
        {"feedback_id": row.id},
    )
    with manager.application.app_context():
        letter = render(message, now=now)
    assert letter["To"] == "asks@example.org"
    body = letter.get_body(("plain",))
    assert body is not None and "По средам." in body.get_content()


def test_a_second_answer_is_refused_in_words(
    manager: Visitor, as_staff: Any, store: Session, tenant: make.Tenant
) -> None:
    row = make.make_feedback(store, tenant)
    address = f"/staff/feedback/{row.uid}/"
    other = as_staff(Role.OPERATOR, over=tenant.root)
    other.send(f"{address}answer/", {"answer": "Первый"})
    manager.send(f"{address}answer/", {"answer": "Второй"})
    assert "сейчас его состояние «Отвечено»" in words(manager.page(address))
    assert len(store.scalars(select(Message)).all()) == 1


def test_it_is_given_to_a_colleague_from_the_list_only(
    manager: Visitor, store: Session, tenant: make.Tenant
) -> None:
    row = make.make_feedback(store, tenant)
    able = make.make_staff(store, Role.OPERATOR, tenant.root, full_name="Соснова Вера")
    unable = make.make_staff(store, Role.ANALYST, tenant.root, full_name="Елова Анна")
    address = f"/staff/feedback/{row.uid}/"
    options = [o.text_content() for o in manager.page(address).xpath("//select[@id='to']/option")]
    assert "Соснова Вера" in options and "Елова Анна" not in options
    for to in (str(unable.uid), "x", ""):
        manager.send(f"{address}assign/", {"to": to})
        assert store.get_one(Feedback, row.id).assigned_to_id is None
    manager.send(f"{address}assign/", {"to": str(able.uid)})
    assert store.get_one(Feedback, row.id).assigned_to_id == able.id
    assert "Соснова Вера" in words(manager.page("/staff/feedback/?status=assigned"))


def test_who_looked_is_written_down(
    manager: Visitor, as_staff: Any, store: Session, tenant: make.Tenant
) -> None:
    row = make.make_feedback(store, tenant)
    manager.page("/staff/feedback/")
    manager.page(f"/staff/feedback/{row.uid}/")
    manager.send(f"/staff/feedback/{row.uid}/answer/", {"answer": ""})
    events = store.scalars(select(AccessEvent).order_by(AccessEvent.id)).all()
    assert [event.action for event in events] == ["feedback.list", "feedback.letter", "feedback.letter"]  # fmt: skip
    seen = store.scalars(select(AccessSubject)).all()
    assert {subject.feedback_id for subject in seen} == {row.id} and len(seen) == 3
    guard = as_staff(Role.SECURITY, over=tenant.root)
    assert "Обращения" in words(guard.page("/staff/access/"))
    details = words(guard.page(f"/staff/access/details/?id={events[1].id}"))
    assert "Обращение от" in details and "Вымыслова" not in details


def test_the_list_goes_by_state_and_page(
    manager: Visitor, store: Session, tenant: make.Tenant
) -> None:
    assert "все взяты в работу" in words(manager.page("/staff/feedback/"))
    for number in range(ON_A_PAGE + 1):
        make.make_feedback(store, tenant, name=f"Имя {number}")
    page = manager.page("/staff/feedback/")
    assert f"Новое ({ON_A_PAGE + 1})" in words(page) and "Имя 0" not in words(page)
    [older] = page.xpath("//a[contains(., 'Старее') or contains(@href, 'after=')]/@href")
    assert "Имя 0" in words(manager.page(older))
    assert "Обращений в этом состоянии нет" in words(manager.page("/staff/feedback/?status=closed"))
    for odd in ("status=x", "after=x", "after=9" + "9" * 30, "status=all&after=0"):
        manager.page(f"/staff/feedback/?{odd}")
