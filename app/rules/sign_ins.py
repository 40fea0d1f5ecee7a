"""The ways into the cabinet: an e-mail or a SNILS, a one-time password, and the steps after it (E44–E47).

Whoever does not get in is told one sentence and costs one query and one hash, whatever was wrong.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import Account
from app.models.cabinet_choices import SecondFactor
from app.models.crypto import blind_index
from app.models.enums import DocumentKind
from app.models.scope import widened
from app.rules import documents
from app.rules.accounts import normal_email
from app.rules.errors import N_, RuleError

DATA = json.loads((Path(__file__).parent.parent / "data" / "sign_in.json").read_text("utf-8"))
CODE_LASTS = dt.timedelta(minutes=DATA["code"]["minutes"])
CODE_TRIES: int = DATA["code"]["tries"]
ONE_TIME_LASTS = dt.timedelta(days=DATA["one_time_password"]["days"])
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of a one-time password: what is read out or printed must not be mistaken."""


class OneTimeOver(RuleError):
    """Said to nobody but who has typed the right one."""

    code = "one_time_over"
    text = N_(
        "This one-time password has expired. Phone the call centre or come to the registry desk: "
        "you will get another one."
    )


class Step(StrEnum):
    """What is still asked for after the password."""

    CODE = "code"
    PASSWORD = "password"  # noqa: S105 - a step's name, no secret


def named(text: str) -> str:
    """What an account is looked up by: eleven digits of a SNILS (E45), else an e-mail in one spelling."""
    if "@" not in text:
        try:
            return documents.normalised(DocumentKind.SNILS, text)
        except documents.BadDocument:
            pass
    return normal_email(text)


def is_snils(name: str) -> bool:
    """Whether ``named`` has read a SNILS."""
    return "@" not in name and name.isdigit()


def account_of(session: Session, *, name: str) -> Account | None:
    """The active account of that name (``named``), to verify a password against. One query either way."""
    known = (
        Account.login_index == blind_index("login", name)
        if is_snils(name)
        else Account.email == name
    )
    with widened(session, "sign-in"):
        account = session.scalars(select(Account).where(known)).one_or_none()
    return account if account is not None and account.is_active else None


def unchanged(session: Session, account: Account) -> bool:
    """Whether the password verified a moment ago is the account's still: whoever has meanwhile set another one,
    or blocked the account, has ended its sessions, and no new one may begin behind his back. Locks the account.
    """
    verified = account.password_hash
    with widened(session, "sign-in"):
        session.refresh(account, with_for_update={"key_share": True})
    return account.is_active and account.password_hash == verified


def demand_lasting(account: Account, *, now: dt.datetime) -> None:
    """The password has been right; is it a one-time one that is over? Raises OneTimeOver."""
    ends = account.password_expires_at
    if ends is not None and ends <= now:
        raise OneTimeOver()


def next_step(account: Account, *, code_given: bool) -> Step | None:
    """What a half-open session waits for; None: nothing, it may open."""
    if account.second_factor is not SecondFactor.NONE and not code_given:
        return Step.CODE
    return Step.PASSWORD if account.password_expires_at is not None else None


def one_time_password() -> str:
    """Twelve signs in groups of four: 59 bits, and easy to read out."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
