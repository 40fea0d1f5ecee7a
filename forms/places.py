"""The query string of the public list: everything the reader asked for stands in the URL."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from app.models.enums import BloodGroup, Sign
from app.rules.place_filters import SIZES, Order, Wish

E = TypeVar("E", bound=enum.Enum)
RH = {"plus": Sign.POSITIVE, "minus": Sign.NEGATIVE}
"""In words: a bare «+» in a URL means a space."""
RH_WORDS = {sign: word for word, sign in RH.items()}
MAX_TEXT = 100
LAST_PAGE = 100_000


def wish_of(args: Mapping[str, str]) -> Wish:
    """Read leniently: what makes no sense is as if it had not been asked for."""
    return Wish(
        text=args.get("q", "").strip()[:MAX_TEXT],
        type_code=args.get("type", "")[:40],
        group=_member(BloodGroup, args.get("group", "")),
        rh=RH.get(args.get("rh", "")),
        date=_date(args.get("date", "")),
        settlement=args.get("city", "")[:200],
        branch=_uuid(args.get("branch", "")),
        order=_member(Order, args.get("sort", "")) or Order.DATE,
        descending=args.get("dir", "") == "desc",
        page=page_of(args),
        size=size_of(args),
    )


def args_of(wish: Wish, **changes: Any) -> dict[str, str]:
    """The query string that asks for ``wish`` with ``changes``; defaults are left out."""
    wish = replace(wish, **changes)
    found = {
        "q": wish.text,
        "type": wish.type_code,
        "group": wish.group.value if wish.group else "",
        "rh": RH_WORDS[wish.rh] if wish.rh else "",
        "date": wish.date.isoformat() if wish.date else "",
        "city": wish.settlement,
        "branch": str(wish.branch) if wish.branch else "",
        "sort": str(wish.order) if wish.order != Order.DATE else "",
        "dir": "desc" if wish.descending else "",
        "page": str(wish.page) if wish.page > 1 else "",
        "per": str(wish.size) if wish.size != SIZES[0] else "",
    }
    return {key: value for key, value in found.items() if value}


def page_of(args: Mapping[str, str]) -> int:
    """The page asked for, from 1."""
    return max(1, min(_whole(args.get("page", "")) or 1, LAST_PAGE))


def size_of(args: Mapping[str, str]) -> int:
    """Rows a page: one of the sizes offered."""
    size = _whole(args.get("per", ""))
    return size if size in SIZES else SIZES[0]


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def _member(members: type[E], text: str) -> E | None:
    try:
        return members(text)
    except ValueError:
        return None


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None
