"""Reading a donor file (CSV) into lines with values or reasons (N13). Pure: bytes in, lines out.

The format, with every spelling that is understood, is described in docs/donor-file.md.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.models.enums import DonationKind
from app.rules import donor_cells as cells
from app.rules.csv_text import (
    DELIMITERS,
    FileRefused,
    FileTooLarge,
    TooManyLines,
    WrongEncoding,
    decoded,
    physical_lines,
    split,
)
from app.rules.donor_cells import BadCell
from app.rules.donor_lines import FileLine, LineReader
from app.rules.errors import N_

MOST_BYTES = 20 * 1024 * 1024
MOST_LINES = 100_000
HEADING_WITHIN = 10
"""The heading is looked for in this many lines: exports put a title above it."""

HEADINGS: dict[str, tuple[str, ...]] = {
    "code": ("код донора", "код", "донорский код", "номер донора", "donor code", "code"),
    "family_name": ("фамилия", "family name"),
    "given_name": ("имя", "given name"),
    "patronymic": ("отчество", "patronymic"),
    "full_name": ("фио", "ф и о", "фамилия имя отчество", "донор"),
    "birth_date": ("дата рождения", "др", "д р", "родился", "birth date"),
    "sex": ("пол", "sex"),
    "blood_group": ("группа крови", "группа", "гк", "группа крови и резус фактор", "blood group"),
    "rh": ("резус фактор", "резус", "rh", "rh фактор", "rh factor"),
    "kell": ("келл", "kell", "келл фактор", "антиген kell", "k"),
    "deferral": ("отвод", "медицинский отвод", "медотвод", "вид отвода", "deferral"),
    "deferral_from": ("отвод с", "начало отвода", "дата отвода", "deferral from"),
    "deferral_to": ("отвод по", "отвод до", "окончание отвода", "конец отвода", "deferral to"),
    "deferral_reason": ("причина отвода", "причина", "deferral reason"),
    "donation_kind": (
        "последняя донация вид",
        "вид последней донации",
        "вид донации",
        "last donation kind",
    ),
    "donation_date": (
        "последняя донация дата",
        "дата последней донации",
        "дата донации",
        "last donation date",
    ),
    "donation": ("последняя донация", "последняя донация вид и дата", "last donation"),
}
FIELD_OF = {heading: name for name, headings in HEADINGS.items() for heading in headings}
TITLES: dict[str, str] = {name: headings[0] for name, headings in HEADINGS.items()}
"""How a column is called in sentences: its first Russian heading."""


class EmptyFile(FileRefused):
    code = "empty_file"
    text = N_("The file has no lines with donors.")


class NoHeading(FileRefused):
    code = "no_heading"
    text = N_(
        "No line with headings was found. The first line names the columns: код донора; группа крови; резус-фактор …"
    )


class ColumnsMissing(FileRefused):
    code = "columns_missing"
    text = N_("These columns are missing: %(columns)s.")


class ColumnTwice(FileRefused):
    code = "column_twice"
    text = N_("Two columns mean the same: %(column)s. Leave one of them.")


@dataclass(frozen=True)
class DonorFile:
    columns: tuple[str, ...]
    unknown: tuple[str, ...]
    """Headings that were not understood, as written."""
    lines: tuple[FileLine, ...]


def read_file(
    data: bytes, *, today: dt.date, kinds: Mapping[str, DonationKind] | None = None
) -> DonorFile:
    """The lines of a donor file. ``kinds``: the organization's own names of donations, folded by
    ``donor_cells.words``. Raises a FileRefused if the file cannot be read as a whole.
    """
    if len(data) > MOST_BYTES:
        raise FileTooLarge(most=MOST_BYTES // 1024 // 1024)
    text = decoded(data)
    if not text.strip():
        raise EmptyFile()
    rows = physical_lines(text)
    start, delimiter, columns, unknown = _heading(rows, data)
    if sum(1 for row in rows[start:] if row.strip(delimiter + " ")) > MOST_LINES:
        raise TooManyLines(most=MOST_LINES)
    lines = tuple(_lines(rows, start, delimiter, columns, LineReader(today, kinds or {})))
    if not lines:
        raise EmptyFile()
    return DonorFile(tuple(name for name in columns if name), unknown, lines)


def _heading(
    rows: list[str], data: bytes
) -> tuple[int, str, tuple[str | None, ...], tuple[str, ...]]:
    """Index of the first line of donors, delimiter, field of each column, headings not understood."""
    for index, row in enumerate(rows[:HEADING_WITHIN]):
        delimiter = max(DELIMITERS, key=lambda mark: len(_fields(row, mark)))
        fields = _fields(row, delimiter)
        if "code" in fields:
            titles = split(row, delimiter)
            columns = tuple(FIELD_OF.get(cells.words(title)) for title in titles)
            unknown = tuple(
                title.strip()[:60] for title, name in zip(titles, columns, strict=True) if not name
            )
            _require(fields)
            return index + 1, delimiter, columns, tuple(title for title in unknown if title)
    _explain(rows, data)
    raise NoHeading()


def _fields(row: str, delimiter: str) -> list[str]:
    try:
        titles = split(row, delimiter)
    except csv.Error:
        return []
    return [name for name in (FIELD_OF.get(cells.words(title)) for title in titles) if name]


def _require(fields: list[str]) -> None:
    for name in fields:
        if fields.count(name) > 1:
            raise ColumnTwice(column=TITLES[name])
    missing = [name for name in ("code", "blood_group") if name not in fields]
    if "deferral" not in fields and {"deferral_from", "deferral_to"} & set(fields):
        missing.append("deferral")
    halves = {"donation_kind", "donation_date"} & set(fields)
    if len(halves) == 1 and "donation" not in fields:
        missing += {"donation_kind", "donation_date"} - halves
    if missing:
        raise ColumnsMissing(columns=[TITLES[name] for name in missing])


def _explain(rows: list[str], data: bytes) -> None:
    """Raise WrongEncoding if the heading can be read in an encoding that we do not take."""
    for encoding in ("utf-8", "cp866", "koi8-r", "mac-cyrillic", "utf-16-le", "utf-16-be"):
        tried = physical_lines(data[:20_000].decode(encoding, errors="replace"))
        for row in tried[:HEADING_WITHIN]:
            if any("code" in _fields(row, mark) for mark in DELIMITERS):
                line = 1
                if encoding == "utf-8":  # broken further down: say where
                    whole = data.decode(encoding, errors="replace")
                    line = whole.count("\n", 0, whole.find("\ufffd")) + 1
                raise WrongEncoding(line=line)


def _lines(
    rows: list[str],
    start: int,
    delimiter: str,
    columns: tuple[str | None, ...],
    reader: LineReader,
) -> Iterator[FileLine]:
    first: dict[str, int] = {}
    for number, row in enumerate(rows[start:], start + 1):
        if not row.strip(delimiter + " \t\u00a0"):
            continue
        line = _line(number, row, delimiter, columns, reader)
        if line.code and line.code in first:
            again = BadCell(
                N_("The code %(code)s stands in line %(line)s already."),
                code=line.code,
                line=str(first[line.code]),
            )
            line = FileLine(number, line.code, {}, (*line.problems, again))
        elif line.code:
            first[line.code] = number
        yield line


def _line(
    number: int, row: str, delimiter: str, columns: tuple[str | None, ...], reader: LineReader
) -> FileLine:
    try:
        parts = [cells.plain(cell) for cell in split(row, delimiter)]
    except csv.Error:
        return FileLine(number, problems=(BadCell(N_("A quotation mark is not closed.")),))
    except BadCell as problem:
        return FileLine(number, problems=(problem,))
    if any(parts[len(columns) :]):
        extra = BadCell(
            N_("The line has %(cells)s cells, the heading %(columns)s."),
            cells=str(len(parts)),
            columns=str(len(columns)),
        )
        return FileLine(number, problems=(extra,))
    said = {name: part for name, part in zip(columns, parts, strict=False) if name and part}
    return reader.read(number, said)
