"""Six digits of an authenticator, each good once (TOTP, RFC 6238): for staff and for accounts alike."""

from __future__ import annotations

import datetime as dt
import hmac
import re

import pyotp
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.models.account import Account
from app.models.staff import StaffUser
from app.rules.errors import N_, RuleError
from app.rules.transitions import changed_rows

STEP = 30
"""Seconds a code lasts (RFC 6238)."""
DRIFT = 1
"""Steps a telephone's clock may be off, either way."""


class WrongCode(RuleError):
    code = "wrong_code"
    text = N_(
        "This code is not right or has been used. Wait for the next one on your telephone and type it, please."
    )


def new_seed() -> str:
    return pyotp.random_base32(32)


def uri(seed: str, *, name: str, issuer: str) -> str:
    """What the QR code says to the telephone."""
    return pyotp.TOTP(seed).provisioning_uri(name=name, issuer_name=issuer)


def use(session: Session, owner: StaffUser | Account, code: str, *, now: dt.datetime) -> None:
    """A code opens one thing, once. The caller runs ``widened``. Raises WrongCode."""
    step = _step_of(owner.totp_seed, code, now)
    if step is None:
        raise WrongCode()
    whose = type(owner)
    won = changed_rows(
        session,
        update(whose)
        .where(whose.id == owner.id, whose.totp_last_step < step)
        .values(totp_last_step=step),
    )
    if not won:
        raise WrongCode()


def _step_of(seed: str | None, code: str, now: dt.datetime) -> int | None:
    """The 30-second step whose code this is; compared in constant time."""
    plain = re.sub(r"\s", "", code)
    if seed is None or not re.fullmatch(r"[0-9]{6}", plain):
        return None
    totp = pyotp.TOTP(seed)
    current = int(now.timestamp()) // STEP
    found = None
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), plain):
            found = step
    return found
