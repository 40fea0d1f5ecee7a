"""The institutions nearest to an address: in order, numbered, the way in words; the map's own headers."""

from __future__ import annotations

from importlib.metadata import distribution
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.rules.distances import Point
from app.security import CSP
from tests import make
from tests.client import Visitor, headings, words

TILES = "https://tiles.example.ru/{z}/{x}/{y}.png"


@pytest.fixture
def places(store: Session) -> dict[str, make.Tenant]:
    """Three institutions of Лесной: far, near, and one without coordinates."""
    found = {}
    for name, at in (
        ("Дальняя", Point(61.0, 69.1)),
        ("Ближняя", Point(61.003, 69.0)),
        ("Где-то", None),
    ):
        tenant = found[name] = make.make_polyclinic(store, name=f"{name} больница")
        tenant.root.takes_patients = False
        place = tenant.branch
        place.short_name, place.address = name, f"ул. Мира, {len(found)}"
        if at is not None:
            place.latitude, place.longitude = at.latitude, at.longitude
    return found


@pytest.fixture
def street(store: Session) -> None:
    make.make_address(store, at=(61.001, 69.0))
    make.make_address(store, house="7", at=(61.0, 69.0))


def url(street: str = "", house: str = "", city: str = "Лесной") -> str:
    return f"/institutions?city={quote(city)}&street={quote(street)}&house={quote(house)}"


def listed(page) -> list[str]:
    return [words(each) for each in page.xpath("//ul[@class='institutions']/li//h2")]


def test_the_page_has_the_words_of_the_source(client: Visitor, places, street) -> None:
    page = client.page(url())
    assert headings(page)[0] == "Поиск учреждений в населённом пункте Лесной"
    text = words(page)
    assert "Найдено учреждений: 3" in text
    assert "Через Талон вы можете записаться в любое учреждение" in text
    for label in ("Тип учреждения", "Специальность врача", "Улица", "Дом"):
        assert page.xpath("//form//label[normalize-space()=$text]", text=label), label
    assert page.xpath("//legend")[0].text == "Ближайшие к адресу"
    assert page.xpath("//datalist[@id='streets']/option/@value") == ["Ленина"]
    assert listed(page) == ["1 Ближняя", "Где-то", "2 Дальняя"], (
        "by the alphabet without an address"
    )
    more = page.xpath("//li//a[starts-with(normalize-space(), 'Подробнее')]/@href")
    assert more == [
        f"/institutions/{places[n].branch.uid}" for n in ("Ближняя", "Где-то", "Дальняя")
    ]
    assert "Search for institutions in the settlement" in words(client.page(url() + "&lang=en"))


@pytest.mark.parametrize(
    ("house", "said", "way"),
    [
        ("7", "Показано от адреса: Лесной, Ленина, 7.", "330 м"),
        ("9", "Точного дома нет в справочнике (дом 9), показано от ближайшего известного: Лесной, Ленина, 7.", "330 м"),
        ("", "Дом не указан, показано от середины улицы: Лесной, Ленина.", "220 м"),
    ],
)  # fmt: skip
def test_the_nearest_come_first_with_their_way(
    client: Visitor, places, street, house: str, said: str, way: str
) -> None:
    page = client.page(url("ленина ул.", house))
    assert listed(page) == ["1 Ближняя", "2 Дальняя", "Где-то"]
    ways = [words(each) for each in page.xpath("//p[contains(@class, 'way')]")]
    assert ways == [
        f"{way} от указанного адреса", "5,4 км от указанного адреса", "Расстояние неизвестно.",
    ]  # fmt: skip
    assert said in words(page)
    assert page.xpath("//li/@data-number") == ["1", "2"]
    assert page.xpath("//input[@id='house']/@value") == [house]


def test_a_street_without_houses_is_shown_by_its_middle(
    client: Visitor, places, store: Session
) -> None:
    make.make_address(store, street="Мира", at=(61.0, 69.1))
    text = words(client.page(url("Мира", "5")))
    assert (
        "Точного дома нет в справочнике (дом 5), показано от середины улицы: Лесной, Мира." in text
    )


@pytest.mark.parametrize(
    ("address", "field", "sentence"),
    [
        (("Кривая", "7"), "street", "Улицы «Кривая» (Лесной) нет в справочнике адресов"),
        (("ул.", "7"), "street", "не название улицы"),
        (("", "7"), "street", "Укажите улицу"),
        (("Ленина", "дом"), "house", "не номер дома"),
        (("Ленина", "7", ""), "street", "Сначала выберите населённый пункт"),
    ],
)
def test_what_is_no_address_is_said_and_the_list_stays(
    client: Visitor, places, street, store: Session, address, field: str, sentence: str
) -> None:
    make.make_polyclinic(store, name="Чужая").branch.settlement = "Степной"
    page = client.page(url(*address))
    assert page.xpath("//*[@id=$id][@aria-invalid='true']", id=field)
    assert sentence in words(page.xpath("//p[@id=$id]", id=f"{field}-error")[0])
    assert page.xpath("//input[@id='street']/@value") == [address[0]]
    assert {"1 Ближняя", "Где-то"} <= set(listed(page))
    assert not page.xpath("//p[contains(@class, 'way')]")


def test_without_addresses_nobody_is_asked_for_one(client: Visitor, places) -> None:
    page = client.page(url())
    assert not page.xpath("//input[@id='street']")
    assert page.xpath("//section[@class='map-part']"), "the map needs no addresses"


def test_without_coordinates_there_is_no_map(client: Visitor, store: Session) -> None:
    place = make.make_polyclinic(store).branch
    for path in ("/institutions", f"/institutions/{place.uid}"):
        page = client.page(path)
        assert not page.xpath("//section[@class='map-part'] | //script")
        assert "показать на карте" not in words(page)


def test_the_page_of_an_institution_leads_back_and_shows_it_on_the_map(
    client: Visitor, places
) -> None:
    place = places["Ближняя"].branch
    place.directions = "Автобус 3"
    page = client.page(f"/institutions/{place.uid}")
    assert page.xpath("//a[normalize-space()='Другая больница']/@href") == ["/institutions"]
    (details,) = page.xpath("//details[summary[normalize-space()='показать на карте']]")
    assert [words(p) for p in details.xpath("./div/p")] == [
        "Ближняя", "Поликлиника", "Лесной, ул. Мира, 2", "Автобус 3", "Координаты: 61.0030, 69.0000",
    ]  # fmt: skip
    assert details.xpath(".//a/@href") == ["geo:61.003000,69.000000"]
    assert details.xpath(".//section[@hidden]"), "no empty box without JavaScript"


def test_leaflet_comes_from_here_with_its_licence(client: Visitor, places) -> None:
    box = client.page(url()).xpath("//div[@class='map']")[0]
    for name, said in (("data-script", "Leaflet 1.9.4"), ("data-style", ".leaflet-pane")):
        with client.get(box.get(name)) as answer:
            assert answer.status_code == 200
            assert "max-age=31536000" in answer.headers["Cache-Control"]
            assert said in answer.get_data(as_text=True)
    licence = distribution("django-js-lib-leaflet").read_text("LICENSE")
    assert licence.startswith("BSD 2-Clause License")


def test_pictures_under_the_map_are_nobodys_unless_configured(
    client: Visitor, places, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_of = f"/institutions/{places['Ближняя'].branch.uid}"
    without = f"/institutions/{places['Где-то'].branch.uid}"
    for path in ("/institutions", page_of, without, "/"):
        assert client.get(path).headers["Content-Security-Policy"] == CSP
    assert "data-tiles" not in client.get("/institutions").get_data(as_text=True)

    monkeypatch.setitem(app.config, "MAP_TILES", TILES)
    monkeypatch.setitem(
        app.config, "MAP_ATTRIBUTION", "© Картографы https://tiles.example.ru/licence"
    )
    for path in ("/institutions", page_of):
        answer = client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "img-src 'self' data: https://tiles.example.ru;" in policy
        assert policy.replace(" https://tiles.example.ru", "") == CSP
        page = client.page(path)
        assert page.xpath("//div[@class='map']/@data-tiles") == [TILES]
        assert page.xpath("//a[text()='© Картографы']/@href") == [
            "https://tiles.example.ru/licence"
        ]
    for path in (without, "/", "/settlements"):
        assert client.get(path).headers["Content-Security-Policy"] == CSP

    monkeypatch.setitem(app.config, "MAP_TILES", "/tiles/{z}/{x}/{y}.png")
    assert client.get("/institutions").headers["Content-Security-Policy"] == CSP


@pytest.mark.parametrize("text", ["%", "9" * 90, "<b>", "'", "٣", "я" * 300, "0", "7, 9"])
def test_no_address_breaks_the_page(client: Visitor, places, street, text: str) -> None:
    for query in (url(text), url("Ленина", text), url(text, text)):
        assert client.get(query).status_code == 200, query
