"""One password is hashed at a time, and few wait for that: the threads are for everybody."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.rules import passwords

PATIENCE = 30


class Slow:
    """A hasher that goes on when it is told to, and says how many have been in it at once."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.inside = self.most = 0

    def verify(self, _hash: str, _password: str) -> bool:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.begun.release()
        assert self.go_on.acquire(timeout=PATIENCE)
        self.inside -= 1
        return True


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    hasher = Slow()
    monkeypatch.setattr(passwords, "HASHER", hasher)
    yield hasher
    assert passwords._queue.seats._value == passwords.SEATS, "somebody has kept a seat"


def test_one_is_hashed_at_a_time_and_whoever_finds_no_seat_is_told_at_once(slow: Slow) -> None:
    with ThreadPoolExecutor(passwords.SEATS) as threads:
        asked = [threads.submit(passwords.verified, "hash", "word") for _ in range(passwords.SEATS)]
        while passwords._queue.seats._value:  # until all of them sit
            assert not any(each.done() for each in asked)
        assert slow.begun.acquire(timeout=PATIENCE)
        with pytest.raises(passwords.Crowded):
            passwords.verified("hash", "word")
        for _ in asked:
            slow.go_on.release()
        assert [each.result(PATIENCE) for each in asked] == [True] * passwords.SEATS
    assert slow.most == 1


def test_who_has_a_seat_needs_no_second_one(slow: Slow) -> None:
    others = [passwords._queue.seats.acquire(blocking=False) for _ in range(passwords.SEATS - 1)]
    assert all(others)
    slow.go_on.release()
    with passwords.seat():
        assert passwords.verified("hash", "word")
    for _ in others:
        passwords._queue.seats.release()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_hashing_gives_way_to_everything_else() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    here = niceness()
    assert passwords._queue.hand.submit(niceness).result(PATIENCE) == min(here + passwords.WAY, 19)
    assert niceness() == here


def test_a_forked_process_hashes_with_a_thread_of_its_own() -> None:
    known = passwords.hashed("a word of nobody")
    child = os.fork()
    if not child:
        signal.alarm(PATIENCE)  # or it would wait for its parent's thread for ever
        os._exit(0 if passwords.verified(known, "a word of nobody") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
