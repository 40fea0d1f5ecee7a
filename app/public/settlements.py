"""The settlement: a picker with letters, remembered beside the display's settings (E2, E3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from flask import Response, g, render_template, request

from app.extensions import db
from app.public.settings import keep_place, place_word
from app.public.site import public
from app.rules import directory


def word_of(name: str) -> str:
    """What stands for a settlement in the cookie: short, whatever the name's letters are."""
    return f"c{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def chosen(names: Iterable[str]) -> str:
    """Of these settlements the one in the address (remembered from now on), else the one remembered.

    ``?city=`` with nothing behind it means everywhere, for this once.
    """
    offered = list(names)
    wanted = request.args.get("city")
    if wanted in offered:
        g.settlement = wanted
        return str(wanted)
    word = place_word()
    if wanted is not None or not word:
        return ""
    return next((name for name in offered if word_of(name) == word), "")


@public.after_request
def remember(response: Response) -> Response:
    name = g.get("settlement", "")
    if name and place_word() != word_of(name):
        keep_place(response, word_of(name))
    return response


@public.get("/settlements")
def settlements() -> str:
    """Every settlement with institutions, under its letter."""
    found = directory.settlements(db.session())
    return render_template(
        "public/settlements.html",
        letters=directory.by_letter(found),
        current=chosen(name for name, _ in found),
    )
