"""A deleted cabinet as a thief of the files would look for it: the database's file, its dump, the queue (N15).

Letters of the mailbox, copies and archives are rows: no file of theirs stands anywhere else.
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.jobs import queue as queues
from app.rules import erasing
from tests import servers
from tests.make import NOW
from tests.rules.own_rows import MARK, Filled, everything
from tests.rules.test_own_data import KEPT, OF_OTHERS

ESCAPED = json.dumps(MARK)[1:-1]
"""As it stands in a JSON column."""


def marks(dump: bytes) -> set[int]:
    """The numbers behind the marks that stand in a file."""
    text = (
        dump.decode("utf-8", errors="ignore")
        .replace(ESCAPED, MARK)
        .replace(ESCAPED.replace("\\", "\\\\"), MARK)
    )
    return {int(number) for number in re.findall(rf"{MARK} (\d+)\.", text, re.IGNORECASE)}


def dumped(engine: sa.Engine, request: pytest.FixtureRequest) -> bytes:
    """SQLite: the file and what its log holds after a checkpoint. PostgreSQL: the text of pg_dump."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path = Path(str(engine.url.database))
        log = path.with_name(f"{path.name}-wal")
        return path.read_bytes() + (log.read_bytes() if log.exists() else b"")
    server: servers.PostgreSQL = request.getfixturevalue("postgresql")
    return subprocess.run(
        [servers.program("pg_dump"), "-h", str(server.folder), "-U", "postgres", str(engine.url.database)],
        capture_output=True, check=True,
    ).stdout  # fmt: skip


@pytest.mark.parametrize("medical", [False, True], ids=["no law keeps it", "the law keeps a card"])
def test_of_a_deleted_cabinet_nothing_stands_in_the_files_but_what_must(
    store: Session,
    engine: sa.Engine,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    medical: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    filled = Filled(store, medical=medical)
    store.commit()
    indexes = {
        getattr(row, name)
        for row, name in (
            (filled.account, "login_index"),
            (filled.person, "phone_index"),
        )
    }
    before = dumped(engine, request)
    assert len(marks(before)) > 40, "the search finds them where they stand"
    allowed = OF_OTHERS | (KEPT if medical else set())
    kept = {
        int(number)
        for table, column, text in everything(store)
        if (table, column) in allowed
        for number in re.findall(rf"{MARK} (\d+)\.", text, re.IGNORECASE)
    }
    erasing.erase(store, account=filled.account, now=NOW)
    store.commit()
    after = dumped(engine, request)
    assert marks(after) - kept == set()
    assert marks(after), "what the law keeps is there still"
    for index in indexes - {None}:
        assert index in before or index.hex().encode() in before
        assert index not in after and index.hex().encode() not in after
    assert MARK not in caplog.text


def test_the_queue_holds_keys_alone(redis_server: servers.Redis, store: Session) -> None:
    """What stands in Redis between the outbox and the worker."""
    filled = Filled(store, medical=True)
    queue = queues.on_redis(redis_server.url)
    assert queues.hand_over(queue, filled.rows["message"][0].id, 1)
    (job,) = queue.jobs
    assert list(job.args) == [filled.rows["message"][0].id, 1] and not job.kwargs
    told = [queue.connection.dump(key) for key in queue.connection.scan_iter("*")]
    told += [job.data, str(job.description).encode(), str(job.meta).encode()]
    assert len(told) > 4
    assert not marks(b"\n".join(each for each in told if each))
