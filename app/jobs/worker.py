"""The processes: one worker for a single machine, or dispatchers and an rq worker pool for many.

flask --app wsgi worker                                # no Redis: everything in one process
flask --app wsgi dispatcher                            # TALON_REDIS_URL, and beside it:
rq worker-pool -n 2 -u $TALON_REDIS_URL -w app.jobs.worker.TalonWorker -S json talon
"""

from __future__ import annotations

import importlib
import logging
import signal
import threading
from typing import Any

from flask import Flask
from rq import SimpleWorker, worker_registration
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db, own_transaction
from app.jobs import queue as queues
from app.jobs.dispatcher import dispatch
from app.jobs.only import Only
from app.jobs.periodic import Schedule
from app.models.scope import SYSTEM
from app.rules import delivery

log = logging.getLogger("talon.jobs")
PAUSE = 0.5
"""Seconds between two looks at an empty outbox."""
AWAY = 2.0
"""Seconds to wait when the database is away, or while another worker is the one."""
AT_ONCE = 10
"""The embedded worker leases so many: their leases run while they wait for their turn."""


WORKER_SECONDS = 60
"""A worker that is silent for this long, and as long again, does not count as one (app.jobs.queue)."""


class TalonWorker(SimpleWorker):
    """For ``rq worker-pool``: runs jobs inside the application that wsgi.py makes from the environment."""

    max_connection_wait_time = 5.0  # after Redis was away, letters go on within seconds

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["serializer"] = JSONSerializer  # with pickle, whoever writes to Redis runs code here
        super().__init__(*args, **kwargs, worker_ttl=WORKER_SECONDS)
        self.app: Flask = importlib.import_module("wsgi").app

    def work(self, *args: Any, **kwargs: Any) -> bool:
        kwargs.update(with_scheduler=False, logging_level="WARNING")
        return super().work(*args, **kwargs)

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        """Also says again who works here: a Redis that was restarted has forgotten it."""
        worker_registration.register(self)
        super().heartbeat(*args, **kwargs)

    def perform_job(self, job: Any, queue: Any) -> bool:
        with self.app.app_context():
            return super().perform_job(job, queue)


class EmbeddedWorker(SimpleWorker):
    """Works off a queue in the memory of this process; signals are left to the process."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self) -> None:
        """None: the loop around this worker has them."""


class Loop:
    """Turn after turn until SIGTERM or SIGINT; what is in hand is finished first."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.stop = threading.Event()
        self.schedule = Schedule()

    def run(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: self.stop.set())
        while not self.stop.is_set():
            try:
                with self.app.app_context():
                    pause = self.turn()
            except SQLAlchemyError as error:
                log.warning("the database: %s", type(error).__name__)
                pause = AWAY
            self.stop.wait(pause)
        with self.app.app_context():
            self.end()

    def turn(self) -> float:
        """Do what is to be done now; seconds until the next turn."""
        raise NotImplementedError

    def end(self) -> None:
        """Leave nothing behind that others would have to wait for."""

    def keep_time(self) -> bool:
        """Periodic jobs and the mark of life, also between any two letters. False: time to stop."""
        self.schedule.run_due()
        return not self.stop.is_set()


class Dispatcher(Loop):
    """Beside an rq worker pool; with Redis away, or nobody working there, it does their work."""

    def __init__(self, app: Flask, redis_url: str) -> None:
        super().__init__(app)
        self.queue = queues.on_redis(redis_url)

    def turn(self) -> float:
        self.keep_time()
        passed = dispatch(self.queue, room=queues.room(self.queue), between=self.keep_time)
        return 0.0 if passed else PAUSE


class Embedded(Loop):
    """Dispatcher and rq worker in one process. One of them works, others stand by."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self.queue = queues.in_process()
        self.worker = EmbeddedWorker(
            [self.queue], connection=self.queue.connection, serializer=JSONSerializer
        )
        with app.app_context():
            self.only = Only(db.engine)
        self.working = False

    def turn(self) -> float:
        before, self.working = self.working, self.only.held()
        if not self.working:
            return AWAY
        if not before:
            self._end_leases()  # of a worker that was killed: its letters go out at once
        self.keep_time()
        passed = dispatch(self.queue, room=AT_ONCE - len(self.queue))
        while len(self.queue) and not self.stop.is_set():
            self.worker.work(burst=True, max_jobs=1, logging_level="WARNING")
            self.keep_time()
        return 0.0 if passed else PAUSE

    def end(self) -> None:
        if self.working:
            self._end_leases()
            self.only.release()

    def _end_leases(self) -> None:
        with own_transaction(SYSTEM) as session:
            delivery.end_leases(session)


def run_embedded(app: Flask) -> None:
    """The worker of a single machine, until it is told to stop: outbox, periodic jobs, rq in memory."""
    Embedded(app).run()


def run_dispatcher(app: Flask) -> None:
    """Hand due messages to the rq workers on TALON_REDIS_URL and run the periodic jobs, until told to stop."""
    Dispatcher(app, app.config["REDIS_URL"]).run()
