"""The archive of one's own data: all of it as JSON, and the same as a page to read (N15).

It is made when it is fetched and kept nowhere: there is no copy to protect or to forget (docs/decisions/0021).
"""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from flask import render_template
from flask_babel import gettext

from app import i18n
from app.rules.own_data import Table

WORDS = Path(__file__).resolve().parent.parent / "data" / "own_data_words.json"
JSON_NAME, PAGE_NAME = "data.json", "data.html"


@cache
def words() -> dict[str, dict[str, list[str]]]:
    """What tables and fields are called, in Russian and in English."""
    found: dict[str, dict[str, list[str]]] = json.loads(WORDS.read_text(encoding="utf-8"))
    return found


def said(what: str, name: str) -> str:
    """The name of a table («tables») or a field («fields») in the reader's language."""
    return words()[what][name][i18n.locale() != "ru"]


def archive(tables: Sequence[Table], *, now: dt.datetime) -> bytes:
    """The ZIP, in the current locale."""
    told = {
        "made_at": now.isoformat(),
        "note": gettext("“…” stands for what is kept secret and shown to nobody."),
        "tables": {table.name: table.rows for table in tables},
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        stamp = now.timetuple()[:6]
        for name, text in (
            (JSON_NAME, json.dumps(told, ensure_ascii=False, indent=1)),
            (PAGE_NAME, page(tables, now=now)),
        ):
            packed.writestr(zipfile.ZipInfo(name, stamp), text, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def page(tables: Sequence[Table], *, now: dt.datetime) -> str:
    """The page to read: nothing of it is loaded from anywhere."""
    return render_template(
        "mail/own_data.html", tables=tables, said=said, shown=_shown, now=now, lang=i18n.locale()
    )


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
