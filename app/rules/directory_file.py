"""The whole directory of one organization as a workbook: what its sheets say, read line by line.

A sheet a kind of row; the first line names the columns. Rows are known again by what stands in their key
columns, so that a file taken away, changed and brought back changes just that. Writing a workbook is
``admin.views.directory_files``; comparing and applying ``app.rules.directory_import``.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.models.enums import Payment
from app.rules.directory import department_kinds, institution_kinds
from app.rules.directory_edit import SERVICE_CODE
from app.rules.errors import N_, RuleError

MOST_BYTES = 5 * 1024 * 1024
MOST_UNPACKED = 100 * 1024 * 1024
MOST_LINES = 20_000
YES, NO = "да", "нет"
FORMULA = "=+-@\t\r＝＋－＠"


class NotAWorkbook(RuleError):
    code = "not_a_workbook"
    text = N_("This is not an XLSX workbook of up to 5 MB. Save the file as an Excel workbook.")


class NoSheets(RuleError):
    code = "no_sheets"
    text = N_("The workbook has none of the sheets %(sheets)s.")


class TooManyLines(RuleError):
    code = "too_many_lines"
    text = N_("The workbook has more than %(most)s lines. Bring it in parts, please.")


@dataclass(frozen=True)
class Column:
    """A column: its heading in the file, the field it fills, and how long a text may be."""

    title: str
    name: str
    longest: int = 200
    needed: bool = False
    kind: str = "text"
    """«text», «whole», «flag», or the name of a closed list."""


@dataclass(frozen=True)
class Sheet:
    """One kind of row; ``key`` are the fields by which a row is known again."""

    title: str
    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


WORKS = Column("работает", "is_active", kind="flag")
BRANCH = Column("подразделение", "branch", needed=True)
DOCTOR = Column("табельный номер", "doctor", 40, needed=True)
SHEETS = (
    Sheet("Подразделения", "branches", ("branch",), (
        BRANCH, Column("адрес", "address"), Column("регистратура", "phones"),
        Column("сайт", "site"), Column("режим работы", "hours", 2000),
        Column("тип учреждения", "institution", 40, kind="institution"),
        Column("принимает пациентов", "takes_patients", kind="flag"),
    )),
    Sheet("Отделения", "departments", ("branch", "name", "part_of"), (
        BRANCH, Column("отделение", "name", needed=True), Column("входит в", "part_of"),
        Column("номер", "code", 40), Column("вид", "kind", 40, kind="department"),
        Column("адрес", "address"), Column("телефон", "phone", 80),
        Column("порядок", "position", kind="whole"), WORKS,
    )),
    Sheet("Услуги", "services", ("code", "name_ru"), (
        Column("код", "code", 40, kind="service"), Column("услуга", "name_ru", needed=True),
        Column("название по-английски", "name_en"), Column("редакция", "edition"),
        Column("оплата", "payment", kind="payment"),
        Column("порядок", "position", kind="whole"), WORKS,
    )),
    Sheet("Врачи", "doctors", ("doctor",), (
        DOCTOR, Column("фамилия", "family_name", 80, needed=True),
        Column("имя", "given_name", 80), Column("отчество", "patronymic", 80),
        Column("должность", "position"), Column("примечание", "note_ru"),
        Column("примечание по-английски", "note_en"), WORKS,
    )),
    Sheet("Места приёма", "roles", ("doctor", "branch", "department", "specialty"), (
        DOCTOR, BRANCH, Column("отделение", "department"),
        Column("специальность", "specialty", needed=True), Column("кабинет", "room", 40), WORKS,
    )),
    Sheet("Услуги врачей", "gives", ("doctor", "code", "service"), (
        DOCTOR, Column("код услуги", "code", 40), Column("услуга", "service", needed=True),
        Column("оказывает", "is_active", kind="flag"),
    )),
)  # fmt: skip
"""Russian headings: the file is read and written by Russian registries, whatever the page's language."""
BY_TITLE = {sheet.title.casefold(): sheet for sheet in SHEETS}
PAYMENTS = {"омс": Payment.OMS, "платно": Payment.PAID, "дмс": Payment.DMS}
PAYMENT_WORDS = {str(value): key for key, value in PAYMENTS.items()}


@dataclass(frozen=True)
class Bad:
    """Why a line cannot be taken: sheet, line, and a sentence with its params."""

    sheet: str
    line: int
    text: str
    params: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "sheet": self.sheet,
            "line": self.line,
            "text": self.text,
            "params": dict(self.params),
        }


@dataclass(frozen=True)
class Line:
    """A good line: fields as the columns of the tables want them; what the file does not say is absent."""

    sheet: str
    line: int
    values: dict[str, Any]

    def key(self) -> tuple[str, ...]:
        names = next(sheet.key for sheet in SHEETS if sheet.title == self.sheet)
        return tuple(str(self.values.get(name, "")) for name in names)

    def as_json(self) -> dict[str, Any]:
        return {"sheet": self.sheet, "line": self.line, "values": self.values}


class BadCell(ValueError):
    """One cell cannot be understood."""

    def __init__(self, text: str, **params: str) -> None:
        super().__init__(text)
        self.text, self.params = text, params


def read(data: bytes) -> tuple[list[Line], list[Bad]]:
    """Every line of the workbook, good or bad. Raises NotAWorkbook, NoSheets, TooManyLines."""
    book = _book(data)
    try:
        wanted = [(BY_TITLE[s.title.strip().casefold()], s) for s in book.worksheets
                  if s.title.strip().casefold() in BY_TITLE]  # fmt: skip
        if not wanted:
            raise NoSheets(sheets=", ".join(sheet.title for sheet in SHEETS))
        lines: list[Line] = []
        bad: list[Bad] = []
        for sheet, found in sorted(wanted, key=lambda pair: SHEETS.index(pair[0])):
            for each in _lines(sheet, found):
                (lines if isinstance(each, Line) else bad).append(each)  # type: ignore[arg-type]
                if len(lines) + len(bad) > MOST_LINES:
                    raise TooManyLines(most=MOST_LINES)
    finally:
        book.close()
    good, again = _once(lines)
    return good, bad + again


def _book(data: bytes) -> Any:
    """The workbook; nothing that unpacks to more than a machine should hold is opened."""
    from openpyxl import load_workbook  # type: ignore[import-untyped]  # 13 MB, where they are needed

    if len(data) > MOST_BYTES:
        raise NotAWorkbook()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MOST_UNPACKED:
                raise NotAWorkbook()
        return load_workbook(io.BytesIO(data), read_only=True, data_only=False)
    except RuleError:
        raise
    except Exception as error:  # openpyxl has no error of its own for what is no workbook
        raise NotAWorkbook() from error


def _lines(sheet: Sheet, found: Any) -> Iterator[Line | Bad]:
    columns: dict[int, Column] = {}
    titles = {column.title: column for column in sheet.columns}
    for number, row in enumerate(found.iter_rows(), start=1):
        if number > MOST_LINES + 1:
            raise TooManyLines(most=MOST_LINES)
        if not columns:
            heads = [str(cell.value or "").strip().casefold() for cell in row]
            columns = {place: titles[head] for place, head in enumerate(heads) if head in titles}
            missing = [
                column.title
                for column in sheet.columns
                if column.needed and column not in columns.values()
            ]
            if missing:
                yield Bad(
                    sheet.title, 1, N_("The sheet needs the columns: %(columns)s."),
                    {"columns": ", ".join(missing)},
                )  # fmt: skip
                return
            continue
        if any(cell.value not in (None, "") for cell in row):
            yield _line(sheet, number, row, columns)


def _line(sheet: Sheet, number: int, row: Any, columns: Mapping[int, Column]) -> Line | Bad:
    values: dict[str, Any] = {}
    try:
        for place, column in columns.items():
            cell = row[place] if place < len(row) else None
            if cell is not None and cell.data_type == "f":
                raise BadCell(
                    N_("Column “%(column)s” holds a formula. Write its value."),
                    column=column.title,
                )
            values[column.name] = _value(column, plain(cell.value if cell is not None else None))
    except BadCell as problem:
        return Bad(sheet.title, number, problem.text, problem.params)
    return Line(sheet.title, number, {k: v for k, v in values.items() if v is not None})


def plain(value: Any) -> str:
    """A cell as one tidy text; whole numbers without «.0», the apostrophe of a safe export off."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]", "", str(value))
    text = "\n".join(" ".join(part.split()) for part in text.strip().splitlines())
    return text[1:] if text[:1] == "'" and text[1:2] in tuple(FORMULA) else text


def _value(column: Column, text: str) -> Any:
    """The cell as the table wants it; None where an empty one says nothing. Raises BadCell."""
    if not text:
        if column.needed:
            raise BadCell(N_("Column “%(column)s” is empty."), column=column.title)
        return None if column.kind in ("flag", "whole", "payment") else ""
    if len(text) > column.longest:
        raise BadCell(
            N_("Column “%(column)s” is too long: at most %(most)s characters."),
            column=column.title, most=str(column.longest),
        )  # fmt: skip
    found = _closed(column.kind, text)
    if found is None:
        raise BadCell(
            N_("Column “%(column)s”: “%(value)s” is not understood."),
            column=column.title, value=text[:40],
        )  # fmt: skip
    return found


def _closed(kind: str, text: str) -> Any:
    """A member of the column's closed list; None if the text is none."""
    low = text.casefold()
    if kind == "flag":
        return {YES: True, NO: False}.get(low)
    if kind == "whole":
        return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None
    if kind == "payment":
        found = PAYMENTS.get(low)
        return None if found is None else str(found)
    if kind == "service":
        return text if SERVICE_CODE.fullmatch(text) else None
    if kind in ("institution", "department"):
        kinds = institution_kinds() if kind == "institution" else department_kinds()
        return next((key for key, words in kinds.items() if low == words.ru.casefold()), None)
    return text


def _once(lines: list[Line]) -> tuple[list[Line], list[Bad]]:
    """The lines without those that are about the same row as one before them."""
    seen: dict[tuple[str, tuple[str, ...]], int] = {}
    good, bad = [], []
    for each in lines:
        mark = (each.sheet, each.key())
        if mark in seen:
            text = N_("Line %(line)s is about the same row.")
            bad.append(Bad(each.sheet, each.line, text, {"line": str(seen[mark])}))
        else:
            seen[mark] = each.line
            good.append(each)
    return good, bad
