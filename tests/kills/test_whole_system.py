"""Donors book over HTTP and a registrar approves while workers are killed and Redis comes and goes.

No request fails, every letter arrives, and none arrives more often than something was killed.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import kill
from pathlib import Path

import pytest
from rq import Worker
from sqlalchemy import select

from app.jobs import queue as queues
from app.models import Message
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind, MessageStatus
from tests import make, servers, stores
from tests.jobs.processes import DISPATCHER, pool
from tests.jobs.sink import Sink, open_sink
from tests.live import ROOT, Live
from tests.races.centre import Centre
from tests.races.clients import Client

PATIENCE = 120
_names = itertools.count(1)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with open_sink() as made:
        made.delay = 0.05  # the time in which a sender can be killed
        yield made


class Town:
    """A site, its mail server, and people who do not know what happens behind it."""

    def __init__(self, site: Live, sink: Sink, count: int) -> None:
        self.site, self.sink, self.count = site, sink, count
        self.centre = Centre(site, undo_seconds=1)
        self.day = self.centre.day(per_time=count)
        with site.session() as session:
            self.slots = [str(slot.uid) for slot in make.slots_of(session, self.day)][:count]
        known = self.centre.donors(count)
        self.donors = self.centre.clients([one.account for one in known])
        (self.registrar,) = self.centre.clients([self.centre.staff()])
        self.errors: list[BaseException] = []
        self.done = 0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Everybody books, one after another; meanwhile the body of this ``with`` does its worst."""
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield
        finally:
            thread.join()
        assert not self.errors, self.errors
        statuses = {s for c in (*self.donors, self.registrar) for s in c.statuses}
        assert statuses == {303}

    def _work(self) -> None:
        try:
            for client, slot in zip(self.donors, self.slots, strict=True):
                ticket = self._book(client, slot)
                if self.done % 2:
                    uid = ticket.rpartition("/")[2]
                    self.registrar.post(f"/staff/queue/{uid}/approve")
                self.done += 1
        except BaseException as error:  # told to the test
            self.errors.append(error)

    def _book(self, client: Client, slot: str) -> str:
        held = client.post(f"/places/{self.day.uid}", slot=slot)
        return client.post(held.location).location

    def share(self, part: float) -> None:
        """Wait until that part of the donors has booked."""
        self.until(lambda: self.done >= part * self.count or bool(self.errors))

    def until(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not what():
            logs = (self.site.web_log, self.site.worker_log)
            assert time.monotonic() < deadline, "\n".join(
                log.read_text()[-2000:] for log in logs if log.exists()
            )
            time.sleep(0.02)

    def settled(self) -> bool:
        """Nothing that is due waits, and every approval is told: its letter leaves a second later."""
        with self.site.session() as session:
            found = session.execute(select(Message.kind, Message.status, Message.run_at)).all()
        now = dt.datetime.now(dt.UTC)
        sent = Counter(kind for kind, status, _ in found if status is MessageStatus.SENT)
        waiting = [at for _, status, at in found if status is MessageStatus.DUE and at <= now]
        return not waiting and sent[MessageKind.APPROVED] == self.count // 2

    def check(self, kills: int) -> None:
        """Every booking stands; what the ledger calls sent has arrived; repeats only by kills."""
        assert self.centre.count(A.BOOKED) == self.count // 2
        assert self.centre.count(A.PENDING) == self.count - self.count // 2
        with self.site.session() as session:
            sent = {
                str(uid)
                for uid in session.scalars(
                    select(Message.uid).where(Message.status == MessageStatus.SENT)
                )
            }
            ends = Counter(session.scalars(select(Message.status)))
        arrived = Counter(re.sub(r"^<|@.*", "", name) for name in self.sink.ids().elements())
        assert sent <= set(arrived)
        assert sum(arrived.values()) - len(arrived) <= kills
        assert ends[MessageStatus.DEAD] == 0
        assert self.centre.broken() == []


@pytest.fixture
def town(
    databases: stores.Store, tmp_path: Path, sink: Sink, scale: Callable[[int], int]
) -> Iterator[Callable[..., Town]]:
    """``town(REDIS_URL=…)``: a running web server with its people; workers are the test's own."""
    sites = []

    def start(**settings: str) -> Town:
        site = Live(
            databases.create(f"town{next(_names)}"),
            tmp_path,
            MAILBOX="0",
            MAIL_URL=sink.url,
            **settings,
        )
        sites.append(site)
        site.start_web()
        return Town(site, sink, max(20, scale(200)))

    yield start
    for site in sites:
        site.close()


def test_the_worker_is_killed_while_people_book(town, scale):
    kills = max(2, scale(10))
    there = town()
    chance = random.Random(3)
    with there.at_work():
        for number in range(kills):
            there.site.start_worker()
            there.share((number + 1) / (kills + 1))
            time.sleep(chance.uniform(0, 0.1))
            there.site.kill_worker()
    there.site.start_worker()
    there.until(there.settled)
    there.check(kills)


def test_redis_and_its_workers_come_and_go_while_people_book(town, scale, redis_server):
    kills, stops = max(2, scale(10)), max(2, scale(10))
    there = town(REDIS_URL=redis_server.url)
    log = there.site.worker_log
    started = [
        servers.start(command, log, cwd=ROOT, env=there.site.environ)
        for command in (DISPATCHER, pool(redis_server.url))
    ]
    try:
        queue = queues.on_redis(redis_server.url)
        there.until(lambda: queues.room(queue) is not None)
        with there.at_work():
            for number in range(max(kills, stops)):
                there.share((number + 0.5) / (max(kills, stops) + 1))
                if number < kills:
                    _kill_one(started[1].pid)
                if number < stops:
                    redis_server.stop()
                    there.share((number + 1) / (stops + 1))
                    redis_server.start()
        there.until(there.settled)
        there.check(kills)
        there.until(lambda: queues.room(queue) is not None)
        assert Worker.count(queue=queue) > 0
    finally:
        for process in started:
            servers.stop(process)


def _kill_one(pool_pid: int) -> None:
    """SIGKILL to one worker of the pool: a child of the process we have started, nothing else."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            parent = re.search(r"^PPid:\s+(\d+)", status.read_text(), re.MULTILINE)
        except OSError:
            continue
        if parent and int(parent[1]) == pool_pid:
            kill(int(status.parent.name), signal.SIGKILL)
            return
