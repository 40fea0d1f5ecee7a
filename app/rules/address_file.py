"""Points of houses as a CSV file: reading it into rows or reasons, and writing it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from app.rules import houses
from app.rules.addresses import MIDDLE
from app.rules.csv_table import Line, Table, again, safe, written
from app.rules.distances import Point, sensible
from app.rules.donor_cells import BadCell
from app.rules.errors import N_, RuleError
from app.rules.streets import street_key, tidy

HEADINGS: dict[str, tuple[str, ...]] = {
    "settlement": ("населенный пункт", "город", "settlement"),
    "street": ("улица", "street"),
    "house": ("дом", "номер дома", "house"),
    "latitude": ("широта", "latitude", "lat"),
    "longitude": ("долгота", "longitude", "lon", "lng"),
}
TABLE = Table(HEADINGS, needed=("street", "house", "latitude", "longitude"))
TITLES = ("населённый пункт", "улица", "дом", "широта", "долгота")
"""The first line of a file that is written; in the order of ``HEADINGS``."""
DEGREES = re.compile(r"-?[0-9]{1,3}([.,][0-9]{1,12})?")
FIGURES = 6
"""After the point: a tenth of a metre."""


@dataclass(frozen=True)
class FileRow(Line):
    """A house and where it is, or why it cannot be taken.

    No point and no problem: the line names a street of which nothing is to be known any more.
    """

    street: str = ""
    settlement: str = ""
    key: str = ""
    house: str = MIDDLE
    point: Point | None = None


def read_file(data: bytes, *, home: str) -> list[FileRow]:
    """The rows of a file. ``home``: the settlement of lines that name none. Raises a FileRefused."""
    return [_row(line, home) for line in TABLE.read(data)]


def rows_again(kept: Iterable[Mapping[str, str]], *, home: str) -> list[FileRow]:
    """The rows that were kept as JSON, understood anew."""
    return [_row(line, home) for line in again(kept, table=TABLE)]


def _row(line: Line, home: str) -> FileRow:
    if line.problem is not None:
        return FileRow(line.line, problem=line.problem)
    try:
        return _understood(line, home)
    except RuleError as problem:
        return FileRow(line.line, line.said, problem)


def _understood(line: Line, home: str) -> FileRow:
    said = line.said
    settlement, street = tidy(said.get("settlement", "") or home), tidy(said.get("street", ""))
    if not settlement:
        raise BadCell(N_("The settlement is not given."))
    key = _key(street, settlement)
    house = str(houses.parse(said["house"])) if "house" in said else MIDDLE
    if "latitude" not in said and "longitude" not in said:
        if house != MIDDLE:
            raise BadCell(N_("The house has no latitude and longitude."))
        return FileRow(line.line, said, None, street, settlement, key)
    point = Point(_degrees(said.get("latitude", "")), _degrees(said.get("longitude", "")))
    if not sensible(point.latitude, point.longitude):
        raise BadCell(N_("Latitude goes up to 90 degrees, longitude up to 180."))
    return FileRow(line.line, said, None, street, settlement, key, house, point)


@lru_cache(maxsize=1024)
def _key(street: str, settlement: str) -> str:
    """Lines of one street stand together, thousands of them."""
    return street_key(street, settlement)


def _degrees(text: str) -> float:
    if not DEGREES.fullmatch(text):
        raise BadCell(N_("“%(value)s” is no latitude or longitude: degrees are wanted, 55.7512."), value=text[:40])  # fmt: skip
    return round(float(text.replace(",", ".")), FIGURES)


def text_of(rows: Iterable[tuple[str, str, str, Point]]) -> str:
    """A file that ``read_file`` reads back, of (settlement, street, house, point)."""
    return written(
        TITLES,
        (
            (
                safe(settlement),
                safe(street),
                house,
                f"{at.latitude:.{FIGURES}f}",
                f"{at.longitude:.{FIGURES}f}",
            )
            for settlement, street, house, at in rows
        ),
    )
