"""CSV files that people upload: bytes to text, text to lines, a line to cells; what cannot be read is said."""

from __future__ import annotations

import csv
import re

from app.rules.errors import N_, RuleError

DELIMITERS = (";", ",", "\t")


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


def decoded(data: bytes) -> str:
    """The file as text: UTF-8 with or without its mark, else Windows-1251. Raises NotCsv, WrongEncoding."""
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


def physical_lines(text: str) -> list[str]:
    """The lines as an editor numbers them."""
    return re.split(r"\r\n|\n|\r", text)


def split(row: str, delimiter: str) -> list[str]:
    """The cells of one physical line. Raises csv.Error for a quote that is not closed.

    Line by line, because an open quote would swallow the rest of the file into one cell.
    """
    if '"' not in row:
        return row.split(delimiter)
    return next(csv.reader([row], delimiter=delimiter, strict=True))
