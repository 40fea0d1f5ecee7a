"""Cleaning the HTML that staff write: a small list of tags, links of known kinds, nothing that runs.

``Cleaned`` is made here and nowhere else; templates print nothing else unescaped.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple
from urllib.parse import urlsplit

TAGS = frozenset("h2 h3 h4 p ul ol li strong em a br table caption thead tbody tr th td".split())
"""h1 is the page's title; pictures, styles and scripts have no place here."""
WITHOUT_CONTENT = frozenset(
    "script style template noscript iframe object svg math textarea title select xmp".split()
)
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
ATTRIBUTES = {"a": {"href"}, "th": {"scope", "colspan", "rowspan"}, "td": {"colspan", "rowspan"}}
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
LINK = re.compile(r'<a href="([^"<>]*)"([^<>]*)>(.*?)</a>', re.DOTALL)
HEADING = re.compile(r"<(h[23])>(.*?)</\1>", re.DOTALL)
NEVER_IN_A_LINK = frozenset("\"'<>\\`")
"""Kept out of addresses, so that in cleaned text every ``<`` begins a tag."""


class Cleaned(str):
    """HTML that ``cleaned`` has left. Anything made out of it (joined, cut) is plain text again."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def cleaned(text: str) -> Cleaned:
    """``text`` with the allowed tags only; everything else is dropped, its words stay.

    Text without any tag becomes paragraphs, parted by empty lines.
    """
    import nh3  # only pages with a text need it

    given = text if re.search(r"<\w", text) else _paragraphs(text)
    left = nh3.clean(
        CONTROLS.sub("", given),
        tags=set(TAGS),
        clean_content_tags=set(WITHOUT_CONTENT),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=_attribute,
        url_schemes=set(SCHEMES),
        link_rel="noopener",
        strip_comments=True,
    )
    return Cleaned(CONTROLS.sub("", left).strip())  # «&#27;» has become one meanwhile


def _paragraphs(text: str) -> str:
    parts = re.split(r"\n\s*\n", html.escape(html.unescape(text.replace("\r\n", "\n")).strip()))
    return "\n".join(f"<p>{part.strip()}</p>" for part in parts if part.strip())


def _attribute(_tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return _address(value)
    if name == "rel":
        return value  # nh3's own: authors cannot give one
    if name == "scope":
        return value if value in ("col", "row") else None
    return value if re.fullmatch("[1-9][0-9]?", value) else None


def _address(value: str) -> str | None:
    """A whole address of a known kind, or a path of this site; None for the rest."""
    address = value.strip()
    if any(ord(char) < 33 or char in NEVER_IN_A_LINK for char in address):
        return None
    if address.startswith(("/", "#")):
        return None if address.startswith("//") else address
    scheme, colon, rest = address.partition(":")
    return address if colon and rest and scheme.lower() in SCHEMES else None


def drops_something(text: str) -> bool:
    """Whether cleaning takes tags away (for a word to the author, not a guard)."""
    return any(tag.lower() not in TAGS for tag in re.findall(r"<([a-zA-Z][\w-]*)", text))


def shown(text: str, *, own_host: str, elsewhere: str, table: str) -> Cleaned:
    """Cleaned anew for the reader: links to other sites say ``elsewhere``, headings can be linked to.

    A table scrolls by itself where it is too wide; ``table`` is what the region is called.
    """
    number = 0

    def link(match: re.Match[str]) -> str:
        host = (_host(html.unescape(match[1]))) or own_host
        said = "" if host == own_host else f" ({html.escape(elsewhere)}: {html.escape(host)})"
        return f'<a href="{match[1]}"{match[2]}>{match[3]}{said}</a>'

    def heading(match: re.Match[str]) -> str:
        nonlocal number
        number += 1
        return f'<{match[1]} id="part-{number}">{match[2]}</{match[1]}>'

    region = f'<div class="scrolled" tabindex="0" role="region" aria-label="{html.escape(table)}">'
    told = HEADING.sub(heading, LINK.sub(link, cleaned(text)))
    return Cleaned(
        told.replace("<table>", f"{region}<table>").replace("</table>", "</table></div>")
    )


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return "?"


class Part(NamedTuple):
    """A heading of a page: its level (2, 3), where it can be linked to, its words."""

    level: int
    anchor: str
    words: str


def parts(text: str) -> list[Part]:
    """The headings of a page, with the anchors that ``shown`` gives them."""
    found = enumerate(HEADING.finditer(cleaned(text)), start=1)
    return [
        Part(int(match[1][1]), f"part-{number}", html.unescape(re.sub("<[^<>]*>", "", match[2])))
        for number, match in found
    ]
