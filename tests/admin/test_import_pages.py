"""Donor files as staff see them: upload, the difference, applying, discarding, and who may."""

from __future__ import annotations

import io
import uuid

import pytest
from sqlalchemy import func, select

from app.models import AccessEvent, DonorImport, DonorRecord
from app.models.enums import AppointmentStatus, BloodGroup, ImportStatus, Role
from app.rules import donor_file, import_pages
from tests import make
from tests.client import headings, words

HEADING = "код донора;фамилия;имя;группа крови;резус-фактор;Келл;отвод;отвод по"


@pytest.fixture
def tenant(store):
    return make.make_tenant(store)


@pytest.fixture
def registrar(as_staff, tenant):
    return as_staff(Role.REGISTRAR, tenant.root)


def upload(visitor, *rows: str, name: str = "доноры.csv", data: bytes | None = None, **more):
    content = data if data is not None else "\n".join([HEADING, *rows]).encode()
    fields = {"file": (io.BytesIO(content), name), "csrf_token": visitor.token("/staff/"), **more}
    answer = visitor.post("/staff/imports/", data=fields, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()  # a temporary file of the client's, if it is large
    return answer


def check(visitor, *rows: str, **more) -> str:
    """The address of the difference page."""
    answer = upload(visitor, *rows, **more)
    assert answer.status_code == 303, words(answer)
    return str(answer.location)


def test_a_file_is_checked_shown_and_applied(registrar, store, tenant):
    make.make_record(store, tenant, code="1", family_name="Соснова", given_name="Вера", kell=None)
    where = check(registrar, "1;Соснова;Вера;I;-;-;;", "2;Ель;Ян;II;+;+;нет;", "3;Бор;Ян;Z;+;+;;")
    page = registrar.page(where)
    text = words(page)
    assert headings(page)[0] == "доноры.csv"
    assert "1 новых" in text
    assert "было III (B) → станет I (O)" in text
    assert store.scalar(select(func.count()).select_from(DonorRecord)) == 1
    bad = words(registrar.page(f"{where}?lines=bad"))
    assert "«Z» – не группа крови" in bad

    answer = registrar.submit(where, form=f"{where}apply/")
    assert answer.status_code == 303
    text = words(registrar.page(where))
    assert "Файл загружен." in text
    groups = store.execute(select(DonorRecord.code, DonorRecord.blood_group))
    assert {row.code: row.blood_group for row in groups} == {"1": BloodGroup.O, "2": BloodGroup.A}
    assert "не хранится" in words(registrar.page(f"{where}?lines=new"))


def test_the_page_says_how_many_records_there_are_whether_or_not_by_a_file(
    registrar, store, tenant, monkeypatch
):
    empty = words(registrar.page("/staff/imports/"))
    assert "Файлов ещё не было" in empty and "В файле доноров" not in empty
    for code in ("1", "2"):
        make.make_record(store, tenant, code=code)
    make.make_record(store, make.make_tenant(store, name="Чужой центр"), code="3")
    told = words(registrar.page("/staff/imports/"))
    assert "В файле доноров 2 записи." in told
    assert "Через эту страницу файлов ещё не загружали" in told
    monkeypatch.setattr(import_pages, "COUNT_TO", 1)
    assert "Записей в файле доноров больше 1." in words(registrar.page("/staff/imports/"))


def test_pressing_apply_twice_applies_once(registrar, store):
    where = check(registrar, "1;;;I;+;;;")
    registrar.send(f"{where}apply/")
    registrar.send(f"{where}apply/")
    assert "уже закончили" in words(registrar.page(where))
    assert store.scalar(select(func.count()).select_from(DonorRecord)) == 1


def test_records_changed_meanwhile_are_compared_anew_and_nothing_is_applied(
    registrar, store, tenant
):
    record = make.make_record(store, tenant, code="1")
    where = check(registrar, "1;;;I;-;;;", "2;;;I;+;;;")
    record.blood_group = BloodGroup.AB
    answer = registrar.send(f"{where}apply/")
    assert answer.status_code == 303
    text = words(registrar.page(where))
    assert "ничего не загружено" in text
    assert "было IV (AB)" in text
    assert store.scalar(select(func.count()).select_from(DonorRecord)) == 1
    registrar.send(f"{where}apply/")
    assert store.scalar(select(func.count()).select_from(DonorRecord)) == 2


def test_people_already_booked_are_named_before_and_after(registrar, store, tenant):
    donor = make.make_donor(store, tenant, donor_code="1", family_name="Соснова")
    make.make_record(store, tenant, donor)
    day = make.make_schedule(store, tenant)
    booking = make.make_appointment(store, tenant, donor, day, status=AppointmentStatus.BOOKED)
    where = check(registrar, "1;;;III;-;;постоянный;")
    for _ in range(2):
        page = registrar.page(where)
        assert "Уже записанные люди" in words(page)
        assert str(booking.number) in words(page)
        assert page.xpath(f"//a[@href='/staff/donors/{donor.person.uid}/']")
        registrar.send(f"{where}apply/")
    actions = store.scalars(select(AccessEvent.action)).all()
    assert "imports.affected" in actions


def test_a_file_that_concerns_nobody_says_so(registrar):
    assert "Никого из уже записанных" in words(registrar.page(check(registrar, "1;;;I;+;;;")))


def test_a_file_is_discarded_after_a_question(registrar, store):
    where = check(registrar, "1;;;I;+;;;")
    assert "Отклонить файл" in words(registrar.page(f"{where}discard/"))
    assert store.scalars(select(DonorImport.status)).one() is ImportStatus.CHECKED
    assert registrar.submit(f"{where}discard/").status_code == 303
    assert store.scalars(select(DonorImport.status)).one() is ImportStatus.DISCARDED
    assert store.scalars(select(DonorRecord)).all() == []


def test_headings_that_are_not_understood_are_named(registrar):
    data = "код донора;группа;резус;СНИЛС\n1;I;+;0\n".encode()
    assert "СНИЛС" in words(registrar.page(check(registrar, data=data)))


def test_the_same_file_again_is_pointed_out(registrar):
    where = check(registrar, "1;;;I;+;;;")
    registrar.send(f"{where}apply/")
    assert "Точно такой же файл" in words(registrar.page(check(registrar, "1;;;I;+;;;")))


def test_long_lists_go_on_by_line(registrar):
    where = check(registrar, *(f"{number};;;I;+;;;" for number in range(1, 151)))
    first = registrar.page(where)
    (further,) = first.xpath("//a[@rel='next']/@href")
    assert "150" in words(registrar.page(further))
    assert registrar.page(further).xpath("//a[@rel='next']") == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "нет строк с донорами"),
        (b"PK\x03\x04", "книга Excel"),
        ("1;I;+\n2;I;+\n".encode("cp1251"), "заголовками не найдена"),
        ("код донора;группа крови;резус-фактор\n1;I;+".encode("utf-16"), "кодировке"),
        ("код донора;фамилия\n1;Ель".encode(), "группа крови"),
        ("код донора;группа крови;группа".encode(), "одно и то же"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(registrar, store, data, sentence):
    answer = upload(registrar, data=data)
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert store.scalars(select(DonorImport)).all() == []


def test_no_file_is_asked_for_again(registrar):
    answer = registrar.send("/staff/imports/")
    assert answer.status_code == 422
    assert "Выберите файл" in words(answer)


def test_too_large_a_file_is_refused_with_the_limit(registrar):
    answer = upload(registrar, data=b"x" * (donor_file.MOST_BYTES + 1))
    assert answer.status_code == 422
    assert "больше 20 МБ" in words(answer)


def test_the_example_can_be_loaded_as_it_is(registrar):
    example = registrar.get("/staff/imports/example.csv")
    assert example.data.startswith(b"\xef\xbb\xbf")
    where = check(registrar, data=example.data)
    text = words(registrar.page(where))
    assert "4 новых" in text
    assert "0 не читается" in text


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\доноры\\файл.csv", "x" * 400, "<b>.csv"])
def test_the_files_name_is_a_name_and_nothing_else(registrar, store, name):
    page = registrar.get(check(registrar, "1;;;I;+;;;", name=name)).get_data(as_text=True)
    kept = store.scalars(select(DonorImport.file_name)).one()
    assert "/" not in kept
    assert "\\" not in kept
    assert len(kept) <= 200
    assert "<b>.csv" not in page


def test_payloads_in_cells_stay_literal(registrar):
    where = check(registrar, "1;<script>x</script>;=HYPERLINK(1);I;+;;;", "2;;;<img>;+;;;")
    for lines in ("new", "bad"):
        page = registrar.get(f"{where}?lines={lines}").get_data(as_text=True)
        assert "<script>x" not in page
        assert "<img>" not in page


@pytest.mark.parametrize(
    "query", ["lines=x", "after=x", "after=-1", "after=" + "9" * 30, "lines=%00"]
)
def test_a_malformed_address_never_breaks(registrar, query):
    where = check(registrar, "1;;;I;+;;;")
    assert registrar.get(f"{where}?{query}").status_code in (200, 400)


@pytest.mark.parametrize("role", [r for r in Role if r is not Role.REGISTRAR])
def test_only_registrars_load_files(as_staff, registrar, tenant, role):
    where = check(registrar, "1;;;I;+;;;")
    visitor = as_staff(role, tenant.root)
    for path in ("/staff/imports/", "/staff/imports/example.csv", where, f"{where}discard/"):
        assert visitor.get(path).status_code == 403
    assert visitor.send(f"{where}apply/").status_code == 403
    assert visitor.send(f"{where}discard/").status_code == 403


def test_files_of_another_organization_are_not_there(as_staff, registrar, store):
    where = check(registrar, "1;;;I;+;;;")
    other = make.make_tenant(store, name="Другой центр")
    stranger = as_staff(Role.REGISTRAR, other.root)
    assert "доноры.csv" not in words(stranger.page("/staff/imports/"))
    for path in (where, f"{where}discard/", f"/staff/imports/{uuid.uuid4()}/"):
        assert stranger.get(path).status_code == 404
    for name in ("apply", "discard"):
        assert stranger.send(f"{where}{name}/").status_code == 404
    assert store.scalars(select(DonorImport.status)).one() is ImportStatus.CHECKED


def test_who_works_for_two_organizations_says_whose_file_it_is(as_staff, store, tenant):
    other = make.make_tenant(store, name="Другой центр")
    user = make.make_staff(store, Role.REGISTRAR, tenant.root)
    user.roles.append(type(user.roles[0])(role=Role.REGISTRAR, organization_id=other.id))
    store.flush()
    visitor = as_staff(user)
    check(visitor, "1;;;I;+;;;", organization=str(other.root.uid))
    assert store.scalars(select(DonorImport.tenant_id)).one() == other.id
    assert upload(visitor, "1;;;I;+;;;", organization=str(uuid.uuid4())).status_code == 422


def test_the_anonymous_are_sent_to_the_door(client):
    assert client.get("/staff/imports/").status_code == 303
