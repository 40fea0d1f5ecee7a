"""«Поиск участка»: the sentences of the source system, whatever is typed, and when it is in the menu."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from app.models.enums import DistrictKind, Parity
from tests import make
from tests.client import parsed, words

URL = "/districts"


def asked(query: str) -> str:
    return f"{URL}?{quote(query, safe='=&')}"


@pytest.fixture
def tenant(store):
    made = make.make_polyclinic(store)
    made.branch.phone, made.branch.phones = "", "(3467) 00-00-00"
    doctor = make.make_practitioner(
        store,
        made,
        family_name="Григорьева",
        given_name="Татьяна",
        patronymic="Дмитриевна",
        position="врач-терапевт участковый",
    )
    district = make.make_district(store, made)
    make.make_district_doctor(store, district, make.make_role(store, made, practitioner=doctor))
    make.make_range(store, district, first_house=1, last_house=15, parity=Parity.ODD)
    children = make.make_district(store, made, kind=DistrictKind.PAEDIATRIC, number="10")
    make.make_range(store, children)
    store.flush()
    return made


def test_the_district_and_the_doctor_are_named_as_in_the_source(client, tenant):
    text = words(client.page(asked("street=ул. Ленина&house=7 корп. 2")))
    assert "Ваш участок: Участок №91, Терапевтический" in text
    assert "Ваш врач: Григорьева Татьяна Дмитриевна, врач-терапевт участковый" in text
    assert "Адрес: Ленина, 7к2" in text
    assert "Ваш участок: Участок №10, Педиатрический" in text
    assert "Сейчас на участке нет постоянного врача" in text


def test_the_doctor_s_times_are_one_step_away(client, tenant):
    page = client.page(asked("street=ул. Ленина&house=7"))
    [link] = page.xpath("//a[starts-with(., 'Время приёма и запись')]/@href")
    assert "Григорьева" in words(client.page(link))


def test_the_other_side_of_the_street_is_another_district_s(client, tenant):
    text = words(client.page(asked("street=Ленина&house=8")))
    assert "Участок №91" not in text and "Участок №10" in text


def test_nothing_found_is_said_with_the_telephone(client, tenant):
    text = words(client.page(asked("street=Несуществующая&house=8")))
    assert "Нет совпадений. Уточните параметры поиска или свяжитесь с ЛПУ" in text
    assert "(3467) 00-00-00" in text


def test_it_speaks_english(client, tenant):
    text = words(client.page(asked("street=Ленина&house=7&lang=en")))
    assert "Your district: District No. 91, Therapeutic" in text
    assert "Your doctor: Григорьева" in text


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("street=Ленина", "house", "Укажите номер дома"),
        ("house=5", "street", "Укажите улицу"),
        ("street=Ленина&house=кв. 5", "house", "не номер дома"),
        ("street=ул.&house=5", "street", "не название улицы"),
        (f"street=Ленина&house=5&organization={make.NOBODYS_UID}", "organization", "Выберите"),
        ("street=Ленина&house=5&organization=x", "organization", "Выберите"),
    ],
)
def test_what_cannot_be_looked_up_is_said_at_its_field(client, tenant, query, field, sentence):
    answer = client.get(asked(f"{query}"))
    assert answer.status_code == 422
    page = parsed(answer)
    assert page.xpath("//*[@id=$id][@aria-invalid='true']", id=field)
    assert page.xpath("//div[@role='alert']//a/@href") == [f"#{field}"]
    assert sentence in words(page)


def test_streets_are_offered_of_the_chosen_organization_alone(client, tenant, store):
    other = make.make_polyclinic(store, name="Другая")
    make.make_range(store, make.make_district(store, other), street="Дальняя")
    page = client.page(URL)
    assert len(page.xpath("//select[@id='organization']/option")) == 3
    assert page.xpath("//datalist/option/@value") == []
    page = client.page(asked(f"organization={other.branch.uid}"))
    assert page.xpath("//datalist/option/@value") == ["Дальняя"]
    assert not page.xpath("//*[@aria-invalid]")
    text = words(client.page(asked(f"organization={other.branch.uid}&street=Ленина&house=7")))
    assert "Нет совпадений" in text


def test_the_search_is_in_the_menu_only_where_there_are_districts(client, tenant, store):
    there = "//nav[contains(@class, 'menu')]//a[@href='/districts']"
    assert client.page("/sign-in").xpath(there)
    for place in (tenant.root, tenant.branch):
        place.takes_patients = False
    assert not client.page("/sign-in").xpath(there)
    assert "не указало своих участков" in words(client.page(URL))


def test_no_organization_means_no_search_in_the_menu(client, store):
    make.make_polyclinic(store)
    assert not client.page("/sign-in").xpath("//a[@href='/districts']")
