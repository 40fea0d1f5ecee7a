"""The directory in the back office: tables, a doctor's page, the workbook."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from app.models import (
    Department,
    DirectoryImport,
    HealthcareService,
    Practitioner,
    PractitionerRole,
)
from app.models.enums import Role
from tests import make
from tests.client import words

BASE = "/staff/directory"


@pytest.fixture
def clinic(store):
    return make.make_polyclinic(store)


@pytest.fixture
def manager(as_staff, clinic):
    return as_staff(Role.MANAGER, clinic.root)


def test_a_manager_makes_a_tree_of_departments(manager, store, clinic):
    form = {
        "organization": str(clinic.branch.uid),
        "name": "Детская поликлиника",
        "kind": "children",
    }
    assert manager.submit(f"{BASE}/departments/new/", form).status_code == 303
    top = store.scalars(select(Department)).one()
    form = {"organization": str(clinic.branch.uid), "name": "Участок №1", "part_of": str(top.uid)}
    assert manager.submit(f"{BASE}/departments/new/", form).status_code == 303
    text = words(manager.page(f"{BASE}/departments/"))
    assert "Детская поликлиника → Участок №1" in text
    assert "Детское амбулаторно-поликлиническое" in text
    answer = manager.submit(f"{BASE}/departments/edit/?id={top.uid}", {"part_of": str(top.uid)})
    assert answer.status_code == 422
    assert "не может входить в само себя" in words(answer)


def test_a_wrong_code_of_a_service_is_told_above_the_form(manager, store, clinic):
    answer = manager.submit(f"{BASE}/services/new/", {"code": "В01.047.001", "name_ru": "Прием"})
    assert answer.status_code == 422
    assert "не код номенклатуры" in words(answer)
    answer = manager.submit(f"{BASE}/services/new/", {"code": "B01.047.001", "name_ru": "Прием"})
    assert answer.status_code == 303
    assert store.scalars(select(HealthcareService)).one().tenant_id == clinic.id


def test_a_doctor_is_given_services_and_a_place_of_reception(manager, store, clinic):
    service = make.make_service(store, clinic)
    specialty = make.make_specialty(store)
    manager.submit(
        f"{BASE}/practitioners/new/", {"family_name": "Пихтин", "note_ru": "прием по полису ОМС"}
    )
    doctor = store.scalars(select(Practitioner)).one()
    page = f"{BASE}/practitioners/details/?id={doctor.uid}"
    assert "пациенты этого врача не видят" in words(manager.page(page))
    answer = manager.send(
        f"{BASE}/practitioners/role/?id={doctor.uid}",
        {
            "organization": clinic.branch.uid,
            "specialty": specialty.uid,
            "room": "7",
            "is_active": "y",
        },
    )
    assert answer.status_code == 303, words(answer)
    answer = manager.send(
        f"{BASE}/practitioners/services/?id={doctor.uid}", {"service": [str(service.uid)]}
    )
    assert answer.status_code == 303
    text = words(manager.page(page))
    assert "Сосны" in text and specialty.name_ru in text and service.name_ru in text
    role = store.scalars(select(PractitionerRole)).one()
    make.make_sitting(store, role)
    url = f"{BASE}/practitioners/role/?id={doctor.uid}&role={role.uid}"
    answer = manager.submit(url, {"is_active": None})
    assert answer.status_code == 422
    assert "опубликовано время приёма по ср, 25 ноября" in words(answer)


@pytest.mark.parametrize("role", [Role.REGISTRAR, Role.SCHEDULER, Role.OPERATOR, Role.ANALYST])
def test_the_desk_reads_the_directory_and_is_offered_no_change(as_staff, store, clinic, role):
    doctor = make.make_practitioner(store, clinic)
    visitor = as_staff(role, clinic.root)
    page = visitor.page(f"{BASE}/practitioners/")
    assert "Еловая" in words(page)
    hrefs = {a.get("href") for a in page.xpath("//a[@href]")}
    assert not any("/new/" in href or "/edit/" in href for href in hrefs if BASE in href)
    assert visitor.get(f"{BASE}/practitioners/edit/?id={doctor.uid}").status_code == 403
    assert visitor.get(f"{BASE}/files/").status_code == 403


def test_a_foreign_doctor_and_role_are_not_found(manager, store, clinic):
    foreign = make.make_polyclinic(store, name="Речная поликлиника")
    theirs = make.make_role(store, foreign)
    doctor = make.make_practitioner(store, clinic)
    for path in (
        f"details/?id={theirs.practitioner.uid}",
        f"edit/?id={theirs.practitioner.uid}",
        f"role/?id={theirs.practitioner.uid}",
        f"services/?id={theirs.practitioner.uid}",
        f"role/?id={doctor.uid}&role={theirs.uid}",
        f"role/?id={doctor.uid}&role=x",
    ):
        assert manager.get(f"{BASE}/practitioners/{path}").status_code == 404, path


def test_the_specialties_belong_to_the_whole_installation(manager, as_staff, store):
    row = make.make_specialty(store)
    assert row.name_ru in words(manager.page(f"{BASE}/specialties/"))
    assert manager.get(f"{BASE}/specialties/new/").status_code == 404
    everywhere = as_staff(Role.ADMINISTRATOR)
    answer = everywhere.submit(
        f"{BASE}/specialties/new/", {"code": "allergist", "name_ru": "Аллерголог"}
    )
    assert answer.status_code == 303


def test_the_organization_form_has_what_patients_need(as_staff, store, clinic):
    admin = as_staff(Role.ADMINISTRATOR, clinic.root)
    url = f"/staff/organizations/edit/?id={clinic.branch.uid}"
    fields = {"phones": "+7 495 1, +7 495 2", "site": "https://clinic.example", "hours": "пн–пт",
              "institution": "dental", "latitude": "55,7512", "longitude": "37.6184"}  # fmt: skip
    assert admin.submit(url, fields).status_code == 303
    store.refresh(clinic.branch)
    assert (clinic.branch.latitude, clinic.branch.institution) == (55.7512, "dental")
    for bad in ({"site": "javascript:1"}, {"latitude": "north"}, {"latitude": ""}):
        assert admin.submit(url, bad).status_code == 422, bad


def test_the_workbook_goes_out_comes_back_and_is_applied(manager, store, clinic):
    make.make_service(store, clinic, code="", name_ru="=HYPERLINK(1)")
    role = make.make_role(store, clinic, department=make.make_department(store, clinic))
    answer = manager.send(f"{BASE}/files/export/", {"organization": clinic.root.uid})
    assert answer.status_code == 200
    book = load_workbook(io.BytesIO(answer.data))
    cell = book["Услуги"]["B2"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "f") or cell.data_type == "s"
    book["Места приёма"]["E2"].value = "777"
    book["Услуги"]["B2"].value = "Массаж"
    book["Услуги"]["B2"].data_type = "s"
    made = io.BytesIO()
    book.save(made)
    answer = manager.send(
        f"{BASE}/files/",
        {"organization": str(clinic.root.uid), "file": (io.BytesIO(made.getvalue()), "all.xlsx")},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 303, words(answer)
    page = manager.page(answer.headers["Location"])
    assert "Применить: новых 1, с изменениями 1" in words(page) or "777" in words(page)
    imported = store.scalars(select(DirectoryImport)).one()
    answer = manager.send(f"{BASE}/files/{imported.uid}/apply/")
    assert answer.status_code == 303
    store.refresh(role)
    assert role.room == "777"
    assert "Справочник приведён к тому, что в файле" in words(
        manager.page(answer.headers["Location"])
    )


def test_bad_lines_are_listed_by_sheet_and_line_and_cannot_be_applied(manager, store, clinic):
    from tests.rules.test_directory_file import book

    data = book(services=[["C99", "Услуга", "", "", "", "", ""]])
    answer = manager.send(
        f"{BASE}/files/",
        {"organization": str(clinic.root.uid), "file": (io.BytesIO(data), "bad.xlsx")},
        content_type="multipart/form-data",
    )
    page = manager.page(answer.headers["Location"])
    cells = [words(td) for td in page.xpath("//table//td")]
    assert cells == ["Услуги", "2", "Столбец «код»: значение «C99» непонятно."]
    assert not page.xpath("//form[contains(@action, 'apply')]")


def test_what_is_no_workbook_is_told_at_the_field(manager, clinic):
    answer = manager.send(
        f"{BASE}/files/",
        {"organization": str(clinic.root.uid), "file": (io.BytesIO(b"text"), "a.xlsx")},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 422
    assert "не книга XLSX" in words(answer)


def test_only_who_works_for_a_polyclinic_has_its_entries_in_the_menu(as_staff, store, clinic):
    centre = make.make_tenant(store)
    of_patients = ("Шаблоны", "Сетка", "Врачи", "Участки")
    there = words(as_staff(Role.MANAGER, clinic.root).page("/staff/"))
    here = words(as_staff(Role.MANAGER, centre.root).page("/staff/"))
    assert [name for name in of_patients if name not in there] == []
    assert [name for name in of_patients if name in here] == []
