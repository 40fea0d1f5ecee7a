"""Chromium that complains: console errors, page errors, CSP violations, 5xx, foreign requests.

``page`` and ``phone`` are 1280 and 360 px wide on the ``live`` site; ``open_page`` makes any other.
Each fails its test at the end if the browser had anything to complain about.
"""

from __future__ import annotations

import os
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
WHOLE = os.environ.get("TALON_SCALE") == "1"
"""This is ./talon test-full."""
WIDE, NARROW = 1280, 360
HEIGHT = {WIDE: 900, NARROW: 740}
REPORT_CSP = """document.addEventListener('securitypolicyviolation', e =>
    console.error('CSP: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile))"""
FAILED = "Failed to load resource"
FINDINGS = """async places => {
    const fresh = new Set(places), marked = [...(window.texts ?? new Map())].filter(([, place]) => fresh.has(place));
    if (places) {
        marked.forEach(([element]) => element.setAttribute('data-look', ''));
        axe.configure({rules: [{id: 'color-contrast', selector: '[data-look]'}]});
    }
    const found = await axe.run({resultTypes: ['violations'], preload: false});
    marked.forEach(([element]) => element.removeAttribute('data-look'));
    return found.violations.filter(rule => ['serious', 'critical'].includes(rule.impact))
        .map(rule => ({id: rule.id, impact: rule.impact, help: rule.help,
                       nodes: rule.nodes.slice(0, 5).map(node => node.html.slice(0, 200))}));
}"""
"""Only what is wrong leaves the browser: all that is right is a third of the time. ``preload`` would fetch
every stylesheet anew and sounds, which no rule that is on by default looks at (we have no sounds).
Colours are measured of the texts that stand in ``places``, or of all."""
TEXTS = """() => {
    const attributes = ['class', 'type', 'role', 'open', 'disabled', 'hidden', 'aria-current', 'aria-selected',
                        'aria-expanded', 'aria-invalid', 'aria-pressed', 'aria-disabled'];
    const sheets = [...document.styleSheets].map(sheet => sheet.href).join(' ');
    const above = `${sheets} ${matchMedia('(prefers-color-scheme: dark)').matches}`;
    const paths = new Map();
    const path = element => {
        if (!element) return above;
        if (!paths.has(element)) {
            const own = attributes.map(name => element.getAttribute(name) ?? '-').join(' ');
            const data = Object.entries(element.dataset).map(([name, value]) => name + value.slice(0, 12));
            const odd = element.matches(':nth-child(odd)'), last = element.matches(':last-child');
            const written = `${path(element.parentElement)}/${element.localName} ${own} ${data} ${odd} ${last}`;
            let one = 0, two = 0;
            for (const letter of written) {
                one = (one * 31 + letter.codePointAt(0)) % 2147483647;
                two = (two * 131 + letter.codePointAt(0)) % 2147483629;
            }
            paths.set(element, `${one} ${two}`);
        }
        return paths.get(element);
    };
    const written = element => element.matches('input, select, textarea') ||
        [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const texts = [...document.body.querySelectorAll('*')].filter(written);
    window.texts = new Map(texts.map(element => [element, path(element)]));
    return [...new Set(window.texts.values())];
}"""
"""Where texts stand: everything of an element and of all above it that a stylesheet asks for when it gives colours."""
_contrasts: set[tuple[int | None, str]] = set()
"""Width of the window and place of each text whose colours this process has found good."""

on_one_engine = pytest.mark.one_engine(
    "sqlite",
    why="what Chromium makes of a page, a key or a stylesheet is the same whatever database the page "
    "was made from; that both engines make the same pages is what the tests with `client` assert",
)
"""For tests of how pages look and behave in a browser (docs/decisions/0013)."""
on_both_engines = pytest.mark.both_engines
"""For walks whose point is what the whole site does: journeys that book."""
by_turns = pytest.mark.takes_turns
"""The same where a walk has two forms, wide with scripts and narrow without: each form on one of the engines."""


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
    """No serious and no critical finding of axe-core on the page as it stands now.

    Half of axe's time goes into measuring colours. Texts that stand where some stood before (the same
    frame, table, form …) have the same ones and are not measured again, but in ./talon test-full.
    """
    page.wait_for_load_state()  # a page still on its way has no document to look at
    page.evaluate("Promise.allSettled(document.getAnimations().map(a => a.finished))")
    if not page.evaluate("'axe' in window"):  # half a megabyte: once for each document
        page.evaluate(AXE_SCRIPT)
    width = page.viewport_size["width"] if page.viewport_size else None
    places = {(width, place) for place in page.evaluate(TEXTS)}
    fresh = None if WHOLE else [place for _, place in places - _contrasts]
    bad = [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n    " + "\n    ".join(rule["nodes"])
        for rule in page.evaluate(FINDINGS, fresh)
    ]
    assert not bad, f"{page.url}\n" + "\n".join(bad)
    _contrasts.update(places)


def fits(page: Page) -> None:
    """Nothing sticks out to the right: the page as a whole never scrolls sideways."""
    wide, seen = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= seen, f"{page.url} is {wide} px wide in a window of {seen} px"
