"""The load: several processes with several kept connections each, and the clock.

The client is a few lines over a socket, so that on a machine of two cores the server is what is
measured; the same client asks both sides.
"""

from __future__ import annotations

import multiprocessing
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

PATIENCE = 120.0
"""Seconds one answer may take."""


@dataclass(frozen=True)
class Reply:
    """One answer; redirects are not followed."""

    status: int
    location: str
    body: bytes
    first_byte: float
    """Seconds from the request's last byte to the answer's first."""
    cookie: str = ""
    """What the answer sets, as a request sends it back."""


class Wire:
    """One kept connection. Opened when needed, opened again where the server has closed it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None

    def get(self, path: str, cookie: str = "") -> Reply:
        return self._ask(_request("GET", path, cookie))

    def post(self, path: str, body: str, cookie: str, address: str = "") -> Reply:
        """``address``: whom the proxy in front would name."""
        return self._ask(_request("POST", path, cookie, body, address))

    def _ask(self, request: bytes) -> Reply:
        fresh = self.socket is None
        try:
            return self._answer(request)
        except (ConnectionError, TimeoutError):
            self.close()
            if fresh:
                raise
        return self._answer(request)  # the kept connection had been closed before it was asked

    def _answer(self, request: bytes) -> Reply:
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        self.socket.sendall(request)
        received = self._more(b"")
        first_byte = time.perf_counter() - began
        while b"\r\n\r\n" not in received:
            received = self._more(received)
        head, _, body = received.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(b": ") for line in lines[1:])}
        size = int(headers.get(b"content-length", b"0"))
        while len(body) < size:
            body = self._more(body)
        if headers.get(b"connection", b"").lower() == b"close":
            self.close()
        path = headers.get(b"location", b"").decode()
        cookie = headers.get(b"set-cookie", b"").partition(b";")[0].decode()
        return Reply(int(lines[0].split()[1]), path, body, first_byte, cookie)

    def _more(self, received: bytes) -> bytes:
        assert self.socket is not None
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionResetError("closed by the server")
        return received + part

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def _request(
    method: str, path: str, cookie: str, body: str | None = None, address: str = ""
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if cookie:
        lines.append(f"Cookie: {cookie}")
    if address:
        lines.append(f"X-Forwarded-For: {address}")
    if body is not None:
        lines += [
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body.encode())}",
        ]
    return ("\r\n".join(lines) + "\r\n\r\n" + (body or "")).encode()


@dataclass
class Timing:
    """What a load came to."""

    seconds: float
    """From the first request of all to the last answer."""
    each: list[float]
    """Seconds of each job."""
    outcomes: Counter[Hashable]
    cpu_ms: float = 0.0
    """Processor time of the web workers for each job, where it was asked for."""

    @property
    def per_second(self) -> float:
        return len(self.each) / self.seconds

    def ms(self, share: float) -> float:
        """The time within which that share of the jobs was done."""
        return sorted(self.each)[min(len(self.each) - 1, int(share * len(self.each)))] * 1000


Job = Callable[[Wire, Any], Hashable]


def spread(port: int, jobs: Sequence[Any], do: Job, *, clients: int, processes: int = 2) -> Timing:
    """Do all jobs with ``clients`` connections at once, each with its own share one after another.

    What ``do`` returns is counted. Raises RuntimeError if a process of the load fails.
    """
    fork = multiprocessing.get_context("fork")
    ready = fork.Barrier(processes)
    shares = [[jobs[n::clients] for n in range(clients)][p::processes] for p in range(processes)]
    pipes = []
    for share in shares:
        here, there = fork.Pipe(duplex=False)
        process = fork.Process(target=_work, args=(port, share, do, ready, there), daemon=True)
        process.start()
        there.close()
        pipes.append((process, here))
    told = []
    for process, here in pipes:
        try:
            told.append(here.recv())
        except EOFError:
            raise RuntimeError("a process of the load has failed; see above") from None
        process.join()
    seconds = max(end for _, end, *_ in told) - min(start for start, *_ in told)
    each = [value for *_, times, _ in told for value in times]
    return Timing(seconds, each, Counter(o for *_, outcomes in told for o in outcomes))


def _work(port: int, shares: list[Sequence[Any]], do: Job, ready: Any, told: Any) -> None:
    """One process of the load: a thread for each connection."""
    times: list[float] = []
    outcomes: list[Hashable] = []
    start = threading.Barrier(len(shares) + 1)

    def run(share: Sequence[Any]) -> None:
        wire = Wire(port)
        start.wait()
        for job in share:
            began = time.monotonic()
            outcome = do(wire, job)
            times.append(time.monotonic() - began)
            outcomes.append(outcome)
        wire.close()

    threads = [threading.Thread(target=run, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.monotonic()
    start.wait()
    for thread in threads:
        thread.join()
    if len(outcomes) == sum(map(len, shares)):  # else a thread has died, with its traceback above
        told.send((began, time.monotonic(), times, outcomes))
    told.close()


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
