"""The archive of one's own data: all of it as JSON, and the same as a page to read (N15).

The worker writes it (app.jobs.archives).
"""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from flask import current_app
from flask_babel import gettext

from app import i18n
from app.rules.own_data import Table

WORDS = Path(__file__).resolve().parent.parent / "data" / "own_data_words.json"
JSON_NAME, PAGE_NAME = "data.json", "data.html"


class Writable(Protocol):
    """What a ZIP can be written to from its beginning to its end."""

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


@cache
def words() -> dict[str, dict[str, list[str]]]:
    """What tables and fields are called, in Russian and in English."""
    found: dict[str, dict[str, list[str]]] = json.loads(WORDS.read_text(encoding="utf-8"))
    return found


def said(what: str, name: str) -> str:
    """The name of a table («tables») or a field («fields») in the reader's language."""
    return words()[what][name][i18n.locale() != "ru"]


def write(
    to: Writable,
    tables: Sequence[Table],
    files: Iterable[tuple[str, bytes]],
    *,
    now: dt.datetime,
) -> None:
    """The ZIP, in the current locale; ``files`` are asked for one after another."""
    told = {
        "made_at": now.isoformat(),
        "note": gettext("“…” stands for what is kept secret and shown to nobody."),
        "tables": {table.name: table.rows for table in tables},
    }
    stamp = now.timetuple()[:6]
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as packed:  # type: ignore[call-overload]
        for name, text in (
            (JSON_NAME, json.dumps(told, ensure_ascii=False, indent=1)),
            (PAGE_NAME, page(tables, now=now)),
        ):
            packed.writestr(zipfile.ZipInfo(name, stamp), text, zipfile.ZIP_DEFLATED)
        for name, content in files:
            packed.writestr(zipfile.ZipInfo(name, stamp), content, zipfile.ZIP_STORED)


def page(tables: Sequence[Table], *, now: dt.datetime) -> str:
    """The page to read: nothing of it is loaded from anywhere."""
    template = current_app.jinja_env.get_template("mail/own_data.html")
    return template.render(tables=tables, said=said, shown=_shown, now=now, lang=i18n.locale())


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
