"""The one entry itself: started, answered, stopped, started again. POSIX shell, own pids only."""

from __future__ import annotations

import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.models.enums import Role
from app.seeds.centre import PASSWORD, PEOPLE
from tests.entry import ENTRY, ROOT, Run, free_port, status


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    started: list[Run] = []
    yield started
    for run in started:
        run.close()


@pytest.mark.skipif(sys.prefix != str(ROOT / ".venv"), reason="it makes and uses .venv")
def test_run_answers_says_the_sign_ins_and_stops_everything(
    tmp_path: Path, runs: list[Run]
) -> None:
    data, port = tmp_path / "data", free_port()
    runs.append(first := Run(data, port))
    first.until(PASSWORD)
    assert status(port) == 200
    assert f"http://localhost:{port}/mailbox" in first.said
    assert all(PEOPLE[role][0] in first.said for role in Role)
    assert stat.S_IMODE((data / "secret").stat().st_mode) == 0o600
    family = first.family()
    assert len(family) >= 3  # the shell, the web server, the worker
    assert first.end(signal.SIGINT, group=True) == 0  # Ctrl-C
    assert first.gone()

    runs.append(second := Run(data, port))
    while True:
        try:
            answer = status(port)
            break
        except OSError:
            assert second.process.poll() is None, second.said
            time.sleep(0.02)
    assert answer == 200
    second.until(PASSWORD)
    assert second.end(signal.SIGTERM, group=False) == 0
    assert second.gone()


@pytest.mark.skipif(sys.prefix != str(ROOT / ".venv"), reason="it makes and uses .venv")
def test_a_port_that_was_asked_for_and_is_taken_is_named(tmp_path: Path, runs: list[Run]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        runs.append(run := Run(tmp_path / "data", port))
        assert run.process.wait(60) != 0
    assert f"port {port} is taken" in run.said


def test_help_names_every_command() -> None:
    said = subprocess.run([str(ENTRY), "help"], capture_output=True, text=True, check=True).stdout
    for command in ("run", "test", "test-full", "check", "bench", "help"):
        assert f"./talon {command}" in said


def test_an_unknown_command_is_refused() -> None:
    done = subprocess.run([str(ENTRY), "dance"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "dance" in done.stderr


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "busybox"])
def test_the_entry_is_plain_shell(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    command = [shell, "sh"] if shell == "busybox" else [shell]
    subprocess.run([*command, "-n", str(ENTRY)], check=True)
