"""The real local provider for tests, which misbehaves on order; and the way there and back of a test client."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask, Response, request
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from app.oidc import provider as oidc
from app.provider.people import Citizen, citizens, password
from app.provider.site import Client, Grant, Provider, make
from tests.client import Visitor

CLIENT, SECRET = "talon", "a secret of the tests"
BACK = "/sign-in/esia/back"
QUESTION = "/sign-in/esia/agree"
NOWHERE = {"ESIA_ISSUER": "http://127.0.0.1:9", "ESIA_CLIENT_ID": CLIENT, "ESIA_SECRET": SECRET}
"""Settings of a provider that never answers: its pages are there all the same."""
ANNA = Citizen(
    subject="1000500001",
    family_name="Рябинина",
    given_name="Анна",
    middle_name="Петровна",
    birthdate="1985-02-14",
    gender="female",
    snils="11223344595",
    phone_number="+79001234567",
    email="anna@example.org",
    trusted=True,
    note="",
    card="",
)
"""The patient of tests.public.clinic, as ESIA knows her."""


@dataclass
class Orders:
    """What is to be done otherwise; empty: all as it should be."""

    claims: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID token; None leaves one out."""
    header: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    userinfo: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, Callable[[], Any]] = field(default_factory=dict)
    """Path → the whole answer."""


def changed(said: dict[str, Any], order: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (said | order).items() if value is not None}


class Served(Provider):
    """The provider of the demo with orders."""

    orders: Orders

    def document(self) -> dict[str, Any]:
        return changed(super().document(), self.orders.document)

    def tokens(self, client: Client, form: dict[str, str]) -> dict[str, Any] | None:
        found = super().tokens(client, form)
        return None if found is None else changed(found, self.orders.tokens)

    def header(self) -> dict[str, Any]:
        return changed(super().header(), self.orders.header)

    def claims(self, grant: Grant) -> dict[str, Any]:
        return changed(super().claims(grant), self.orders.claims)

    def signed(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        return (self.orders.sign or super().signed)(header, claims)

    def userinfo(self, grant: Grant) -> dict[str, Any]:
        return changed(super().userinfo(grant), self.orders.userinfo)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """On a port of its own, in a thread; every test finds it well behaved."""
    client = Client(CLIENT, SECRET, [f"http://localhost{BACK}"])
    provider = Served("", [client], [ANNA, *citizens()], password())
    provider.orders = Orders()
    site = make(provider)

    @site.before_request
    def _raw() -> Any:
        order = provider.orders.raw.get(request.path)
        return order() if order is not None else None

    server = make_server("127.0.0.1", 0, site, threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def esia(served: Served, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Served:
    """Talon signs in through it."""
    served.orders = Orders()
    served.clients = {CLIENT: served.clients[CLIENT]}
    served.people = [ANNA, *citizens()]
    oidc.forget()
    for name, value in {
        "ESIA_ISSUER": served.issuer,
        "ESIA_CLIENT_ID": CLIENT,
        "ESIA_SECRET": SECRET,
    }.items():
        monkeypatch.setitem(app.config, name, value)
    return served


def there(client: Visitor, back: str = "", **data: str) -> str:
    """Press «Войти через ЕСИА»; the provider's address."""
    answer = client.send("/sign-in/esia", {"next": back, **data})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)


def told(address: str, login: str = ANNA.email, **form: str) -> str:
    """Sign in on the provider's page; where it sends the browser, without the host."""
    parts = urlsplit(address)
    path = f"{parts.path}?{parts.query}"
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", path)
        asked = connection.getresponse()
        token = re.search(r'name="csrf_token" value="([^"]+)"', asked.read().decode())
        assert token is not None
        sent = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": asked.headers["Set-Cookie"].partition(";")[0],
        }
        said = form or {"login": login, "password": password()}
        connection.request("POST", path, urlencode({"csrf_token": token[1], **said}), sent)
        answer = connection.getresponse()
        assert answer.status == 303, answer.read().decode()
        back = urlsplit(answer.headers["Location"])
    finally:
        connection.close()
    return f"{back.path}?{back.query}"


def changed_query(address: str, **changes: str | None) -> str:
    """The same address with other parameters; None leaves one out."""
    parts = urlsplit(address)
    said = changed(dict(parse_qsl(parts.query)), changes)
    return f"{parts.path}?{urlencode(said)}"


def enter(
    client: Visitor, back: str = "", *, login: str = ANNA.email, agree: bool = True, **data: str
) -> TestResponse:
    """All the way; whoever comes for the first time gives the consent."""
    answer = client.get(told(there(client, back, **data), login))
    if answer.status_code == 303 and answer.location == QUESTION:
        answer = client.get(QUESTION)
    if answer.status_code == 200 and agree:
        return agreed(client, answer)
    return answer


def agreed(client: Visitor, asked: TestResponse) -> TestResponse:
    """«Да, я даю согласие» on the page that asks."""
    from tests.client import form_of, parsed

    form = form_of(parsed(asked), "/sign-in/esia/agree")
    return client.post("/sign-in/esia/agree", data=dict(form.form_values()))


def person(**changes: Any) -> Citizen:
    """Anna, with something else about her."""
    return replace(ANNA, **changes)


def other_key(kid: str) -> RSAKey:
    """A key that is not the provider's, under the name of its own."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, private=True)


def slowly(seconds: float) -> Callable[[], Response]:
    def answer() -> Response:
        time.sleep(seconds)
        return Response("{}", mimetype="application/json")

    return answer
