"""Browsers without a window: many of them press a button in the same instant."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from tests.client import Pass

PATIENCE = 120
"""Seconds one answer may take on a machine that is busy with 200 others."""
FREE_PLACE = re.compile(r'name="slot" value="([0-9a-f-]{36})"')
Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """What came back; redirects are not followed."""

    status: int
    location: str
    body: str

    @property
    def free_places(self) -> list[str]:
        """The places that the booking window offers."""
        return FREE_PLACE.findall(self.body)


class Client:
    """Somebody signed in, with a connection of one's own."""

    def __init__(self, url: str, given: Pass | None = None) -> None:
        self.host = urlsplit(url).netloc
        self.given = given
        self.connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        self.statuses: list[int] = []
        """Of every answer so far."""

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form with its CSRF token."""
        assert self.given is not None
        return self._ask("POST", path, urlencode({"csrf_token": self.given.csrf, **fields}))

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        headers = {"Connection": "close"}  # a kept one may be closed by the server just now
        if self.given is not None:
            headers["Cookie"] = f"{self.given.cookie}={self.given.value}"
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        text = response.read().decode(errors="replace")
        self.connection.close()
        self.statuses.append(response.status)
        location = response.headers.get("Location", "")
        return Answer(response.status, urlsplit(location).path, text)


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Start all in the same instant, each in a thread of its own; their results in order.

    The first error of any of them is raised again here.
    """
    barrier = threading.Barrier(len(calls))
    results: list[Result | None] = [None] * len(calls)
    errors: list[BaseException] = []

    def run(place: int) -> None:
        try:
            barrier.wait()
            results[place] = calls[place]()
        except BaseException as error:  # told to the test, in its own thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results  # type: ignore[return-value]
