"""Talon and the bare application, each with its own database in one cluster that keeps its promises."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psycopg
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests import make, servers, stores
from tests.bench import bare
from tests.client import Pass
from tests.live import SECRET, Live
from tests.races.centre import Centre


class Durable(servers.PostgreSQL):
    """A commit is on the disk before it is answered, as in production."""

    durability: ClassVar[dict[str, str]] = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "shared_buffers": "512MB",
    }


class Talon(Live):
    """Started as docs/systemd/talon-web.service starts it."""

    gunicorn = ("--preload",)

    def start_web(self) -> None:
        self.environ |= {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "1048576"}
        super().start_web()


class Bare(Live):
    """The bare application under the same gunicorn settings."""

    application = "tests.bench.bare:app"
    gunicorn = Talon.gunicorn

    @property
    def conninfo(self) -> str:
        return bare.conninfo(self.environ["TALON_DATABASE_URL"])

    def places(self, count: int) -> list[int]:
        """``count`` free places, after everything before is forgotten; their ids."""
        with psycopg.connect(self.conninfo) as db:
            db.execute("TRUNCATE slot, booking, history")
            db.execute("INSERT INTO slot SELECT n, 'free' FROM generate_series(1, %s) n", (count,))
        with psycopg.connect(self.conninfo, autocommit=True) as db:
            db.execute("VACUUM ANALYZE")
        return list(range(1, count + 1))

    def people(self, count: int) -> list[str]:
        """``count`` people born on one day, after everybody before is forgotten; their numbers."""
        with psycopg.connect(self.conninfo) as db:
            db.execute("TRUNCATE person")
            db.execute(
                "INSERT INTO person SELECT n, 'N' || n, '1985-03-08' FROM generate_series(1, %s) n",
                (count,),
            )
        return [f"N{n}" for n in range(1, count + 1)]

    def cookie(self, person: int) -> str:
        """Of somebody signed in."""
        signer = Flask("signer")
        signer.secret_key = SECRET
        serializer = SecureCookieSessionInterface().get_signing_serializer(signer)
        assert serializer is not None
        return f"session={serializer.dumps({'person': person})}"


@dataclass
class Sites:
    talon: Live
    bare: Bare
    centre: Centre
    cluster: servers.PostgreSQL
    races: int = 0

    def tidy(self) -> None:
        """As autovacuum would have done in time."""
        with self.cluster.admin("talon") as db:
            db.execute("VACUUM ANALYZE")

    def fill_days(self, count: int) -> None:
        """Published days until there are ``count``, six times with eight places each."""
        while self.centre.days < count:
            number = self.centre.days
            first = dt.time(8 + number // 40)
            date = (self.centre.now + dt.timedelta(days=7 + number % 40)).date()
            with self.talon.session() as session:
                make.make_schedule(
                    session, self.centre.tenant, date=date, start=first,
                    end=dt.time(first.hour + 6), per_time=8,
                )  # fmt: skip
            self.centre.days += 1
        self.tidy()


@contextmanager
def running(folder: Path) -> Iterator[Sites]:
    """Both, started; nothing is left of them afterwards."""
    with ExitStack() as stack:
        cluster = stack.enter_context(servers.closing(Durable()))
        url = stores.PostgreSQLStore(cluster).create("talon")
        (folder / "talon").mkdir()
        (folder / "bare").mkdir()
        talon = stack.enter_context(
            servers.closing(Talon(url, folder / "talon", LOG_LEVEL="WARNING", PROXY_HOPS="1"))
        )
        bare_site = Bare(cluster.create("bare"), folder / "bare")
        stack.enter_context(servers.closing(bare_site))
        with psycopg.connect(bare_site.conninfo) as db:
            db.execute(bare.TABLES)
        talon.start_web()
        bare_site.start_web()
        yield Sites(talon, bare_site, Centre(talon), cluster)


def cookie_of(given: Pass) -> str:
    return f"{given.cookie}={given.value}"
