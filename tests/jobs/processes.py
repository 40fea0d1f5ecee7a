"""Worker processes of their own for the tests that kill: as in production, but with a short lease."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session

import config
from app.extensions import engine_options, prepare_sqlite
from app.factory import key_ring
from app.models import Message
from app.models.crypto import use_keys
from app.models.enums import MessageStatus
from tests import servers, stores
from tests.live import ROOT, environment

SHORT_LEASE = (
    "import datetime; from app.rules import outbox; outbox.LEASE = datetime.timedelta(seconds=4)"
)
WORKER = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
DISPATCHER = [
    sys.executable,
    "-c",
    f"{SHORT_LEASE}; import wsgi; from app.jobs.worker import run_dispatcher; run_dispatcher(wsgi.app)",
]


def pool(redis_url: str, count: int = 2) -> list[str]:
    """``rq worker-pool`` as docs/systemd starts it."""
    arguments = ["worker-pool", "-n", str(count), "-u", redis_url, "-S", "json"]
    arguments += ["-w", "app.jobs.worker.TalonWorker", "talon"]
    code = f"{SHORT_LEASE}; import sys; sys.argv = ['rq', *{arguments!r}]; from rq.cli import main; main()"
    return [sys.executable, "-c", code]


class House:
    """One database and the processes around it."""

    def __init__(self, database_url: str, folder: Path, **settings: str) -> None:
        self.folder = folder
        given = environment(database_url, MAILBOX="0", **settings)
        outside = {k: v for k, v in os.environ.items() if not k.startswith("TALON_")}
        self.environ = outside | given
        use_keys(key_ring(config.load(given)))
        self.engine = sa.create_engine(database_url, **engine_options(database_url))
        if self.engine.dialect.name == "sqlite":
            prepare_sqlite(self.engine)
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        log = self.folder / f"{len(self.running)}.log"
        self.running.append(servers.start(command, log, cwd=ROOT, env=self.environ))
        return self.running[-1]

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    @contextmanager
    def session(self) -> Iterator[Session]:
        with stores.system_session(self.engine) as made:
            yield made

    def left(self) -> int:
        """How many messages have not ended yet."""
        with self.session() as session:
            due = select(Message.id).where(Message.status == MessageStatus.DUE)
            return len(session.scalars(due).all())

    def close(self) -> None:
        for process in self.running:
            servers.stop(process)
        self.engine.dispose()


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def until(what: Callable[[], bool], house: House, seconds: float = 300.0) -> None:
    """Wait; with the processes' own words if it takes too long."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, house.logs()[-3000:]
        time.sleep(0.01)
