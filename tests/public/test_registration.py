"""A patient registers by policy, birth date and full name; the card opens when the address is confirmed (C1–C7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Account, AccountPerson, Consent, Donor, Message, Person, PersonDocument
from app.models.cabinet_choices import ContactKind
from app.models.enums import LinkPurpose, MessageKind, Relation
from app.models.sign_in import ContactProof
from app.rules import throttle
from tests import make
from tests.client import Visitor, parsed, words
from tests.public.clinic import BORN, DMS, POLICY, Clinic, make_clinic
from tests.public.test_accounts import ANSWERS as DONOR
from tests.public.test_accounts import link_in

ANSWERS: dict[str, Any] = {
    "family_name": "Рябинина",
    "given_name": "Анна",
    "patronymic": "Петровна",
    "birth_date": BORN,
    "series": "",
    "number": POLICY,
    "email": "Anna@Example.ru",
    "password": "сорок-два-синих-облака",
    "consent": "y",
}
CARD = {name: value for name, value in ANSWERS.items() if name not in ("email", "password")}


@pytest.fixture
def clinic(store: Session) -> Clinic:
    return make_clinic(store, "cabinet")


def register(client: Visitor, **changes: Any) -> Any:
    return client.submit("/register/patient", ANSWERS | changes)


def confirm(client: Visitor, store: Session) -> str:
    """Press the letter's link; what the next page says."""
    url = f"/confirm-email/{link_in(store, LinkPurpose.CONFIRM_EMAIL)}"
    return words(client.submit(url, follow_redirects=True))


def own(store: Session) -> list[AccountPerson]:
    return list(store.scalars(select(AccountPerson)))


def test_the_card_opens_after_the_letter_s_link_and_not_before(
    client: Visitor, store: Session, clinic: Clinic
) -> None:
    assert register(client).headers["Location"] == "/register/sent"
    account = store.scalars(select(Account)).one()
    assert account.email == "anna@example.ru"
    assert not own(store) and not store.scalars(select(Consent)).all()
    signed = client.submit(
        "/sign-in", {"email": account.email, "password": ANSWERS["password"]}, follow_redirects=True
    )
    assert "Проверьте почту" in words(signed)
    assert "ваша карта найдена" in confirm(client, store)
    [kept] = own(store)
    assert (kept.person_id, kept.relation) == (clinic.patient.id, Relation.SELF)
    consent = store.scalars(select(Consent)).one()
    assert (consent.account_id, consent.text_id) == (account.id, clinic.tenant.consent_text.id)
    assert not store.scalars(select(ContactProof)).all()
    client.submit("/sign-in", {"email": account.email, "password": ANSWERS["password"]})
    assert "Рябинина А. П." in words(client.page("/cabinet"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"family_name": "Рябина"},
        {"given_name": "Инна"},
        {"patronymic": ""},
        {"birth_date": "15.02.1985"},
        {"number": "7712345678901243"},
    ],
)
def test_a_policy_s_number_alone_opens_nothing(
    client: Visitor, store: Session, clinic: Clinic, wrong: dict[str, str]
) -> None:
    """One sentence whatever does not agree; nobody's card, and no new one: the desk makes it (B15)."""
    sent = register(client, **wrong)
    assert sent.headers["Location"] == "/register/sent"
    said = confirm(client, store)
    assert "ваша карта не нашлась" in said and "регистратуру" in said
    assert not own(store)
    assert len(store.scalars(select(Person)).all()) == 1
    assert not store.scalars(select(ContactProof)).all()


def test_registering_looks_nothing_up(client: Visitor, store: Session, clinic: Clinic) -> None:
    """Known or not, the page, the rows and the tries are the same."""
    pages = []
    for number, email in ((POLICY, "one@example.ru"), ("7712345678901243", "two@example.ru")):
        pages.append(
            words(
                client.submit(
                    "/register/patient",
                    ANSWERS | {"number": number, "email": email},
                    follow_redirects=True,
                )
            ).replace(email, "")
        )
    assert pages[0] == pages[1]
    assert len(store.scalars(select(ContactProof)).all()) == 2


def test_a_card_of_another_cabinet_is_opened_at_the_desk_only(
    client: Visitor, store: Session, clinic: Clinic
) -> None:
    other = make.make_account(store)
    link = AccountPerson(
        account_id=other.id, person_id=clinic.patient.id, tenant_id=clinic.tenant.id
    )
    store.add(link)
    register(client)
    assert "ваша карта не нашлась" in confirm(client, store)
    assert [kept.account_id for kept in own(store)] == [other.id]


def test_one_address_is_one_account(client: Visitor, store: Session, clinic: Clinic) -> None:
    known = make.make_account(store, email="anna@example.ru")
    before = known.password_hash
    assert register(client).headers["Location"] == "/register/sent"
    assert store.scalars(select(Message.kind)).all() == [MessageKind.ALREADY_REGISTERED]
    store.refresh(known)
    assert known.password_hash == before
    assert not store.scalars(select(ContactProof)).all()


def test_the_page_says_where_the_number_stands_and_marks_what_is_needed(
    client: Visitor, clinic: Clinic
) -> None:
    page = client.page("/register/patient")
    text = words(page)
    for said in (
        "16 знаков",
        "Цифры на обороте листа номером полиса не являются",
        "серию можно не вводить",
        "Полис добровольного страхования (ДМС) не подходит",
        "Продолжить",
    ):
        assert said in text
    needed = {f.get("name") for f in page.xpath("//main//input[@required]")}
    assert needed == {
        "family_name", "given_name", "birth_date", "number", "email", "password", "consent",
    }  # fmt: skip
    assert page.xpath("//input[@name='consent']")[0].get("checked") is None


@pytest.mark.parametrize(
    "left_out", [name for name in ANSWERS if name not in ("series", "patronymic")]
)
def test_each_field_is_needed_and_what_was_typed_stays(
    client: Visitor, store: Session, clinic: Clinic, left_out: str
) -> None:
    response = register(client, **{left_out: None if left_out == "consent" else ""})
    page = parsed(response)
    assert response.status_code == 400
    assert page.xpath("//*[@id='errors']//a/@href") == [f"#{left_out}"]
    kept = page.xpath("//input[@name='family_name']")[0].get("value")
    assert kept == ("" if left_out == "family_name" else "Рябинина")
    assert not store.scalars(select(Account)).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"number": "7712345678901234"}, "последняя цифра не подходит"),
        ({"number": "771234567890123"}, "введено цифр: 15"),
        ({"number": "1234567"}, "введите и серию"),
        ({"number": "АЛЬФА12345678"}, "должны быть только цифры"),
        ({"series": "!!"}, "Только буквы и цифры"),
    ],
)
def test_a_slip_in_the_policy_is_said_at_its_field(
    client: Visitor, clinic: Clinic, changes: dict[str, str], said: str
) -> None:
    response = register(client, **changes)
    assert response.status_code == 400
    assert said in words(response)


def test_an_older_policy_has_a_series_and_a_shorter_number(
    client: Visitor, store: Session, clinic: Clinic
) -> None:
    make.make_document(store, clinic.patient, number="1234567")
    register(client, series="ЯП", number="1234567")
    assert "ваша карта найдена" in confirm(client, store)


def test_dms_is_taken_where_the_rules_of_booking_name_it(client: Visitor, store: Session) -> None:
    make_clinic(store, "registry")
    register(client, kind="dms", number=DMS)
    assert "ваша карта найдена" in confirm(client, store)


def test_a_consent_that_has_changed_meanwhile_is_asked_for_again(
    client: Visitor, store: Session, clinic: Clinic
) -> None:
    answers = ANSWERS | {"consent_text": make.NOBODYS_UID}
    response = client.send("/register/patient", answers)
    assert response.status_code == 409
    assert not store.scalars(select(Account)).all()


def test_guessing_names_through_registration_is_limited(
    new_client: Callable[[], Visitor], store: Session, clinic: Clinic, clock: Any
) -> None:
    """Each letter's link is a try against the number: five in an hour, whoever asks."""
    for number in range(throttle.LIMITS["identify_document"].tries):
        client = new_client()
        register(client, email=f"a{number}@example.ru", given_name=f"Имя{'аб'[number % 2]}")
        assert "не нашлась" in confirm(client, store)
        clock.forward(seconds=1)
    client = new_client()
    register(client, email="right@example.ru")
    assert "не нашлась" in confirm(client, store)
    assert not own(store)


def test_a_link_is_used_once_and_expires_with_its_claim(
    client: Visitor, store: Session, clinic: Clinic, clock: Any
) -> None:
    register(client)
    url = f"/confirm-email/{link_in(store, LinkPurpose.CONFIRM_EMAIL)}"
    clock.forward(hours=24)
    assert client.get(url).status_code == 410
    client.submit("/register/sent", form="/register/resend")
    assert "Адрес подтверждён" in confirm(client, store)
    assert not own(store)  # the claim was as old as the first link
    assert client.get(url).status_code == 410


def test_a_donor_finds_a_card_in_each_organization(
    as_account: Callable[..., Visitor], store: Session, clinic: Clinic
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    client = as_account(donor)
    assert client.get("/register/patient").headers["Location"].startswith("/cabinet/find-card")
    wrong = client.submit("/cabinet/find-card", CARD | {"given_name": "Инна"})
    assert (wrong.status_code, len(own(store))) == (409, 1)
    done = client.submit("/cabinet/find-card", CARD, follow_redirects=True)
    assert "карта найдена" in words(done)
    assert {kept.person_id for kept in own(store)} == {donor.person.id, clinic.patient.id}
    assert "уже в кабинете" in words(client.page("/cabinet/find-card"))


def test_a_patient_becomes_a_donor_in_the_same_cabinet(
    as_account: Callable[..., Visitor], store: Session, clinic: Clinic
) -> None:
    centre = make.make_tenant(store)
    account = make.make_account(store)
    store.add(
        AccountPerson(
            account_id=account.id, person_id=clinic.patient.id, tenant_id=clinic.tenant.id
        )
    )
    client = as_account(account)
    page = client.page("/register")
    assert "Сдавать кровь" in words(page)
    answers = {name: value for name, value in DONOR.items() if name not in ("email", "password")}
    done = client.submit("/register?as=donor", answers)
    assert done.status_code == 303
    donor = store.scalars(select(Donor)).one()
    assert {kept.person_id for kept in own(store)} == {clinic.patient.id, donor.person_id}
    assert donor.tenant_id == centre.id
    assert client.get("/register?as=donor").headers["Location"] == "/profile"


def test_a_claim_is_encrypted_and_swept_away(
    client: Visitor, store: Session, clinic: Clinic, clock: Any
) -> None:
    from app.rules import account_factor

    register(client)
    [proof] = store.scalars(select(ContactProof)).all()
    assert proof.kind is ContactKind.CARD
    assert POLICY.encode() not in proof.value_ciphertext and POLICY in proof.value
    account_factor.sweep(store, now=clock.now + dt.timedelta(hours=25))
    assert not store.scalars(select(ContactProof)).all()


def test_the_number_is_written_into_no_registry(
    client: Visitor, store: Session, clinic: Clinic
) -> None:
    before = len(store.scalars(select(PersonDocument)).all())
    register(client, number="7712345678901243")
    confirm(client, store)
    assert len(store.scalars(select(PersonDocument)).all()) == before
