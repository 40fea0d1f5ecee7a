"""The directory's workbook: out and back again, bad lines by sheet and line, whole or nothing."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from app.models import AuditEvent, Department, HealthcareService, Practitioner, PractitionerRole
from app.models.enums import Role
from app.rules import directory_edit, directory_file, directory_import
from app.rules.actor import actor_of
from app.rules.directory_file import NoSheets, NotAWorkbook
from tests import make

HEADS = {sheet.name: [column.title for column in sheet.columns] for sheet in directory_file.SHEETS}
TITLES = {sheet.name: sheet.title for sheet in directory_file.SHEETS}


def book(**sheets: list[list[Any]]) -> bytes:
    """A workbook of these sheets, by their names, each with its headings."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        page = made.create_sheet(TITLES[name])
        for row in (HEADS[name], *rows):
            page.append(row)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


@pytest.fixture
def clinic(session):
    tenant = make.make_polyclinic(session)
    make.make_specialty(session, code="surgeon", name_ru="Врач-хирург")
    return tenant


@pytest.fixture
def manager(session, clinic):
    return make.make_staff(session, Role.MANAGER, clinic.root)


def checked(session, clinic, manager, data: bytes):
    lines, bad = directory_file.read(data)
    return directory_import.check(
        session, tenant_id=clinic.id, lines=lines, bad=bad, file_name="х.xlsx", by=manager,
        now=make.NOW,
    )  # fmt: skip


WHOLE: dict[str, list[list[Any]]] = {
    "branches": [["Сосны", "ул. Новая, 2", "+7 495 111-22-33", "https://clinic.example",
                  "пн–пт 8–20", "Поликлиника", "да"]],
    "departments": [
        ["Сосны", "Детская поликлиника", "", 292, "", "", "", 1, "да"],
        ["Сосны", "Участок №1", "Детская поликлиника", "", "", "ул. Детская, 5", "", 2, "да"],
    ],
    "services": [["B01.057.001", "Прием врача-хирурга", "Surgeon's visit", "804н", "ОМС", 1, "да"]],
    "doctors": [["17", "Пихтин", "Лев", "", "врач-хирург", "прием по полису ОМС", "", "да"]],
    "roles": [["17", "Сосны", "Детская поликлиника → Участок №1", "Врач-хирург", "214", "да"]],
    "gives": [["17", "B01.057.001", "Прием врача-хирурга", "да"]],
}  # fmt: skip


def test_a_whole_directory_comes_in_and_goes_out_the_same(session, clinic, manager):
    imported = checked(session, clinic, manager, book(**WHOLE))
    assert imported.report["bad"] == []
    assert imported.report["counts"] == {"new": 6, "changed": 1, "same": 0, "bad": 0}
    assert session.scalars(select(Practitioner)).all() == [], "a dry run writes nothing"
    directory_import.apply(session, imported=imported, by=manager, now=make.NOW)
    session.flush()
    doctor = session.scalars(select(Practitioner)).one()
    assert (doctor.full_name, doctor.search_name) == ("Пихтин Лев", "пихтин лев")
    assert [str(each) for each in doctor.services] == ["B01.057.001 Прием врача-хирурга"]
    role = session.scalars(select(PractitionerRole)).one()
    assert (role.department.name, role.room) == ("Участок №1", "214")
    assert role.department.part_of.name == "Детская поликлиника"
    assert clinic.branch.address == "ул. Новая, 2"
    out = directory_import.workbook(session, tenant_id=clinic.id)
    again = checked(session, clinic, manager, book(**{sheet.name: rows for sheet, rows in out}))
    assert again.report["counts"]["new"] == again.report["counts"]["changed"] == 0
    assert again.report["bad"] == []
    verbs = set(session.scalars(select(AuditEvent.verb)))
    assert {"directory.apply", "department.create", "practitioner.services"} <= verbs


@pytest.mark.parametrize(
    ("sheet", "row", "said"),
    [
        ("departments", ["Берёзы", "Отделение", "", "", "", "", "", "", ""], "There is no branch"),
        (
            "departments",
            ["Сосны", "Участок", "Нет такого", "", "", "", "", "", ""],
            "not in the dir",
        ),
        ("departments", ["Сосны", "", "", "", "", "", "", "", ""], "is empty"),
        ("departments", ["Сосны", "Отделение", "", "", "Нечто", "", "", "", ""], "not understood"),
        ("services", ["В01.057.001", "Кириллица в коде", "", "", "", "", ""], "not understood"),
        ("services", ["", "Услуга", "", "", "даром", "", ""], "not understood"),
        ("services", ["", "Услуга", "=1+1", "", "", "", ""], "formula"),
        ("services", ["", "У" * 201, "", "", "", "", ""], "too long"),
        ("roles", ["99", "Сосны", "", "Врач-хирург", "", ""], "not in the directory"),
        ("doctors", ["17", "Пихтин", "", "", "", "", "", "возможно"], "not understood"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_applied(session, clinic, manager, sheet, row, said):
    good = ["", "Хорошая услуга", "", "", "", "", ""]
    rows = {"services": [good]} | {sheet: [good, row] if sheet == "services" else [row]}
    imported = checked(session, clinic, manager, book(**rows))
    (bad,) = imported.report["bad"]
    assert (bad["sheet"], bad["line"]) == (TITLES[sheet], 3 if sheet == "services" else 2)
    assert said in bad["text"]
    with pytest.raises(directory_import.LinesBad):
        directory_import.apply(session, imported=imported, by=manager, now=make.NOW)
    assert session.scalars(select(HealthcareService)).all() == []


def test_what_the_file_says_twice_is_bad_the_second_time(session, clinic, manager):
    row = ["", "Услуга", "", "", "", "", ""]
    imported = checked(session, clinic, manager, book(services=[row, row]))
    assert [each["line"] for each in imported.report["bad"]] == [3]


def test_a_directory_that_has_moved_is_not_written_over(session, clinic, manager):
    imported = checked(
        session, clinic, manager, book(services=[["", "Услуга", "", "", "", "", ""]])
    )
    directory_edit.save_service(
        session, tenant_id=clinic.id, actor=actor_of(manager), now=make.NOW, code="",
        name_ru="Услуга",
    )  # fmt: skip
    with pytest.raises(directory_import.DirectoryMoved):
        directory_import.apply(session, imported=imported, by=manager, now=make.NOW)


def test_a_file_is_applied_once(session, clinic, manager):
    imported = checked(
        session, clinic, manager, book(services=[["", "Услуга", "", "", "", "", ""]])
    )
    directory_import.apply(session, imported=imported, by=manager, now=make.NOW)
    with pytest.raises(directory_import.FileEnded):
        directory_import.discard(session, imported=imported, by=manager, now=make.NOW)
    assert imported.lines == []


def test_switching_off_what_has_times_ahead_is_a_bad_line(session, clinic, manager):
    doctor = make.make_practitioner(session, clinic, code="17", family_name="Пихтин")
    make.make_sitting(session, make.make_role(session, clinic, practitioner=doctor))
    imported = checked(
        session, clinic, manager, book(doctors=[["17", "Пихтин", "", "", "", "", "", "нет"]])
    )
    (bad,) = imported.report["bad"]
    assert bad["params"]["date"] == "25.11.2026"


@pytest.mark.parametrize("data", [b"", b"x" * 100, b"PK\x03\x04broken", b"\x00" * 6_000_000])
def test_what_is_no_workbook_is_refused(data):
    with pytest.raises(NotAWorkbook):
        directory_file.read(data)


def test_a_workbook_of_something_else_is_refused():
    made = io.BytesIO()
    Workbook().save(made)
    with pytest.raises(NoSheets):
        directory_file.read(made.getvalue())


def test_a_missing_column_says_nothing_and_a_needed_one_is_missed(session, clinic, manager):
    made = Workbook()
    made.worksheets[0].title = "Отделения"
    made.worksheets[0].append(["отделение"])
    made.worksheets[0].append(["Терапия"])
    file = io.BytesIO()
    made.save(file)
    lines, bad = directory_file.read(file.getvalue())
    assert lines == []
    assert bad[0].line == 1 and bad[0].params == {"columns": "подразделение"}
    assert session.scalars(select(Department)).all() == []
