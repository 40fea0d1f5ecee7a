"""Workers killed in the middle of a delivery: every letter arrives, twice at most once a kill.

Processes of their own, on both engines, with a mail server that counts Message-IDs.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rq import Worker
from sqlalchemy import select

from app.jobs import queue as queues
from app.models import Message
from app.models.enums import MessageStatus
from app.rules import outbox
from tests import servers, stores
from tests.jobs.conftest import waiting
from tests.jobs.processes import DISPATCHER, WORKER, House, now, pool, until
from tests.jobs.sink import Sink

_names = itertools.count(1)
Scale = Callable[[int], int]


@pytest.fixture
def house(databases: stores.Store, sink: Sink, tmp_path: Path) -> Iterator[House]:
    made = House(databases.create(f"kill{next(_names)}"), tmp_path, MAIL_URL=sink.url)
    with servers.closing(made):
        yield made


def write(house: House, count: int) -> set[str]:
    """``count`` letters to be sent; their Message-IDs."""
    with house.session() as session:
        return {f"<{m.uid}@localhost>" for m in waiting(session, count, now=now())}


def all_sent(house: House) -> bool:
    with house.session() as session:
        return set(session.scalars(select(Message.status))) == {MessageStatus.SENT}


def test_a_killed_worker_loses_nothing(house: House, sink: Sink, scale: Scale) -> None:
    kills, count = scale(30), scale(1500)
    chance = random.Random(7)
    sink.delay = 0.02
    expected = write(house, count)
    for _ in range(kills):
        worker = house.start(WORKER)
        goal = len(sink.letters) + chance.randint(1, max(1, count // kills - 10))
        until(lambda goal=goal: len(sink.letters) >= goal, house)
        time.sleep(chance.uniform(0, 0.06))
        servers.stop(worker, signal.SIGKILL)
    house.start(WORKER)
    until(lambda: not house.left(), house)
    ids = sink.ids()
    assert set(ids) == expected
    assert sum(ids.values()) - count <= kills
    assert all_sent(house)


def test_the_next_worker_does_not_wait_for_the_leases_of_a_dead_one(
    house: House, sink: Sink
) -> None:
    sink.delay = 0.05
    expected = write(house, 8)
    worker = house.start(WORKER)
    until(lambda: len(sink.letters) >= 2, house)
    servers.stop(worker, signal.SIGKILL)
    house.start(WORKER)
    until(lambda: not house.left(), house, seconds=outbox.LEASE.total_seconds() / 2)
    assert set(sink.ids()) == expected


def test_a_worker_that_is_asked_to_stop_finishes_its_letter(house: House, sink: Sink) -> None:
    sink.delay = 0.03
    expected = write(house, 30)
    worker = house.start(WORKER)
    until(lambda: len(sink.letters) >= 5, house)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0
    assert 5 <= len(sink.letters) < 30
    sink.delay = 0.0
    house.start(WORKER)
    until(lambda: not house.left(), house)
    assert sink.ids() == dict.fromkeys(expected, 1)


def test_of_two_embedded_workers_one_works_and_one_stands_by(house: House, sink: Sink) -> None:
    workers = [house.start(WORKER), house.start(WORKER)]
    sink.delay = 0.02
    expected = write(house, 40)
    until(lambda: not house.left(), house)
    assert sink.ids() == dict.fromkeys(expected, 1)
    for victim in workers[:1]:
        servers.stop(victim, signal.SIGKILL)
    expected |= write(house, 10)
    until(lambda: not house.left(), house)
    assert sink.ids() == dict.fromkeys(expected, 1)


def test_killed_workers_of_a_pool_lose_nothing(
    house: House, sink: Sink, scale: Scale, redis_server: servers.Redis
) -> None:
    kills, count = scale(20), scale(1000)
    house.environ["TALON_REDIS_URL"] = redis_server.url
    house.start(DISPATCHER)
    house.start(DISPATCHER)
    house.start(pool(redis_server.url))
    queue = queues.on_redis(redis_server.url)
    until(lambda: queues.room(queue) is not None, house)
    sink.delay = 0.02
    expected: set[str] = set()
    for _ in range(kills):
        expected |= write(house, count // kills)
        goal = len(sink.letters) + count // kills // 2
        until(lambda goal=goal: len(sink.letters) >= goal, house)
        victim = random.choice([w.pid for w in Worker.all(queue=queue) if w.pid in alive(house)])
        kill(victim)
    until(lambda: not house.left(), house)
    ids = sink.ids()
    assert set(ids) == expected
    assert sum(ids.values()) - len(expected) <= kills
    assert all_sent(house)


def alive(house: House) -> set[int]:
    """Processes that this test has started, and their children: nothing else is ever killed."""
    own = {process.pid for process in house.running}
    found = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            parent = re.search(r"^PPid:\s+(\d+)", status.read_text(), re.MULTILINE)
        except OSError:
            continue
        if parent and int(parent[1]) in own:
            found.add(int(status.parent.name))
    return found


def kill(pid: int) -> None:

    os.kill(pid, signal.SIGKILL)


def test_redis_may_come_and_go(
    house: House, sink: Sink, scale: Scale, redis_server: servers.Redis
) -> None:
    """Stopped: the dispatcher sends itself. Started again, and empty: its workers go on."""
    count = scale(300)
    house.environ["TALON_REDIS_URL"] = redis_server.url
    house.start(DISPATCHER)
    house.start(pool(redis_server.url))
    queue = queues.on_redis(redis_server.url)
    until(lambda: queues.room(queue) is not None, house)
    expected = write(house, count)
    until(lambda: not house.left(), house)

    redis_server.stop()
    expected |= write(house, count)
    until(lambda: not house.left(), house)

    redis_server.start()
    until(lambda: queues.room(queue) is not None, house)
    done = sum(w.successful_job_count for w in Worker.all(queue=queue))
    expected |= write(house, count)
    until(lambda: not house.left(), house)
    assert sum(w.successful_job_count for w in Worker.all(queue=queue)) > done
    assert set(sink.ids()) == expected
    assert all_sent(house)


def test_redis_killed_in_the_middle_loses_nothing(
    house: House, sink: Sink, scale: Scale, redis_server: servers.Redis
) -> None:
    count, times = scale(400), scale(30)
    house.environ["TALON_REDIS_URL"] = redis_server.url
    house.start(DISPATCHER)
    house.start(pool(redis_server.url))
    queue = queues.on_redis(redis_server.url)
    until(lambda: queues.room(queue) is not None, house)
    sink.delay = 0.02
    expected: set[str] = set()
    portion = count // times
    for _ in range(times):  # written by portions: however fast they go, some are left to be hit
        expected |= write(house, portion)
        goal = len(sink.letters) + portion // 2
        until(lambda goal=goal: len(sink.letters) >= goal, house)
        redis_server.stop()
        time.sleep(0.3)
        redis_server.start()
    until(lambda: not house.left(), house)
    ids = sink.ids()
    assert set(ids) == expected
    assert len(expected) == portion * times
    assert sum(ids.values()) == len(expected), "nobody was killed but Redis: no letter twice"
    assert all_sent(house)
