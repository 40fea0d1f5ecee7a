"""Private servers for the tests: started from Debian's binaries, on own sockets, stopped by own pid.

Nothing here listens on the network; two runs on one machine never meet. What is not installed is
named (``Missing``), never replaced by something else.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import psycopg
import pytest
import redis
from psycopg import sql

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
PATIENCE = 30.0
"""Seconds a server may take to start on a busy machine."""

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


NOT_TESTED = "NOT TESTED: "


class Missing(Exception):
    """A program is not installed; the text is its name."""


def unavailable(what: str) -> NoReturn:
    """Skip because ``what`` is not on this machine; counted at the end, a failure in CI."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is needed (REQUIRE_ALL=1) and not here", pytrace=False)
    pytest.skip(NOT_TESTED + what)


def program(name: str) -> str:
    """Path of a server program: Debian's newest PostgreSQL, or PATH. Raises Missing."""
    for folder in sorted(DEBIAN_POSTGRES.glob("*/bin"), key=_version, reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name)
    if found is None:
        raise Missing(name)
    return found


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


def end_with_parent() -> None:
    """For ``preexec_fn``: a test run that is killed takes its servers along."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(command: list[str], log: Path, **options: Any) -> subprocess.Popen[bytes]:
    """A child in its own group (Ctrl-C is for pytest alone) that ends with us; output to ``log``."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - one prctl call, looked up beforehand
            **options,
        )


def stop(
    process: subprocess.Popen[bytes], sign: signal.Signals = signal.SIGTERM, seconds: float = 15
) -> None:
    """End one child by its own pid; by SIGKILL if it does not listen."""
    if process.poll() is None:
        process.send_signal(sign)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for ``ready``. Raises RuntimeError with the end of the log if the child ends or is late."""
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not answer:\n{log.read_text()[-3000:]}")
        time.sleep(0.02)


class PostgreSQL:
    """A cluster of one's own: socket only, no fsync, UTF-8 with C.UTF-8 (lower() knows Cyrillic)."""

    durability: ClassVar[dict[str, str]] = {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "64MB",
    }

    def __init__(self) -> None:
        initdb, self.program = program("initdb"), program("postgres")
        self.folder = Path(
            tempfile.mkdtemp(prefix="talon-pg-")
        )  # short: a socket's path has a limit
        self.log = self.folder / "log"
        self.data = self.folder / "data"
        self.log.touch()
        self.owner: dict[str, Any] = {}
        if os.getuid() == 0:  # the server refuses to run as root
            entry = pwd.getpwnam("postgres")
            for path in (self.folder, self.log):
                os.chown(path, entry.pw_uid, entry.pw_gid)
            self.owner = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        done = subprocess.run(
            [initdb, "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8",
             "--locale=C.UTF-8", "-D", str(self.data)],
            cwd="/", capture_output=True, text=True, check=False, **self.owner,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")
        self.process: subprocess.Popen[bytes] | None = None
        self.start()
        with self.admin() as db:
            db.execute("CREATE ROLE talon LOGIN")

    def start(self) -> None:
        """Start the server (again)."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "max_connections": "250",
            "timezone": "Asia/Kamchatka",  # not UTC: a naive instant must not pass by luck
            **self.durability,
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.process = start(
            [self.program, "-D", str(self.data), *settings], self.log, cwd="/", **self.owner
        )
        until(self._answers, self.process, self.log)

    def _answers(self) -> bool:
        try:
            self.admin().close()
        except psycopg.OperationalError:
            return False
        return True

    def admin(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A superuser's connection, each statement on its own."""
        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname=database, autocommit=True
        )

    def url(self, database: str) -> str:
        """For SQLAlchemy, as the ordinary role ``talon``, which owns the databases made here."""
        return f"postgresql+psycopg://talon@/{database}?host={self.folder}"

    def create(self, database: str, template: str = "template0") -> str:
        """A new database (nobody may be connected to ``template``); its URL."""
        with self.admin() as db:
            db.execute(
                sql.SQL("CREATE DATABASE {} OWNER talon TEMPLATE {}").format(
                    sql.Identifier(database), sql.Identifier(template)
                )
            )
        return self.url(database)

    def drop(self, database: str) -> None:
        with self.admin() as db:
            db.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            )

    def stop(self, sign: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in order, SIGQUIT at once (as a crash)."""
        if self.process is not None:
            stop(self.process, sign)

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis:
    """A Redis of one's own on a unix socket, without persistence."""

    def __init__(self) -> None:
        self.program = program("redis-server")
        self.folder = Path(tempfile.mkdtemp(prefix="talon-redis-"))
        self.log = self.folder / "log"
        self.log.touch()
        self.socket = self.folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the server (again, and empty)."""
        self.process = start(
            [self.program, "--port", "0", "--unixsocket", str(self.socket), "--save", "",
             "--appendonly", "no", "--dir", str(self.folder)],
            self.log,
        )  # fmt: skip
        until(self._answers, self.process, self.log)

    def _answers(self) -> bool:
        with contextlib.closing(self.client()) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def stop(self, sign: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            stop(self.process, sign)
        self.socket.unlink(missing_ok=True)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def closing(server: Any) -> Iterator[Any]:
    """A server for the length of a fixture."""
    try:
        yield server
    finally:
        server.close()
