"""«Версия для слабовидящих» and the language."""

from __future__ import annotations

from sqlalchemy.orm import Session

from tests import make
from tests.client import Visitor, parsed


def test_the_choice_is_a_cookie_and_shows_on_every_page(client: Visitor, store: Session) -> None:
    make.make_tenant(store)
    response = client.submit(
        "/settings?next=/sign-in", {"size": "huge", "contrast": "dark", "spacing": "wide"}
    )
    assert response.headers["Location"] == "/sign-in"
    root = client.page("/")
    assert (root.get("data-size"), root.get("data-contrast")) == ("huge", "dark")
    assert root.get("data-spacing") == "wide"
    client.submit("/settings", {"size": "", "contrast": "", "spacing": ""})
    assert client.page("/").get("data-size") is None


def test_nothing_but_the_offered_words_reaches_the_page(client: Visitor, store: Session) -> None:
    make.make_tenant(store)
    client.send("/settings", {"size": 'x" onload="', "contrast": "pink", "next": "//evil"})
    client.set_cookie("talon-view", 'huge"><script>.dark')
    root = client.page("/")
    assert root.get("data-size") is None
    assert root.get("data-contrast") == "dark"


def test_the_other_language_is_one_link_away_and_keeps_the_page(
    client: Visitor, store: Session
) -> None:
    make.make_tenant(store)
    page = client.page("/?group=B&page=2")
    [link] = page.xpath("//a[@hreflang='en']/@href")
    assert "group=B" in link
    assert parsed(client.get(link)).get("lang") == "en"
