"""Maps: Leaflet served from here, and the pictures under it, which are nobody's unless configured (E38).

Without tiles the marks stand on a plain ground and no browser asks any other site.
"""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

from flask import Blueprint, Flask, current_app

from app.security import show_pictures_of
from config import tile_origin

leaflet = Blueprint(
    "leaflet",
    __name__,
    static_folder=str(files("js_lib_leaflet") / "static" / "js_lib_leaflet"),
    static_url_path="/leaflet/static",
)


class Ground(NamedTuple):
    """What is under the marks: where its pictures come from and whose they are; «» for plain ground."""

    tiles: str
    attribution: str
    link: str
    """Where the attribution leads; may be empty."""


def init_maps(app: Flask) -> None:
    app.register_blueprint(leaflet)


def ground() -> Ground:
    """For a page that shows a map: allows it the pictures that are configured."""
    tiles = current_app.config["MAP_TILES"]
    if not tiles:
        return Ground("", "", "")
    show_pictures_of(tile_origin(tiles))
    words, _, link = current_app.config["MAP_ATTRIBUTION"].rpartition(" ")
    if words and link.startswith("https://"):
        return Ground(tiles, words, link)
    return Ground(tiles, current_app.config["MAP_ATTRIBUTION"], "")
