"""The schedule: what is run how often. Any number of processes may run it; each turn is run once."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.extensions import own_transaction, utcnow
from app.models.scope import SYSTEM
from app.rules import (
    account_factor,
    account_log,
    booking,
    closing,
    codes,
    data_archive,
    donation_dates,
    esia,
    family_age,
    freed,
    guests,
    heartbeats,
    holding,
    imports,
    large_publishing,
    medication,
    offers,
    publishing,
    reminders,
    retention,
    throttle,
    waiting,
)

log = logging.getLogger("talon.jobs")
NIGHT = range(0, 3)
"""Hours in UTC: from Kaliningrad to Kamchatka few people book then."""
ROUNDS = 30
"""At most so many portions in one turn; the next turn goes on."""


def _release_stale(session: Session, now: dt.datetime) -> bool:
    return holding.release_stale(session, now=now) > 0


def _expire_undecided(session: Session, now: dt.datetime) -> bool:
    return booking.expire_undecided(session, now=now) > 0


def _lapse_codes(session: Session, now: dt.datetime) -> bool:
    return bool(codes.lapse(session, now=now))


def _come_of_age(session: Session, now: dt.datetime) -> bool:
    family_age.come_of_age(session, now=now)
    return False


def _publish_due(session: Session, now: dt.datetime) -> bool:
    return bool(publishing.publish_due(session, now=now, limit=1))


class _Large:
    """Publications made in portions: what one run knows is kept between them."""

    def __init__(self) -> None:
        self.run: large_publishing.Run | None = None

    def __call__(self, session: Session, now: dt.datetime) -> bool:
        found = large_publishing.waiting(session)
        if found is None:
            self.run = None
            return False
        if self.run is None or self.run.publication_id != found:
            self.run = large_publishing.Run(found)
        run, self.run = self.run, None  # whoever has failed plans anew
        if run.step(session, now=now):
            self.run = run
        return True


def _finish_closings(session: Session, now: dt.datetime) -> bool:
    return closing.finish_closings(session, now=now) > 0


def _end_offers(session: Session, now: dt.datetime) -> bool:
    return offers.expire(session, now=now) > 0


def _look_again(session: Session, now: dt.datetime) -> bool:
    waiting.end_old(session, now=now)
    return freed.daily(session, now=now) > 0


def _sweep(session: Session, now: dt.datetime) -> bool:
    throttle.sweep(session, now=now)
    guests.sweep(session, now=now)
    account_factor.sweep(session, now=now)
    account_log.sweep(session, now=now)
    data_archive.sweep(session, now=now)
    esia.sweep(session, now=now)
    imports.discard_old(session, now=now)
    return False


class _Medication:
    """Reminders of medicines for the next half hour (row E56)."""

    def __init__(self) -> None:
        self.walk = reminders.Walk(dt.timedelta(minutes=5))

    def __call__(self, session: Session, now: dt.datetime) -> bool:
        if self.walk.resting(now):
            return False
        return self.walk.went(medication.make_due(session, now=now, after=self.walk.after), now)


class _DonationDates:
    """Who may donate again (N23): everybody is looked at twice a day."""

    def __init__(self) -> None:
        self.walk = reminders.Walk(dt.timedelta(hours=12))

    def __call__(self, session: Session, now: dt.datetime) -> bool:
        if self.walk.resting(now):
            return False
        return self.walk.went(donation_dates.portion(session, after=self.walk.after, now=now), now)


class _Retention:
    """What is over its term, a portion a night (app/data/retention.json)."""

    def __init__(self) -> None:
        self.walk = reminders.Walk(dt.timedelta(hours=20))

    def __call__(self, session: Session, now: dt.datetime) -> bool:
        if now.hour in NIGHT and not self.walk.resting(now):
            retention.run(session, now=now)
            self.walk.went(None, now)
        return False


def _alive(session: Session, now: dt.datetime) -> bool:
    return False


@dataclass(frozen=True)
class Periodic:
    """``run`` does one portion in one transaction and says whether there may be more."""

    name: str
    every: dt.timedelta
    run: Callable[[Session, dt.datetime], bool]


PERIODIC = (
    Periodic("worker", dt.timedelta(seconds=15), _alive),
    Periodic("release_stale", dt.timedelta(seconds=30), _release_stale),
    Periodic("expire_undecided", dt.timedelta(seconds=60), _expire_undecided),
    Periodic("lapse_codes", dt.timedelta(seconds=30), _lapse_codes),
    Periodic("come_of_age", dt.timedelta(seconds=60), _come_of_age),
    Periodic("publish_due", dt.timedelta(seconds=20), _publish_due),
    Periodic("publish_large", dt.timedelta(seconds=5), _Large()),
    Periodic("finish_closings", dt.timedelta(seconds=30), _finish_closings),
    Periodic("medication", dt.timedelta(seconds=60), _Medication()),
    Periodic("donation_dates", dt.timedelta(seconds=60), _DonationDates()),
    Periodic("retention", dt.timedelta(seconds=60), _Retention()),
    Periodic("end_offers", dt.timedelta(seconds=15), _end_offers),
    Periodic("waiting_list", dt.timedelta(seconds=60), _look_again),
    Periodic("sweep", dt.timedelta(seconds=60), _sweep),
)
"""None rarer than app.rules.condition.LATEST_BEAT, or /readyz misses its mark of life."""


@dataclass
class Schedule:
    """Which jobs this process has to ask for now; the database decides whether it may run them."""

    jobs: tuple[Periodic, ...] = PERIODIC
    asked: dict[str, float] = field(default_factory=dict)

    def run_due(self) -> None:
        """Run each job whose turn has come, unless another process has just done so."""
        for job in self.jobs:
            clock = time.monotonic()
            last = self.asked.get(job.name)
            if last is None or clock - last >= job.every.total_seconds():
                self.asked[job.name] = clock
                run(job)


def run(job: Periodic) -> None:
    """One turn, if it is free. An error is noted beside the mark of life and does not stop the others."""
    with own_transaction(SYSTEM) as session:
        # a little early: two clocks, or a turn that took long, must not skip one
        every = job.every - dt.timedelta(seconds=1)
        if not heartbeats.claim(session, name=job.name, every=every, now=utcnow()):
            return
    error = ""
    try:
        for _ in range(ROUNDS):
            with own_transaction(SYSTEM) as session:
                if not job.run(session, utcnow()):
                    break
    except Exception as problem:  # of any kind: the other jobs go on
        error = type(problem).__name__
        log.error("periodic job %s: %s", job.name, error)
    with own_transaction(SYSTEM) as session:
        heartbeats.report(session, name=job.name, error=error)
