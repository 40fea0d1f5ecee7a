"""Registration, the link in the letter, sign-in, a forgotten password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Account, Consent, Donor, Message, OneTimeLink
from app.models.enums import LinkPurpose, MessageKind
from app.rules import links, throttle
from tests import make
from tests.client import Visitor, parsed, words

ANSWERS: dict[str, Any] = {
    "email": "Novaya@Example.ru ",
    "password": "сорок-два-синих-облака",
    "blood_group": "B",
    "rh": "-",
    "kell": "-",
    "donor_code": "456545",
    "consent": "y",
}


def link_in(store: Session, purpose: LinkPurpose) -> str:
    """The token of the newest letter."""
    link = store.scalars(
        select(OneTimeLink).where(OneTimeLink.purpose == purpose).order_by(OneTimeLink.id.desc())
    ).first()
    assert link is not None
    return links.token(link)


def kinds(store: Session) -> list[MessageKind]:
    return list(store.scalars(select(Message.kind).order_by(Message.id)))


def test_registration_takes_six_fields_and_a_consent_and_sends_a_letter(
    client: Visitor, store: Session
) -> None:
    tenant = make.make_tenant(store)
    response = client.submit("/register", ANSWERS, follow_redirects=True)
    assert "Проверьте почту" in words(response)
    account = store.scalars(select(Account)).one()
    donor = store.scalars(select(Donor)).one()
    consent = store.scalars(select(Consent)).one()
    assert (account.email, account.email_confirmed_at) == ("novaya@example.ru", None)
    assert (donor.donor_code, donor.blood_type) == ("456545", make.B_NEGATIVE)
    assert consent.text_id == tenant.consent_text.id
    assert kinds(store) == [MessageKind.CONFIRM_EMAIL]


def test_the_box_of_the_consent_is_not_ticked_beforehand_and_its_text_is_on_the_page(
    client: Visitor, store: Session
) -> None:
    tenant = make.make_tenant(store)
    page = client.page("/register")
    [box] = page.xpath("//input[@name='consent']")
    assert box.get("checked") is None
    assert tenant.consent_text.text_ru.split("\n")[0] in words(page)
    assert "На Госуслугах код может отличаться" in words(page)


@pytest.mark.parametrize("left_out", list(ANSWERS))
def test_each_field_is_needed_and_what_was_typed_stays(
    client: Visitor, store: Session, left_out: str
) -> None:
    make.make_tenant(store)
    empty = None if left_out == "consent" else ""
    response = client.submit("/register", ANSWERS | {left_out: empty})
    page = parsed(response)
    assert response.status_code == 400
    [link] = page.xpath("//*[@id='errors']//a/@href")
    assert link == f"#{left_out}"
    [field] = page.xpath(f"//*[@id='{left_out}']")
    assert field.get("aria-invalid") == "true"
    described = (field.get("aria-describedby") or "").split()
    assert all(page.xpath(f"//*[@id='{part}']") for part in described)
    assert page.xpath("//input[@name='password']")[0].get("value") in (None, "")
    if left_out != "donor_code":
        assert page.xpath("//input[@name='donor_code']")[0].get("value") == "456545"
    assert not store.scalars(select(Account)).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no-at-sign"),
        ("email", "a" * 250 + "@example.ru"),
        ("password", "short"),
        ("password", "password"),
        ("password", "x" * 129),
        ("blood_group", "C"),
        ("rh", "±"),
        ("donor_code", "٤٥٦"),
        ("donor_code", "4" * 21),
        ("donor_code", "45 65"),
    ],
)
def test_what_cannot_be_right_is_refused_at_its_field(
    client: Visitor, store: Session, field: str, value: str
) -> None:
    make.make_tenant(store)
    response = client.send("/register", ANSWERS | {field: value})
    assert response.status_code == 400
    assert f'href="#{field}"' in response.get_data(as_text=True)


def test_a_known_address_gets_the_same_page_and_another_letter(
    client: Visitor, store: Session
) -> None:
    tenant = make.make_tenant(store)
    known = make.make_donor(store, tenant, email="novaya@example.ru")
    before = known.donor.donor_code
    response = client.submit("/register", ANSWERS, follow_redirects=True)
    assert "Проверьте почту" in words(response)
    assert kinds(store) == [MessageKind.ALREADY_REGISTERED]
    assert store.scalars(select(Donor)).one().donor_code == before


def test_a_consent_that_has_changed_meanwhile_is_asked_for_again(
    client: Visitor, store: Session
) -> None:
    make.make_tenant(store)
    answers = ANSWERS | {"consent_text": "00000000-0000-4000-8000-000000000000"}
    response = client.send("/register", answers)
    assert response.status_code == 409
    assert "изменился" in words(response)
    assert not store.scalars(select(Account)).all()


def test_with_several_centres_the_choice_of_one_comes_first(
    client: Visitor, store: Session
) -> None:
    make.make_tenant(store)
    other = make.make_tenant(store, name="Речной центр")
    page = client.page("/register")
    assert not page.xpath("//main//form")
    [link] = page.xpath("//main//a[contains(., 'Речной центр')]/@href")
    client.submit(link, ANSWERS)
    assert store.scalars(select(Donor)).one().tenant_id == other.id


def test_opening_the_link_confirms_nothing_and_pressing_the_button_does(
    client: Visitor, store: Session
) -> None:
    make.make_tenant(store)
    client.submit("/register", ANSWERS)
    url = f"/confirm-email/{link_in(store, LinkPurpose.CONFIRM_EMAIL)}"
    first = client.get(url)
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert store.scalars(select(Account)).one().email_confirmed_at is None
    done = client.submit(url, follow_redirects=True)
    assert "Адрес подтверждён" in words(done)
    assert store.scalars(select(Account)).one().email_confirmed_at is not None
    assert client.get(url).status_code == 410


@pytest.mark.parametrize("token", ["1.wrong", "x", "0", "9" * 30 + ".a", "%D1%8F.1", "1."])
def test_a_wrong_link_says_how_to_get_a_new_one(
    client: Visitor, store: Session, token: str
) -> None:
    make.make_tenant(store)
    for page in ("confirm-email", "reset-password"):
        response = client.get(f"/{page}/{token}")
        assert response.status_code == 410
        assert "Ссылка" in words(response) or "ссылк" in words(response)


def test_a_link_is_too_old_after_a_day(client: Visitor, store: Session, clock: Any) -> None:
    make.make_tenant(store)
    client.submit("/register", ANSWERS)
    url = f"/confirm-email/{link_in(store, LinkPurpose.CONFIRM_EMAIL)}"
    clock.forward(hours=24, seconds=1)
    assert client.get(url).status_code == 410


def test_the_letter_can_be_sent_again_and_the_old_link_dies(
    client: Visitor, store: Session, clock: Any
) -> None:
    make.make_tenant(store)
    client.submit("/register", ANSWERS)
    old = link_in(store, LinkPurpose.CONFIRM_EMAIL)
    clock.forward(minutes=1)
    response = client.submit("/register/sent", form="/register/resend", follow_redirects=True)
    assert "Письмо отправлено ещё раз" in words(response)
    assert kinds(store) == [MessageKind.CONFIRM_EMAIL] * 2
    assert client.get(f"/confirm-email/{old}").status_code == 410
    fresh = link_in(store, LinkPurpose.CONFIRM_EMAIL)
    assert client.get(f"/confirm-email/{fresh}").status_code == 200


def test_an_unconfirmed_address_cannot_sign_in(client: Visitor, store: Session) -> None:
    make.make_tenant(store)
    client.submit("/register", ANSWERS)
    answers = {"email": ANSWERS["email"], "password": ANSWERS["password"]}
    response = client.submit("/sign-in", answers, follow_redirects=True)
    assert "Проверьте почту" in words(response)
    assert client.get("/profile").status_code == 303


def test_sign_in_leads_back_to_where_one_came_from(client: Visitor, store: Session) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    asked = client.get("/bookings")
    assert asked.status_code == 303
    response = client.submit(
        asked.headers["Location"], {"email": donor.account.email, "password": make.PASSWORD}
    )
    assert (response.status_code, response.headers["Location"]) == (303, "/bookings")
    assert client.get("/bookings").status_code == 200


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:1"],
)
def test_sign_in_never_leads_to_another_site(client: Visitor, store: Session, target: str) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    answers = {"email": donor.account.email, "password": make.PASSWORD, "next": target}
    assert client.send("/sign-in", answers).headers["Location"] == "/"


def test_a_wrong_address_and_a_wrong_password_look_alike(
    new_client: Callable[[], Visitor], store: Session
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    pages = []
    for email, password in ((donor.account.email, "wrong-wrong"), ("nobody@example.ru", "x")):
        client = new_client()
        response = client.submit("/sign-in", {"email": email, "password": password})
        assert response.status_code == 400
        pages.append(words(response))
    assert pages[0] == pages[1]


def test_guessing_is_stopped_with_the_time_to_wait(client: Visitor, store: Session) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    answers = {"email": donor.account.email, "password": "wrong-wrong"}
    for _ in range(throttle.LIMITS["sign_in"].tries):
        assert client.send("/sign-in", answers).status_code == 400
    response = client.send("/sign-in", answers | {"password": make.PASSWORD})
    assert response.status_code == 429
    assert "Попробуйте снова через 5" in words(response)


def test_signing_out_ends_the_session_and_needs_a_post(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    client = as_account(make.make_donor(store, make.make_tenant(store)))
    assert client.get("/sign-out").status_code == 405
    client.submit("/bookings", form="/sign-out")
    assert client.get("/bookings").status_code == 303


def test_a_forgotten_password_is_replaced_by_the_letters_link_and_all_sessions_end(
    as_account: Callable[..., Visitor], client: Visitor, store: Session
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    elsewhere = as_account(donor)
    client.submit("/forgot-password", {"email": donor.account.email})
    url = f"/reset-password/{link_in(store, LinkPurpose.RESET_PASSWORD)}"
    assert client.submit(url, {"password": "short"}).status_code == 400
    client.submit(url, {"password": "новая-тихая-фраза"})
    assert client.get(url).status_code == 410
    assert elsewhere.get("/profile").status_code == 303
    answers = {"email": donor.account.email, "password": "новая-тихая-фраза"}
    assert client.submit("/sign-in", answers).status_code == 303


def test_asking_for_a_new_password_never_tells_whether_the_address_is_known(
    client: Visitor, store: Session
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    known = client.submit("/forgot-password", {"email": donor.account.email})
    unknown = client.submit("/forgot-password", {"email": "nobody@example.ru"})
    assert known.headers["Location"] == unknown.headers["Location"] == "/forgot-password/sent"
    assert known.status_code == unknown.status_code == 303
