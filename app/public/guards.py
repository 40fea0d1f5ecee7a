"""Who may go on: signed in, not too often, and only to an address of this site."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from flask import g, redirect, request, url_for
from sqlalchemy.orm import Session

from app.extensions import db
from app.rules import passwords, sign_ins, throttle
from app.rules.errors import RuleError, TooManyTries
from app.rules.sign_ins import Step


def signed_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view is for who has signed in; others sign in first and come back (to the page, not the POST)."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if g.user is not None:
            return view(*args, **kwargs)
        back = request.full_path.rstrip("?") if request.method == "GET" else ""
        step = step_of()
        return redirect(url_for(STEPS[step] if step else "public.sign_in", next=back or None), 303)

    return guarded


STEPS = {Step.CODE: "public.sign_in_code", Step.PASSWORD: "public.sign_in_password"}
"""The only pages that a half-open session opens."""


def step_of() -> Step | None:
    """What the half-open session waits for; None where there is none, or it is open."""
    if g.user is not None or g.half_signed_in is None:
        return None
    return sign_ins.next_step(
        g.half_signed_in, code_given=g.web_session.second_factor_at is not None
    )


def limited(*tries: tuple[str, str]) -> None:
    """Count each (kind, value) at once, whatever comes of the request, in one statement. Raises TooManyTries."""
    session = db.session()
    try:
        throttle.count_all(session, tries, now=g.now)
    finally:
        session.commit()


@contextmanager
def counted() -> Iterator[Session]:
    """As ``saved``, but a refusal is committed too: the tries it has counted stay (app.rules.identification)."""
    session: Any = db.session()
    try:
        yield session
        session.commit()
    except RuleError:
        session.commit()
        raise
    except BaseException:
        session.rollback()
        raise


def status_of(refusal: RuleError) -> int:
    if isinstance(refusal, passwords.Crowded):
        return 503
    return 429 if isinstance(refusal, TooManyTries) else 409


def local_path(text: str | None) -> str:
    """``text`` if it is a path on this site, else the front page."""
    home = url_for("public.places")
    if not text or not text.startswith("/") or text[1:2] in ("/", "\\") or len(text) > 500:
        return home
    if any(ord(char) < 33 or char == "\\" for char in text):
        return home
    parts = urlsplit(text)
    return home if parts.scheme or parts.netloc else text
