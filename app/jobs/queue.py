"""The rq queue: on Redis, or inside this process where there is none. It carries ids and nothing else.

The queue is a wake-up call, not a memory: what it loses is leased again from the outbox.
"""

from __future__ import annotations

import logging

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from app.rules.outbox import LEASE

NAME = "talon"
JOB = "app.jobs.deliver.deliver"
JOB_SECONDS = 90
"""A job is ended after this long: before the lease of its message is over."""
KEEP_FAILED = 3600
WAITING = 100
"""So many jobs may wait in Redis; the others wait in the outbox, where no lease runs out meanwhile."""

for noisy in ("rq.worker", "rq.queue", "rq.job", "rq.worker_pool"):
    logging.getLogger(noisy).setLevel(logging.WARNING)


def on_redis(url: str) -> Queue:
    """The queue on a Redis server; a server that is away is noticed in a second."""
    connection = Redis.from_url(
        url, socket_connect_timeout=1, socket_timeout=3, retry=Retry(NoBackoff(), 0)
    )
    return Queue(NAME, connection=connection, serializer=JSONSerializer)


def in_process() -> Queue:
    """The queue in the memory of this process."""
    from fakeredis import FakeStrictRedis

    return Queue(NAME, connection=FakeStrictRedis(), serializer=JSONSerializer)


def room(queue: Queue) -> int | None:
    """How many jobs the queue takes now; None if Redis is away or nobody works there."""
    try:
        workers = Worker.all_keys(queue=queue)
        if not workers or not queue.connection.exists(*workers):  # names outlive their owners
            return None
        return max(0, WAITING - len(queue))
    except RedisError:
        return None


def hand_over(queue: Queue, message_id: int, attempt: int) -> bool:
    """Have a try at a message made by a worker. False if Redis is away."""
    try:
        queue.enqueue_call(
            JOB,
            args=(message_id, attempt),
            job_id=f"outbox-{message_id}-{attempt}",
            timeout=JOB_SECONDS,
            ttl=int(LEASE.total_seconds()),
            result_ttl=0,
            failure_ttl=KEEP_FAILED,
        )
    except RedisError:
        return False
    return True
