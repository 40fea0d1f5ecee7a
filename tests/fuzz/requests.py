"""Requests that are nearly right: good values of the site's own forms, with something odd in between."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote_from_bytes, urlsplit

from hypothesis import strategies as st
from lxml import html
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from tests.matrix.expected import LINES, Line
from tests.matrix.test_matrix import PLACE, ask, refusal
from tests.matrix.world import DONORS, STAFF, Visitor, World

ODD = (
    "", " ", "\x00", "a\x00b", "\ud800", "x\udfffy", "\ufffd", "\u202e\u2066abc\u2069", "\u200b\u200d",
    "0", "-1", "+1", "00", "1_0", "٣", "²", "1e9", "1.5", "NaN", "99999999999", "9" * 23, "9" * 400,
    "-9223372036854775809", "2147483648", "true", "None", "null", "undefined", "[]", "{}",
    "2026-02-30", "0000-00-00", "9999-12-31", "0001-01-01", "12026-01-01", "31.12.9999", "29.02.2025",
    "24:00", "25:61", "8:0", "23:59:59.999999", "2026-11-25T08:00+99:99", "99999999999999999999",
    "00000000-0000-0000-0000-000000000000", "{urn:uuid:00000000000000000000000000000000}",
    "../../../../etc/passwd", "//example.org/x", "/\\example.org", "javascript:alert(1)",
    "' OR 1=1 --", "%", "_", "\\", "%s%d%n", "%(name)s", "{0.__class__}", "{{7*7}}", "${7*7}",
    '"><img src=x onerror=alert(1)>', '=HYPERLINK("http://example.org")', "@SUM(1)", "\t=1+1",
    "a\r\nBcc: x@example.org", "a\nb", "\x1b[31m", "\x7f\x85", "ё" * 250, "я" * 3000, "x" * 70_000,
    "e\u0301" * 100, "\u1e9e\u0130\u0131", "👩‍👩‍👧‍👦", "\U0010ffff", "б", "Б−", "III (B) −", "1002",
    "a@b", "a@b.c\n", "<a@b.c>", "иван@почта.рф", "a" * 250 + "@example.org", "+7 (999) 000-00-00",
)  # fmt: skip
TODAY = dt.datetime.now(dt.UTC).date()
PLAUSIBLE = (
    "Анна", "Вера Соснова", "456545", "new@example.org", "тихий-бор-за-рекой-42", "Причина", "1", "7", "30",
    "120", "08:00", "8:30", "14:00", "B-", "on", "y", "+7 912 345-67-89",
    *((TODAY + dt.timedelta(days=n)).isoformat() for n in (-400, -30, 0, 1, 8, 40)),
    *((TODAY + dt.timedelta(days=n)).strftime("%d.%m.%Y") for n in (-9000, -30, 8)),
)  # fmt: skip
texts = st.one_of(
    st.sampled_from(ODD),
    st.text(max_size=30),
    st.text(st.characters(exclude_categories=()), max_size=20),
    st.integers().map(str),
    st.dates().map(str),
    st.times().map(str),
    st.uuids().map(str),
)
names = st.one_of(
    st.sampled_from(
        ("id", "q", "page", "per", "sort", "after", "before", "lang", "next", "url", "of", "to", "pick",
         "open", "branch", "type", "from", "date", "status", "kind", "search", "format", "whole", "do")
    ),
    texts,
)  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """One request: raw bytes, as a socket could bring them."""

    who: str
    path: str
    query: str
    body: str | None

    def send(self, world: World) -> Any:
        visitor = world.visitors[self.who]
        client = visitor.client(world.app)
        if self.body is None:
            return client.get(self.path, query_string=self.query)
        return client.post(
            self.path,
            query_string=self.query,
            data=self.body.encode(),
            content_type="application/x-www-form-urlencoded",
        )


@dataclass
class Forms:
    """Good values by field, for each method and rule: read from the site's own pages."""

    fields: dict[str, dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )

    def learn(self, world: World) -> None:
        """Open every page as everybody of ours who may, and look at its forms and links.

        On the site staff are strangers: what they are shown there is what anybody is.
        """
        for line in LINES:
            for name, value in (*line.names.items(), *line.form.items()):
                self.fields[str(line)][name].add(world.things.get(value, value))
            if line.method == "GET":
                for who in world.visitors.values():
                    stranger = who.is_staff and not line.on_staff
                    ours = who.ours and not who.sister and not stranger
                    if ours and refusal(line, who) is None:
                        self._read(world, ask(line, world, who), line)

    def _read(self, world: World, answer: Any, line: Line) -> None:
        if answer.mimetype != "text/html" or answer.status_code != 200:
            answer.close()
            return
        page = html.document_fromstring(answer.get_data(as_text=True), base_url=line.rule)
        answer.close()
        for form in page.forms:
            found = self._of(world, form.method, form.get("action") or answer.request.path)
            if found is None:
                continue
            for control in form.inputs:
                if control.name and control.name != "csrf_token":
                    found[control.name] |= set(_values(control))
            for button in form.xpath(".//button[@name]"):
                found[button.get("name")].add(button.get("value", ""))
        for link in page.xpath("//a/@href"):
            found = self._of(world, "GET", link)
            if found is not None:
                for name, value in parse_qsl(urlsplit(link).query):
                    found[name].add(value)

    def _of(self, world: World, method: str, address: str) -> dict[str, set[str]] | None:
        """The fields of the rule behind an address of the site."""
        parts = urlsplit(address)
        if parts.scheme not in ("", "http", "https") or not parts.path.startswith("/"):
            return None
        adapter = world.app.url_map.bind("localhost")
        try:
            rule, _ = adapter.match(parts.path, method=method.upper(), return_rule=True)
        except (HTTPException, RequestRedirect):
            return None
        return self.fields[f"{method.upper()} {rule.rule}"]


def _values(control: Any) -> Iterable[str]:
    if control.tag == "select":
        return [option or "" for option in control.value_options]
    value = control.value if control.get("type") != "checkbox" else control.get("value", "on")
    return [value] if isinstance(value, str) else [""]


def allowed(world: World, line: Line) -> Visitor:
    """Somebody whom the table lets in; the administrator where nobody is."""
    order = [world.visitors["owner"], *world.visitors.values()]
    return next((v for v in order if refusal(line, v) is None), world.visitors["administrator"])


def attempts(world: World, line: Line, forms: Forms) -> st.SearchStrategy[Attempt]:
    """Requests to one rule, most of them nearly right."""
    known = forms.fields[str(line)]
    may = allowed(world, line).name
    people = [may, may, may, "owner", "anonymous"]
    places = PLACE.findall(line.rule)
    given = {
        name: st.one_of(
            st.sampled_from(sorted(values)),
            st.sampled_from(sorted(values)),
            st.sampled_from(PLAUSIBLE),
            texts,
        )
        for name, values in known.items()
        if values
    }

    @st.composite
    def attempt(draw: st.DrawFn) -> Attempt:
        who = world.visitors[draw(st.sampled_from(people))]
        chosen = {name: draw(given.get(name, texts)) for name in places}
        path = PLACE.sub(lambda place: _quoted(chosen[place[1]]) or "x", line.rule)
        fields = [name for name in known if name not in places]
        pairs = [
            (name, draw(given.get(name, texts)))
            for name in fields
            for _ in range(draw(st.sampled_from((1, 1, 1, 1, 0, 2))))
        ]
        pairs += draw(st.lists(st.tuples(names, texts), max_size=2))
        own = [
            (n, world.things.get(line.names[n], line.names[n]))
            for n in line.names
            if n not in places
        ]
        if line.method == "GET":
            return Attempt(who.name, path, _encoded(pairs), None)
        token = who.csrf[STAFF if line.on_staff else DONORS]
        return Attempt(who.name, path, _encoded(own), _encoded([*pairs, ("csrf_token", token)]))

    return attempt()


def _quoted(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="")


def _encoded(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)
