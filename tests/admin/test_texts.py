"""Texts of letters with their preview, and consent in versions."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select

from app.documents import letters
from app.models import AuditEvent, ConsentText, MessageTemplate
from app.models.enums import MessageKind, Role
from app.rules.letters import FIELDS
from tests import make
from tests.client import parsed, words

URL = "/staff/letters/approved/ru/"


@pytest.fixture
def office(store, as_staff):
    tenant = make.make_tenant(store)
    return tenant, as_staff(Role.ADMINISTRATOR, over=tenant.root)


def fields(client, url=URL):
    form = client.page(url).xpath("//main//form[contains(@class,'sheet')]")[0]
    return dict(form.form_values())


def send(client, url=URL, **changes):
    press = changes.pop("press", "keep")
    return client.post(url, data=fields(client, url) | changes | {press: "1"})


def preview(source):
    page = parsed(source) if not hasattr(source, "xpath") else source
    found = page.xpath("//div[@class='letter-look']")
    return " ".join(found[0].text_content().split()) if found else ""


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("locale", ["ru", "en"])
def test_every_letter_opens_with_its_preview(office, kind, locale):
    _, client = office
    page = client.page(f"/staff/letters/{kind.value}/{locale}/")
    look = preview(page)
    assert look and "{" not in look
    assert page.xpath("//div[@class='letter-look']/@lang") == [locale]


def test_looking_keeps_nothing(office, store):
    _, client = office
    response = send(
        client, press="look", subject="Ждём вас {date}", body="Место {place}, {address}"
    )
    assert response.status_code == 200
    assert "Ждём вас" in preview(response) and "Место 2" in preview(response)
    assert store.scalars(select(MessageTemplate)).all() == []


def test_an_own_text_is_kept_for_its_language_and_used(office, store):
    tenant, client = office
    assert send(client, body="Своими словами: {number}").status_code == 303
    row = store.scalars(select(MessageTemplate)).one()
    assert (row.tenant_id, row.kind, row.locale) == (tenant.id, MessageKind.APPROVED, "ru")
    assert "Своими словами" in words(client.page(URL))
    assert "Своими словами" not in words(client.page("/staff/letters/approved/en/"))
    assert store.scalars(select(AuditEvent.verb)).all() == ["letter.edit"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("{nonsense}", "{nonsense}"),
        ("{number.__class__}", "скобка"),
        ("{0.__class__.__mro__}", "скобка"),
        ("{{7*7}}", "скобка"),
        ("{% raw %}", "скобка"),
        ("{number!r}", "скобка"),
        ("{", "скобка"),
        ("{link}", "{link}"),
        ("", "Введите текст"),
    ],
)
def test_only_the_letter_s_own_fields_may_stand_in_it(office, store, body, sentence):
    _, client = office
    for press in ("keep", "look"):
        response = send(client, body=body, press=press)
        assert response.status_code == 422
        page = parsed(response)
        assert page.xpath("//textarea[@aria-invalid]")
        assert sentence.lower() in words(page).lower()
    assert store.scalars(select(MessageTemplate)).all() == []


def test_a_letter_with_a_link_keeps_its_link(office):
    _, client = office
    response = send(client, "/staff/letters/reset_password/ru/", body="Без ссылки")
    assert response.status_code == 422 and "{link}" in words(response)


def test_an_sms_has_no_subject_and_shows_its_parts(office, store):
    _, client = office
    url = "/staff/letters/confirm_code/ru/"
    page = client.page(url)
    assert not page.xpath("//*[@name='subject']") and "1 часть СМС" in words(page)
    response = send(client, url, press="look", body="Здравствуйте! " * 6 + "Код {code}")
    assert "2 части СМС, можно не больше 2" in words(response)
    assert send(client, url, body="{centre}: код {code}").status_code == 303
    row = store.scalars(select(MessageTemplate)).one()
    assert (row.subject, row.body) == ("", "{centre}: код {code}")
    assert "код 123456" in preview(client.page(url))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("Без кода", "{code}"),
        ("Код {code}" + " и ещё много слов" * 10, "сократите"),
        ("{code} {link}", "{link}"),
        ("", "Введите текст"),
    ],
)
def test_an_sms_without_its_code_or_too_long_is_refused(office, store, body, sentence):
    _, client = office
    for press in ("keep", "look"):
        response = send(client, "/staff/letters/confirm_code/ru/", body=body, press=press)
        assert response.status_code == 422 and sentence in words(response)
    assert store.scalars(select(MessageTemplate)).all() == []


@pytest.mark.parametrize("subject", ["", "Тема {nonsense}", "x" * 201])
def test_a_subject_is_one_line_with_known_fields(office, subject):
    _, client = office
    assert send(client, subject=subject).status_code == 422


def test_a_subject_cannot_smuggle_a_header(office, store):
    _, client = office
    send(client, subject="Тема\r\nBcc: x@example.org")
    row = store.scalars(select(MessageTemplate)).one_or_none()
    assert row is None or "\n" not in row.subject


def test_the_original_comes_back_after_a_question(office, store):
    _, client = office
    send(client, body="Своими словами: {number}")
    client.page(URL + "reset/")
    assert store.scalars(select(MessageTemplate)).all() != []
    client.submit(URL + "reset/")
    assert store.scalars(select(MessageTemplate)).all() == []
    _, body = letters.default_text(MessageKind.APPROVED, "ru")
    assert fields(client)["body"].split() == body.split()


@pytest.mark.parametrize(
    "url",
    ["/staff/letters/nothing/ru/", "/staff/letters/approved/de/", "/staff/letters/%D1%8F/ru/"],
)
def test_letters_that_do_not_exist_are_not_there(office, url):
    _, client = office
    assert client.get(url).status_code == 404


def test_the_next_consent_follows_and_the_old_one_stays(office, store, clock):
    tenant, client = office
    old = tenant.consent_text
    response = client.submit(
        "/staff/consents/new/", {"text_ru": "Новый текст\n\nв двух абзацах", "text_en": "New"}
    )
    assert response.status_code == 303
    rows = store.scalars(select(ConsentText).order_by(ConsentText.version)).all()
    assert [row.version for row in rows] == [old.version, old.version + 1]
    assert rows[1].text_ru == "Новый текст\n\nв двух абзацах"
    assert rows[1].sha256 == hashlib.sha256(rows[1].text_ru.encode()).hexdigest()
    assert rows[0].text_ru == old.text_ru
    page = words(client.page("/staff/consents/"))
    assert "Редакция 2 действует" in page and "Редакция 1 больше не действует" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "тот же"),
        ({"text_ru": ""}, "Введите текст"),
        ({"text_ru": "Новый", "text_en": " "}, "Введите текст"),
        ({"text_ru": "Новый", "valid_from": "2020-01-01T00:00"}, "после предыдущей"),
    ],
)
def test_refused_consents(office, store, changes, sentence):
    _, client = office
    response = client.submit("/staff/consents/new/", changes)
    assert response.status_code == 422 and sentence in words(response)
    assert len(store.scalars(select(ConsentText)).all()) == 1


def test_hostile_texts_stay_text(office):
    _, client = office
    canary = "<script>alert(1)</script>"
    client.submit("/staff/consents/new/", {"text_ru": canary, "text_en": canary})
    assert not parsed(client.get("/staff/consents/")).xpath("//main//script")
    response = send(client, press="look", body=f"{canary} {{number}}")
    assert canary in preview(response)
