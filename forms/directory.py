"""The addresses of the patients' pages: everything the reader has chosen stands in the query string."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.rules.directory import Search
from app.rules.week import Wish
from forms.inputs import parsed_day, tidy_line

MOST_TEXT = 100


def search_of(args: Mapping[str, str], settlement: str) -> Search:
    """Which institutions are looked for; what makes no sense is as if it had not been asked for."""
    return Search(
        settlement=settlement,
        kind=args.get("type", "")[:40],
        specialty=args.get("specialty", "")[:40],
        text=_text(args, "q"),
    )


def wish_of(args: Mapping[str, str]) -> Wish:
    """What of an institution's page is wished for (E18)."""
    first, last = _day(args, "from"), _day(args, "to")
    if first and last and last < first:
        first, last = last, first
    return Wish(
        department=uuid_of(args, "department"),
        department_text=_text(args, "find"),
        specialty=args.get("specialty", "")[:40],
        doctor=_text(args, "doctor"),
        first=first,
        last=last,
        free_only=args.get("free", "") == "1",
        service=uuid_of(args, "service"),
        week=_day(args, "week"),
    )


def args_of(wish: Wish, **changes: Any) -> dict[str, str]:
    """The query string that asks for ``wish`` with ``changes``; what is not asked for is left out."""
    wish = replace(wish, **changes)
    found = {
        "department": wish.department,
        "find": wish.department_text,
        "specialty": wish.specialty,
        "doctor": wish.doctor,
        "from": wish.first,
        "to": wish.last,
        "free": "1" if wish.free_only else "",
        "service": wish.service,
        "week": wish.week,
    }
    return {key: str(value) for key, value in found.items() if value}


def uuid_of(args: Mapping[str, str], name: str) -> uuid.UUID | None:
    """The parameter as a name of a row; None if it cannot be one."""
    try:
        return uuid.UUID(args.get(name, ""))
    except ValueError:
        return None


def _day(args: Mapping[str, str], name: str) -> dt.date | None:
    return parsed_day(args.get(name, ""))


def _text(args: Mapping[str, str], name: str) -> str:
    return tidy_line(args.get(name, ""))[:MOST_TEXT]
