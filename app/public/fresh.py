"""Asking once more who it is, before what cannot be taken back: an open cabinet may have been left alone."""

from __future__ import annotations

import datetime as dt

from flask import g

from app import sessions
from app.public.guards import limited
from app.public.header import reader
from app.rules import passwords
from app.rules.errors import N_, RuleError

FRESH = dt.timedelta(minutes=15)
"""So long after a sign-in nobody without a password is asked to sign in again."""


class WrongCurrent(RuleError):
    code = "wrong_current"
    text = N_("The current password is not right.")


class SignInAgain(RuleError):
    code = "sign_in_again"
    text = N_(
        "Sign out and in again, please, and come back here within 15 minutes: this cabinet has no password to ask for."
    )


def has_password() -> bool:
    """Whether the reader can be asked for one."""
    return reader().password_hash is not None


def demand(typed: str) -> None:
    """The reader has just proved who he is. Raises WrongCurrent, SignInAgain, TooManyTries, Crowded."""
    with passwords.seat():
        _demand(typed)


def _demand(typed: str) -> None:
    limited(("own_password", f"{reader().id} {sessions.client_ip()}"))
    known = reader().password_hash
    if known is None:
        if g.web_session.created_at + FRESH <= g.now:
            raise SignInAgain()
    elif not passwords.verified(known, typed):
        raise WrongCurrent()
