"""A CSV file whose first line names its columns: each line as cells by name, or why it cannot be read.

Pure. Lines are kept as JSON between the dry run and the applying, and read anew then.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.rules.csv_text import (
    DELIMITERS,
    FileRefused,
    FileTooLarge,
    TooManyLines,
    decoded,
    physical_lines,
    split,
)
from app.rules.donor_cells import BadCell, plain, words
from app.rules.errors import N_, RuleError

MOST_BYTES = 4 * 1024 * 1024
MOST_LINES = 20_000
LONGEST_CELL = 2000
FORMULA = ("=", "+", "-", "@", "\t")


class NoRows(FileRefused):
    code = "no_rows"
    text = N_("The file has no lines with streets.")


class HeadingsMissing(FileRefused):
    code = "headings_missing"
    text = N_("The first line names the columns. These are missing: %(columns)s.")


@dataclass(frozen=True)
class Line:
    """One line of a file, by its number in an editor."""

    line: int
    said: Mapping[str, str] = field(default_factory=dict)
    """The cells as written, by the names of their columns; without the empty ones."""
    problem: RuleError | None = None


@dataclass(frozen=True)
class Table:
    """What a file may have: its columns with the spellings of their headings, and those it must have."""

    headings: Mapping[str, tuple[str, ...]]
    needed: tuple[str, ...]

    def read(self, data: bytes) -> list[Line]:
        """The lines under the heading. Raises a FileRefused."""
        if len(data) > MOST_BYTES:
            raise FileTooLarge(most=MOST_BYTES // 1024 // 1024)
        rows = [
            (n, row) for n, row in enumerate(physical_lines(decoded(data)), 1) if row.strip(" ;,\t")
        ]
        if len(rows) < 2:
            raise NoRows()
        if len(rows) > MOST_LINES + 1:
            raise TooManyLines(most=MOST_LINES)
        delimiter, columns = self._columns(rows[0][1])
        return [_line(number, row, delimiter, columns) for number, row in rows[1:]]

    def _columns(self, heading: str) -> tuple[str, list[str]]:
        """The delimiter, and what each column is (empty: not read)."""
        known = {title: name for name, titles in self.headings.items() for title in titles}
        found: list[str] = []
        delimiter = DELIMITERS[0]
        for mark in DELIMITERS:
            try:
                names = [known.get(words(title), "") for title in split(heading, mark)]
            except csv.Error:
                continue
            if len(set(names) - {""}) > len(set(found) - {""}):
                delimiter, found = mark, names
        missing = [self.headings[name][0] for name in self.needed if name not in found]
        if missing:
            raise HeadingsMissing(columns=missing)
        return delimiter, found


def _line(number: int, row: str, delimiter: str, columns: list[str]) -> Line:
    try:
        cells = [plain(cell) for cell in split(row, delimiter)]
    except csv.Error:
        return Line(number, problem=BadCell(N_("A quotation mark is not closed.")))
    except BadCell as problem:
        return Line(number, problem=problem)
    said = {name: cell for name, cell in zip(columns, cells, strict=False) if name and cell}
    if any(len(cell) > LONGEST_CELL for cell in said.values()):
        long = BadCell(N_("A cell is longer than %(most)s characters."), most=str(LONGEST_CELL))
        return Line(number, problem=long)
    return Line(number, said)


def kept(lines: Iterable[Line]) -> list[dict[str, str]]:
    """The lines as JSON: cells, or the reason of a line that has no cells to find it in again."""
    return [{"line": str(row.line), **row.said} | _reason(row) for row in lines]


def _reason(row: Line) -> dict[str, str]:
    if row.said or row.problem is None:
        return {}
    return {"problem": row.problem.text} | {
        f"problem.{name}": value for name, value in row.problem.params.items()
    }


def again(rows: Iterable[Mapping[str, str]], *, table: Table) -> list[Line]:
    """The lines that ``kept`` has kept."""
    found = []
    for row in rows:
        number = int(row["line"])
        if "problem" in row:
            params = {name[8:]: text for name, text in row.items() if name.startswith("problem.")}
            found.append(Line(number, problem=BadCell(row["problem"], **params)))
        else:
            found.append(Line(number, {name: row[name] for name in table.headings if name in row}))
    return found


def written(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A file that spreadsheets open as it is and that can be loaded again."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(titles)
    writer.writerows(rows)
    return out.getvalue()


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in FORMULA else text
