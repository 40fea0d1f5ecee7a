"""The second key of a member of staff: a seed on the telephone, six digits, each good once (TOTP, RFC 6238)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.models.scope import widened
from app.models.staff import StaffUser
from app.rules import totp
from app.rules.actor import actor_of
from app.rules.errors import NotFound
from app.rules.staff import demand_other, write_down
from app.rules.totp import WrongCode

__all__ = ["WrongCode"]


def enrol(session: Session, *, user: StaffUser) -> str:
    """The seed to show as a QR code: a new one until it is confirmed. Raises NotFound when it is."""
    if user.totp_confirmed_at is not None:
        raise NotFound()
    if user.totp_seed is None:
        user.totp_seed = totp.new_seed()
    seed: str = user.totp_seed
    return seed


def provisioning_uri(user: StaffUser, *, issuer: str) -> str:
    """What the QR code says to the telephone."""
    return totp.uri(user.totp_seed, name=user.email, issuer=issuer)


def confirm_totp(session: Session, *, user: StaffUser, code: str, now: dt.datetime) -> None:
    """The first code proves that the telephone has the seed. Raises WrongCode."""
    with widened(session, "half signed in"):
        totp.use(session, user, code, now=now)
        user.totp_confirmed_at = now
        write_down(session, "staff.second_factor", user, actor_of(user), now)


def check_totp(session: Session, *, user: StaffUser, code: str, now: dt.datetime) -> None:
    """A code opens one session, once. Raises WrongCode."""
    if user.totp_confirmed_at is None:
        raise WrongCode()
    with widened(session, "half signed in"):
        totp.use(session, user, code, now=now)


def reset(session: Session, *, user: StaffUser, by: StaffUser, now: dt.datetime) -> None:
    """The telephone is lost: the next sign-in sets up a new one. The caller ends all sessions.

    Raises NotGoverned, NotYourself.
    """
    demand_other(session, user, by)
    user.totp_seed = None
    user.totp_confirmed_at = None
    write_down(session, "staff.second_factor_reset", user, actor_of(by), now)
