"""The provider as an application: its documents, the page where one signs in, tokens.

``Provider`` holds all that it answers, so that a test makes it misbehave by overriding one method.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlencode

from flask import Flask, Response, jsonify, redirect, render_template, request
from flask_babel import Babel
from flask_wtf import CSRFProtect
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.extensions import utcnow
from app.i18n import locale, select_locale
from app.provider.people import Citizen

ROOT = Path(__file__).resolve().parent.parent.parent
TOKEN_SECONDS = 300
CODE_SECONDS = 60
KEPT = ("client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge")


@dataclass
class Client:
    """Who may ask, and where people are sent back to."""

    client_id: str
    secret: str
    redirect_uris: list[str] = field(default_factory=list)


@dataclass
class Grant:
    """What a code stands for: used once, by its client, with the verifier of its challenge."""

    asked: dict[str, str]
    who: Citizen
    until: dt.datetime


class Provider:
    """Keys, clients, people and what has been granted; in memory, for one process."""

    def __init__(
        self, issuer: str, clients: Sequence[Client], people: Sequence[Citizen], password: str
    ) -> None:
        self.issuer, self.people, self.password = issuer, people, password
        self.clients = {client.client_id: client for client in clients}
        self.grants: dict[str, Grant] = {}
        self.access: dict[str, Grant] = {}
        self.new_key()

    def new_key(self) -> None:
        """A key under a new name, as at each start."""
        self.key = RSAKey.generate_key(
            2048, {"kid": secrets.token_hex(8), "use": "sig"}, private=True
        )

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=False)]}

    def fault(self, asked: dict[str, str]) -> str:
        """Why nobody is asked to sign in for this; empty if somebody is."""
        client = self.clients.get(asked["client_id"])
        if client is None or asked["redirect_uri"] not in client.redirect_uris:
            return "unknown client"
        if request.args.get("response_type") != "code" or not asked["code_challenge"]:
            return "code with PKCE is wanted"
        if request.args.get("code_challenge_method") != "S256":
            return "S256 is wanted"
        return ""

    def citizen(self, login: str, password: str) -> Citizen | None:
        """Who has this login and password."""
        if not secrets.compare_digest(password.encode(), self.password.encode()):
            return None
        return next((each for each in self.people if each.is_called(login)), None)

    def grant(self, asked: dict[str, str], who: Citizen) -> str:
        """A code for the browser to take back."""
        code = secrets.token_urlsafe(24)
        self.grants[code] = Grant(asked, who, utcnow() + dt.timedelta(seconds=CODE_SECONDS))
        return code

    def back(self, asked: dict[str, str], **said: str) -> str:
        """Where the browser goes on."""
        return f"{asked['redirect_uri']}?{urlencode({**said, 'state': asked['state']})}"

    def tokens(self, client: Client, form: dict[str, str]) -> dict[str, Any] | None:
        """For a code that is good; None for one that is not."""
        grant = self.grants.pop(form.get("code", ""), None)
        if grant is None or grant.until <= utcnow() or grant.asked["client_id"] != client.client_id:
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != grant.asked["code_challenge"]:
            return None
        if form.get("redirect_uri") != grant.asked["redirect_uri"]:
            return None
        access = secrets.token_urlsafe(24)
        self.access[access] = grant
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "id_token": self.id_token(grant),
        }

    def id_token(self, grant: Grant) -> str:
        return self.signed(self.header(), self.claims(grant))

    def header(self) -> dict[str, Any]:
        return {"alg": "RS256", "kid": self.key.kid}

    def claims(self, grant: Grant) -> dict[str, Any]:
        now = int(utcnow().timestamp())
        return {
            "iss": self.issuer,
            "sub": grant.who.subject,
            "aud": grant.asked["client_id"],
            "exp": now + TOKEN_SECONDS,
            "iat": now,
            "nonce": grant.asked["nonce"],
        }

    def signed(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        return jwt.encode(header, claims, self.key)

    def userinfo(self, grant: Grant) -> dict[str, Any]:
        who = grant.who
        return {
            "sub": who.subject,
            "family_name": who.family_name,
            "given_name": who.given_name,
            "middle_name": who.middle_name,
            "birthdate": who.birthdate,
            "gender": who.gender,
            "snils": who.snils,
            "phone_number": who.phone_number,
            "email": who.email,
            "trusted": who.trusted,
        }


def make(provider: Provider) -> Flask:
    """The application of ``provider``."""
    app = Flask(
        "app",
        root_path=str(ROOT / "app"),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "app" / "static"),
    )
    app.config.update(
        SECRET_KEY=secrets.token_hex(32),
        SESSION_COOKIE_NAME="esia-demo",
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,  # the client's request for tokens is no form of a page
    )
    csrf = CSRFProtect(app)
    Babel(
        app,
        default_locale="ru",
        default_translation_directories=str(ROOT / "app" / "translations"),
        locale_selector=select_locale,
    )
    app.jinja_env.globals["current_locale"] = locale
    app.add_url_rule(
        "/.well-known/openid-configuration", "document", lambda: jsonify(provider.document())
    )
    app.add_url_rule("/keys", "keys", lambda: jsonify(provider.keys()))
    app.add_url_rule(
        "/authorize", "authorize", lambda: _authorize(provider, csrf), methods=["GET", "POST"]
    )
    app.add_url_rule("/token", "token", lambda: _token(provider), methods=["POST"])
    app.add_url_rule("/userinfo", "userinfo", lambda: _userinfo(provider))
    return app


def _authorize(provider: Provider, csrf: CSRFProtect) -> Any:
    """The page where one signs in; its form keeps what was asked in its address."""
    asked = {name: request.args.get(name, "") for name in KEPT}
    if fault := provider.fault(asked):
        return Response(fault, 400, mimetype="text/plain")
    error, status = False, 200
    if request.method == "POST":
        csrf.protect()
        if "refuse" in request.form:
            return redirect(provider.back(asked, error="access_denied"), 303)
        who = provider.citizen(request.form.get("login", ""), request.form.get("password", ""))
        if who is not None:
            return redirect(provider.back(asked, code=provider.grant(asked, who)), 303)
        error, status = True, 400
    login = request.form.get("login", request.args.get("as", ""))
    page = render_template(
        "provider/sign_in.html",
        people=provider.people,
        password=provider.password,
        login=login,
        error=error,
        known=lambda each: f"/authorize?{urlencode({**request.args, 'as': each.phone_number})}",
    )
    return page, status


def _token(provider: Provider) -> Any:
    client = _client(provider)
    if client is None:
        return _refusal("invalid_client", 401)
    if request.form.get("grant_type") != "authorization_code":
        return _refusal("unsupported_grant_type", 400)
    tokens = provider.tokens(client, request.form.to_dict())
    return jsonify(tokens) if tokens is not None else _refusal("invalid_grant", 400)


def _client(provider: Provider) -> Client | None:
    """By its name and secret, as RFC 6749, 2.3.1 has them."""
    given = request.authorization
    if given is None or given.type != "basic":
        return None
    client = provider.clients.get(unquote_plus(given.username or ""))
    secret = unquote_plus(given.password or "").encode()
    if client is None or not secrets.compare_digest(client.secret.encode(), secret):
        return None
    return client


def _refusal(code: str, status: int) -> Response:
    return Response(json.dumps({"error": code}), status, mimetype="application/json")


def _userinfo(provider: Provider) -> Any:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    grant = provider.access.get(token)
    return jsonify(provider.userinfo(grant)) if grant else _refusal("invalid_token", 401)
