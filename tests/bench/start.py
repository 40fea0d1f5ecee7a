"""How long ``./talon run`` takes to start again on data that are there, and Python to load the application."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.seeds.centre import PASSWORD
from tests.entry import ROOT, Run, free_port


@dataclass(frozen=True)
class Took:
    seconds: float
    processor: float


def again(folder: Path, rounds: int) -> Iterator[Took]:
    """From the command to the lines that say how to sign in; the first start, which makes the demo, is not measured."""
    folder.mkdir()
    port = free_port()
    with _run(folder / "data", port):
        pass
    for _ in range(rounds):
        began = time.perf_counter()
        with _run(folder / "data", port) as run:
            yield Took(time.perf_counter() - began, run.processor_seconds)


@contextmanager
def _run(data: Path, port: int) -> Iterator[Run]:
    """Started and saying how to sign in; ended and gone afterwards."""
    run = Run(data, port)
    try:
        run.until(PASSWORD, seconds=600)
        yield run
        run.end(signal.SIGTERM, group=False)
        if not run.gone():
            raise RuntimeError("something of the run is left")
    finally:
        run.close()


def load(url: str) -> Took:
    """One process that loads the application, as each of the start does."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TALON_")}
    environ |= {
        "TALON_MODE": "demo",
        "TALON_MAILBOX": "1",
        "TALON_SECRET_KEY": "x" * 48,
        "TALON_DATABASE_URL": url,
        "TALON_PUBLIC_URL": "http://localhost",
    }
    before, began = _children(), time.perf_counter()
    subprocess.run([sys.executable, "-c", "import wsgi"], cwd=ROOT, env=environ, check=True)
    return Took(time.perf_counter() - began, _children() - before)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
