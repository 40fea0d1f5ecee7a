"""The site as it runs in earnest: gunicorn with several processes and a worker, over real HTTP."""

from __future__ import annotations

import datetime as dt
import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy.orm import Session

import config
from app.extensions import engine_options, prepare_sqlite
from app.factory import key_ring
from app.models import Account, StaffUser
from app.models.crypto import use_keys
from tests import servers, stores
from tests.client import Pass, pass_for

ROOT = Path(__file__).resolve().parent.parent
SECRET = "a secret of the tests, known to everybody who reads them"


def environment(database_url: str, **changes: str) -> dict[str, str]:
    """Names and values of a site for tests; ``changes`` are names without TALON_."""
    settings = {
        "MODE": "test",
        "SECRET_KEY": SECRET,
        "DATABASE_URL": database_url,
        "PUBLIC_URL": "http://localhost",
        "MAILBOX": "1",
    } | changes
    return {f"TALON_{name}": value for name, value in settings.items()}


class Live:
    """A web server and a worker on one database, with their own port, pids and logs."""

    application = "wsgi:app"
    gunicorn: tuple[str, ...] = ()
    """More arguments for gunicorn."""

    def __init__(
        self, database_url: str, folder: Path, *, web_processes: int = 2, **settings: str
    ) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))  # bound here: nobody else can take the port meanwhile
        self.socket.listen(512)
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.web_processes = web_processes
        given = environment(database_url, MODE="demo", PUBLIC_URL=self.url, **settings)
        use_keys(key_ring(config.load(given)))
        outside = {k: v for k, v in os.environ.items() if not k.startswith("TALON_")}
        self.environ = outside | given
        self.web_log, self.worker_log = folder / "web.log", folder / "worker.log"
        self.web: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None
        self.engine = sa.create_engine(database_url, **engine_options(database_url))
        if self.engine.dialect.name == "sqlite":
            prepare_sqlite(self.engine)

    def start(self) -> None:
        self.start_web()
        self.start_worker()

    def start_web(self) -> None:
        """Start gunicorn and wait until it answers."""
        fd = self.socket.fileno()
        self.web = servers.start(
            [sys.executable, "-m", "gunicorn", self.application, "--bind", f"fd://{fd}",
             "--worker-class", "gthread", "--workers", str(self.web_processes), "--threads", "4",
             "--graceful-timeout", "5", "--log-level", "warning", "--no-control-socket",
             *self.gunicorn],
            self.web_log, cwd=ROOT, env=self.environ, pass_fds=(fd,),
        )  # fmt: skip
        servers.until(self._answers, self.web, self.web_log)

    def start_worker(self) -> None:
        """Start ``flask worker``."""
        self.worker = servers.start(
            [sys.executable, "-m", "flask", "--app", "wsgi", "worker"],
            self.worker_log, cwd=ROOT, env=self.environ,
        )  # fmt: skip

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def kill_worker(self) -> None:
        """As a power cut would: SIGKILL, no goodbye."""
        if self.worker is not None:
            servers.stop(self.worker, signal.SIGKILL)

    def stop_web(self) -> None:
        """In order: requests that are being answered are finished."""
        if self.web is not None:
            servers.stop(self.web)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The test's own session on the site's database; commits at the end."""
        with stores.system_session(self.engine) as made:
            yield made
            made.commit()

    def pass_for(self, user: Account | StaffUser, *, second_factor: bool = True) -> Pass:
        """Sign ``user`` in without a form: cookie and CSRF token for an HTTP client."""
        signer = Flask("signer")  # only what signs is needed of the application
        signer.config.update(SECRET_KEY=SECRET, SECRET_KEY_FALLBACKS=[])
        with self.session() as session:
            return pass_for(
                session,
                user,
                now=dt.datetime.now(dt.UTC),
                app=signer,
                second_factor=second_factor,
            )

    def sign_in(self, page: Page, user: Account | StaffUser) -> None:
        """Sign ``user`` in in that page's browser, without a form."""
        given = self.pass_for(user)
        page.context.add_cookies([{"name": given.cookie, "value": given.value, "url": self.url}])

    def close(self) -> None:
        for process in (self.worker, self.web):
            if process is not None:
                servers.stop(process)
        self.socket.close()
        self.engine.dispose()


@pytest.fixture(scope="session")
def live_server(
    databases: stores.Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """One running site for each engine; tests ask for ``live``."""
    site = Live(databases.create("live"), tmp_path_factory.mktemp("live"))
    with servers.closing(site):
        site.start()
        yield site


@pytest.fixture
def live(live_server: Live) -> Iterator[Live]:
    """The running site with an empty database. It runs in real time: arrange days from today on."""
    yield live_server
    stores.wipe(live_server.engine)
