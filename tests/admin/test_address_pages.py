"""Addresses as staff see them: settlements, a file with its dry run, who may and who may only look."""

from __future__ import annotations

import io
from urllib.parse import quote

import pytest
from sqlalchemy import select

from app.models import AddressImport, AddressPoint
from app.models.enums import Role
from tests import make
from tests.client import parsed, words

URL = "/staff/directory/addresses/"
HEADING = "населённый пункт;улица;дом;широта;долгота"


@pytest.fixture
def tenant(store):
    return make.make_polyclinic(store)


@pytest.fixture
def boss(as_staff, tenant):
    """Administers the whole installation."""
    return as_staff(Role.ADMINISTRATOR)


def upload(visitor, *rows, data=None):
    content = data if data is not None else "\n".join([HEADING, *rows]).encode()
    fields = {"file": (io.BytesIO(content), "дома.csv"), "csrf_token": visitor.token("/staff/")}
    answer = visitor.post(URL, data=fields, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()
    return answer


def test_a_file_is_checked_shown_and_applied_once(boss, tenant, store):
    assert "Адресов ещё нет" in words(boss.page(URL))
    make.make_address(store, house="1", at=(61.0, 69.0))
    make.make_address(store, house="3", at=(61.0, 69.0))
    where = upload(
        boss, "Лесной;Ленина;1;61.001;69", "Лесной;Мира;;61;69", "Степной;Мира;;61;69"
    ).location
    page = boss.page(where)
    text = words(page)
    assert "новых улиц: 2" in text and "улиц с изменениями: 1" in text
    rows = [words(row) for row in page.xpath("//section[h2[@id='changes']]//tbody/tr")]
    assert rows[0] == "Ленина, Лесной — 1: 110 м 3"
    assert rows[1] == "Мира, Лесной новая середина улицы — —"
    assert "эти адреса никто искать не будет: Степной" in text
    assert len(store.scalars(select(AddressPoint)).all()) == 2, "a dry run writes nothing"
    assert boss.submit(where, form=f"{where}apply/").status_code == 303
    assert "Файл загружен" in words(boss.page(where))
    houses = store.scalars(select(AddressPoint.house).order_by(AddressPoint.id)).all()
    assert houses == ["1", "", ""]
    boss.send(f"{where}apply/", {"seen": ""})
    assert "уже загружен" in words(boss.page(where))
    row = boss.page(URL).xpath("//table//tr[td[1]='Лесной']/td")
    assert [words(cell) for cell in row][1:3] == ["2", "2"]


def test_a_file_with_a_bad_line_is_not_applied(boss, store):
    where = upload(boss, "Лесной;Мира;;61;69", "Лесной;Мира;дом;61;69").location
    page = boss.page(where)
    text = words(page)
    assert "«дом» – не номер дома" in text and "Лесной; Мира; дом; 61; 69" in text
    assert not page.xpath("//form[contains(@action, 'apply')]")
    boss.send(f"{where}apply/", {"seen": ""})
    assert "Некоторые строки" in words(boss.page(where))
    assert store.scalars(select(AddressPoint)).all() == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "в файле нет строк"),
        ("улица\nМира".encode(), "не хватает: дом, широта"),
        (b"PK\x03\x04", "не CSV"),
        (b"x" * (5 * 1024 * 1024), "4 МБ"),
    ],
    ids=["empty", "headings", "workbook", "large"],
)
def test_what_is_no_such_file_is_refused_at_the_field(boss, store, data, sentence):
    answer = upload(boss, data=data)
    assert answer.status_code == 422
    assert sentence.lower() in words(parsed(answer).xpath("//p[@id='file-error']")[0]).lower()
    assert store.scalars(select(AddressImport)).all() == []


def test_a_settlement_is_taken_away_and_brought_back(boss, tenant, store):
    make.make_address(store, house="7к2", at=(61.0048, 69.0191))
    form = f"{URL}export.csv?settlement={quote('Лесной')}"
    answer = boss.submit(URL, form=form)
    text = answer.get_data().decode("utf-8-sig")
    assert text.splitlines() == [HEADING, "Лесной;Ленина;7к2;61.004800;69.019100"]
    where = upload(boss, data=answer.get_data()).location
    assert "Загружать нечего" in words(boss.page(where))
    assert boss.send(f"{URL}export.csv?settlement=x").status_code == 404


def test_who_works_for_one_body_looks_on(as_staff, boss, tenant, store):
    make.make_address(store)
    where = upload(boss, "Лесной;Мира;;61;69").location
    for role in (Role.ADMINISTRATOR, Role.MANAGER):
        own = as_staff(role, tenant.root)
        page = own.page(URL)
        assert "Лесной" in words(page)
        assert not page.xpath("//input[@type='file']")
        assert upload(own, "Лесной;Мира;;61;69").status_code == 404
        assert own.get(where).status_code == 404
        assert own.send(f"{where}apply/", {"seen": ""}).status_code == 404
    assert as_staff(Role.REGISTRAR, tenant.root).get(where).status_code == 403
    assert len(store.scalars(select(AddressImport)).all()) == 1
