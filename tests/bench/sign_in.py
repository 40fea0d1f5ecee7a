"""Signing in, and bookings beside a storm of it: hashing a password is dear on purpose."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from app.rules import passwords
from tests import make
from tests.bench import measures
from tests.bench.load import Timing, Wire, spread
from tests.bench.measures import CLIENTS, cpu
from tests.bench.patients import Browser
from tests.bench.sites import Sites

PASSWORD = "сосновый-бор-над-рекой-7"
TURNED_AWAY = 503
PAUSE = 1.0
"""Seconds after which somebody who was turned away tries again."""


@dataclass
class Storm:
    """Bookings alone, and beside CLIENTS people who sign in without a pause."""

    alone: Timing
    beside: Timing
    sign_ins: float
    """Of the storm, a second."""
    turned_away: int

    @property
    def ratio(self) -> float:
        return self.beside.per_second / self.alone.per_second


def _jobs(sites: Sites, count: int) -> list[Any]:
    """``count`` people with a password of the real cost, each at an address of his own."""
    known = passwords.hashed(PASSWORD)
    with sites.talon.session() as session:
        names = [
            make.make_account(session, now=sites.centre.now, password_hash=known).email
            for _ in range(count)
        ]
    return [
        (Browser(sites.centre.signer), name, f"10.77.{n // 250}.{n % 250 + 1}")
        for n, name in enumerate(names)
    ]


def _sign_in(wire: Wire, job: Any) -> Hashable:
    browser, name, address = job
    body = f"csrf_token={browser.token}&email={name}&password={PASSWORD}&next="
    status = wire.post("/sign-in", body, browser.cookie, address).status
    if status == TURNED_AWAY:
        time.sleep(PAUSE)
    return status


def alone(sites: Sites, count: int) -> Timing:
    """``count`` sign-ins, 16 at a time; who is turned away tries again until he is in."""

    def until_in(wire: Wire, job: Any) -> Hashable:
        for _ in range(60):
            status = _sign_in(wire, job)
            if status != TURNED_AWAY:
                return status
        return TURNED_AWAY

    jobs = _jobs(sites, count)
    before = cpu(sites.talon)
    timing = measures._all(spread(sites.talon.port, jobs, until_in, clients=CLIENTS), 303)
    timing.cpu_ms = (cpu(sites.talon) - before) * 1000 / len(jobs)
    return timing


def storm(sites: Sites, count: int) -> Storm:
    """``count`` bookings without and with as many connections that sign in again and again."""
    calm = measures.bookings(sites, count)
    jobs = _jobs(sites, 320) * 100
    over = multiprocessing.get_context("fork").Event()

    def one(wire: Wire, job: Any) -> Hashable:
        return None if over.is_set() else _sign_in(wire, job)

    told: list[Timing] = []
    thread = threading.Thread(
        target=lambda: told.append(spread(sites.talon.port, jobs, one, clients=CLIENTS))
    )
    thread.start()
    try:
        time.sleep(1)  # they have begun
        beside = measures.bookings(sites, count)
    finally:
        over.set()
        thread.join()
    (stormed,) = told
    outcomes = stormed.outcomes
    if set(outcomes) - {None, 303, TURNED_AWAY}:
        raise RuntimeError(f"answers: {dict(outcomes)}")
    return Storm(calm, beside, outcomes[303] / stormed.seconds, outcomes[TURNED_AWAY])
