"""Files for Excel: CSV and XLSX of the list as it is filtered; nothing in them runs as a formula.

An export is a POST with its own permission, has a cap, and is written down before the first row leaves.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from flask import Response, abort, request
from flask_admin import expose

from admin import listing
from admin.columns import exported
from app.extensions import writes
from app.rules import audit

MOST_ROWS = 50_000
BATCH = 500
FORMULA = "=+-@\t\r＝＋－＠"
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
NOT_IN_A_TITLE = re.compile(r"[\[\]:*?/\\]")
LONGEST_CELL = 32_767
PIECE = 65_536
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def safe_cell(value: Any) -> Any:
    """Text that a spreadsheet might run as a formula gets an apostrophe in front; numbers stay."""
    if not isinstance(value, str):
        return value
    plain = NOT_IN_XML.sub("", value)
    start = plain.lstrip(" \u00a0\n")[:1]
    return f"'{plain}" if start and start in FORMULA else plain


class Exports:
    """The part of StaffView that makes files."""

    export_permission = ""
    slug: str

    def may_export(self: Any) -> bool:
        return bool(self.can_export and self.may(self.export_permission))

    @expose("/export/", methods=("POST",))
    def export_view(self: Any) -> Response:
        if not self.can_export:
            abort(404)
        self.need(self.export_permission)
        make = {"csv": _csv, "xlsx": _xlsx}.get(request.form.get("format", ""))
        if make is None:
            abort(400)
        asked = listing.asked(self, request.form, sent=True)
        self._note_export(asked)
        names = self.column_export_list
        titles = [str(self.column_labels.get(name, name)) for name in names]
        return make(self.slug, titles, self._rows_out(asked, names))

    def _note_export(self: Any, asked: listing.Asked) -> None:
        """The audit line is committed before the first row leaves."""
        audit.export(
            self.session,
            verb=f"{self.slug}.export",
            table=self.model.__tablename__,
            actor=self.actor,
            now=self.now,
            tenant_id=self.desk.tenant_id if self.desk is not None else None,
            filters=asked.given,
        )
        self.session.commit()
        writes.set(False)  # from here on it only reads: SQLite's one writer is not kept waiting

    def _rows_out(self: Any, asked: listing.Asked, names: Iterable[str]) -> Iterator[list[Any]]:
        rows = itertools.islice(listing.walk(self, asked, BATCH), MOST_ROWS)
        for batch in _batched(rows):
            self.prepare(batch)
            self.note_seen(f"{self.slug}.export", self.people_of(batch))
            for row in batch:
                yield [exported(self.export_value(row, name)) for name in names]

    def export_value(self: Any, row: Any, name: str) -> Any:
        return self.cells[name](row) if name in self.cells else listing.value_of(row, name)


def _batched(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(itertools.islice(rows, BATCH)):
        yield batch


@dataclass(frozen=True)
class Sheet:
    """A table of a file: the words above its columns, then its rows."""

    title: str
    titles: Sequence[str]
    rows: Iterable[Sequence[Any]]


def _csv(name: str, titles: list[str], rows: Iterator[list[Any]]) -> Response:
    return csv_of(name, [Sheet(name, titles, rows)])


def csv_of(name: str, sheets: Iterable[Sheet]) -> Response:
    """One table after another, an empty line between them."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - sent closes it
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")  # Excel knows it by its mark
    writer = csv.writer(text, delimiter=";")
    for number, sheet in enumerate(sheets):
        if number:
            writer.writerow([])
        for row in itertools.chain([sheet.titles], sheet.rows):
            writer.writerow([safe_cell(value) for value in row])
    text.detach()
    return sent(file, f"{name}.csv", "text/csv; charset=utf-8")


def _xlsx(name: str, titles: list[str], rows: Iterator[list[Any]]) -> Response:
    return xlsx_of(name, [Sheet(name, titles, rows)])


def xlsx_of(name: str, sheets: Iterable[Sheet]) -> Response:
    """A workbook with a page for each table."""
    book = workbook()
    for sheet in sheets:
        page = book.create_sheet(NOT_IN_A_TITLE.sub(" ", sheet.title)[:31])
        for row in itertools.chain([sheet.titles], sheet.rows):
            page.append([xlsx_cell(page, value) for value in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - sent closes it
    book.save(file)
    return sent(file, f"{name}.xlsx", XLSX)


def workbook() -> Any:
    """An empty one, to be written from top to bottom."""
    from openpyxl import Workbook  # 13 MB: only the process that writes such a file pays them

    return Workbook(write_only=True)


def xlsx_cell(sheet: Any, value: Any) -> Any:
    """``value`` for a row of ``sheet``; text stays text, whatever it begins with."""
    from openpyxl.cell import WriteOnlyCell

    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value="")
    cell.value = NOT_IN_XML.sub("", value)[:LONGEST_CELL]
    cell.data_type = "s"  # openpyxl would make «=1+1» a formula
    return cell


def sent(file: BinaryIO, name: str, kind: str) -> Response:
    """A finished file, piece by piece: a slow reader keeps no connection to the database busy."""
    length = file.tell()
    file.seek(0)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(length),
    }
    return Response(_pieces(file), content_type=kind, headers=headers)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece
