"""Donor files: every spelling that is understood, every reason that is given, and what stops a file."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models.enums import DonationKind
from app.rules import csv_text, donor_file
from app.rules import donor_cells as cells
from app.rules.donor_cells import BadCell
from app.rules.donor_file import DonorFile, FileRefused, read_file

TODAY = dt.date(2025, 11, 25)
EXAMPLE = Path(donor_file.__file__).parent.parent / "data" / "donor_file_example.csv"
HEADING = "код донора;группа крови;резус-фактор"


def read(text: str, encoding: str = "utf-8", **more: object) -> DonorFile:
    return read_file(text.encode(encoding), today=TODAY, **more)  # type: ignore[arg-type]


def one(text: str) -> donor_file.FileLine:
    (line,) = read(text).lines
    return line


def problems(text: str) -> list[str]:
    return [str(problem.text) for problem in one(text).problems]


def test_the_example_file_has_no_problem_and_says_what_it_says():
    found = read_file(EXAMPLE.read_bytes(), today=TODAY)
    assert found.unknown == ()
    assert [line.problems for line in found.lines] == [()] * 4
    first, second, third, fourth = found.lines
    assert (first.number, first.code) == (2, "456545")
    assert first.values == {
        "family_name": "Иванова",
        "given_name": "Анна",
        "patronymic": "Петровна",
        "birth_date": "1988-02-14",
        "sex": "female",
        "blood_group": "B",
        "rh": "-",
        "kell": "-",
        "deferral": None,
        "donation": {"kind": "platelets", "on_date": "2025-11-03"},
    }
    assert second.values["deferral"] == {
        "kind": "temporary",
        "starts_on": "2025-11-01",
        "ends_on": "2026-04-30",
        "reason": "вакцинация",
    }
    assert third.values["deferral"]["kind"] == "permanent"
    assert "patronymic" not in third.values, "an empty cell says nothing"
    assert "deferral" not in fourth.values, "an empty cell is not «нет»"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("mark", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_delimiters_and_line_ends_read_alike(encoding, mark, end):
    text = f"{HEADING};фамилия\n456545;III (B);−;Ёлкина\n456546;I;+;Щукин\n"
    text = text.replace("−", "-").replace(";", mark).replace("\n", end)
    found = read(text, encoding)
    assert [line.values.get("family_name") for line in found.lines] == ["Ёлкина", "Щукин"]
    assert [line.number for line in found.lines] == [2, 3]


@pytest.mark.parametrize(
    ("text", "group", "rh"),
    [
        *((t, "O", None) for t in ("O", "О", "0", "I", "1", "I (O)", "0(I)", "o (i)", "I гр.")),
        *((t, "A", None) for t in ("A", "А", "II", "2", "II (A)", "А(II)", "A2 (II)", "Ⅱ")),
        *((t, "B", None) for t in ("B", "В", "III", "3", "в (iii)", "III группа")),
        *((t, "AB", None) for t in ("AB", "АВ", "IV", "4", "IV (AB)", "A2B")),
        ("A(II) Rh+", "A", "+"),
        ("III (B) −", "B", "-"),
        ("AB-", "AB", "-"),
        ("I группа, Rh (D) пол.", "O", "+"),
    ],
)
def test_spellings_of_a_blood_group(text, group, rh):
    assert cells.blood_group(text) == (group, rh)


@pytest.mark.parametrize("text", ["V", "A B", "II (B)", "C", "5", "", "АБВ", "A;B", "1 или 2"])
def test_what_is_not_clearly_one_blood_group_is_refused(text):
    with pytest.raises(BadCell):
        cells.blood_group(text)


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        (
            ("+", "＋", "(+)", "Rh+", "rh (+)", "Положительный", "полож.", "пол", "K+", "Rh(D)+"),
            "+",
        ),
        (("-", "−", "–", "(-)", "Rh-", "rh –", "Отрицательный", "отр.", "К−", "Kell отр"), "-"),
    ],
)
def test_spellings_of_a_sign(texts, value):
    assert {cells.sign(text) for text in texts} == {value}


@pytest.mark.parametrize("text", ["", "да", "нет", "0", "1", "+-", "K", "пол отр", "Rh"])
def test_what_is_not_clearly_one_sign_is_refused(text):
    with pytest.raises(BadCell):
        cells.sign(text)


@pytest.mark.parametrize("text", ["14.02.1988", "14/02/1988", "1988-02-14", "14.2.1988 0:00:00"])
def test_spellings_of_a_date(text):
    assert cells.date(text) == dt.date(1988, 2, 14)


@pytest.mark.parametrize(
    "text", ["14.02.88", "31.02.1988", "02.14.1988", "٠١.٠١.2020", "вчера", ""]
)
def test_what_is_not_clearly_one_date_is_refused(text):
    with pytest.raises(BadCell):
        cells.date(text)


@pytest.mark.parametrize(
    ("cell", "code"),
    [("456545", "456545"), ("456545,0", "456545"), ("456 545", "456545"), ("АВ-12/3", "AB-12/3")],
)
def test_codes_as_spreadsheets_leave_them(cell, code):
    assert cells.donor_code(cell) == code


@pytest.mark.parametrize(
    ("more", "cells_", "reason"),
    [
        ("", ";I;+", "There is no donor code."),
        ("", "<b>;I;+", "is not a donor code"),
        ("", "1;;+", "There is no blood group."),
        ("", "1;I;", "There is no Rh factor."),
        ("", "1;I+;-", "positive in one cell and negative"),
        (";пол", "1;I;+;?", "is not a sex"),
        (";дата рождения", "1;I;+;01.01.2100", "in the future"),
        (";дата рождения", "1;I;+;01.01.1800", "too far back"),
        (";отвод", "1;I;+;есть", "none, temporary or permanent"),
        (";отвод", "1;I;+;временный", "needs the date on which it ends"),
        (";отвод;отвод по", "1;I;+;постоянный;01.01.2026", "has no date on which it ends"),
        (";отвод;отвод по", "1;I;+;;01.01.2026", "not which one it is"),
        (";отвод;отвод по", "1;I;+;нет;01.01.2026", "contradicts"),
        (
            ";отвод;отвод с;отвод по",
            "1;I;+;временный;02.01.2026;01.01.2026",
            "ends before it begins",
        ),
        (";вид донации;дата донации", "1;I;+;кровь;", "both the kind and the date"),
        (";вид донации;дата донации", "1;I;+;волосы;01.01.2025", "not a kind of donation"),
        (";вид донации;дата донации", "1;I;+;кровь;01.01.2026", "in the future"),
        (";фамилия", "1;I;+;" + "Я" * 81, "too long"),
        ("", "1;I;+;лишнее", "The line has %(cells)s cells"),
        (";фамилия", '1;I;+;"Иванова', "quotation mark"),
        (";фамилия", "1;I;+;Ива\x00нова", "not text"),
    ],
)
def test_a_bad_line_says_why_and_gives_no_values(more, cells_, reason):
    line = one(f"{HEADING}{more}\n{cells_}\n")
    assert any(reason in problem.text for problem in line.problems), line.problems
    assert line.values == {}


def test_every_problem_of_a_line_is_named():
    assert len(problems(f"{HEADING};пол;отвод\n;Z;+;?;да\n")) == 4


def test_a_bad_line_does_not_touch_the_others_not_even_an_open_quote():
    found = read(f'{HEADING};фамилия\n1;I;+;"Иванов\n2;Z;+;Петров\n3;I;+;"Сидоров; мл."\n')
    assert [bool(line.problems) for line in found.lines] == [True, True, False]
    assert found.lines[2].values["family_name"] == "Сидоров; мл."


def test_the_second_line_with_a_code_is_bad_and_names_the_first():
    first, second = read(f"{HEADING}\n1;I;+\n1;II;+\n").lines
    assert not first.problems
    assert second.problems[0].params == {"code": "1", "line": "2"}


def test_blank_lines_are_skipped_and_lines_keep_their_numbers():
    found = read(f"Выгрузка от 25.11.2025;;\n\n{HEADING}\n\n;;\n1;I;+\n")
    assert [line.number for line in found.lines] == [6]


def test_names_in_capitals_and_in_one_column_are_read():
    line = one(f"{HEADING};ФИО\n1;I;+;ПЕТРОВА-ВОДКИНА АННА МАРИЯ ИВАНОВНА\n")
    assert line.values["family_name"] == "Петрова-Водкина"
    assert (line.values["given_name"], line.values["patronymic"]) == (
        "АННА".title(),
        "Мария Ивановна",
    )


def test_the_last_donation_may_stand_in_one_column():
    line = one(f"{HEADING};последняя донация\n1;I;+;плазмаферез, 03.11.2025\n")
    assert line.values["donation"] == {"kind": "plasma", "on_date": "2025-11-03"}


def test_the_organizations_own_names_of_donations_are_understood():
    text = f"{HEADING};вид донации;дата донации\n1;I;+;Аферез эритроцитов;03.11.2025\n"
    assert problems(text)
    own = {cells.words("Аферез эритроцитов"): DonationKind.RED_CELLS}
    (line,) = read(text, kinds=own).lines
    assert line.values["donation"]["kind"] == "red_cells"


def test_headings_not_understood_are_named_and_not_read():
    found = read("Код донора;Группа;Резус-фактор;Телефон;;СНИЛС\n1;I;+;1;2;3\n")
    assert found.unknown == ("Телефон", "СНИЛС")
    assert found.lines[0].values == {"blood_group": "O", "rh": "+"}


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", donor_file.EmptyFile),
        (b" \r\n", donor_file.EmptyFile),
        (HEADING.encode(), donor_file.EmptyFile),
        (b"PK\x03\x04 workbook", csv_text.NotCsv),
        (b"\xd0\xcf\x11\xe0 old workbook", csv_text.NotCsv),
        (f"{HEADING}\n1;I;+\n".encode("utf-16"), donor_file.WrongEncoding),
        (f"{HEADING}\n1;I;+\n".encode("cp866"), donor_file.WrongEncoding),
        (f"{HEADING}\n1;I;+\n".encode("koi8-r"), donor_file.WrongEncoding),
        (f"{HEADING}\n1;I;+\n2;I;".encode() + b"\xff\n", donor_file.WrongEncoding),
        (b"1;I;+\n2;II;+\n", donor_file.NoHeading),
        ("код донора\n1\n".encode(), donor_file.ColumnsMissing),
        ("код донора;фамилия\n1;Иванов\n".encode(), donor_file.ColumnsMissing),
        (f"{HEADING};отвод по\n1;I;+;\n".encode(), donor_file.ColumnsMissing),
        (f"{HEADING};дата донации\n1;I;+;\n".encode(), donor_file.ColumnsMissing),
        (f"{HEADING};группа\n1;I;+;I\n".encode(), donor_file.ColumnTwice),
        (b"x" * (donor_file.MOST_BYTES + 1), donor_file.FileTooLarge),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_stops_a_whole_file(data, refusal):
    with pytest.raises(refusal):
        read_file(data, today=TODAY)


def test_a_byte_that_is_not_utf8_is_named_by_its_line():
    with pytest.raises(donor_file.WrongEncoding) as refusal:
        read_file(f"{HEADING}\n1;I;+\n2;I;".encode() + b"\xff\n", today=TODAY)
    assert refusal.value.params == {"line": 3}


def test_more_lines_than_allowed_are_refused_and_as_many_are_read(monkeypatch):
    monkeypatch.setattr(donor_file, "MOST_LINES", 3)
    rows = [f"{number};I;+" for number in range(4)]
    assert len(read("\n".join([HEADING, *rows[:3], "", ""])).lines) == 3
    with pytest.raises(donor_file.TooManyLines):
        read("\n".join([HEADING, *rows]))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data):
    for prefix in (b"", HEADING.encode() + b"\n", HEADING.encode("cp1251") + b"\n"):
        with contextlib.suppress(FileRefused):
            read_file(prefix + data, today=TODAY)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=15, max_size=17))
def test_no_cells_break_the_reader(row):
    heading = EXAMPLE.read_text("utf-8").splitlines()[0]
    with contextlib.suppress(FileRefused):
        read_file(f"{heading}\n{';'.join(row)}\n".encode("utf-8", "replace"), today=TODAY)
