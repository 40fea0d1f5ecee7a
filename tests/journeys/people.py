"""People of the journeys. Each sits at a browser of one's own and looks at every page that comes up."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Locator, Page, expect

from app.models import StaffUser
from app.models.enums import MessageKind
from tests import make
from tests.browser import HEIGHT, NARROW, WIDE, axe, fits
from tests.live import Live

POST = 30.0
"""Seconds a letter may take on a busy machine; it takes one or two."""


def engine(name: str) -> pytest.MarkDecorator:
    """Walk this journey on one engine (in ./talon test-full on both)."""
    return pytest.mark.one_engine(
        name, why="the pages are the same, and the first journey walks on both"
    )


LOOKED_AT: set[tuple[int, int]] = set()
"""Width and page, as axe has found them good: journeys of one process meet the same page again and again."""
VARIES = re.compile(r'value="[^"]*"|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+')
"""What two copies of one page may differ in and axe does not mind: tokens, names of rows, numbers and dates."""


def look(page: Page, *, accessible: bool = True) -> None:
    """The page has a title and one heading, is accessible and fits, on a desk and on a phone."""
    assert page.title().strip(), page.url
    expect(page.locator("h1")).to_have_count(1)
    assert page.locator("h1").inner_text().strip(), page.url
    own = (page.viewport_size or {"width": WIDE})["width"]
    for width in (WIDE if own == NARROW else NARROW, own):
        page.set_viewport_size({"width": width, "height": HEIGHT[width]})
        fits(page)
        if accessible and (found := (width, hash(VARIES.sub("", page.content())))) not in LOOKED_AT:
            axe(page)
            LOOKED_AT.add(found)


FOCUS = """wanted => {
    const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect()
    const label = e.labels && e.labels[0] ? e.labels[0].getBoundingClientRect().height : 0
    const inline = style.display === 'inline' && e.parentElement.innerText.trim() !== e.innerText.trim()
    return {there: e === wanted, skip: e.matches('.skip'), outside: e === document.body,
            words: (e.innerText || e.name || e.tagName).replace(/\\s+/g, ' ').slice(0, 60),
            seen: e.type === 'date' || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
            large: inline || Math.max(box.height, label) >= 24}
}"""
"""What has the focus now: whether that is ``wanted``, can be seen, and is large enough to be hit (a link
within a sentence is as high as its line; parts of a date show the browser's own mark)."""
MOST_TABS = 150


class Visitor:
    """Somebody at a browser: whatever way a page comes up, it is looked at."""

    by_keys = False
    """Links, buttons and fields are reached with Tab and pressed with Enter: there is no mouse."""

    def __init__(self, live: Live, page: Page, *, javascript: bool = True) -> None:
        self.live, self.page, self.javascript = live, page, javascript

    def look(self) -> None:
        look(self.page, accessible=self.javascript)

    def go(self, path: str) -> None:
        """Open a page by its address."""
        answer = self.page.goto(path)
        assert answer is not None and answer.status < 400, f"{path}: {answer and answer.status}"
        self.look()

    def follow(self, name: str | re.Pattern[str], *, within: str = "body") -> None:
        """Go where the first link of that name leads."""
        self.act(self.page.locator(within).get_by_role("link", name=name).first)

    def press(self, name: str | re.Pattern[str], *, within: str = "main") -> None:
        """Press the only button of exactly that name."""
        self.act(self.page.locator(within).get_by_role("button", name=name, exact=True))

    def act(self, what: Locator) -> None:
        """Press what leads to another page."""
        if self.by_keys:
            self.tab_to(what)
            self.key("Enter")
        else:
            self.leave(what.click)

    def tab_to(self, what: Locator) -> None:
        """Tab until it has the focus; past the frame by «Перейти к содержанию», if it stands in the page."""
        wanted = what.element_handle()
        assert wanted is not None
        inside = wanted.evaluate("e => e.closest('main') !== null")
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            focus = wanted.evaluate(FOCUS)
            if focus["outside"]:  # round the window's own buttons, and from the top again
                continue
            assert focus["seen"], f"{self.page.url}: the focus on «{focus['words']}» cannot be seen"
            assert focus["large"], f"{self.page.url}: «{focus['words']}» is too small to be hit"
            if focus["there"]:
                return
            if focus["skip"] and inside:
                self.page.keyboard.press("Enter")
        raise AssertionError(f"{self.page.url}: Tab never comes to {what}")

    def key(self, key: str) -> None:
        """Press a key that leads to another page."""
        self.leave(lambda: self.page.keyboard.press(key))

    def leave(self, act: Callable[[], Any]) -> None:
        """Do what leads to another page, and look at that one."""
        with self.page.expect_navigation():
            act()
        self.look()

    def fill(self, **fields: str) -> None:
        """Type into fields, or choose, by their names in the form."""
        for name, value in fields.items():
            field = self.page.locator(f"main [name={name}]:not([type=hidden])")
            if self.by_keys:
                self.tab_to(field)
            if field.evaluate("e => e.tagName") == "SELECT":
                field.select_option(value)
            elif self.by_keys:  # what stood there is selected
                self.page.keyboard.type(value)
            else:
                field.fill(value)

    def mark(self, name: str, value: str) -> None:
        """One of several radio buttons, none of which is marked."""
        group = self.page.locator(f"main [name={name}]")
        wanted = self.page.locator(f"main [name={name}][value='{value}']")
        if not self.by_keys:
            wanted.check()
            return
        self.tab_to(group.first)
        self.page.keyboard.press("Space")
        for _ in range(group.count()):
            if wanted.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        expect(wanted).to_be_checked()

    def unfold(self, name: str) -> None:
        """Open what is folded under that line."""
        line = self.page.locator("main summary").filter(has_text=name)
        if self.by_keys:
            self.tab_to(line)
            self.page.keyboard.press("Enter")
        else:
            line.click()

    def file(self, name: str | re.Pattern[str], *, within: str = "main") -> bytes:
        """Follow the first link of that name to a file; what is in it."""
        with self.page.expect_download() as coming:
            self.page.locator(within).get_by_role("link", name=name).first.click()
        return coming.value.path().read_bytes()

    def letter(self, recipient: str, subject: str) -> None:
        """Wait for a letter in the mailbox and open it."""
        end = time.monotonic() + POST
        found = self.page.locator("ol.letters").get_by_role("link", name=subject).first
        self.page.goto(f"/mailbox?to={recipient}")
        while not found.count():
            assert time.monotonic() < end, f"no letter «{subject}» has come to {recipient}"
            time.sleep(0.3)
            self.page.reload()
        self.look()
        self.leave(found.click)

    def subjects(self, recipient: str) -> list[str]:
        """What the mailbox holds for somebody, the newest first."""
        self.go(f"/mailbox?to={recipient}")
        return self.page.locator("ol.letters a").all_inner_texts()

    def says(self, words: str | re.Pattern[str]) -> None:
        """The page says this, and it can be seen."""
        expect(self.page.locator("main").get_by_text(words).first).to_be_visible()

    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    def opened(self) -> Locator:
        """The question that stands in a dialog."""
        return self.page.locator("dialog[open]")


class Donor(Visitor):
    """Somebody who gives blood."""

    email = "vera@example.org"

    def register(self, code: str) -> None:
        """All six fields and the consent: III (B) −, Kell −."""
        self.go("/")
        self.follow("Регистрация")
        self.fill(email=self.email, password=make.PASSWORD, donor_code=code)
        self.fill(blood_group="B", rh="-", kell="-")
        self.page.get_by_label("Я даю согласие на обработку моих персональных данных").check()
        self.press("Зарегистрироваться")

    def confirm_address(self) -> None:
        """By the link in the letter."""
        self.letter(self.email, "Подтвердите")
        self.leave(self.page.locator("div.text a").first.click)
        self.press("Подтвердить адрес")
        self.says("Адрес подтверждён")

    def sign_in(self) -> None:
        self.fill(email=self.email, password=make.PASSWORD)
        self.press("Вход")
        expect(self.page.locator(".own-group")).to_contain_text("III (B) −")

    def book(self, place: str = "8:00 (1)") -> int:
        """From the list to «На утверждении»; the number of the booking."""
        self.go("/")
        self.follow("Записаться", within="tbody")
        self.press(place)
        self.press("Подтверждаю запись")
        expect(self.page.locator(".big-state")).to_have_text("На утверждении")
        return int("".join(re.findall(r"\d", self.heading())))

    def status(self) -> str:
        """Of the newest booking, as one's own list says it."""
        self.go("/bookings")
        return self.page.locator("table.list .state").first.inner_text().strip()


class Worker(Visitor):
    """Somebody of the back office."""

    def sign_in(self, user: StaffUser) -> None:
        """By the two steps of the door: password, then the code of the telephone."""
        self.go("/staff/")
        self.fill(email=user.email, password=make.PASSWORD)
        self.press("Продолжить")
        self.fill(code=pyotp.TOTP(make.TOTP_SEED).now())
        self.press("Войти")


def now() -> dt.datetime:
    """The site runs in real time."""
    return dt.datetime.now(dt.UTC)


def letters_sent(live: Live, *kinds: MessageKind) -> int:
    """How many letters of these kinds the site has made, sent or waiting to be sent."""
    from sqlalchemy import func, select

    from app.models import Message
    from app.models.enums import MessageStatus

    with live.session() as session:
        query = select(func.count()).where(
            Message.kind.in_(kinds), Message.status.in_((MessageStatus.DUE, MessageStatus.SENT))
        )
        return session.scalar(query) or 0
