"""Staff decide attachments and families, and write referrals: pages, refusals, who is told."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.documents.letters import render
from app.models import AccessEvent, AccountPerson, Attachment, Message, Referral
from app.models.cabinet_choices import AttachmentStatus
from app.models.enums import MessageKind, Relation, Role
from tests import make
from tests.client import words
from tests.make import NOW
from tests.public.household import make_household


@pytest.fixture
def home(store):
    return make_household(store)


@pytest.fixture
def registrar(as_staff, home):
    return as_staff(Role.REGISTRAR, home.tenant.root)


@pytest.fixture
def asked(store, home):
    store.scalars(
        select(Attachment).where(Attachment.person_id == home.mother.id)
    ).one().status = AttachmentStatus.ENDED
    row = make.make_attachment(
        store, home.mother, home.for_adults, status=AttachmentStatus.REQUESTED
    )
    row.address = "Ленина, 5"
    return row


def letters(store) -> list[MessageKind]:
    return [row.kind for row in store.scalars(select(Message).order_by(Message.id))]


def test_a_request_is_accepted(registrar, store, home, asked):
    assert "1 заявка на прикрепление" in words(registrar.page("/staff/"))
    page = words(registrar.page("/staff/attachments/"))
    assert home.mother.full_name in page and "Ленина, 5" in page and "Участок №1" in page
    assert registrar.send(f"/staff/attachments/{asked.uid}/accept/", {}).status_code == 303
    store.expire_all()
    assert store.get(Attachment, asked.id).status is AttachmentStatus.ACTIVE
    assert letters(store) == [MessageKind.ATTACHMENT_DECIDED]
    assert "Заявок на прикрепление нет" in words(registrar.page("/staff/attachments/"))
    actions = {row.action for row in store.scalars(select(AccessEvent))}
    assert "attachments" in actions


def test_a_refusal_asks_why(registrar, store, home, asked):
    url = f"/staff/attachments/{asked.uid}/refuse/"
    assert registrar.submit(url, {"reason": " "}).status_code == 422
    assert registrar.submit(url, {"reason": "Нет прописки"}).status_code == 303
    store.expire_all()
    assert store.get(Attachment, asked.id).note == "Нет прописки"


def test_a_card_is_attached_by_staff_and_ended(registrar, store, home):
    url = f"/staff/attachments/card/{home.father.uid}/"
    again = registrar.submit(url, {"district": str(home.for_adults.uid)})
    assert again.status_code == 422 and "уже прикреплены" in words(again)
    other = make.make_district(store, home.tenant, organization=home.tenant.root, number="9")
    assert registrar.submit(url, {"district": str(other.uid)}).status_code == 303
    row = store.scalars(select(Attachment).where(Attachment.district_id == other.id)).one()
    ended = registrar.submit(f"/staff/attachments/{row.uid}/end/", {"reason": "Переезд"})
    assert ended.status_code == 303
    assert "Переезд" in words(registrar.page(url))


def test_a_guardianship_is_confirmed(registrar, store, home):
    row = make.make_kept(
        store, home.account, home.father, Relation.WARD, agreed_at=None,
        basis="guardianship",
    )  # fmt: skip
    assert "1 заявка семьи" in words(registrar.page("/staff/"))
    page = words(registrar.page("/staff/families/"))
    assert home.mother.full_name in page and home.father.full_name in page
    url = f"/staff/families/{home.account.uid}/{home.father.uid}/"
    assert registrar.send(url, {"say": "yes"}).status_code == 303
    store.expire_all()
    assert store.get(AccountPerson, row.id).agreed_at == NOW
    assert "семьи" not in words(registrar.page("/staff/").xpath("//main")[0])
    for say in ("yes", "no"):  # pressed twice
        assert registrar.send(url, {"say": say}).status_code == 303
        assert "решение уже принято" in words(registrar.page("/staff/families/"))
    store.expire_all()
    assert store.get(AccountPerson, row.id).ends_at is None
    assert letters(store) == [MessageKind.FAMILY_DECIDED]


def test_a_relatives_card_is_closed_by_staff(registrar, as_staff, store, home, app):
    make.make_kept(store, home.account, home.child, basis="birth_certificate")
    of_child = f"/staff/families/card/{home.child.uid}/"
    end = f"/staff/families/{home.account.uid}/{home.child.uid}/end/"
    for page in (of_child, f"/staff/families/card/{home.mother.uid}/"):  # from either side
        shown = registrar.page(page)
        assert end in shown.xpath("//main//a/@href")
        assert home.child.full_name in words(shown)
    assert home.mother.full_name in words(registrar.page(of_child))
    assert registrar.submit(end, {"reason": " "}).status_code == 422
    assert as_staff(Role.OPERATOR, home.tenant.root).get(end).status_code == 403
    assert registrar.submit(end, {"reason": "Лишение прав, решение суда"}).status_code == 303
    assert "в чужих кабинетах эта карта не видна" in words(registrar.page(of_child))
    assert registrar.send(end, {"reason": "Ещё раз"}).location == of_child  # pressed twice
    assert "Эта связь уже прекращена" in words(registrar.page(of_child))
    letter = store.scalars(select(Message).where(Message.kind == MessageKind.FAMILY_ENDED)).one()
    with app.app_context():
        body = render(letter, now=NOW).get_body(("plain",)).get_content()
    assert "Доступ закрыла регистратура" in body and home.child.full_name in body
    assert "Лишение" not in body


def test_a_referral_is_given_and_withdrawn(registrar, store, home):
    url = f"/staff/referrals/card/{home.mother.uid}/"
    assert registrar.submit(url, {}).status_code == 422
    fields = {
        "specialty": str(home.specialist.specialty.uid),
        "role": str(home.therapist.uid),
        "valid_until": (NOW.date() + dt.timedelta(days=30)).isoformat(),
    }
    late = registrar.submit(url, fields | {"valid_until": "2030-01-01"})
    assert late.status_code == 422 and "не дольше года" in words(late)
    assert registrar.submit(url, fields).status_code == 303
    row = store.scalars(select(Referral)).one()
    assert row.role_id == home.therapist.id
    assert "Врач-невролог" in words(registrar.page("/staff/referrals/"))
    assert registrar.send(f"/staff/referrals/{row.uid}/withdraw/", {}).status_code == 303
    store.expire_all()
    assert store.get(Referral, row.id).withdrawn_at == NOW


def test_others_do_not_see_these_pages(as_staff, store, home):
    for role in (Role.OPERATOR, Role.SCHEDULER):
        other = as_staff(role, home.tenant.root)
        for path in ("attachments", "families", "referrals"):
            assert other.get(f"/staff/{path}/").status_code == 403
