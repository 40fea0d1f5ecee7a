"""From the outbox to whoever sends: with workers, without them, and two dispatchers at once."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from fakeredis import FakeStrictRedis
from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs import dispatcher
from app.jobs import queue as queues
from app.jobs.dispatcher import dispatch
from app.jobs.worker import EmbeddedWorker
from app.models import Message
from app.models.enums import MessageStatus
from app.rules import outbox
from tests.conftest import Clock
from tests.jobs.conftest import waiting
from tests.jobs.sink import Sink


def in_memory() -> Queue:
    return Queue(queues.NAME, connection=FakeStrictRedis(), serializer=JSONSerializer)


def statuses(store: Session) -> set[MessageStatus]:
    store.rollback()
    store.expire_all()
    return set(store.scalars(select(Message.status)).all())


def test_nothing_due_is_nothing_to_do(mail_app: Flask, store: Session, clock: Clock) -> None:
    waiting(store, run_at=clock.now + dt.timedelta(seconds=1))
    assert dispatch(in_memory(), room=None) == 0
    clock.forward(seconds=1)
    assert dispatch(in_memory(), room=None) == 1


def test_jobs_carry_ids_and_nothing_else(mail_app: Flask, sink: Sink, store: Session) -> None:
    message = waiting(store)[0]
    queue = in_memory()
    assert dispatch(queue, room=10) == 1
    (job,) = queue.jobs
    assert (job.id, job.args, job.kwargs) == (f"outbox-{message.id}-1", [message.id, 1], {})
    assert job.func_name == "app.jobs.deliver.deliver"
    assert job.ttl == outbox.LEASE.total_seconds()
    assert outbox.LEASE.total_seconds() > queues.JOB_SECONDS
    raw = b"".join(queue.connection.hgetall(job.key).values())
    assert b"example" not in raw
    assert sink.letters == []


def test_a_worker_sends_what_was_handed_over(mail_app: Flask, sink: Sink, store: Session) -> None:
    waiting(store, 3)
    queue = in_memory()
    dispatch(queue, room=10)
    worker = EmbeddedWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="WARNING")
    assert list(sink.ids().values()) == [1, 1, 1]
    assert statuses(store) == {MessageStatus.SENT}
    assert not queue.connection.keys("rq:job:*"), "nothing is left behind in Redis"


def test_a_message_handed_over_again_is_another_job(
    mail_app: Flask, sink: Sink, store: Session, clock: Clock
) -> None:
    message = waiting(store)[0]
    queue = in_memory()
    dispatch(queue, room=10)
    clock.forward(seconds=121)  # the worker was killed: the lease runs out
    dispatch(queue, room=10)
    assert queue.job_ids == [f"outbox-{message.id}-1", f"outbox-{message.id}-2"]
    worker = EmbeddedWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="WARNING")
    assert list(sink.ids().values()) == [1], "the job of the first try finds another's lease"


def test_a_full_queue_leaves_the_rest_in_the_outbox(mail_app: Flask, store: Session) -> None:
    waiting(store, 3)
    queue = in_memory()
    assert dispatch(queue, room=2) == 2
    assert dispatch(queue, room=0) == 0
    assert len(queue) == 2


def test_without_workers_the_dispatcher_sends_itself(
    mail_app: Flask, sink: Sink, store: Session
) -> None:
    waiting(store, 7)
    queue = in_memory()
    assert queues.room(queue) is None, "nobody works there"
    while dispatch(queue, room=queues.room(queue)):
        pass
    assert sum(sink.ids().values()) == 7
    assert len(queue) == 0


def test_redis_that_goes_away_in_between_changes_nothing(
    mail_app: Flask, sink: Sink, store: Session
) -> None:
    waiting(store, 4)
    queue = queues.on_redis("redis://127.0.0.1:1/0")
    assert queues.room(queue) is None
    assert dispatch(queue, room=10) == 4
    assert sum(sink.ids().values()) == 4


def test_who_is_told_to_stop_gives_back_what_is_not_tried(
    mail_app: Flask, sink: Sink, store: Session
) -> None:
    waiting(store, 4)
    dispatch(in_memory(), room=None, between=lambda: False)
    assert len(sink.letters) == 1
    dispatch(in_memory(), room=None)
    assert list(sink.ids().values()) == [1, 1, 1, 1], "nobody has to wait for a lease to run out"


@pytest.mark.parametrize("guarded", [True, False])
def test_two_dispatchers_send_each_message_once(
    app: Flask,
    mail_app: Flask,
    sink: Sink,
    store: Session,
    guarded: bool,
    scale: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the negative control: leasing without the lease's guard sends twice."""
    count = scale(1000)  # type: ignore[operator]
    waiting(store, count)
    if not guarded:

        def unguarded(session: Session, *, now: dt.datetime, limit: int) -> list[tuple[int, int]]:
            due = Message.status == MessageStatus.DUE
            rows = session.scalars(select(Message).where(due).limit(limit)).all()
            return [(row.id, row.attempts) for row in rows]

        monkeypatch.setattr(dispatcher.outbox, "lease", unguarded)
        monkeypatch.setattr(dispatcher.delivery, "begin", lambda *_, **__: True)
        sink.delay = 0.01
    failures: list[BaseException] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        try:
            with app.app_context():
                barrier.wait()
                while dispatch(in_memory(), room=None):
                    pass
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(sink.ids()) == count
    assert (max(sink.ids().values()) == 1) is guarded
    assert statuses(store) == {MessageStatus.SENT}


def test_the_queue_cannot_carry_pickles() -> None:
    assert queues.on_redis("redis://127.0.0.1:1/0").serializer is JSONSerializer
    assert queues.in_process().serializer is JSONSerializer
