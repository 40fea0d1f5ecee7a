"""The door: two steps, invitation, one's own password, out; every guess is counted."""

from __future__ import annotations

import datetime as dt

import pyotp
import pytest
from sqlalchemy import select

from app.models import AuditEvent, OneTimeLink, StaffUser, WebSession
from app.models.enums import LinkPurpose, Role
from app.rules import links
from tests import make
from tests.client import words

SIGN_IN, SECOND = "/staff/sign-in/", "/staff/second-step/"
LONG = "четыре слова легко запомнить"


def code(now, seed=make.TOTP_SEED):
    return pyotp.TOTP(seed).at(now)


@pytest.fixture
def user(store):
    tenant = make.make_tenant(store)
    return make.make_staff(store, Role.ADMINISTRATOR, tenant.root)


def first_step(client, user, password=make.PASSWORD, **kwargs):
    return client.submit(SIGN_IN, {"email": user.email, "password": password}, **kwargs)


def test_password_then_code_opens_the_page_one_wanted(client, user, clock, store):
    response = client.submit(
        f"{SIGN_IN}?next=/staff/reasons/", {"email": user.email.upper(), "password": make.PASSWORD}
    )
    assert response.status_code == 303
    assert client.get("/staff/reasons/").status_code == 303  # half way is nowhere
    response = client.submit(response.location, {"code": code(clock.now)}, form="step")
    assert response.location == "/staff/reasons/"
    assert client.get("/staff/reasons/").status_code == 200
    assert store.scalars(select(AuditEvent.verb)).all() == ["staff.sign_in"]


def test_wrong_address_and_wrong_password_look_the_same(client, user, store):
    store.add(
        StaffUser(email="invited@example.org", full_name="Ждёт Приглашения", created_at=make.NOW)
    )
    answers = {
        words(client.submit(SIGN_IN, {"email": email, "password": password})).replace(email, "")
        for email, password in (
            (user.email, "не тот пароль совсем"),
            ("nobody@example.org", make.PASSWORD),
            ("invited@example.org", make.PASSWORD),
        )
    }
    assert len(answers) == 1
    assert "Неверный адрес или пароль" in answers.pop()


def test_a_switched_off_colleague_does_not_sign_in(client, user, store):
    user.is_active = False
    assert first_step(client, user).status_code == 422


def test_guessing_a_password_ends_after_ten(client, user, clock):
    for _ in range(10):
        assert first_step(client, user, "не тот пароль").status_code == 422
    assert "Слишком много попыток" in words(first_step(client, user))
    assert client.get("/staff/").status_code == 303
    clock.forward(minutes=6)
    assert first_step(client, user).status_code == 303


def test_guessing_a_code_ends_after_five_even_with_the_right_one(client, user, clock):
    first_step(client, user)
    for _ in range(5):
        assert client.submit(SECOND, {"code": "000000"}, form="step").status_code == 422
    assert "Слишком много попыток" in words(
        client.submit(SECOND, {"code": code(clock.now)}, form="step")
    )
    clock.forward(minutes=6)
    assert client.submit(SECOND, {"code": code(clock.now)}, form="step").status_code == 303


def test_a_code_opens_one_session_once(new_client, user, clock):
    first, second = new_client(), new_client()
    first_step(first, user)
    first_step(second, user)
    given = code(clock.now)
    assert first.submit(SECOND, {"code": given}, form="step").status_code == 303
    response = second.submit(SECOND, {"code": given}, form="step")
    assert response.status_code == 422 and "уже использован" in words(response)
    clock.forward(seconds=30)
    assert (
        second.submit(
            SECOND, {"code": f" {code(clock.now)[:3]} {code(clock.now)[3:]} "}, form="step"
        ).status_code
        == 303
    )


@pytest.mark.parametrize(("seconds", "opens"), [(-90, False), (-30, True), (30, True), (90, False)])
def test_a_telephone_s_clock_may_be_half_a_minute_off(client, user, clock, seconds, opens):
    first_step(client, user)
    given = code(clock.now + dt.timedelta(seconds=seconds))
    assert (client.submit(SECOND, {"code": given}, form="step").status_code == 303) is opens


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "٣٣٣٣٣٣", "\u202e123456", "0" * 500]
)
def test_what_is_no_code_is_refused(client, user, typed):
    first_step(client, user)
    assert client.submit(SECOND, {"code": typed}, form="step").status_code == 422


def test_the_session_of_before_is_worthless_after_each_step(client, user, clock, store):
    """What somebody fixed or copied before does not become signed in."""
    first_step(client, user)
    before = client.get_cookie("talon-staff").value
    client.submit(SECOND, {"code": code(clock.now)}, form="step")
    thief = client.application.test_client()
    thief.set_cookie("talon-staff", before)
    assert thief.get("/staff/reasons/").status_code == 303
    assert len(store.scalars(select(WebSession)).all()) == 1


def test_out_is_out_also_for_a_copied_cookie(as_staff, user):
    client = as_staff(user)
    copied = client.get_cookie("talon-staff").value
    client.submit("/staff/password/", {}, form="/staff/sign-out/")
    thief = client.application.test_client()
    thief.set_cookie("talon-staff", copied)
    assert thief.get("/staff/").status_code == 303
    assert client.get("/staff/").status_code == 303


def invitation(store, user, now):
    link = links.issue(store, purpose=LinkPurpose.STAFF_INVITE, staff_user_id=user.id, now=now)
    return links.token(link)


@pytest.fixture
def invited(store):
    tenant = make.make_tenant(store)
    return make.make_staff(
        store,
        Role.REGISTRAR,
        tenant.branch,
        password_hash=None,
        totp_seed=None,
        totp_confirmed_at=None,
    )


def accept(client, token, password=LONG, again=None):
    client.get(f"/staff/invitation/{token}")
    return client.submit("/staff/invitation/", {"password": password, "again": again or password})


def test_an_invited_colleague_walks_in(client, invited, store, clock):
    """Link, password, telephone, in; nothing before the telephone is set up."""
    token = invitation(store, invited, clock.now)
    response = client.get(f"/staff/invitation/{token}")
    assert response.location == "/staff/invitation/"  # the token leaves the address at once
    assert invited.email in words(client.page("/staff/invitation/"))
    assert accept(client, token).location == SECOND
    assert client.get("/staff/").location.startswith(SECOND)
    assert "TOTP" in words(client.page(SECOND))
    client.send("/staff/second-step/set-up/", {"begin": "1"})
    page = client.page("/staff/second-step/set-up/")
    seed = page.xpath("//p[@class='key']/text()")[0].replace(" ", "")
    assert page.xpath("//img/@src")[0].startswith("data:image/svg+xml")
    assert client.submit("/staff/second-step/set-up/", {"code": "000000"}).status_code == 422
    assert (
        client.submit("/staff/second-step/set-up/", {"code": code(clock.now, seed)}).location
        == "/staff/"
    )
    assert client.get("/staff/").status_code == 200
    assert invited.totp_seed == seed and invited.totp_confirmed_at == clock.now


def test_a_seed_that_is_confirmed_is_never_shown_again(client, user):
    first_step(client, user)
    response = client.get("/staff/second-step/set-up/")
    assert response.status_code == 303
    response = client.send("/staff/second-step/set-up/", {"begin": "1"})
    assert user.totp_seed == make.TOTP_SEED
    assert make.TOTP_SEED not in response.get_data(as_text=True)


def test_an_invitation_works_once(new_client, invited, store, clock):
    token = invitation(store, invited, clock.now)
    assert accept(new_client(), token).status_code == 303
    late = new_client()
    late.get(f"/staff/invitation/{token}")
    response = late.get("/staff/invitation/")
    assert response.status_code == 410 and "больше не работает" in words(response)


def test_looking_at_an_invitation_uses_nothing_up(client, invited, store, clock):
    """Programs that read mail open every link."""
    token = invitation(store, invited, clock.now)
    for _ in range(3):
        client.get(f"/staff/invitation/{token}")
        client.get("/staff/invitation/")
    assert store.scalars(select(OneTimeLink)).one().used_at is None
    assert accept(client, token).status_code == 303


def test_an_invitation_ends_after_three_days(client, invited, store, clock):
    token = invitation(store, invited, clock.now)
    clock.forward(days=3, seconds=1)
    client.get(f"/staff/invitation/{token}")
    assert client.get("/staff/invitation/").status_code == 410


@pytest.mark.parametrize("text", ["x", "1.abc", "999999999999999999999.abc", "%00", "а" * 300])
def test_a_made_up_invitation_is_over(client, store, text):
    client.get(f"/staff/invitation/{text}")
    assert client.get("/staff/invitation/").status_code in (400, 410)


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("короткий", None, "15"),
        (LONG, LONG + "!", "не совпадают"),
        ("я" * 129, None, ""),
    ],
)
def test_a_weak_password_is_refused_and_the_link_stays(
    client, invited, store, clock, password, again, sentence
):
    token = invitation(store, invited, clock.now)
    response = accept(client, token, password, again)
    assert response.status_code == 422 and sentence in words(response)
    assert accept(client, token).status_code == 303


def test_one_s_own_password_ends_the_other_sessions(as_staff, user, store):
    here, there = as_staff(user), as_staff(user)
    response = here.submit(
        "/staff/password/", {"current": make.PASSWORD, "password": LONG, "again": LONG}, form=""
    )
    assert response.status_code == 303
    assert here.get("/staff/").status_code == 200
    assert there.get("/staff/").status_code == 303


def test_one_s_own_password_needs_the_present_one(as_staff, user):
    client = as_staff(user)
    response = client.submit(
        "/staff/password/", {"current": "не тот", "password": LONG, "again": LONG}
    )
    assert response.status_code == 422 and "Это не ваш пароль" in words(response)
    client.page("/staff/")


def test_passwords_and_codes_are_not_sent_back(client, user):
    secret = "совсем-секретно-123456"
    response = first_step(client, user, secret)
    assert secret not in response.get_data(as_text=True)


def test_pages_of_the_door_are_kept_by_nobody(client, store):
    for url in (SIGN_IN, "/staff/invitation/"):
        assert client.get(url).headers["Cache-Control"] == "no-store"
