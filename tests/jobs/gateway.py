"""An SMS gateway for tests: takes forms in, or misbehaves in one chosen way."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

STATUSES = {"accept": 202, "busy": 503, "many": 429, "refuse": 403, "redirect": 302}


@dataclass
class FakeGateway:
    """What has arrived, and how the server behaves from now on.

    ``mood``: one of STATUSES, «hang» (answers nothing), «drop» (takes the SMS, then drops the line
    before it says so), «drip» (answers one sign at a time), «noise» (answers what is no HTTP).
    """

    port: int = 0
    mood: str = "accept"
    forms: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://talon:s%40cret@127.0.0.1:{self.port}/send?v=1"

    def ids(self) -> Counter[str]:
        """How often each id has arrived."""
        with self.lock:
            return Counter(form["id"] for form in self.forms)


class Exchange(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self) -> None:
        fake: FakeGateway = self.server.fake
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with fake.lock:
            fake.paths.append(self.path)
            fake.headers.append(dict(self.headers))
            fake.forms.append({name: found[0] for name, found in parse_qs(body).items()})
        if fake.mood in STATUSES:
            self._answer(STATUSES[fake.mood], body)
            return
        if fake.mood == "drop":
            self.request.shutdown(socket.SHUT_RDWR)
        else:
            self._misbehave(fake.mood)
        self.close_connection = True

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status, "about " + body[:20])  # a gateway may quote what it was sent
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body.encode())

    def _misbehave(self, mood: str) -> None:
        if mood == "noise":
            self.wfile.write(b"+79001234567 is unknown here\r\n\r\n")
            return
        until = time.monotonic() + 5
        while time.monotonic() < until:
            try:
                if mood == "drip":
                    self.wfile.write(b"H" if time.monotonic() > until else b"\0")
                elif not self.request.recv(1):
                    return
            except OSError:
                return  # the other side has hung up
            time.sleep(0.05)

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def open_gateway(port: int = 0) -> Iterator[FakeGateway]:
    """A server on ``port`` (any free one) of this machine."""
    with Server(("127.0.0.1", port), Exchange) as server:
        fake = FakeGateway(port=server.server_address[1])
        server.fake = fake
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield fake
        server.shutdown()
        thread.join()
