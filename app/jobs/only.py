"""Being the only embedded worker of an installation: a lock that dies with the process that holds it.

SQLite: a lock on a file beside the database. PostgreSQL: an advisory lock of a session. Who holds it
knows that every lease in the outbox is of a worker that is no more.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

LOCK = 0x74616C6F6E
"""«talon» in ASCII."""


class Only:
    """``held()`` is asked again and again: it tries to get the lock, and notices when it is lost."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.file: IO[bytes] | None = None
        self.connection: Connection | None = None

    def held(self) -> bool:
        """Whether this process is the one."""
        if self.engine.dialect.name == "sqlite":
            return self.file is not None or self._lock_file()
        return self._still_connected() or self._lock_session()

    def _lock_file(self) -> bool:
        path = Path(f"{self.engine.url.database}.worker")
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self.file = file
        return True

    def _still_connected(self) -> bool:
        if self.connection is None:
            return False
        try:
            self.connection.execute(select(1))
        except DBAPIError:
            self.release()
            return False
        return True

    def _lock_session(self) -> bool:
        connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not connection.scalar(select(func.pg_try_advisory_lock(LOCK))):
            connection.close()
            return False
        self.connection = connection
        return True

    def release(self) -> None:
        """Let it go (a process that ends need not)."""
        if self.file is not None:
            self.file.close()
            self.file = None
        if self.connection is not None:
            self.connection.invalidate()  # the lock is the session's: it must not go back to the pool
            self.connection.close()
            self.connection = None
