"""The memory in front of the anonymous list: what is shared, for how long, and what never is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Response

from app.public.list_cache import ENTRIES, ListCache
from app.security import SHARED


class Site:
    """An application that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.shared = True
        self.headers: list[tuple[str, str]] = []
        self.status = "200 OK"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked += 1
        environ[SHARED] = self.shared
        body = f"page {self.asked}".encode()
        start_response(self.status, [("Content-Length", str(len(body))), *self.headers])
        return [body]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def clock_of_cache() -> Clock:
    return Clock()


@pytest.fixture
def visitor(site: Site, clock_of_cache: Clock) -> Client:
    return Client(ListCache(site, seconds=1.0, clock=clock_of_cache), Response, use_cookies=False)


def test_within_a_second_the_page_is_made_once(
    visitor: Client, site: Site, clock_of_cache: Clock
) -> None:
    assert visitor.get("/").text == visitor.get("/").text == "page 1"
    clock_of_cache.now += 1.1
    assert visitor.get("/").text == "page 2"
    assert site.asked == 2


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/?group=B", {}),
        ("/", {"Accept-Language": "en"}),
        ("/", {"Cookie": "talon-lang=en"}),
        ("/", {"Cookie": "talon-view=large.dark"}),
        ("/", {"Host": "other.example"}),
        ("/", {"X-Forwarded-Proto": "https"}),
    ],
)
def test_each_query_language_display_and_host_has_its_own(
    visitor: Client, path: str, headers: dict[str, str]
) -> None:
    assert visitor.get("/").text == "page 1"
    assert visitor.get(path, headers=headers).text == "page 2"
    assert visitor.get(path, headers=headers).text == "page 2"


@pytest.mark.parametrize("cookie", ["talon=abc", "__Host-talon=abc", "talon-lang=en; other=1", "x"])
def test_a_request_with_any_other_cookie_goes_through(visitor: Client, cookie: str) -> None:
    visitor.get("/")
    assert visitor.get("/", headers={"Cookie": cookie}).text == "page 2"
    assert visitor.get("/").text == "page 1"


def test_a_page_of_ones_own_is_never_kept(visitor: Client, site: Site) -> None:
    site.shared = False
    assert visitor.get("/").text == "page 1"
    assert visitor.get("/").text == "page 2"


@pytest.mark.parametrize(
    ("status", "headers"),
    [("200 OK", [("Set-Cookie", "talon-lang=en")]), ("500 Oops", []), ("400 Bad", [])],
)
def test_an_answer_with_a_cookie_or_a_fault_is_never_kept(
    visitor: Client, site: Site, status: str, headers: list[tuple[str, str]]
) -> None:
    site.status, site.headers = status, headers
    visitor.get("/")
    assert visitor.get("/").text == "page 2"


def test_who_has_the_page_already_gets_no_body(visitor: Client) -> None:
    etag = visitor.get("/").headers["ETag"]
    again = visitor.get("/", headers={"If-None-Match": etag})
    assert (again.status_code, again.get_data()) == (304, b"")


def test_head_is_answered_without_a_body(visitor: Client) -> None:
    head = visitor.head("/")
    assert (head.status_code, head.get_data(), head.headers["Content-Length"]) == (200, b"", "6")
    assert visitor.get("/").text == "page 1"


def test_other_pages_and_posts_go_through(visitor: Client) -> None:
    visitor.get("/")
    assert visitor.get("/register").text == "page 2"
    assert visitor.post("/").text == "page 3"


def test_memory_is_bounded(site: Site) -> None:
    cache = ListCache(site)
    for number in range(ENTRIES + 5):
        environ = EnvironBuilder("/", query_string=f"q={number}").get_environ()
        list(cache(environ, lambda *_: None))
    assert len(cache.pages) <= ENTRIES


def test_while_one_makes_the_page_anew_the_others_get_the_old_one(
    site: Site, clock_of_cache: Clock
) -> None:
    cache = ListCache(site, seconds=1.0, clock=clock_of_cache)
    visitor = Client(cache, Response, use_cookies=False)
    visitor.get("/")
    clock_of_cache.now += 1.5
    [page] = cache.pages.values()
    with page.renewing:
        assert visitor.get("/").text == "page 1"
        clock_of_cache.now += 1.0  # too old for that
        assert visitor.get("/").text == "page 2"
