"""The donor's own data: all shown, only the code and the password can be changed (A12)."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from tests import make
from tests.client import Visitor, words


def test_everything_is_shown_and_only_the_code_and_the_password_can_be_changed(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    donor = make.make_donor(store, make.make_tenant(store), donor_code="456545")
    page = as_account(donor).page("/profile")
    text = words(page)
    for shown in (donor.account.email, "III (B) −", "Отрицательный", "456545"):
        assert shown in text
    names = {n for n in page.xpath("//main//input/@name") if n != "csrf_token"}
    assert names == {
        "donor_code",
        "current",
        "password",
        "by-factor",
        "by-phone",
        "by-current",
    }


def test_the_code_can_be_corrected(as_account: Callable[..., Visitor], store: Session) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    client = as_account(donor)
    done = client.submit(
        "/profile", {"donor_code": "777001"}, form="/profile/code", follow_redirects=True
    )
    assert "Код донора изменён" in words(done)
    store.expire_all()
    assert donor.donor.donor_code == "777001"
    bad = client.submit("/profile", {"donor_code": "7 7"}, form="/profile/code")
    assert bad.status_code == 400


def test_other_fields_are_not_taken_from_the_form(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    email = donor.account.email
    extra = {"donor_code": "777001", "email": "x@example.ru", "blood_group": "O", "rh": "+"}
    as_account(donor).send("/profile/code", extra)
    store.expire_all()
    assert donor.account.email == email
    assert donor.donor.blood_type == make.B_NEGATIVE


def test_the_code_is_locked_while_a_booking_waits(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    tenant = make.make_tenant(store)
    donor = make.make_donor(store, tenant)
    before = donor.donor.donor_code
    make.make_appointment(store, tenant, donor, make.make_schedule(store, tenant))
    response = as_account(donor).send("/profile/code", {"donor_code": "777001"})
    assert response.status_code == 409
    store.expire_all()
    assert donor.donor.donor_code == before


def test_a_new_password_needs_the_present_one_and_ends_other_sessions(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    here, elsewhere = as_account(donor), as_account(donor)
    wrong = here.send("/profile/password", {"current": "no", "password": "новая-тихая-фраза"})
    assert wrong.status_code == 409
    assert elsewhere.get("/profile").status_code == 200
    done = here.send(
        "/profile/password", {"current": make.PASSWORD, "password": "новая-тихая-фраза"}
    )
    assert done.status_code == 303
    assert here.get("/profile").status_code == 200
    assert elsewhere.get("/profile").status_code == 303
