"""Passwords: argon2id, and what is acceptable. Hash outside transactions: it takes a while on purpose."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.rules.errors import N_, RuleError

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
"""OWASP's second recommended setting for argon2id: 19 MiB, so that many may sign in at once."""
SHORTEST = 8
SHORTEST_STAFF = 15
LONGEST = 128
COMMON = Path(__file__).parent.parent / "data" / "common_passwords.txt"


class WeakPassword(RuleError):
    code = "weak_password"
    text = N_("The password needs %(shortest)s to %(longest)s characters.")


class CommonPassword(RuleError):
    code = "common_password"
    text = N_("Too many people use this password: choose another one, please.")


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(COMMON.read_text(encoding="utf-8").split())


def demand(password: str, *, staff: bool = False) -> None:
    """Raises WeakPassword or CommonPassword. Length only: no rules of composition (ASVS 6.2)."""
    shortest = SHORTEST_STAFF if staff else SHORTEST
    if not shortest <= len(password) <= LONGEST:
        raise WeakPassword(shortest=shortest, longest=LONGEST)
    if password.casefold() in _common():
        raise CommonPassword()


def hashed(password: str) -> str:
    return HASHER.hash(password)


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return HASHER.hash("nobody's password, verified when there is no such user")


def verified(password_hash: str | None, password: str) -> bool:
    """Whether it is the password; without a hash it takes as long and says no."""
    try:
        HASHER.verify(password_hash or _nobodys(), password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
