"""Every line of the table: who gets in, who is refused and how, and that a refusal changes nothing."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app.models import Throttle
from tests.matrix.expected import LINES, Line
from tests.matrix.world import (
    CANARY,
    DONORS,
    OF_A_BRANCH,
    STAFF,
    UNCOUNTED,
    Visitor,
    World,
    contents,
    restore,
)

PLACE = re.compile(r"<(?:\w+:)?(\w+)>")
STALE = "Страница была открыта слишком долго"
SIGN_IN, STAFF_SIGN_IN, SECOND_STEP = "/sign-in", "/staff/sign-in/", "/staff/second-step/"
GOOD = {"GET": {200, 303}, "POST": {200, 303, 400, 409, 410, 422}}
"""What somebody who may do something is answered, with a form that may be incomplete."""


def test_the_table_names_every_rule_and_method_once(open_app: Flask) -> None:
    there = {
        f"{method} {rule.rule}"
        for rule in open_app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    written = [str(line) for line in LINES]
    assert sorted(there - set(written)) == []
    assert sorted(set(written) - there) == []
    assert len(set(written)) == len(written)


def refusal(line: Line, who: Visitor) -> tuple[int, str] | None:
    """Status and place of the answer to somebody who may not; None if the table lets him in."""
    if line.who == "all":
        return None
    if not line.on_staff:
        if line.who == "visitor":
            return None if who.name == "owner" else (404, "")
        if not who.donor:
            return 303, SIGN_IN
        return None if line.who == "donor" or who.name == "owner" else (404, "")
    if not who.is_staff and not who.half:
        return 303, STAFF_SIGN_IN
    if line.who == "half":
        return None if who.half else (303, "/staff/")
    if who.half:
        return 303, SECOND_STEP
    if who.role not in line.roles:
        return 403, ""
    return (404, "") if line.nothing or is_strange(line, who) else None


def is_strange(line: Line, who: Visitor) -> bool:
    """Whether the line is about something that this member of staff cannot see."""
    things = {*line.names.values(), *line.form.values()}
    if line.narrowed or not (line.names or "number" in things):
        return False
    return not who.ours or (who.sister and bool(OF_A_BRANCH & things))


def address(line: Line, world: World) -> str:
    values = {name: world.things.get(value, value) for name, value in line.names.items()}
    path = PLACE.sub(lambda place: quote(values.pop(place[1])), line.rule)
    return f"{path}?{urlencode(values)}" if values else path


def ask(line: Line, world: World, who: Visitor, *, token: str | None = "own") -> TestResponse:
    """The request of the line; ``token``: ``own``, another text, or None for no token at all."""
    needs_cookie = line.method != "GET" or who.name != "anonymous"
    client = who.client(world.app, cookies=needs_cookie)
    if line.method == "GET":
        return client.get(address(line, world))
    form = {name: world.things.get(value, value) for name, value in line.form.items()}
    if token is not None:
        form["csrf_token"] = (
            who.csrf[STAFF if line.on_staff else DONORS] if token == "own" else token
        )
    return client.post(address(line, world), data=form)


def lives(world: World) -> tuple[Any, Any]:
    """What a refusal or a GET may not change: the rows that count, and who is signed in."""
    found = contents(world.engine)
    sessions = [row[0] for row in found["web_session"]]
    return {name: rows for name, rows in found.items() if name not in UNCOUNTED}, sessions


def forget_tries(world: World) -> None:
    """All come from one address: the limits on tries have tests of their own."""
    with world.engine.begin() as connection:
        connection.execute(sa.delete(Throttle))


def check_headers(line: Line, answer: TestResponse) -> None:
    """What protects the page, and who may keep it."""
    csp = answer.headers["Content-Security-Policy"]
    if line.rule.endswith("/html"):
        assert "default-src 'none'" in csp and "sandbox" in csp
    else:
        assert csp.startswith("default-src 'self'") and "unsafe" not in csp
        for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in csp
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Permissions-Policy"]
    kept = answer.headers.get("Cache-Control", "")
    if "static" in line.rule:
        assert "max-age=31536000" in kept
    elif kept != "no-store":
        assert line.rule == "/" and kept == "public, max-age=1" and answer.status_code == 200
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("line", LINES, ids=str)
def test_line(world: World, line: Line) -> None:
    refused = {v.name: refusal(line, v) for v in world.visitors.values()}
    before = lives(world)
    for who in world.visitors.values():
        wanted = refused[who.name]
        if wanted is not None:
            answer = ask(line, world, who)
            assert answer.status_code == wanted[0], f"{who.name}: {answer.status}"
            assert answer.headers.get("Location", "").partition("?")[0] == wanted[1], who.name
            assert CANARY not in answer.get_data().decode(errors="replace"), who.name
            check_headers(line, answer)
            answer.close()
    let_in = [who for who in world.visitors.values() if refused[who.name] is None]
    assert let_in or line.nothing
    if line.method != "GET":
        _without_token(line, world, let_in or [world.visitors["administrator"]])
    assert lives(world) == before
    for who in let_in:
        _let_in(line, world, who)
        if line.method != "GET" and lives(world) != before:
            restore(world.engine, world.begin)
    assert lives(world) == before, "a GET has changed something"


def _without_token(line: Line, world: World, people: list[Visitor]) -> None:
    """Not even who may do it: no token, a made-up one, somebody else's."""
    surface = STAFF if line.on_staff else DONORS
    strange = world.visitors["anonymous"].csrf[surface]
    for who in people[:3]:
        for token in (None, "", "made-up", strange):
            if who.name == "anonymous" and token == strange:
                continue
            answer = ask(line, world, who, token=token)
            assert answer.status_code == 400, f"{who.name} with {token!r}: {answer.status}"
            assert STALE in answer.get_data(as_text=True)


def _let_in(line: Line, world: World, who: Visitor) -> None:
    forget_tries(world)
    answer = ask(line, world, who)
    text = answer.get_data().decode(errors="replace")
    location = answer.headers.get("Location", "")
    good = {line.status} if line.status else GOOD[line.method]
    assert answer.status_code in good, f"{who.name}: {answer.status}"
    assert SIGN_IN not in location or line.who == "all", f"{who.name}: sent to {location}"
    assert STALE not in text
    if line.on_staff and line.who != "all" and not who.ours:
        assert CANARY not in text, f"{who.name} sees something of ours"
    check_headers(line, answer)
    answer.close()
