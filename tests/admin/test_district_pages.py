"""Districts as staff see them: the list, a district, the street screen, files, and who may."""

from __future__ import annotations

import io
from urllib.parse import quote

import pytest
from sqlalchemy import select

from app.models import AuditEvent, District, DistrictImport, DistrictRange
from app.models.enums import DistrictKind, Role
from tests import make
from tests.client import headings, parsed, words

URL = "/staff/districts/"
STREETS = "/staff/district-streets/"
FILES = "/staff/district-files/"
HEADING = "вид участка;номер участка;улица;сторона;с;по;дома;кроме"


@pytest.fixture
def tenant(store):
    return make.make_polyclinic(store)


@pytest.fixture
def manager(as_staff, tenant):
    return as_staff(Role.MANAGER, tenant.branch)


def street(tenant, key=""):
    return f"{STREETS}street/?of={tenant.branch.uid}" + (f"&key={quote(key)}" if key else "")


def test_the_list_says_who_is_the_doctor_today(manager, tenant, store):
    for number in ("10", "2"):
        district = make.make_district(store, tenant, number=number)
    make.make_district_doctor(store, district, make.make_role(store, tenant))
    make.make_range(store, district)
    page = manager.page(URL)
    assert [link.text[:4].strip() for link in page.xpath("//td[1]/a")] == ["№ 2", "№ 10"]
    rows = [words(row) for row in page.xpath("//tbody/tr")]
    assert "Еловая Марта Сергеевна" in rows[0] and "работает" in rows[0]
    assert "нет врача" in rows[1]
    assert "Терапевтический" in rows[0]
    assert "Therapeutic" in words(manager.page(f"{URL}?lang=en"))


def test_a_district_is_added_and_given_doctors(manager, tenant, store):
    role = make.make_role(store, tenant)
    answer = manager.submit(
        f"{URL}new/?of={tenant.branch.uid}",
        {"kind": "paediatric", "number": "№10", "web_quota": "5", "doctor-0": str(role.uid), "from-0": "2026-01-12"},
    )  # fmt: skip
    assert answer.status_code == 303
    row = store.scalars(select(District)).one()
    assert (row.kind, row.number, row.web_quota) == (DistrictKind.PAEDIATRIC, "10", 5)
    page = manager.page(answer.location)
    assert headings(page)[0] == "Участок №10, Педиатрический"
    assert "Участок добавлен" in words(page)
    page = manager.page(answer.location)
    assert page.xpath("//select[@id='doctor-0']/option[@selected]/@value") == [str(role.uid)]
    answer = manager.submit(answer.location, {"doctor-0": "", "is_active": None})
    store.refresh(row)
    assert (row.doctors, row.is_active) == ([], False)


@pytest.mark.parametrize(
    ("changes", "field", "sentence", "status"),
    [
        ({"kind": ""}, "kind", "Выберите вид участка", 422),
        ({"number": ""}, "number", "Укажите номер участка", 422),
        ({"web_quota": "много"}, "web_quota", "число от 0", 422),
        ({"from-0": "завтра"}, "from-0", "Введите дату", 422),
        ({"number": "91", "kind": "therapy"}, "", "Участок №91 этого вида уже есть", 409),
    ],
)
def test_what_is_wrong_with_a_district_is_said(
    manager, tenant, store, changes, field, sentence, status
):
    make.make_district(store, tenant)
    role = make.make_role(store, tenant)
    fields = {"kind": "dental", "number": "1", "doctor-0": str(role.uid), "from-0": "2026-01-12"}
    answer = manager.submit(f"{URL}new/?of={tenant.branch.uid}", fields | changes)
    assert answer.status_code == status
    page = parsed(answer)
    if field:
        assert page.xpath("//*[@id=$id][@aria-invalid='true']", id=field)
        assert page.xpath("//div[@role='alert']//a/@href") == [f"#{field}"]
    assert sentence in words(page)


# --- the street screen


def test_a_street_is_written_on_one_page_across_districts(manager, tenant, store):
    one, two = (make.make_district(store, tenant, number=n) for n in "12")
    fields = {
        "street": "ул. Ленина",
        "district-0": str(one.uid), "parity-0": "odd", "first-0": "1", "last-0": "15", "except-0": "7",
        "district-1": str(two.uid), "houses-1": "12/3, 14 а", "parity-1": "all",
    }  # fmt: skip
    answer = manager.submit(street(tenant), fields)
    assert answer.status_code == 303
    page = manager.page(answer.location)
    text = words(page)
    assert "Улица сохранена" in text
    assert "Терапевтический: дом 7 – ни на одном участке." in text
    assert "Терапевтический: чётные дома 2–14 – ни на одном участке." in text
    assert page.xpath("//input[@id='houses-1']/@value") == ["12/3, 14А"]
    rows = store.scalars(select(DistrictRange)).all()
    assert {row.district_id for row in rows} == {one.id, two.id}

    answer = manager.submit(answer.location, {"district-1": ""})
    assert answer.status_code == 303
    assert [row.district_id for row in store.scalars(select(DistrictRange))] == [one.id]


def test_an_overlap_is_refused_in_words_and_what_was_typed_stays(manager, tenant, store):
    one, two = (make.make_district(store, tenant, number=n) for n in "12")
    fields = {
        "street": "Ленина",
        "district-0": str(one.uid), "first-0": "1", "last-0": "15",
        "district-1": str(two.uid), "first-1": "11", "last-1": "30", "parity-1": "odd",
    }  # fmt: skip
    answer = manager.submit(street(tenant), fields)
    assert answer.status_code == 409
    text = words(answer)
    assert "Терапевтический: нечётные дома 11–15 – и на участке №1, и на участке №2." in text
    assert parsed(answer).xpath("//input[@id='last-1']/@value") == ["30"]
    assert store.scalars(select(DistrictRange)).all() == []
    answer = manager.submit(street(tenant), fields, query_string=None)
    answer = manager.send(street(tenant), {**fields, "check": "1"})
    assert answer.status_code == 200 and "нечётные дома 11–15" in words(answer)
    answer = manager.send(street(tenant), {**fields, "first-1": "17", "check": "1"})
    assert "чётные дома 16–30 – ни на одном участке" in words(answer)
    assert store.scalars(select(DistrictRange)).all() == []


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"street": ""}, "street", "Укажите улицу"),
        ({"first-0": "9", "last-0": "5"}, "first-0", "Последний дом раньше первого"),
        ({"first-0": "7к2"}, "first-0", "Здесь нужно число"),
        ({"houses-0": "7, кв. 5"}, "houses-0", "не номер дома"),
        ({"except-0": "40"}, "first-0", "исключать его не из чего"),
        ({"district-0": make.NOBODYS_UID}, "district-0", "Выберите одно значение"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_at_its_field(
    manager, tenant, store, changes, field, sentence
):
    district = make.make_district(store, tenant)
    fields = {"street": "Ленина", "district-0": str(district.uid), "first-0": "1", "last-0": "9"}
    answer = manager.send(street(tenant), fields | changes)
    assert answer.status_code == 422
    page = parsed(answer)
    assert page.xpath("//*[@id=$id][@aria-invalid='true']", id=field)
    assert f"#{field}" in page.xpath("//div[@role='alert']//a/@href")
    assert sentence in words(page)


def test_a_colleague_s_change_is_not_overwritten(manager, tenant, store):
    district = make.make_district(store, tenant)
    row = make.make_range(store, district, first_house=1, last_house=9)
    page = manager.page(street(tenant, "ленина"))
    was = page.xpath("//input[@name='was']/@value")[0]
    row.last_house = 11
    fields = {"was": was, "street": "Ленина", "district-0": str(district.uid), "first-0": "1"}
    answer = manager.send(street(tenant, "ленина"), fields)
    assert answer.status_code == 409
    assert "изменил кто-то другой" in words(answer)
    store.refresh(row)
    assert row.last_house == 11


def test_an_address_is_tried(manager, tenant, store):
    district = make.make_district(store, tenant)
    make.make_range(store, district, first_house=1, last_house=9)
    url = f"{URL}?of={tenant.branch.uid}&street={quote('Ленина ул.')}&house="
    assert "Участок №91, Терапевтический: врача нет" in words(manager.page(url + quote("7к2")))
    assert "не относится ни к одному участку" in words(manager.page(f"{url}10"))
    assert "не номер дома" in words(manager.page(url + quote("кв"), status=422))


# --- files


def upload(visitor, tenant, *rows, data=None):
    content = data if data is not None else "\n".join([HEADING, *rows]).encode()
    fields = {"file": (io.BytesIO(content), "участки.csv"), "csrf_token": visitor.token("/staff/")}
    answer = visitor.post(
        f"{FILES}?of={tenant.branch.uid}", data=fields, content_type="multipart/form-data"
    )
    answer.request.environ["wsgi.input"].close()
    return answer


def test_a_file_is_checked_shown_and_applied_once(manager, tenant, store):
    district = make.make_district(store, tenant)
    make.make_range(store, district, first_house=1, last_house=9)
    where = upload(
        manager, tenant, "терапевтический;91;Ленина;все;1;11;;", "детский;10;Мира;;;;;"
    ).location
    text = words(manager.page(where))
    assert "№ 91, Терапевтический: 1–9" in text and "№ 91, Терапевтический: 1–11" in text
    assert "Участок №10, Педиатрический" in text
    assert len(store.scalars(select(DistrictRange)).all()) == 1
    assert manager.submit(where, form=f"{where}apply/").status_code == 303
    assert "Файл загружен" in words(manager.page(where))
    assert len(store.scalars(select(DistrictRange)).all()) == 2
    manager.send(f"{where}apply/", {"seen": ""})
    assert "уже загружен" in words(manager.page(where))


def test_a_file_with_a_bad_line_is_not_applied(manager, tenant, store):
    where = upload(manager, tenant, "детский;10;Мира;;;;;", "шаманский;1;Мира;;;;;").location
    page = manager.page(where)
    assert "«шаманский» – такого вида участков нет." in words(page)
    assert not page.xpath("//form[contains(@action, 'apply')]")
    manager.send(f"{where}apply/", {"seen": ""})
    assert "ничего не загружено" in words(manager.page(where))
    assert store.scalars(select(District)).all() == []


def test_what_is_no_such_file_is_said_at_the_field(manager, tenant):
    answer = upload(manager, tenant, data=b"PK\x03\x04")
    assert answer.status_code == 422
    assert "не CSV" in words(answer)
    assert "Не хватает" in words(upload(manager, tenant, data=b"a;b\n1;2\n"))


def test_districts_are_saved_as_a_file_and_the_journal_knows(manager, tenant, store):
    make.make_range(store, make.make_district(store, tenant), first_house=1, last_house=9)
    answer = manager.send(f"{URL}export.csv?of={tenant.branch.uid}")
    assert answer.get_data().decode("utf-8-sig").splitlines()[1] == (
        "терапевтический;91;;Ленина;все;1;9;;"
    )
    told = store.scalars(select(AuditEvent).where(AuditEvent.verb == "district.save_file")).one()
    assert told.subject_id == tenant.branch.id


def test_the_journal_says_what_was_changed(manager, as_staff, tenant, store):
    one = make.make_district(store, tenant, number="1")
    manager.submit(street(tenant), {"street": "Ленина", "district-0": str(one.uid)})
    security = as_staff(Role.SECURITY, tenant.root)
    text = words(security.page("/staff/audit/"))
    assert "Изменены дома участка" in text
    assert "Участок: 1, Сосны" in text


# --- who may


@pytest.mark.parametrize("role", [Role.REGISTRAR, Role.OPERATOR])
def test_some_only_look(as_staff, tenant, store, role):
    district = make.make_district(store, tenant)
    make.make_range(store, district, first_house=1, last_house=9)
    visitor = as_staff(role, tenant.branch)
    page = visitor.page(street(tenant, "ленина"))
    assert "1–9" in words(page) and not page.xpath("//main//input[@name='street']")
    assert not visitor.page(f"{URL}{district.uid}/").xpath("//main//form")
    for url in (street(tenant, "ленина"), f"{URL}{district.uid}/", f"{URL}new/?of={tenant.branch.uid}"):  # fmt: skip
        assert visitor.send(url).status_code == 403
    assert visitor.get(FILES).status_code == 403


@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.ANALYST, Role.SECURITY])
def test_others_have_no_business_here(as_staff, tenant, role):
    visitor = as_staff(role, tenant.branch)
    assert visitor.get(URL).status_code == 403
    assert visitor.get(STREETS).status_code == 403


def test_another_organization_s_districts_are_not_there(as_staff, tenant, store, manager):
    foreign = make.make_polyclinic(store, name="Чужая поликлиника")
    district = make.make_district(store, foreign)
    make.make_range(store, district)
    imported = DistrictImport(
        tenant_id=foreign.id, organization_id=foreign.branch.id, file_name="чужие.csv", lines=[],
        created_at=make.NOW, created_by_id=make.make_staff(store, Role.MANAGER, foreign.root).id,
    )  # fmt: skip
    store.add(imported)
    store.flush()
    uid = foreign.branch.uid
    for url in (
        f"{URL}?of={uid}",
        f"{URL}new/?of={uid}",
        f"{URL}{district.uid}/",
        f"{STREETS}?of={uid}",
        f"{STREETS}street/?of={uid}&key={quote('ленина')}",
        f"{STREETS}street/?of={tenant.branch.uid}&key={quote('ленина')}",
        f"{FILES}?of={uid}",
        f"{FILES}{imported.uid}/",
        f"{URL}?of=no-uid",
    ):
        assert manager.get(url).status_code == 404, url
    for url in (f"{URL}{district.uid}/", f"{FILES}{imported.uid}/apply/", f"{URL}export.csv?of={uid}"):  # fmt: skip
        assert manager.send(url).status_code == 404, url
    own = {"street": "Ленина", "district-0": str(district.uid)}
    assert manager.send(street(tenant), own).status_code == 422
    assert "Чужая" not in words(manager.page(URL))


def test_who_has_no_polyclinic_is_told_so(as_staff, store):
    centre = make.make_tenant(store)
    text = words(as_staff(Role.MANAGER, centre.root).page(URL))
    assert "Ни одна из ваших организаций не принимает пациентов" in text
