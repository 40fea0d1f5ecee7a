"""A mail server for tests: takes letters in, or misbehaves in one chosen way."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


@dataclass
class Sink:
    """What has arrived, and how the server behaves from now on.

    ``mood``: «accept», «hang» (answers nothing), «greylist» (450), «reject» (550), «busy» (421 for a
    greeting), «reset» (drops the line within DATA), «drop» (takes the letter, then drops the line
    before it says so), «rude» (drops the line at QUIT).
    """

    port: int = 0
    mood: str = "accept"
    delay: float = 0.0
    """Seconds before a letter is accepted: the time in which a sender can be killed."""
    letters: list[EmailMessage] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?tls=none"

    def ids(self) -> Counter[str]:
        """How often each Message-ID has arrived."""
        with self.lock:
            return Counter(str(letter["Message-ID"]) for letter in self.letters)

    def take(self, data: bytes, recipients: list[str]) -> None:
        with self.lock:
            self.letters.append(message_from_bytes(data, EmailMessage, policy=default))
            self.envelopes.append(recipients)


class Conversation(socketserver.StreamRequestHandler):
    """One connection, as much of RFC 5321 as smtplib needs."""

    def handle(self) -> None:
        try:
            self._talk(self.server.sink)
        except OSError:
            return  # the other side has gone, or was killed

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")

    def _talk(self, sink: Sink) -> None:
        if sink.mood == "hang":
            self.rfile.readline()
            return
        if sink.mood == "busy":
            self._say("421 4.3.2 too busy for donor@example.org")
            return
        self._say("220 sink")
        recipients: list[str] = []
        while line := self.rfile.readline():
            verb = line[:4].upper().decode("ascii", "replace")
            sink.commands.append(line.decode().strip())
            if verb == "DATA":
                if not self._data(sink, recipients):
                    return
                recipients = []
            elif verb == "QUIT":
                if sink.mood != "rude":
                    self._say("221 bye")
                return
            elif verb == "RCPT" and sink.mood in ("greylist", "reject"):
                code = "450 4.7.1" if sink.mood == "greylist" else "550 5.1.1"
                self._say(f"{code} {line[8:].decode().strip()} unknown")
            else:
                if verb == "RCPT":
                    recipients.append(line[8:].decode().strip())
                self._say("250 ok")

    def _data(self, sink: Sink, recipients: list[str]) -> bool:
        self._say("354 go on")
        if sink.mood == "reset":
            self.request.shutdown(socket.SHUT_RDWR)
            return False
        lines = []
        while (line := self.rfile.readline()) and line != b".\r\n":
            lines.append(line.removeprefix(b"."))
        if not line:
            return False  # killed in the middle: nothing has arrived
        time.sleep(sink.delay)
        sink.take(b"".join(lines), recipients)
        if sink.mood == "drop":
            return False
        self._say("250 2.0.0 taken")
        return True


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


@contextmanager
def open_sink(port: int = 0) -> Iterator[Sink]:
    """A server on ``port`` (any free one) of this machine."""
    with Server(("127.0.0.1", port), Conversation) as server:
        sink = Sink(port=server.server_address[1])
        server.sink = sink
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield sink
        server.shutdown()
        thread.join()
