"""The one entry itself: started, answered, stopped, started again. POSIX shell, own pids only."""

from __future__ import annotations

import contextlib
import http.client
import os
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

ROOT = Path(__file__).resolve().parent.parent
ENTRY = ROOT / "talon"


class Run:
    """``./talon run`` as a person types it, in a terminal of its own."""

    def __init__(self, data: Path, port: int | None) -> None:
        self.log = data.parent / "output"
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("TALON_", "PORT"))}
        environ["DATA"] = str(data)
        if port is not None:
            environ["PORT"] = str(port)
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(ENTRY), "run"],
                cwd="/",
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def until(self, words: str, seconds: float = 240) -> None:
        """Wait for the output to say ``words``."""
        deadline = time.monotonic() + seconds
        while words not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def _stats(self) -> dict[int, list[str]]:
        """What the kernel says of each process of this run: from its state on, by pid."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                fields = entry.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid:  # its session
                    found[int(entry.parent.name)] = fields
        return found

    def family(self) -> set[int]:
        """Pids of everything this run has started and of itself."""
        return set(self._stats())

    def end(self, sign: signal.Signals, *, group: bool) -> int:
        """Send ``sign`` to it alone, or to the whole group as a terminal does; its exit status."""
        if group:
            os.killpg(self.process.pid, sign)
        else:
            self.process.send_signal(sign)
        return self.process.wait(20)

    def gone(self) -> bool:
        """Nothing it started is left, at the latest in a few seconds (the machine may be busy)."""
        for _ in range(100):
            if not self.family():
                return True
            time.sleep(0.1)
        return False

    def close(self) -> None:
        for pid in self.family() if self.process.poll() is None else ():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status(port: int, path: str = "/") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


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
