"""Reading a donor file (CSV) into lines with values or reasons (N13). Pure: bytes in, lines out.

The format, with every spelling that is understood, is described in docs/donor-file.md.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.models.enums import DeferralKind, DonationKind
from app.rules import donor_cells as cells
from app.rules.donor_cells import BadCell
from app.rules.errors import N_, RuleError

MOST_BYTES = 20 * 1024 * 1024
MOST_LINES = 100_000
HEADING_WITHIN = 10
"""The heading is looked for in this many lines: exports put a title above it."""
DELIMITERS = (";", ",", "\t")

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


class FileRefused(RuleError):
    """The file as a whole cannot be read; nothing of it is taken."""


class FileTooLarge(FileRefused):
    code = "file_too_large"
    text = N_(
        "The file is larger than %(most)s MB. Split it into parts, please: each is compared by itself."
    )


class TooManyLines(FileRefused):
    code = "too_many_lines"
    text = N_(
        "The file has more than %(most)s lines. Split it into parts, please: each is compared by itself."
    )


class EmptyFile(FileRefused):
    code = "empty_file"
    text = N_("The file has no lines with donors.")


class NotCsv(FileRefused):
    code = "not_csv"
    text = N_(
        "This is a workbook or another file, not CSV. Save the sheet as “CSV (semicolon)” and choose that file."
    )


class WrongEncoding(FileRefused):
    code = "wrong_encoding"
    text = N_(
        "The letters of the file cannot be read (line %(line)s). Save it as CSV in UTF-8 or Windows-1251."
    )


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
class FileLine:
    """One donor of the file: what it says, or why it cannot be taken."""

    number: int
    """Of the line in the file, from 1."""
    code: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    """Only what the line says: an empty cell says nothing."""
    problems: tuple[BadCell, ...] = ()


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
    rows = re.split(r"\r\n|\n|\r", _text(data))
    start, delimiter, columns, unknown = _heading(rows, data)
    if sum(1 for row in rows[start:] if row.strip(delimiter + " ")) > MOST_LINES:
        raise TooManyLines(most=MOST_LINES)
    lines = tuple(_lines(rows, start, delimiter, columns, _Reader(today, kinds or {})))
    if not lines:
        raise EmptyFile()
    return DonorFile(tuple(name for name in columns if name), unknown, lines)


def _text(data: bytes) -> str:
    """The file as text. UTF-8 with or without its mark, else Windows-1251."""
    if not data.strip():
        raise EmptyFile()
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"{\\rtf", b"\x1f\x8b")):
        raise NotCsv()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise WrongEncoding(line=1)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        broken = error.start
    text = data.decode("cp1251", errors="replace")
    if "\ufffd" in text:  # 0x98 is no letter in Windows-1251
        raise WrongEncoding(line=data.count(b"\n", 0, broken) + 1)
    return text


def _heading(
    rows: list[str], data: bytes
) -> tuple[int, str, tuple[str | None, ...], tuple[str, ...]]:
    """Index of the first line of donors, delimiter, field of each column, headings not understood."""
    for index, row in enumerate(rows[:HEADING_WITHIN]):
        delimiter = max(DELIMITERS, key=lambda mark: len(_fields(row, mark)))
        fields = _fields(row, delimiter)
        if "code" in fields and len(fields) > 1:
            titles = _split(row, delimiter)
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
        titles = _split(row, delimiter)
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
        tried = re.split(r"\r\n|\n|\r", data[:20_000].decode(encoding, errors="replace"))
        for row in tried[:HEADING_WITHIN]:
            if any("code" in _fields(row, mark) for mark in DELIMITERS):
                line = 1
                if encoding == "utf-8":  # broken further down: say where
                    whole = data.decode(encoding, errors="replace")
                    line = whole.count("\n", 0, whole.find("\ufffd")) + 1
                raise WrongEncoding(line=line)


def _split(row: str, delimiter: str) -> list[str]:
    """The cells of one physical line. Raises csv.Error for a quote that is not closed.

    Line by line, because an open quote would swallow the rest of the file into one cell.
    """
    if '"' not in row:
        return row.split(delimiter)
    return next(csv.reader([row], delimiter=delimiter, strict=True))


def _lines(
    rows: list[str],
    start: int,
    delimiter: str,
    columns: tuple[str | None, ...],
    reader: _Reader,
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
    number: int, row: str, delimiter: str, columns: tuple[str | None, ...], reader: _Reader
) -> FileLine:
    try:
        parts = [cells.plain(cell) for cell in _split(row, delimiter)]
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
    return reader.line(number, said)


class _Reader:
    """Reads the cells of one line; knows the day and the organization's names of donations."""

    def __init__(self, today: dt.date, kinds: Mapping[str, DonationKind]) -> None:
        self.today = today
        self.kinds = kinds

    def line(self, number: int, said: Mapping[str, str]) -> FileLine:
        values: dict[str, Any] = {}
        problems: list[BadCell] = []
        for read in (self._code, self._who, self._blood, self._deferral, self._donation):
            try:
                values.update(read(said))
            except BadCell as problem:
                problems.append(problem)
        code = values.pop("code", "")
        return FileLine(number, code, {} if problems else values, tuple(problems))

    def _code(self, said: Mapping[str, str]) -> dict[str, Any]:
        return {"code": cells.donor_code(said.get("code", ""))}

    def _who(self, said: Mapping[str, str]) -> dict[str, Any]:
        names = ("family_name", "given_name", "patronymic")
        found = dict(zip(names, said.get("full_name", "").split(" ", 2), strict=False))
        found |= {name: said[name] for name in names if name in said}
        values: dict[str, Any] = {name: cells.name(text) for name, text in found.items() if text}
        if "birth_date" in said:
            values["birth_date"] = cells.past_date(said["birth_date"], self.today)
        if "sex" in said:
            values["sex"] = cells.sex(said["sex"])
        return values

    def _blood(self, said: Mapping[str, str]) -> dict[str, Any]:
        if "blood_group" not in said:
            raise BadCell(N_("There is no blood group."))
        group, beside = cells.blood_group(said["blood_group"])
        own = cells.sign(said["rh"]) if "rh" in said else None
        if own and beside and own != beside:
            raise BadCell(N_("The Rh factor is positive in one cell and negative in another."))
        rh = own or beside
        if rh is None:
            raise BadCell(N_("There is no Rh factor."))
        values = {"blood_group": group, "rh": rh}
        if "kell" in said:
            values["kell"] = cells.sign(said["kell"])
        return values

    def _deferral(self, said: Mapping[str, str]) -> dict[str, Any]:
        """«deferral»: None (there is none), or its kind, dates and reason."""
        start, end = said.get("deferral_from"), said.get("deferral_to")
        reason = said.get("deferral_reason", "")
        if "deferral" not in said:
            if start or end:
                raise BadCell(N_("There are dates of a deferral, but not which one it is."))
            return {}
        kind = cells.deferral_kind(said["deferral"])
        if kind is None:
            if end and cells.date(end) >= self.today:
                raise BadCell(N_("“No deferral” contradicts the date until which there is one."))
            return {"deferral": None}
        starts_on = cells.date(start) if start else None
        ends_on = cells.date(end) if end else None
        if kind == DeferralKind.TEMPORARY and ends_on is None:
            raise BadCell(N_("A temporary deferral needs the date on which it ends."))
        if kind == DeferralKind.PERMANENT and ends_on is not None:
            raise BadCell(N_("A permanent deferral has no date on which it ends."))
        if starts_on and ends_on and ends_on < starts_on:
            raise BadCell(N_("The deferral ends before it begins."))
        if len(reason) > 200:
            raise BadCell(
                N_("“%(value)s…” is too long: at most %(most)s characters."),
                value=reason[:20],
                most="200",
            )
        return {
            "deferral": {
                "kind": kind,
                "starts_on": starts_on.isoformat() if starts_on else None,
                "ends_on": ends_on.isoformat() if ends_on else None,
                "reason": reason,
            }
        }

    def _donation(self, said: Mapping[str, str]) -> dict[str, Any]:
        kind, day = said.get("donation_kind"), said.get("donation_date")
        if "donation" in said:
            found = cells.DATE.search(said["donation"])
            if found is None:
                raise BadCell(N_("The last donation has no date."))
            day = found[0]
            rest = said["donation"].replace(day, " ").strip(" ,;:()—–-")
            kind = kind or rest
        if not kind and not day:
            return {}
        if not kind or not day:
            raise BadCell(N_("Of the last donation both the kind and the date are needed."))
        return {
            "donation": {
                "kind": cells.donation_kind(kind, self.kinds),
                "on_date": cells.past_date(day, self.today),
            }
        }
