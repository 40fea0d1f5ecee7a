"""The browser fixture is able to complain: each fault of a page is found in a small page that has it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from tests.browser import Watch, axe, fits

PAGES = {
    "/good": "<p>Good</p>",
    "/console": "<script src='/console.js'></script>",
    "/throws": "<script src='/throws.js'></script>",
    "/inline": "<script>1</script>",
    "/style": "<p style='color: red'>Red</p>",
    "/foreign": "<img src='http://192.0.2.1/a.png' alt=''>",
    "/unstyled": "<link rel=stylesheet href='/none.css'>",
    "/console.js": "console.error('oh')",
    "/throws.js": "throw new Error('oh')",
    "/image": "<img src='/good'>",
    "/broad": "<link rel=stylesheet href='/broad.css'><p>Broad</p>",
    "/broad.css": "p { width: 2000px }",
    "/read": "<link rel=stylesheet href='/grey.css'><p>Read</p>",
    "/grey": "<link rel=stylesheet href='/grey.css'><p class=grey>Grey</p>",
    "/pale": "<link rel=stylesheet href='/pale.css'><p>Pale</p>",
    "/grey.css": ".grey { color: #ccc }",
    "/pale.css": "p { color: #ccc }",
}
KINDS = {".js": "text/javascript", "css": "text/css"}


class Handler(BaseHTTPRequestHandler):
    """Answers with the pages above, under the site's own CSP."""

    def do_GET(self) -> None:
        body = PAGES.get(self.path)
        kind = KINDS.get(self.path[-3:], "text/html")
        if body is not None and kind == "text/html":
            body = (
                f"<!doctype html><html lang=en><title>A</title><main><h1>A</h1>{body}</main></html>"
            )
        self.send_response(500 if self.path == "/broken" else 200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", "default-src 'self'; img-src *")
        self.end_headers()
        self.wfile.write((body or "none").encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def complaints(chromium: Browser, url: str) -> list[str]:
    with chromium.new_context() as context:
        watch = Watch(context)
        context.new_page().goto(url, wait_until="networkidle")
        return watch.complaints


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/console", "oh"),
        ("/throws", "page error"),
        ("/inline", "Content Security Policy"),
        ("/style", "Content Security Policy"),
        ("/foreign", "left the house"),
        ("/unstyled", "404"),
        ("/broken", "500"),
    ],
)
def test_a_fault_is_noticed(chromium: Browser, site: str, path: str, word: str) -> None:
    assert any(word in line for line in complaints(chromium, site + path))


@pytest.mark.parametrize("path", ["/good", "/not-there"])
def test_an_answer_is_no_fault(chromium: Browser, site: str, path: str) -> None:
    assert complaints(chromium, site + path) == []


def test_axe_finds_an_image_without_words(chromium: Browser, site: str) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{site}/good")
        axe(page)
        page.goto(f"{site}/image")
        with pytest.raises(AssertionError, match="image-alt"):
            axe(page)


@pytest.mark.parametrize("path", ["/grey", "/pale"])
def test_pale_letters_are_found_beside_good_ones_in_the_same_place(
    chromium: Browser, site: str, path: str
) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        for _ in range(2):  # what was found once is found again
            page.goto(f"{site}/read")
            axe(page)
            axe(page)
            page.goto(site + path)
            with pytest.raises(AssertionError, match="color-contrast"):
                axe(page)


def test_a_page_that_is_too_broad_is_noticed(chromium: Browser, site: str) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{site}/good")
        fits(page)
        page.goto(f"{site}/broad")
        with pytest.raises(AssertionError, match="wide"):
            fits(page)
