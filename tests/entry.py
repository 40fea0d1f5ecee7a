"""``./talon`` started as a person starts it: for its tests and for the benchmark of a start."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

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

    @property
    def processor_seconds(self) -> float:
        """Of this run and of all it has started, those that have ended with them."""
        ticks = sum(int(each) for fields in self._stats().values() for each in fields[11:15])
        return ticks / os.sysconf("SC_CLK_TCK")

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
