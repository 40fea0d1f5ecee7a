"""Chromium that complains: console errors, page errors, CSP violations, 5xx, foreign requests.

``page`` and ``phone`` are 1280 and 360 px wide on the ``live`` site; ``open_page`` makes any other.
Each fails its test at the end if the browser had anything to complain about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import servers
from tests.live import Live

ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WIDE, NARROW = 1280, 360
HEIGHT = {WIDE: 900, NARROW: 740}
REPORT_CSP = """document.addEventListener('securitypolicyviolation', e =>
    console.error('CSP: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile))"""
FAILED = "Failed to load resource"
FINDINGS = """axe.run({resultTypes: ['violations'], preload: false}).then(found => found.violations
    .filter(rule => ['serious', 'critical'].includes(rule.impact))
    .map(rule => ({id: rule.id, impact: rule.impact, help: rule.help,
                   nodes: rule.nodes.slice(0, 5).map(node => node.html.slice(0, 200))})))"""
"""Only what is wrong leaves the browser: all that is right is a third of the time. ``preload`` would fetch
every stylesheet anew and sounds, which no rule that is on by default looks at (we have no sounds)."""

on_one_engine = pytest.mark.one_engine(
    "sqlite",
    why="what Chromium makes of a page, a key or a stylesheet is the same whatever database the page "
    "was made from; that both engines make the same pages is what the tests with `client` assert",
)
"""For tests of how pages look and behave in a browser (docs/decisions/0013)."""
on_both_engines = pytest.mark.both_engines
"""For walks whose point is what the whole site does: journeys that book."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, one for each process of the tests."""
    try:
        path = servers.program("chromium")
    except servers.Missing:
        servers.unavailable("Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Watch:
    """What a browser context had to complain about."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        self._refusals: set[str] = set()
        context.on("console", self._console)
        context.on("weberror", lambda error: self._note(f"page error: {error.error}"))
        context.on("request", self._request)
        context.on("response", self._response)

    def _note(self, complaint: str) -> None:
        self.complaints.append(complaint)

    def _console(self, message: Any) -> None:
        if message.type != "error":
            return
        where = message.location.get("url", "")
        # A page that answers 404 or 409 is an answer, not a fault; a missing stylesheet is one.
        if message.text.startswith(FAILED) and where in self._refusals:
            return
        self._note(f"console: {message.text} ({where})")

    def _request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self._note(f"a request left the house: {request.url}")

    def _response(self, response: Any) -> None:
        if response.status >= 500:
            self._note(f"{response.status} from {response.url}")
        elif response.status >= 400 and response.request.is_navigation_request():
            self._refusals.add(response.url)


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """``open_page(base_url, width=1280, javascript=True, locale="ru-RU")``: a new person's browser."""
    opened: list[tuple[BrowserContext, Watch]] = []

    def opener(
        base_url: str, *, width: int = WIDE, javascript: bool = True, locale: str = "ru-RU"
    ) -> Page:
        context = chromium.new_context(
            base_url=base_url,
            viewport={"width": width, "height": HEIGHT.get(width, 900)},
            java_script_enabled=javascript,
            locale=locale,
            timezone_id="Asia/Kamchatka",  # the reader's own zone must change nothing
            accept_downloads=True,
        )
        context.set_default_timeout(15_000)
        if javascript:
            context.add_init_script(REPORT_CSP)
        opened.append((context, Watch(context)))
        return context.new_page()

    yield opener
    complaints = [line for _, watch in opened for line in watch.complaints]
    for context, _ in opened:
        context.close()
    assert not complaints, "\n".join(dict.fromkeys(complaints))


@pytest.fixture
def page(live: Live, open_page: Callable[..., Page]) -> Page:
    """A wide window on the live site."""
    return open_page(live.url)


@pytest.fixture
def phone(live: Live, open_page: Callable[..., Page]) -> Page:
    """A phone of 360 px on the live site."""
    return open_page(live.url, width=NARROW)


def axe(page: Page) -> None:
    """No serious and no critical finding of axe-core on the page as it stands now."""
    page.wait_for_load_state()  # a page still on its way has no document to look at
    page.evaluate("Promise.allSettled(document.getAnimations().map(a => a.finished))")
    if not page.evaluate("'axe' in window"):  # half a megabyte: once for each document
        page.evaluate(AXE_SCRIPT)
    bad = [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n    " + "\n    ".join(rule["nodes"])
        for rule in page.evaluate(FINDINGS)
    ]
    assert not bad, f"{page.url}\n" + "\n".join(bad)


def fits(page: Page) -> None:
    """Nothing sticks out to the right: the page as a whole never scrolls sideways."""
    wide, seen = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= seen, f"{page.url} is {wide} px wide in a window of {seen} px"
