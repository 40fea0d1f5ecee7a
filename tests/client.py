"""A test client that is as careful as a browser: it reads forms, sends their tokens, keeps cookies."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from lxml import html
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models import Account, StaffUser, WebSession
from app.models.enums import Surface
from app.sessions import LIFETIMES


class Visitor(FlaskClient):
    """Somebody in front of a browser. What the test has arranged is committed before each request."""

    arranged: Session | None = None
    """The test's own session on the same database (fixture ``store``)."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if self.arranged is not None:
            self.arranged.commit()
        try:
            return super().open(*args, **kwargs)
        finally:
            if self.arranged is not None:
                self.arranged.expire_all()

    def page(self, url: str, *, status: int = 200, **kwargs: Any) -> html.HtmlElement:
        """The parsed page at ``url`` (redirects are followed), which must answer ``status``."""
        response = self.get(url, follow_redirects=True, **kwargs)
        assert response.status_code == status, f"{url}: {response.status}\n{words(response)}"
        return parsed(response)

    def send(self, url: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        """POST ``data`` with a valid CSRF token, without opening a page first."""
        fields = {"csrf_token": self.token(url), **(data or {})}
        return self.post(url, data=fields, **kwargs)

    def submit(
        self, url: str, data: dict[str, Any] | None = None, *, form: str = "", **kwargs: Any
    ) -> TestResponse:
        """Open ``url``, fill in its form and send it as a browser would.

        ``form`` is the form's id or action; without it, the page must have one POST form in <main>.
        Fields that the form has not got are an error; None unticks or empties one.
        """
        page = self.page(url)
        chosen = form_of(page, form)
        fields: dict[str, Any] = {}
        for name, value in chosen.form_values():
            fields.setdefault(name, []).append(value)
        for name, value in (data or {}).items():
            assert name in chosen.fields, f"{url}: the form has no field {name!r}"
            if value is None:
                fields.pop(name, None)
            else:
                fields[name] = value
        return self.post(chosen.action or url, data=fields, **kwargs)

    def token(self, url: str = "/") -> str:
        """A CSRF token of this visitor for the surface of ``url``."""
        with self.session_transaction(url) as cookie:
            secret = cookie.setdefault("csrf_token", secrets.token_hex(20))
        return csrf_token(self.application, secret)

    def sign_in(
        self, user: Account | StaffUser, *, now: dt.datetime, second_factor: bool = True
    ) -> None:
        """Be signed in as ``user``, by the row and the cookie that a sign-in leaves."""
        assert self.arranged is not None
        given = pass_for(
            self.arranged, user, now=now, second_factor=second_factor, app=self.application
        )
        self.arranged.commit()
        self.set_cookie(given.cookie, given.value)


@dataclass(frozen=True)
class Pass:
    """What a signed-in browser has: a cookie, and a CSRF token for its forms."""

    cookie: str
    value: str
    csrf: str


def pass_for(
    session: Session,
    user: Account | StaffUser,
    *,
    now: dt.datetime,
    app: Flask,
    second_factor: bool = True,
) -> Pass:
    """Sign ``user`` in without a form: for many at once, and for a live site. The caller commits."""
    staff = isinstance(user, StaffUser)
    surface = Surface.STAFF if staff else Surface.PUBLIC
    sid, secret = secrets.token_urlsafe(32), secrets.token_hex(20)
    row = WebSession(
        token_hash=hashlib.sha256(sid.encode()).digest(),
        surface=surface,
        account_id=None if staff else user.id,
        staff_user_id=user.id if staff else None,
        second_factor_at=now if staff and second_factor else None,
        created_at=now,
        seen_at=now,
        expires_at=now + LIFETIMES[surface][1],
        ip="127.0.0.1",
        user_agent="",
    )
    session.add(row)
    session.flush()
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    value = str(signer.dumps({"sid": sid, "csrf_token": secret}))
    return Pass("talon-staff" if staff else "talon", value, csrf_token(app, secret))


def csrf_token(app: Flask, secret: str) -> str:
    """The token that Flask-WTF accepts for the secret in a cookie."""
    assert app.secret_key
    return str(URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(secret))


def parsed(response: TestResponse) -> html.HtmlElement:
    """The page as a tree: ``.cssselect`` is not there, ``.xpath`` and ``.forms`` are."""
    return html.document_fromstring(response.get_data(as_text=True))


def words(source: TestResponse | html.HtmlElement) -> str:
    """What a reader sees of a page, with single spaces."""
    page = parsed(source) if isinstance(source, TestResponse) else source
    for hidden in page.xpath("//script | //style | //head | //template"):
        hidden.drop_tree()
    return " ".join(page.text_content().split())


def headings(page: html.HtmlElement) -> list[str]:
    return [" ".join(h.text_content().split()) for h in page.xpath("//h1 | //h2 | //h3")]


def form_of(page: html.HtmlElement, wanted: str = "") -> Any:
    """The form with that id or action; or the only POST form of <main>."""
    forms = [f for f in page.forms if f.method == "POST"]
    if wanted:
        found = [f for f in page.forms if wanted in (f.get("id"), f.get("action"))]
    else:
        found = [f for f in forms if any(a.tag == "main" for a in f.iterancestors())] or forms
    assert len(found) == 1, f"{len(found)} forms match {wanted!r} among {[f.action for f in forms]}"
    return found[0]
