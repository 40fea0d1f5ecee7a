"""The directory's inputs: addresses of the patients' pages, and the fields staff fill in.

Everything a patient has chosen stands in the query string.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask_babel import gettext
from wtforms import StringField

from app.rules.directory import Search
from app.rules.week import Wish
from forms.inputs import ChosenField, parsed_day, tidy_line, typed

MOST_TEXT = 100


def search_of(args: Mapping[str, str], settlement: str) -> Search:
    """Which institutions are looked for; what makes no sense is as if it had not been asked for."""
    return Search(
        settlement=settlement,
        kind=args.get("type", "")[:40],
        specialty=args.get("specialty", "")[:40],
        text=_text(args, "q"),
        street=_text(args, "street"),
        house=_text(args, "house"),
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


class KeyField(ChosenField):
    """A key of one of our lists (app/data); empty for none."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        self.data = self.data or ""


class CoordinateField(StringField):
    """Degrees, «55.7512» or «55,7512»; None if nothing was typed."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:g}"

    def process_data(self, value: Any) -> None:
        self.data = value

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data: Any = None
        text = typed(valuelist).replace(",", ".")
        if not text:
            return
        if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,8})?", text):
            raise ValueError(gettext("Type degrees as a number, please: 55.7512."))
        self.data = float(text)
