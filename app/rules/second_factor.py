"""The second key of a member of staff: a seed on the telephone, six digits, each good once (TOTP, RFC 6238)."""

from __future__ import annotations

import datetime as dt
import hmac
import re

import pyotp
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.models.scope import widened
from app.models.staff import StaffUser
from app.rules.actor import actor_of
from app.rules.errors import N_, NotFound, RuleError
from app.rules.staff import demand_other, write_down
from app.rules.transitions import changed_rows

STEP = 30
"""Seconds a TOTP code lasts (RFC 6238)."""
DRIFT = 1
"""Steps a telephone's clock may be off, either way."""


class WrongCode(RuleError):
    code = "wrong_code"
    text = N_(
        "This code is not right or has been used. Wait for the next one on your telephone and type it, please."
    )


def enrol(session: Session, *, user: StaffUser) -> str:
    """The seed to show as a QR code: a new one until it is confirmed. Raises NotFound when it is."""
    if user.totp_confirmed_at is not None:
        raise NotFound()
    if user.totp_seed is None:
        user.totp_seed = pyotp.random_base32(32)
    seed: str = user.totp_seed
    return seed


def provisioning_uri(user: StaffUser, *, issuer: str) -> str:
    """What the QR code says to the telephone."""
    return pyotp.TOTP(user.totp_seed).provisioning_uri(name=user.email, issuer_name=issuer)


def confirm_totp(session: Session, *, user: StaffUser, code: str, now: dt.datetime) -> None:
    """The first code proves that the telephone has the seed. Raises WrongCode."""
    with widened(session, "half signed in"):
        _use_code(session, user, code, now)
        user.totp_confirmed_at = now
        write_down(session, "staff.second_factor", user, actor_of(user), now)


def check_totp(session: Session, *, user: StaffUser, code: str, now: dt.datetime) -> None:
    """A code opens one session, once. Raises WrongCode."""
    if user.totp_confirmed_at is None:
        raise WrongCode()
    with widened(session, "half signed in"):
        _use_code(session, user, code, now)


def _use_code(session: Session, user: StaffUser, code: str, now: dt.datetime) -> None:
    step = _step_of(user, code, now)
    if step is None:
        raise WrongCode()
    won = changed_rows(
        session,
        update(StaffUser)
        .where(StaffUser.id == user.id, StaffUser.totp_last_step < step)
        .values(totp_last_step=step),
    )
    if not won:
        raise WrongCode()


def _step_of(user: StaffUser, code: str, now: dt.datetime) -> int | None:
    """The 30-second step whose code this is; compared in constant time."""
    plain = re.sub(r"\s", "", code)
    if user.totp_seed is None or not re.fullmatch(r"[0-9]{6}", plain):
        return None
    totp = pyotp.TOTP(user.totp_seed)
    current = int(now.timestamp()) // STEP
    found = None
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), plain):
            found = step
    return found


def reset(session: Session, *, user: StaffUser, by: StaffUser, now: dt.datetime) -> None:
    """The telephone is lost: the next sign-in sets up a new one. The caller ends all sessions.

    Raises NotGoverned, NotYourself.
    """
    demand_other(session, user, by)
    user.totp_seed = None
    user.totp_confirmed_at = None
    write_down(session, "staff.second_factor_reset", user, actor_of(by), now)
