"""The negative cases of signing in through ESIA, each by a provider that misbehaves on order (reliability.md)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Response
from joserfc import jwt
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Account, WebSession
from app.models.sign_in import AccountIdentity, OidcAttempt
from app.oidc import line
from app.oidc import provider as oidc
from app.provider.site import Client
from tests import make
from tests.client import Visitor, words
from tests.conftest import Clock
from tests.esia import (
    ANNA,
    QUESTION,
    Served,
    changed_query,
    enter,
    esia,
    other_key,
    served,
    slowly,
    there,
    told,
)

__all__ = ["esia", "served"]
NOW = int(make.NOW.timestamp())
NOT_BELIEVED = "Ответ ЕСИА не удалось проверить"
AWAY = "ЕСИА сейчас не отвечает"
ENDED = "начат слишком давно или в другом браузере"


def nobody(store: Session) -> None:
    """Nobody is signed in, and nothing was opened."""
    assert store.scalars(select(WebSession)).all() == []
    assert store.scalars(select(AccountIdentity)).all() == []
    assert store.scalars(select(Account)).all() == []


def refused(client: Visitor, address: str, sentence: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 303, words(answer)
    assert answer.location.startswith("/sign-in"), answer.location
    page = client.get(answer.location)
    assert sentence in words(page)
    assert "Войти через ЕСИА" in words(page)  # and the other ways beside it
    assert "Пароль" in words(page)


# --- the ID token -----------------------------------------------------------------------------

CLAIMS: dict[str, dict[str, Any]] = {
    "wrong nonce": {"nonce": "another"},
    "missing nonce": {"nonce": None},
    "nonce of another type": {"nonce": ["x"]},
    "wrong issuer": {"iss": "https://esia.example.org"},
    "missing issuer": {"iss": None},
    "wrong audience": {"aud": "another"},
    "missing audience": {"aud": None},
    "several audiences without azp": {"aud": ["talon", "another"]},
    "azp of another client": {"azp": "another"},
    "several audiences, azp of another": {"aud": ["talon", "another"], "azp": "another"},
    "expired": {"exp": NOW - 61},
    "missing exp": {"exp": None},
    "exp in words": {"exp": "tomorrow"},
    "from the future": {"iat": NOW + 3600},
    "not valid yet": {"nbf": NOW + 3600},
    "older than the attempt": {"iat": NOW - 3600},
    "missing iat": {"iat": None},
    "missing subject": {"sub": None},
    "empty subject": {"sub": ""},
    "subject that is no text": {"sub": 17},
    "endless subject": {"sub": "7" * 256},
    "hash of another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("case", CLAIMS)
def test_claims_that_are_wrong(client: Visitor, store: Session, esia: Served, case: str) -> None:
    esia.orders.claims = CLAIMS[case]
    refused(client, told(there(client)), NOT_BELIEVED)
    nobody(store)


def test_several_audiences_with_our_azp_are_ours(
    client: Visitor, store: Session, esia: Served
) -> None:
    esia.orders.claims = {"aud": ["talon", "another"], "azp": "talon"}
    assert enter(client, agree=False).status_code == 200


def test_clocks_may_differ_a_little(client: Visitor, store: Session, esia: Served) -> None:
    esia.orders.claims = {"iat": NOW + 45, "exp": NOW - 45}
    assert enter(client, agree=False).status_code == 200


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{encoded(header | {'alg': 'none'})}.{encoded(claims)}."


def by_hmac(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """As a library would that lets the token choose: the public key taken for a shared secret."""
    said = f"{encoded(header | {'alg': 'HS256'})}.{encoded(claims)}"
    digest = hmac.new(secret, said.encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


SIGNATURES: dict[str, Callable[[Served], Any]] = {
    "alg none": lambda esia: unsigned,
    "HS256 with the public key": lambda esia: (
        lambda header, claims: by_hmac(header, claims, esia.key.as_pem(private=False))
    ),
    "key nobody knows": lambda esia: (
        lambda header, claims: jwt.encode(
            {**header, "kid": "unknown"}, claims, other_key("unknown")
        )
    ),
    "signature of another key": lambda esia: (
        lambda header, claims: jwt.encode(header, claims, other_key(esia.key.kid or ""))
    ),
    "claims changed after signing": lambda esia: (
        lambda header, claims: ".".join(
            [
                (parts := jwt.encode(header, claims, esia.key).split("."))[0],
                encoded({**claims, "sub": "somebody else"}),
                parts[2],
            ]
        )
    ),
    "no kid": lambda esia: lambda header, claims: jwt.encode({"alg": "RS256"}, claims, esia.key),
    "kid of another type": lambda esia: (
        lambda header, claims: f"{encoded({'alg': 'RS256', 'kid': 1})}.{encoded(claims)}.AAAA"
    ),
    "no token": lambda esia: lambda header, claims: "garbage",
    "empty token": lambda esia: lambda header, claims: "",
    "header without end": lambda esia: (
        lambda header, claims: base64.urlsafe_b64encode(b"[" * 20000).decode() + ".x.y"
    ),
}


@pytest.mark.parametrize("case", SIGNATURES)
@pytest.mark.filterwarnings("ignore")
def test_signatures_that_are_wrong(
    client: Visitor, store: Session, esia: Served, case: str
) -> None:
    esia.orders.sign = SIGNATURES[case](esia)
    refused(client, told(there(client)), NOT_BELIEVED)
    nobody(store)


def test_a_new_key_of_the_provider_is_read(client: Visitor, store: Session, esia: Served) -> None:
    assert enter(client).status_code == 303
    client.send("/sign-out")
    esia.new_key()
    assert enter(client, "/visits", agree=False).location == "/visits"


TOKENS: dict[str, dict[str, Any]] = {
    "no id token": {"id_token": None},
    "id token of another type": {"id_token": {"sub": ANNA.subject}},
    "no access token": {"access_token": None},
    "access token that is no header": {"access_token": "a\r\nX-Evil: 1"},
    "another kind of token": {"token_type": "MAC"},
    "an error beside the tokens": {"error": "invalid_grant"},
}


@pytest.mark.parametrize("case", TOKENS)
def test_tokens_that_are_wrong(client: Visitor, store: Session, esia: Served, case: str) -> None:
    esia.orders.tokens = TOKENS[case]
    refused(client, told(there(client)), NOT_BELIEVED)
    nobody(store)


@pytest.mark.parametrize("sub", ["somebody else", None, 17])
def test_userinfo_of_another_subject(
    client: Visitor, store: Session, esia: Served, sub: Any
) -> None:
    esia.orders.userinfo = {"sub": sub}
    refused(client, told(there(client)), NOT_BELIEVED)
    nobody(store)


# --- the state and the code -------------------------------------------------------------------


@pytest.mark.parametrize("state", [None, "", "another", "я" * 400])
def test_a_state_that_is_not_ours(
    client: Visitor, store: Session, esia: Served, state: str | None
) -> None:
    refused(client, changed_query(told(there(client)), state=state), ENDED)
    nobody(store)


def test_a_way_back_works_once(client: Visitor, store: Session, esia: Served) -> None:
    back = told(there(client))
    assert client.get(back).location == QUESTION
    refused(client, back, ENDED)
    nobody(store)


def test_a_way_back_of_another_browser(
    client: Visitor, new_client: Callable[[], Visitor], store: Session, esia: Served
) -> None:
    """Login CSRF: the attacker's own way back, opened by somebody else."""
    back, victim = told(there(client)), new_client()
    refused(victim, back, ENDED)
    there(victim)  # it has a token of its own now
    refused(victim, back, ENDED)
    nobody(store)


def test_a_way_back_in_a_cabinet_that_is_open_links_nothing(
    client: Visitor, as_account: Callable[..., Visitor], store: Session, esia: Served
) -> None:
    """The attacker's ESIA account must not come to open the victim's cabinet."""
    back = told(there(client))
    victim = as_account(make.make_account(store))
    assert victim.get(back).location == "/profile"
    assert store.scalars(select(AccountIdentity)).all() == []
    here = told(there(victim, current=make.PASSWORD))
    victim.send("/sign-out")
    assert victim.get(here).location.startswith("/sign-in")
    assert store.scalars(select(AccountIdentity)).all() == []


def test_who_has_signed_in_meanwhile_is_not_signed_in_as_another(
    client: Visitor, store: Session, clock: Clock, esia: Served
) -> None:
    back = told(there(client))
    with client.session_transaction() as cookie:
        holder = cookie["esia"]
    client.sign_in(make.make_account(store), now=clock.now)
    with client.session_transaction() as cookie:
        cookie["esia"] = holder
    assert client.get(back).location == "/profile"
    assert "Вы уже вошли" in words(client.get("/institutions"))
    assert store.scalars(select(AccountIdentity)).all() == []


def test_a_way_back_that_took_too_long(
    client: Visitor, store: Session, clock: Clock, esia: Served
) -> None:
    back = told(there(client))
    clock.forward(minutes=10)
    refused(client, back, ENDED)
    nobody(store)


def test_who_does_not_let_esia_tell(client: Visitor, store: Session, esia: Served) -> None:
    refused(client, told(there(client), refuse="1"), "ЕСИА не разрешено сообщить, кто вы")
    nobody(store)


@pytest.mark.parametrize(
    "changes",
    [{"code": None}, {"code": ""}, {"error": "server_error"}, {"iss": "https://example.org"}],
)
def test_an_answer_without_a_code_or_of_another_issuer(
    client: Visitor, store: Session, esia: Served, changes: dict[str, str | None]
) -> None:
    refused(client, changed_query(told(there(client)), **changes), NOT_BELIEVED)
    nobody(store)


def code_of(back: str) -> str:
    return changed_query(back, state=None).partition("code=")[2]


def test_a_code_works_once(client: Visitor, store: Session, esia: Served) -> None:
    first = told(there(client))
    assert client.get(first).location == QUESTION
    again = changed_query(told(there(client)), code=code_of(first))
    refused(client, again, NOT_BELIEVED)
    nobody(store)


def test_a_code_of_another_client(client: Visitor, store: Session, esia: Served) -> None:
    own = esia.clients["talon"]
    esia.clients["another"] = Client("another", "secret", own.redirect_uris)
    way = there(client)
    foreign = told(way.replace("client_id=talon", "client_id=another"))
    refused(client, foreign, NOT_BELIEVED)
    nobody(store)


def test_a_code_of_another_attempt(
    client: Visitor, new_client: Callable[[], Visitor], store: Session, esia: Served
) -> None:
    """PKCE: the verifier of one attempt opens no code of another."""
    stolen = code_of(told(there(new_client())))
    refused(client, changed_query(told(there(client)), code=stolen), NOT_BELIEVED)
    nobody(store)


@pytest.mark.parametrize(
    "back", ["https://example.org/", "//example.org", "/\\example.org", "/a\nb", "x" * 600]
)
def test_nobody_is_led_to_another_site(
    client: Visitor, store: Session, esia: Served, back: str
) -> None:
    assert enter(client, back).location == "/"
    assert store.scalars(select(OidcAttempt)).all() == []


# --- whose cabinet ----------------------------------------------------------------------------


def test_a_closed_cabinet_stays_closed(client: Visitor, store: Session, esia: Served) -> None:
    enter(client)
    client.send("/sign-out")
    account = store.scalars(select(Account)).one()
    account.is_active = False
    refused(client, told(there(client)), "Этот кабинет закрыт")
    account = store.scalars(select(Account)).one()
    account.is_active, account.erased_at = True, make.NOW
    refused(client, told(there(client)), "Этот кабинет закрыт")
    assert store.scalars(select(WebSession)).all() == []


# --- a provider that is ill -------------------------------------------------------------------


def garbage(text: str, status: int = 200) -> Callable[[], Response]:
    return lambda: Response(text, status, mimetype="application/json")


ANSWERS: dict[str, Callable[[], Response]] = {
    "no JSON": garbage("<html>"),
    "no object": garbage("[1]"),
    "nested without end": garbage("[" * 50000),
    "huge": garbage('"' + "x" * 70000 + '"'),
    "an error of the server": garbage("{}", 502),
    "a redirect": lambda: Response("", 302, headers={"Location": "http://127.0.0.1:1/"}),
}


@pytest.mark.parametrize("path", ["/token", "/keys", "/userinfo"])
@pytest.mark.parametrize("case", ANSWERS)
def test_answers_that_are_none(
    client: Visitor, store: Session, esia: Served, case: str, path: str
) -> None:
    back = told(there(client))
    esia.orders.raw = {path: ANSWERS[case]}
    answer = client.get(back)
    assert answer.status_code == 303
    page = words(client.get(answer.location))
    assert AWAY in page or NOT_BELIEVED in page
    nobody(store)


@pytest.mark.parametrize("case", ANSWERS)
def test_a_provider_that_cannot_be_read_is_said_before_anybody_goes_there(
    client: Visitor, store: Session, esia: Served, case: str
) -> None:
    esia.orders.raw = {"/.well-known/openid-configuration": ANSWERS[case]}
    answer = client.send("/sign-in/esia", {"next": ""})
    assert answer.status_code == 409
    assert AWAY in words(answer)
    assert "Другие способы входа" in words(answer)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://example.org"},
        {"token_endpoint": "http://127.0.0.1:1/token"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"userinfo_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": ["/"]},
    ],
)
def test_a_document_that_leads_elsewhere(
    client: Visitor, store: Session, esia: Served, document: dict[str, Any]
) -> None:
    esia.orders.document = document
    assert AWAY in words(client.send("/sign-in/esia", {"next": ""}))


def test_a_slow_provider_is_not_waited_for(
    client: Visitor, store: Session, esia: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "STEP_SECONDS", 0.2)
    back = told(there(client))
    esia.orders.raw = {"/token": slowly(1)}
    refused(client, back, AWAY)
    nobody(store)


def test_a_provider_that_answers_drop_by_drop_is_hung_up_on(
    client: Visitor, store: Session, esia: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drops() -> Any:
        def each() -> Any:
            for _ in range(30):
                slowly(0.1)()
                yield b" "
            yield b"{}"

        return Response(each(), mimetype="application/json")

    monkeypatch.setattr(line, "WHOLE_SECONDS", 0.4)
    back = told(there(client))
    esia.orders.raw = {"/userinfo": drops}
    refused(client, back, AWAY)
    nobody(store)


def test_a_provider_that_is_away(
    client: Visitor, store: Session, esia: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(client.application.config, "ESIA_ISSUER", "http://127.0.0.1:1")
    oidc.forget()
    assert AWAY in words(client.send("/sign-in/esia", {"next": ""}))


def test_one_address_does_not_begin_without_end(
    client: Visitor, store: Session, esia: Served
) -> None:
    for _ in range(60):
        there(client)
    answer = client.send("/sign-in/esia", {"next": ""})
    assert answer.status_code == 429
    assert "Слишком много попыток" in words(answer)
