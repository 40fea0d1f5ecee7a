"""One question to the provider over HTTP: no redirects, no other host, no endless answers."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from app.rules.esia import DATA

STEP_SECONDS: float = DATA["step_seconds"]
"""For the connection, and for each piece of an answer."""
WHOLE_SECONDS: float = DATA["whole_seconds"]
"""For the whole exchange: somebody is waiting in front of a browser."""
MOST_BYTES: int = DATA["most_bytes"]


class NoAnswer(Exception):
    """Nothing usable came. The words are for the log and quote nothing of what was sent or said."""


@dataclass(frozen=True)
class Answer:
    """What came back; the names are those that Authlib reads."""

    status_code: int
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Raises ValueError, also for what is nested without end."""
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise NoAnswer(f"status {self.status_code}")

    def document(self) -> dict[str, Any]:
        """The JSON object of a good answer. Raises NoAnswer."""
        if self.status_code != 200:
            raise NoAnswer(f"status {self.status_code}")
        try:
            found = self.json()
        except ValueError:
            raise NoAnswer("no JSON") from None
        if not isinstance(found, dict):
            raise NoAnswer("no JSON object")
        return found


def origin(address: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address. Raises NoAnswer for what is no address of the web."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise NoAnswer("no address") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username:
        raise NoAnswer("no address")
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80)


class Line:
    """To one origin, that of the configured issuer; Authlib uses it as its session."""

    def __init__(self, issuer: str) -> None:
        self.origin = origin(issuer)

    def get(self, address: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self._ask("GET", address, dict(headers or {}), "")

    def post(
        self, address: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any
    ) -> Answer:
        """A form, with what ``auth`` adds to it to say who we are (app.oidc.signing)."""
        address, made, body = auth.prepare("POST", address, dict(headers), urlencode(data))
        return self._ask("POST", address, made, body)

    def _ask(self, method: str, address: str, headers: dict[str, str], body: str) -> Answer:
        if origin(address) != self.origin:
            raise NoAnswer("another host")
        parts = urlsplit(address)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = {"Accept": "application/json", "Connection": "close", **headers}
        try:
            with contextlib.closing(self._connection()) as connection:
                connection.connect()
                with _ended_in_time(connection.sock):
                    connection.request(method, path, body or None, sent)
                    answer = connection.getresponse()
                    said = answer.read(MOST_BYTES + 1)
        except TimeoutError:
            raise NoAnswer("too slow") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswer(type(error).__name__) from None  # its words may quote what was sent
        if len(said) > MOST_BYTES:
            raise NoAnswer("too long")
        return Answer(answer.status, said)

    def _connection(self) -> http.client.HTTPConnection:
        scheme, host, port = self.origin
        if scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=STEP_SECONDS, context=context)
        return http.client.HTTPConnection(host, port, timeout=STEP_SECONDS)


@contextlib.contextmanager
def _ended_in_time(line: socket.socket) -> Iterator[None]:
    """Who answers drop by drop is hung up on. Raises TimeoutError then."""
    over = threading.Event()

    def hang_up() -> None:
        over.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    timer = threading.Timer(WHOLE_SECONDS, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, ValueError, http.client.HTTPException):
        if over.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
    if over.is_set():  # half an answer that ended as if it were whole
        raise TimeoutError
