"""Passwords: argon2id, and what is acceptable. Hash outside transactions: it takes a while on purpose.

A process hashes one password at a time, on a thread that gives way to all others, and lets few wait for that
(``seat``): whoever books is not to wait behind all who sign in (docs/decisions/0024).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
SEATS = 3
"""Who may hash or wait to, in one process: fewer than the threads it answers by (docs/systemd/talon-web.service)."""
WAY = 10
"""By how much nicer the thread is that hashes: it has a tenth of a processor that others want, and all of a free one."""
COMMON = Path(__file__).parent.parent / "data" / "common_passwords.txt"


class WeakPassword(RuleError):
    code = "weak_password"
    text = N_("The password needs %(shortest)s to %(longest)s characters.")


class CommonPassword(RuleError):
    code = "common_password"
    text = N_("Too many people use this password: choose another one, please.")


class Crowded(RuleError):
    """It says nothing of the password, and counts as no try."""

    code = "crowded"
    text = N_("Very many people are signing in just now. Try again in a few seconds, please.")


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + WAY)


class _Queue:
    """The seats of one process, and the thread that hashes."""

    def __init__(self) -> None:
        self.seats = threading.BoundedSemaphore(SEATS)
        self.mine = threading.local()
        self.hand = ThreadPoolExecutor(1, "passwords", initializer=_give_way)


_queue = _Queue()


def _begin_anew() -> None:
    global _queue  # noqa: PLW0603 - a forked process has none of its parent's threads
    _queue = _Queue()


os.register_at_fork(after_in_child=_begin_anew)


@contextmanager
def seat() -> Iterator[None]:
    """A seat in the queue to the hashing, until the end of the block: for what belongs to one sign-in.

    Raises Crowded at once if there is none.
    """
    mine, seats = _queue.mine, _queue.seats
    if getattr(mine, "seated", False):
        yield
        return
    if not seats.acquire(blocking=False):
        raise Crowded()
    mine.seated = True
    try:
        yield
    finally:
        mine.seated = False
        seats.release()


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
    """Raises Crowded."""
    with seat():
        return _queue.hand.submit(HASHER.hash, password).result()


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return HASHER.hash("nobody's password, verified when there is no such user")


def verified(password_hash: str | None, password: str) -> bool:
    """Whether it is the password; without a hash it takes as long and says no. Raises Crowded."""
    try:
        with seat():
            known, typed = password_hash or _nobodys(), password[: LONGEST + 1]
            _queue.hand.submit(HASHER.verify, known, typed).result()
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
