"""Fixtures. Every test that asks for a database runs on SQLite and on a private PostgreSQL.

- ``session``: for rules. A session with the SYSTEM scope inside one transaction that is rolled back.
- ``client`` / ``as_account`` / ``as_staff``: for pages. ``store`` is the test's own session beside
  them; all rows are deleted afterwards. The clock stands at ``now`` until ``clock`` moves it.
- ``live``: a real web server with its worker (tests/live.py); ``page``: Chromium (tests/browser.py).
- ``scale(full)``: a tenth of an issue's figure in ``./talon test``, all of it in ``./talon test-full``.

What cannot be had is skipped and counted in a closing line; with REQUIRE_ALL=1 it fails.

How it stays quick (fifteen minutes on two processors are all there is):

- Made once for each process and engine: the server, the migrated template, the application, the live site,
  Chromium, the worlds of tests/matrix and tests/fuzz. ``--dist worksteal`` gives one process the SQLite half
  and the other the PostgreSQL half, so most of it is made once in all; who is done first helps the other.
- After a test of pages every table is emptied by one request (tests/stores.py). The matrix and the fuzzer
  compare databases as the driver reads them and put rows back only when something has changed.
- Templates are compiled once for all applications; ``./talon test`` keeps what Python compiles in .venv.
- In Chromium a page costs a second, in ``client`` a hundredth: assert in Chromium what only Chromium knows.
  Such a walk says ``on_one_engine``, ``by_turns`` or ``on_both_engines`` (tests/browser.py, docs/decisions/0013).
- Tests of pages take turns in the whole ``./talon test``: each on one of the engines, always the same
  (docs/decisions/0015). Rules, races and kills run on both, and everything does in ./talon test-full.
- Nothing sleeps for a fixed time where it can wait for what it waits for.
"""

from __future__ import annotations

import datetime as dt
import gc
import os
import socket
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import settings
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.orm import Session

import config
from app import extensions
from app.factory import create_app, key_ring
from app.models import Account, Organization, StaffUser
from app.models.crypto import use_keys
from app.models.enums import Role
from app.translations import compile as translations
from tests import make, servers, stores
from tests.browser import chromium, open_page, page, phone  # noqa: F401 - fixtures
from tests.client import Visitor
from tests.live import environment, live, live_server  # noqa: F401 - fixtures

settings.register_profile("talon", deadline=None, print_blob=True)  # a busy machine is no failure
settings.load_profile("talon")

SCALE = float(os.environ.get("TALON_SCALE", "0.1"))
TURNS = os.environ.get("TALON_TURNS") == "1"
"""Set by ./talon test when everything is asked for."""
PAGES = ("admin", "documents", "forms", "fuzz", "mailbox", "matrix", "public")
"""Folders whose tests take turns: there is one page for both engines, over rules tested on both. So do tests
marked ``takes_turns`` elsewhere."""

LONG = 120
"""Seconds: a run longer than that says where they went."""

WHICH = {"one_engine": "on one engine", "takes_turns": "by turns on one engine"}
"""How the last lines of a run name tests that did not run on both."""


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked ``one_engine("sqlite", why=…)`` runs on that engine; in ./talon test-full on both."""
    mark = metafunc.definition.get_closest_marker("one_engine")
    if mark is None or "engine_name" not in metafunc.fixturenames:
        return
    assert mark.kwargs["why"], f"{metafunc.definition.nodeid}: one_engine wants a reason"
    if SCALE < 1:
        metafunc.definition.add_marker(
            pytest.mark.parametrize("engine_name", mark.args, indirect=True, scope="session")
        )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the whole ./talon test a page's test keeps one engine, by its name: half here, half there."""
    if TURNS:
        forms: dict[str, list[str]] = {}
        items[:] = [item for item in items if _is_its_turn(item, forms)]


def _is_its_turn(item: pytest.Item, forms: dict[str, list[str]]) -> bool:
    """``forms``: of each function the names of its forms so far; they go to the engines one by one."""
    engine = item.callspec.params.get("engine_name") if hasattr(item, "callspec") else None
    asked = any(item.iter_markers("takes_turns")) or item.path.parent.name in PAGES
    fixed = any(item.iter_markers("one_engine")) or any(item.iter_markers("both_engines"))
    if engine is None or fixed or not asked:
        return True
    item.add_marker("takes_turns")
    name = item.nodeid.replace(engine, "")
    function = name.partition("[")[0]
    known = forms.setdefault(function, [])
    if name not in known:
        known.append(name)
    turn = zlib.crc32(function.encode()) + known.index(name)
    return bool(engine == stores.ENGINES[turn % len(stores.ENGINES)])


def pytest_collection_finish() -> None:
    """What is there now stays until the end; the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What a reader of the last lines must know: what was not tested, and what on one engine only.

    «PostgreSQL: NOT TESTED (12 tests)», so that a run without it does not look whole.
    """
    missing: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        _, found, what = reason.partition(servers.NOT_TESTED)
        if found:
            missing[what] += 1
    for what, count in sorted(missing.items()):
        terminalreporter.write_line(f"{what}: NOT TESTED ({count} tests)", yellow=True)
    for mark in ("one_engine", "takes_turns"):
        once = sum(
            report.when == "call" and mark in report.keywords
            for outcome in ("passed", "failed")
            for report in terminalreporter.stats.get(outcome, [])
        )
        if once and SCALE < 1:
            words = WHICH[mark]
            terminalreporter.write_line(f"{words}, in ./talon test-full on both: {once} tests")
    _say_where_the_time_went(terminalreporter)


def _say_where_the_time_went(terminalreporter: Any) -> None:
    """Seconds of all processes by folder, the dearest first: where to look when the run is too long."""
    spent: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folder = report.nodeid.split("::")[0].removeprefix("tests/").split("/")[0]
                spent[folder] += report.duration
    if sum(spent.values()) > LONG:
        by_folder = ", ".join(f"{folder} {round(time)}" for folder, time in spent.most_common())
        terminalreporter.write_line(f"seconds of all processes: {by_folder}")


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Nothing in a test talks to another machine."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            assert host == "localhost" or host.startswith("127.") or host == "::1", address
        real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        yield


@pytest.fixture(scope="session", autouse=True)
def _translations() -> None:
    translations.compile_all()


@pytest.fixture(scope="session")
def new_app(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], Flask]:
    """``create_app`` for tests: templates are compiled once for all applications and processes."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    compiled = base / "templates"
    compiled.mkdir(exist_ok=True)

    def made(settings: dict[str, Any]) -> Flask:
        app = create_app(settings)
        app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(compiled))
        return app

    return made


@pytest.fixture(scope="session", params=stores.ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[servers.PostgreSQL]:
    """A private cluster, one for each process of the tests."""
    try:
        server = servers.PostgreSQL()
    except servers.Missing:
        servers.unavailable("PostgreSQL")
    with servers.closing(server):
        yield server


@pytest.fixture
def redis_server() -> Iterator[servers.Redis]:
    """A private, empty Redis that the test may stop and start."""
    try:
        server = servers.Redis()
    except servers.Missing:
        servers.unavailable("Redis")
    with servers.closing(server):
        yield server


@pytest.fixture(scope="session")
def postgresql_store(postgresql: servers.PostgreSQL) -> stores.PostgreSQLStore:
    return stores.PostgreSQLStore(postgresql)


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> stores.SQLiteStore:
    return stores.SQLiteStore(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def databases(engine_name: str, request: pytest.FixtureRequest) -> stores.Store:
    """Where databases of this engine are made: ``.create(name)`` with, ``.empty(name)`` without tables.

    A process that takes over tests of the other one may come back to an engine it has left already: what
    hangs on ``engine_name`` is then made once more, the stores are not.
    """
    store: stores.Store = request.getfixturevalue(f"{engine_name}_store")
    return store


def settings_for(database_url: str, **changes: str) -> dict[str, Any]:
    """Settings as config.load makes them; ``changes`` are names without TALON_."""
    return config.load(environment(database_url, **changes))


@pytest.fixture(scope="session")
def database_url(databases: stores.Store) -> str:
    """The database of the fixtures below."""
    return databases.create("main")


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An engine as the application makes it; rules need no more than that and the keys."""
    use_keys(key_ring(settings_for(database_url)))
    made = sa.create_engine(database_url, **extensions.engine_options(database_url))
    if made.dialect.name == "sqlite":
        extensions.prepare_sqlite(made)
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def app(database_url: str, new_app: Callable[[dict[str, Any]], Flask]) -> Iterator[Flask]:
    """The application of this engine, one for the whole run."""
    made = new_app(settings_for(database_url))
    made.test_client_class = Visitor
    yield made
    with made.app_context():
        extensions.db.engine.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """For rules: sees everything; whatever it commits is rolled back after the test."""
    with engine.connect() as connection:
        outer = connection.begin()
        with stores.system_session(connection, join_transaction_mode="create_savepoint") as made:
            yield made
        outer.rollback()


@pytest.fixture
def now() -> dt.datetime:
    """Monday 2026-11-23, 10:00 in Moscow."""
    return make.NOW


class Clock:
    """What ``app.extensions.utcnow`` says in the process of the tests."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def forward(self, **step: float) -> dt.datetime:
        """Move by ``minutes=``, ``days=`` …; the new instant."""
        self.now += dt.timedelta(**step)
        return self.now


@pytest.fixture
def clock(now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stands at ``now``. The views hold ``utcnow`` itself, so what it reads is replaced."""
    clock = Clock(now)
    stopped = SimpleNamespace(now=lambda _zone: clock.now)
    monkeypatch.setattr(extensions, "dt", SimpleNamespace(datetime=stopped, UTC=dt.UTC))
    return clock


@pytest.fixture
def store(engine: sa.Engine, clock: Clock) -> Iterator[Session]:
    """The test's own session beside the application's, on the same database; emptied afterwards.

    A client commits it before each request and forgets what it has loaded after each.
    """
    with stores.system_session(engine) as made:
        yield made
        made.rollback()
    stores.wipe(engine)


@pytest.fixture
def new_session(engine: sa.Engine, store: Session) -> Iterator[Callable[[], Session]]:
    """Makes further sessions that see everything: for two at once. Commit ``store`` first."""
    made: list[Session] = []

    def another() -> Session:
        made.append(stores.system_session(engine))
        return made[-1]

    yield another
    for session in made:
        session.close()


@pytest.fixture
def new_client(app: Flask, store: Session) -> Callable[[], Visitor]:
    """Makes visitors, each with cookies of one's own."""

    def visitor() -> Visitor:
        made: Any = app.test_client()
        made.arranged = store
        return made  # type: ignore[no-any-return]

    return visitor


@pytest.fixture
def client(new_client: Callable[[], Visitor]) -> Visitor:
    """An anonymous visitor."""
    return new_client()


@pytest.fixture
def as_account(new_client: Callable[[], Visitor], clock: Clock) -> Callable[..., Visitor]:
    """``as_account(donor)``: a visitor signed in as that account (or made donor)."""

    def visitor(who: Account | make.KnownDonor) -> Visitor:
        made = new_client()
        made.sign_in(who if isinstance(who, Account) else who.account, now=clock.now)
        return made

    return visitor


@pytest.fixture
def as_staff(
    new_client: Callable[[], Visitor], store: Session, clock: Clock
) -> Callable[..., Visitor]:
    """``as_staff(user)``, or ``as_staff(role, over=organization)`` which makes somebody first."""

    def visitor(
        who: StaffUser | Role, over: Organization | None = None, *, second_factor: bool = True
    ) -> Visitor:
        user = who if isinstance(who, StaffUser) else make.make_staff(store, who, over)
        made = new_client()
        made.sign_in(user, now=clock.now, second_factor=second_factor)
        return made

    return visitor


@pytest.fixture(scope="session")
def scale() -> Callable[[int], int]:
    """``scale(200)``: the figure of an issue at today's scale, at least 1."""
    return lambda full: max(1, round(full * SCALE))
