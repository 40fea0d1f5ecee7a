"""Stylesheets and scripts are kept by browsers for a year: their addresses change with their content."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask

ENDPOINTS = ("static", "bootstrap.static", "leaflet.static")


def init_assets(app: Flask) -> None:
    """Add ``v=<digest>`` to every URL of a static file that ``url_for`` makes."""

    @app.url_defaults
    def version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint in ENDPOINTS and "filename" in values and "v" not in values:
            values["v"] = digest(str(_folder(app, endpoint) / values["filename"]))


def _folder(app: Flask, endpoint: str) -> Path:
    owner = app.blueprints[endpoint.split(".", maxsplit=1)[0]] if "." in endpoint else app
    return Path(owner.static_folder or "")


@lru_cache(maxsize=256)
def digest(path: str) -> str | None:
    """Eight figures of the file's content, read once a process; None (no ``v``) if it is not there."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8]
    except OSError:
        return None
