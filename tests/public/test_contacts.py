"""A new e-mail, telephone and policy of one's own cabinet, each proved by its own channel (E55–E56)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.documents import letters, sms
from app.models import Account, AccountEvent, ContactProof, Message, PersonDocument
from app.models.cabinet_choices import AccountEventKind as E
from app.models.cabinet_choices import ContactKind
from app.models.enums import DocumentKind
from app.models.enums import MessageKind as K
from app.rules import contacts, delivery, documents
from tests import make
from tests.client import Visitor, words
from tests.make import NOW, PASSWORD

NEW = "novaya@example.org"


def policy_number(head: str = "001234567890123") -> str:
    return head + documents.policy_check_digit(head).__str__()


def proof_of(store: Session, account: Account, kind: ContactKind) -> ContactProof:
    return store.scalars(
        select(ContactProof).where(ContactProof.account_id == account.id, ContactProof.kind == kind)
    ).one()


def kinds(store: Session, account: Account) -> list[E]:
    query = select(AccountEvent.kind).where(AccountEvent.account_id == account.id)
    return list(store.scalars(query.order_by(AccountEvent.id)))


def test_an_account_without_a_card_has_a_profile(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    make.make_tenant(store)
    account = make.make_account(store, email=None, email_confirmed_at=None)
    text = words(as_account(account).page("/profile"))
    assert "Указать: Электронная почта" in text and "Код донора" not in text


def test_a_new_address_holds_once_its_link_is_opened_and_the_old_one_is_told(
    as_account: Callable[..., Visitor], store: Session, app: Any
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    old, client = donor.account.email, as_account(donor)
    wrong = client.submit("/profile/email", {"email": NEW, "current": "не тот"})
    assert wrong.status_code == 409 and "Текущий пароль указан неверно" in words(wrong)
    client.submit("/profile/email", {"email": NEW, "current": PASSWORD})
    assert donor.account.email == old
    message = store.scalars(select(Message).where(Message.kind == K.EMAIL_CHANGE)).one()
    proof = proof_of(store, donor.account, ContactKind.EMAIL)
    path = f"/profile/email/{contacts.email_token(proof)}"
    with app.app_context():
        letter = letters.render(message, now=NOW)
        assert letter["To"] == NEW and path in letter.get_body(("plain",)).get_content()
    assert delivery.verdict(store, message, now=NOW) is delivery.Verdict.SEND
    stranger = as_account(make.make_donor(store, make.make_tenant(store)))
    assert stranger.get(path).status_code == 410
    assert donor.account.email == old
    client.submit(path)
    assert donor.account.email == NEW
    assert client.get(path).status_code == 410
    told = store.scalars(select(Message).where(Message.kind == K.EMAIL_CHANGED)).one()
    with app.app_context():
        letter = letters.render(told, now=NOW)
        assert letter["To"] == old and "n***@e***.org" in letter.get_body(("plain",)).get_content()
    assert kinds(store, donor.account) == [E.CONTACT]


def test_an_address_of_another_cabinet_gets_no_letter_and_says_nothing(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    tenant = make.make_tenant(store)
    donor, other = make.make_donor(store, tenant), make.make_donor(store, tenant)
    done = as_account(donor).submit(
        "/profile/email", {"email": other.account.email, "current": PASSWORD}
    )
    assert done.status_code == 303
    assert store.scalars(select(Message)).all() == []


def test_the_link_is_over_after_a_day(
    as_account: Callable[..., Visitor], store: Session, clock: Any
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    as_account(donor).submit("/profile/email", {"email": NEW, "current": PASSWORD})
    path = (
        f"/profile/email/{contacts.email_token(proof_of(store, donor.account, ContactKind.EMAIL))}"
    )
    clock.forward(hours=24)
    assert as_account(donor).get(path).status_code == 410


def test_a_new_telephone_holds_once_its_code_is_typed(
    as_account: Callable[..., Visitor], store: Session, app: Any
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    client = as_account(donor)
    client.submit("/profile/phone", {"number": "8 900 123-45-67", "current": PASSWORD})
    message = store.scalars(select(Message).where(Message.kind == K.PHONE_CODE)).one()
    proof = proof_of(store, donor.account, ContactKind.PHONE)
    with app.app_context():
        sent = sms.render(message)
    assert sent.number == "+79001234567" and contacts.phone_code(proof) in sent.text
    bad = client.submit("/profile/phone/code", {"code": "000000"})
    assert bad.status_code == 409 and "Осталось попыток: 4" in words(bad)
    assert donor.account.phone is None
    client.submit("/profile/phone/code", {"code": contacts.phone_code(proof)})
    assert donor.account.phone == "+79001234567" and donor.account.phone_confirmed_at == NOW
    assert kinds(store, donor.account) == [E.CONTACT]
    assert store.scalars(select(Message).where(Message.kind == K.CONTACT_CHANGED)).one()
    assert "+7 *** ***-45-67" in words(client.page("/profile"))


def test_after_five_wrong_codes_the_right_one_is_refused_too(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    client = as_account(donor)
    client.submit("/profile/phone", {"number": "+79001234567", "current": PASSWORD})
    for _ in range(5):
        client.send("/profile/phone/code", {"code": "000000"})
    code = contacts.phone_code(proof_of(store, donor.account, ContactKind.PHONE))
    assert client.send("/profile/phone/code", {"code": code}).status_code == 409
    assert donor.account.phone is None


def test_a_code_is_over_after_ten_minutes(
    as_account: Callable[..., Visitor], store: Session, clock: Any
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    client = as_account(donor)
    client.submit("/profile/phone", {"number": "+79001234567", "current": PASSWORD})
    code = contacts.phone_code(proof_of(store, donor.account, ContactKind.PHONE))
    clock.forward(minutes=10)
    assert client.send("/profile/phone/code", {"code": code}).status_code == 409


def test_a_new_policy_is_masked_checked_and_never_another_cards(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    tenant = make.make_tenant(store)
    donor, other = make.make_donor(store, tenant), make.make_person(store, tenant)
    mine, theirs = policy_number(), policy_number("009999999999999")
    make.make_document(store, other, kind=DocumentKind.OMS, number=theirs)
    client = as_account(donor)
    bad = client.submit("/profile/policy", {"number": mine[:-1] + "x", "current": PASSWORD})
    assert bad.status_code == 400
    refused = client.submit("/profile/policy", {"number": theirs, "current": PASSWORD})
    assert refused.status_code == 409 and "Этот номер здесь принять нельзя" in words(refused)
    assert store.scalars(select(PersonDocument.person_id)).all() == [other.id]
    client.submit("/profile/policy", {"number": mine, "current": PASSWORD})
    assert f"001*****{mine[-3:]}" in words(client.page("/profile"))
    assert mine not in words(client.page("/profile"))
    assert kinds(store, donor.account) == [E.POLICY]


def test_who_has_no_password_signs_in_afresh(
    as_account: Callable[..., Visitor], store: Session, clock: Any
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    donor.account.password_hash = None
    client = as_account(donor)
    assert not client.page("/profile/phone").xpath("//input[@name='current']")
    clock.forward(minutes=16)
    late = client.submit("/profile/phone", {"number": "+79001234567"})
    assert late.status_code == 409 and "Выйдите, войдите снова" in words(late)
    fresh = as_account(donor).submit("/profile/phone", {"number": "+79001234567"})
    assert fresh.status_code == 303
