"""Memory of the anonymous list's page, in front of Flask: for a second it is the same for everybody.

Only answers that the view has marked as nobody's own are kept: no cookie was sent but the choice of
language and display, none is set. While one thread makes the page anew, the others still give the old one.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from app.i18n import COOKIE as LANGUAGE_COOKIE
from app.security import SHARED

VIEW_COOKIE = "talon-view"
HARMLESS = frozenset({LANGUAGE_COOKIE, VIEW_COOKIE})
"""Cookies that may come with a request for the shared page: they are part of its key."""
ENTRIES = 512
LONGEST_QUERY = 400
KEY_HEADERS = (
    "QUERY_STRING",
    "HTTP_HOST",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "wsgi.url_scheme",
    "SCRIPT_NAME",
)

StartResponse = Callable[..., Any]
Environ = dict[str, Any]


@dataclass
class Page:
    """One answer as it goes out again."""

    headers: list[tuple[str, str]]
    etag: str
    body: bytes
    fresh_until: float
    stale_until: float
    renewing: Lock = field(default_factory=Lock)

    def answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_IF_NONE_MATCH") == self.etag:
            start_response(
                "304 Not Modified", [h for h in self.headers if h[0] != "Content-Length"]
            )
            return []
        start_response("200 OK", list(self.headers))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.body]


class ListCache:
    """WSGI middleware for GET /; everything else goes through untouched."""

    def __init__(
        self,
        wsgi_app: Any,
        *,
        seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wsgi_app = wsgi_app
        self.seconds = seconds
        self.clock = clock
        self.pages: dict[tuple[Any, ...], Page] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/" or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self.wsgi_app(environ, start_response)  # type: ignore[no-any-return]
        key = _key(environ)
        if key is None:
            return self.wsgi_app(environ, start_response)  # type: ignore[no-any-return]
        page, now = self.pages.get(key), self.clock()
        if page is None:
            return self._make(key, environ, start_response)
        if now < page.fresh_until:
            return page.answer(environ, start_response)
        if page.renewing.acquire(blocking=False):
            try:
                return self._make(key, environ, start_response)
            finally:
                page.renewing.release()
        if now < page.stale_until:
            return page.answer(environ, start_response)
        return self._make(key, environ, start_response)

    def _make(
        self, key: tuple[Any, ...], environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        said: list[Any] = []

        def remember(status: str, headers: list[tuple[str, str]], *rest: Any) -> None:
            said[:] = [status, headers, rest]

        method, condition = environ["REQUEST_METHOD"], environ.pop("HTTP_IF_NONE_MATCH", None)
        environ["REQUEST_METHOD"] = "GET"
        chunks = self.wsgi_app(environ, remember)
        try:
            body = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        environ["REQUEST_METHOD"] = method
        if condition is not None:
            environ["HTTP_IF_NONE_MATCH"] = condition
        status, headers, rest = said
        shared = environ.get(SHARED) and status.startswith("200")
        if not shared or any(name.lower() == "set-cookie" for name, _ in headers):
            self.pages.pop(key, None)
            start_response(status, headers, *rest)
            return [] if method == "HEAD" else [body]
        page = self._page(headers, body)
        if len(self.pages) >= ENTRIES:
            self.pages.clear()
        self.pages[key] = page
        return page.answer(environ, start_response)

    def _page(self, headers: list[tuple[str, str]], body: bytes) -> Page:
        etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        now = self.clock()
        return Page(
            headers=[*headers, ("ETag", etag)],
            etag=etag,
            body=body,
            fresh_until=now + self.seconds,
            stale_until=now + 2 * self.seconds,
        )


def _key(environ: Environ) -> tuple[Any, ...] | None:
    """What the page depends on; None for requests that are somebody's own."""
    cookie = environ.get("HTTP_COOKIE", "")
    if cookie:
        for part in cookie.split(";"):
            if part.partition("=")[0].strip() not in HARMLESS:
                return None
    if len(environ.get("QUERY_STRING", "")) > LONGEST_QUERY or len(cookie) > LONGEST_QUERY:
        return None
    return (cookie, *(environ.get(name) for name in KEY_HEADERS))
