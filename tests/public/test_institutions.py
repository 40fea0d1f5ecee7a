"""Patients choose: settlement, institution, department and specialty or service, doctor, day and time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Department, HealthcareService, PractitionerRole, Specialty
from app.models.enums import Channel, SlotStatus
from tests import make
from tests.client import Visitor, headings, words
from tests.statements import statements

DAY = "2026-11-25"
"""Two days after NOW: a Wednesday."""


@dataclass
class Clinic:
    tenant: make.Tenant
    service: HealthcareService
    children: Department
    district: Department
    role: PractitionerRole
    surgeon: PractitionerRole

    @property
    def url(self) -> str:
        return f"/institutions/{self.tenant.branch.uid}"


@pytest.fixture
def clinic(store: Session) -> Clinic:
    """Two doctors: a paediatrician of a district, who gives the service, and a surgeon."""
    tenant = make.make_polyclinic(store, book_days_ahead=14)
    tenant.branch.phones = "+7 495 111-22-33"
    service = make.make_service(
        store, tenant, code="B01.064.001", name_ru="Прием врача стоматолога первичный"
    )
    children = make.make_department(store, tenant, name="Детская поликлиника", code="292")
    district = make.make_department(
        store, tenant, name="Участок №1", part_of_id=children.id, address="ул. Детская, 5"
    )
    doctor = make.make_practitioner(
        store, tenant, services=[service], position="врач-педиатр", note_ru="прием по полису ОМС"
    )
    child = make.make_specialty(
        store, code="paediatrician", name_ru="Врач-педиатр", name_en="Paediatrician"
    )
    role = make.make_role(store, tenant, practitioner=doctor, specialty=child, department=district)
    make.make_sitting(store, role, times=("09:00", "09:25", "09:30", "09:45"))
    other = make.make_practitioner(
        store, tenant, family_name="Пихтин", given_name="Лев", patronymic=""
    )
    surgery = make.make_specialty(store, code="surgeon", name_ru="Врач-хирург")
    surgeon = make.make_role(store, tenant, practitioner=other, specialty=surgery)
    return Clinic(tenant, service, children, district, role, surgeon)


def cells(page, name: str) -> list[str]:
    """The row of a doctor in the week's grid: seven cells in words."""
    row = page.xpath(f"//table[@class='week']/tbody/tr[contains(th, '{name}')]")[0]
    return [" ".join(td.text_content().split()) for td in row.xpath("td")]


# --- settlement and institution


def test_the_start_page_leads_to_doctors_where_somebody_takes_patients(
    client: Visitor, store: Session
) -> None:
    make.make_schedule(store, make.make_tenant(store))
    assert not client.page("/").xpath("//a[@href='/institutions']")
    make.make_polyclinic(store)
    page = client.page("/")
    assert [a.text_content() for a in page.xpath("//main//a[@href='/institutions']")] == [
        "Выбрать учреждение и врача"
    ]
    assert page.xpath("//table[contains(@class, 'places')]"), "the donors' list stays"


def test_settlements_stand_under_their_letters_and_the_choice_is_remembered(
    client: Visitor, store: Session
) -> None:
    for name in ("Ёлкино", "Берёзово", "Ельня"):
        make.make_polyclinic(store, name=f"Клиника {name}").branch.settlement = name
    page = client.page("/settlements")
    assert [h.text for h in page.xpath("//main//h2")] == ["Б", "Е", "Л"]
    assert [a.text for a in page.xpath("//section[2]//a")] == ["Ёлкино", "Ельня"]
    client.page(f"/institutions?city={quote('Ёлкино')}")
    page = client.page("/institutions")
    assert "Ваш населённый пункт: Ёлкино" in words(page)
    assert "Найдено учреждений: 1" in words(page)
    assert "Найдено учреждений: 6" in words(client.page("/institutions?city="))


def test_the_display_settings_keep_the_settlement_and_it_keeps_them(
    client: Visitor, clinic: Clinic
) -> None:
    client.send("/settings", {"size": "large", "contrast": "", "spacing": "wide"})
    client.page(f"/institutions?city={quote('Лесной')}")
    assert client.page("/institutions").get("data-size") == "large"
    client.send("/settings", {"size": "huge", "contrast": "", "spacing": ""})
    page = client.page("/institutions")
    assert page.get("data-size") == "huge"
    assert "Ваш населённый пункт: Лесной" in words(page)


def test_institutions_are_found_by_type_specialty_and_name(
    client: Visitor, clinic: Clinic, store: Session
) -> None:
    clinic.tenant.branch.institution = "dental"
    for query, number in (
        ("type=dental", 1),
        ("type=clinic", 1),
        ("type=nonsense", 0),
        ("specialty=surgeon", 1),
        ("specialty=nobody", 0),
        (f"q={quote('СОСНЫ')}", 1),
        (f"q={quote('лесн_')}", 0),
    ):
        assert f"Найдено учреждений: {number}" in words(client.page(f"/institutions?{query}")), (
            query
        )


def test_the_organization_is_chosen_and_then_its_institution(
    client: Visitor, clinic: Clinic, store: Session
) -> None:
    """Row D5; an organization of one institution has nothing to choose from."""
    alone = make.make_polyclinic(store, name="Горная поликлиника")
    alone.root.takes_patients, alone.branch.settlement = False, "Горный"
    assert client.page("/institutions").xpath("//main//a[@href='/organizations']")
    page = client.page("/organizations")
    assert headings(page) == ["Выберите медицинскую организацию"]
    found = {" ".join(a.text_content().split()): a.get("href") for a in page.xpath("//main//ul//a")}
    (own,) = (href for name, href in found.items() if name.startswith("Лесная поликлиника"))
    (other,) = (href for name, href in found.items() if name.startswith("Горная поликлиника"))
    assert len(found) == 2 and any("Учреждений: 2" in name for name in found)
    answer = client.get(other)
    assert (answer.status_code, answer.location) == (303, f"/institutions/{alone.branch.uid}")

    page = client.page(own)
    assert headings(page)[0] == "Выберите лечебное учреждение"
    units = [a.get("href") for a in page.xpath("//main//h2/a")]
    assert units == [f"/institutions/{clinic.tenant.root.uid}", clinic.url]
    (back,) = client.page(clinic.url).xpath("//a[.='Учреждения той же организации']")
    assert headings(client.page(back.get("href")))[0] == "Выберите лечебное учреждение"

    client.get(f"/institutions?city={quote('Горный')}")  # remembered
    page = client.page("/organizations")
    assert len(page.xpath("//main//ul//a")) == 1
    everywhere = page.xpath("//main//a[.='Показать все населённые пункты']/@href")[0]
    assert len(client.page(everywhere).xpath("//main//ul//a")) == 2
    assert client.get(f"/organizations/{make.make_tenant(store).root.uid}").status_code == 404


# --- the three columns


def test_the_page_has_the_head_and_the_three_columns_of_the_source(
    client: Visitor, clinic: Clinic
) -> None:
    place = clinic.tenant.branch
    place.site, place.hours = "https://clinic.example", "пн–пт 8:00–20:00"
    page = client.page(clinic.url)
    assert [h.text for h in page.xpath("//main//h2")] == [
        "Активные талоны", "Отделения", "Специальности врачей", "График приёма",
    ]  # fmt: skip
    text = words(page)
    for said in (
        "Поликлиника",
        "Регистратура",
        "+7 495 111-22-33",
        "Режим работы",
        "пн–пт 8:00–20:00",
    ):
        assert said in text
    assert page.xpath("//a[@href='https://clinic.example'][normalize-space()='Перейти']")
    assert "Детская поликлиника (292)" in text
    assert "Адрес: ул. Детская, 5" in text
    assert [a.text for a in page.xpath("//nav[@class='weeks']//a")] == [
        "23.11–29.11", "30.11–06.12", "07.12–13.12", "14.12–20.12",
    ]  # fmt: skip
    assert page.xpath("//table[@class='week']/thead//th/text()")[1] == "пн, 23"
    assert "врач-педиатр Еловая Марта Сергеевна (прием по полису ОМС)" in text
    assert "Ближайшее доступное время приёма: ср, 25 ноября, 9:00" in text
    row = cells(page, "Еловая")
    assert row[2] == "9:00 до 10:00 свободно: 4"
    assert row[0] == "-приёма нет"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Еловая", "Пихтин"}),
        ("department={children}", {"Еловая"}),
        ("department={district}", {"Еловая"}),
        ("find=участок", {"Еловая"}),
        ("find=нет+такого", set()),
        ("specialty=surgeon", {"Пихтин"}),
        ("doctor=ПИХТ", {"Пихтин"}),
        ("doctor=еловая+марта", {"Еловая"}),
        ("free=1", {"Еловая"}),
        ("from=2026-11-25&to=2026-11-25", {"Еловая"}),
        ("from=2026-11-26&to=2026-11-29", set()),
        ("service={service}", {"Еловая"}),
        ("service=" + make.NOBODYS_UID, set()),
        ("department=" + make.NOBODYS_UID, set()),
    ],
)
def test_every_filter_narrows_the_doctors(
    client: Visitor, clinic: Clinic, query: str, names: set[str]
) -> None:
    query = query.format(
        children=clinic.children.uid, district=clinic.district.uid, service=clinic.service.uid
    )
    page = client.page(f"{clinic.url}?{quote(query, safe='=&+')}")
    text = " ".join(
        th.text_content() for th in page.xpath("//table[@class='week']//th[@scope='row']")
    )
    assert {name for name in ("Еловая", "Пихтин") if name in text} == names


def test_another_week_is_a_link_and_a_week_that_is_over_is_not_shown(
    client: Visitor, clinic: Clinic, store: Session
) -> None:
    make.make_sitting(store, clinic.role, date=dt.date(2026, 12, 4), times=("10:00", "10:30"))
    page = client.page(f"{clinic.url}?week=2026-12-04")
    assert cells(page, "Еловая")[4] == "10:00 до 10:45 свободно: 2"
    assert page.xpath("//nav[@class='weeks']//a[@aria-current]")[0].text == "30.11–06.12"
    assert (
        client.page(f"{clinic.url}?week=2020-01-01")
        .xpath("//nav[@class='weeks']//a[@aria-current]")[0]
        .text
        == "23.11–29.11"
    )


def test_without_a_wish_the_week_of_the_nearest_free_time_is_shown(
    client: Visitor, clinic: Clinic, store: Session
) -> None:
    make.make_sitting(store, clinic.surgeon, date=dt.date(2026, 12, 1), times=("10:00", "10:30"))

    def week(query: str = "") -> str:
        page = client.page(clinic.url + query)
        return str(page.xpath("//nav[@class='weeks']//a[@aria-current]")[0].text)

    assert week() == "23.11–29.11"
    assert week("?specialty=surgeon") == "30.11–06.12"
    assert week("?specialty=surgeon&week=2026-11-23") == "23.11–29.11"


def test_the_page_takes_three_queries_whatever_its_size_beside_the_frames_own(
    client: Visitor, clinic: Clinic, store: Session, app: Flask
) -> None:
    with app.app_context():
        engine = db.engine
    client.page(clinic.url)
    assert queries(client, clinic.url, engine) == 3
    for _ in range(12):
        role = make.make_role(
            store,
            clinic.tenant,
            specialty=store.get_one(Specialty, clinic.role.specialty_id),
            department=make.make_department(store, clinic.tenant),
        )
        make.make_sitting(store, role, days=3)
    assert queries(client, clinic.url, engine) == 3
    assert queries(client, f"{clinic.url}/doctors/{clinic.role.uid}", engine) == 3


def queries(client: Visitor, url: str, engine: sa.Engine) -> int:
    """How many the page asks itself; the frame's links (staff's pages, districts) are asked for beside."""
    with statements(engine) as seen:
        assert client.get(url).status_code == 200
    frame = ("FROM page", "FROM district")
    return len([line for line in seen if not any(words in line for words in frame)])


# --- the other way in, and one doctor


def test_a_service_leads_to_who_gives_it_and_to_the_times_for_it(
    client: Visitor, clinic: Clinic, store: Session
) -> None:
    make.make_service(store, clinic.tenant, name_ru="Никем не оказываемая")
    page = client.page(f"{clinic.url}/services")
    links = page.xpath("//ul[@class='others']//a")
    assert [words(a) for a in links] == [
        "B01.064.001 Прием врача стоматолога первичный по полису ОМС"
    ]
    page = client.page(links[0].get("href"))
    doctor = page.xpath("//table[@class='week']//th[@scope='row']/a")
    assert len(doctor) == 1
    page = client.page(doctor[0].get("href"))
    assert "B01.064.001 Прием врача стоматолога первичный" in words(page)
    assert len(page.xpath("//ul[@class='times']/li")) == 4


def test_a_sitting_for_one_service_is_not_offered_for_another(
    client: Visitor, clinic: Clinic, store: Session
) -> None:
    other = make.make_service(store, clinic.tenant)
    make.make_sitting(store, clinic.role, days=3, service=other, times=("12:00",))
    url = f"{clinic.url}/doctors/{clinic.role.uid}"
    assert len(client.page(url).xpath("//ul[@class='dates']/li")) == 2
    assert (
        len(client.page(f"{url}?service={clinic.service.uid}").xpath("//ul[@class='dates']/li"))
        == 1
    )


def test_every_time_says_its_state_and_the_reason_stands_beside(
    client: Visitor, clinic: Clinic, store: Session
) -> None:
    page = client.page(f"{clinic.url}/doctors/{clinic.role.uid}")
    assert headings(page)[0] == "Врач-педиатр Еловая Марта Сергеевна (прием по полису ОМС)"
    assert [words(li) for li in page.xpath("//ul[@class='times']/li")] == [
        "9:00 свободно, плановый", "9:25 свободно, плановый", "9:30 свободно, плановый",
        "9:45 свободно, плановый",
    ]  # fmt: skip
    assert "Выберите время: оно будет держаться за вами" in words(page)
    schedule = make.make_sitting(
        store, clinic.role, days=0, times=("09:00", "12:00", "13:00", "14:00", "15:00")
    )
    _, taken, held, desk, closed = make.slots_of(store, schedule)
    taken.status, held.status, closed.status = SlotStatus.BUSY, SlotStatus.HELD, SlotStatus.CLOSED
    desk.channel = Channel.DESK
    make.make_sitting(store, clinic.role, days=15, times=("09:00",))
    page = client.page(f"{clinic.url}/doctors/{clinic.role.uid}?day=2026-11-23")
    assert [words(li) for li in page.xpath("//ul[@class='times']/li")] == [
        "9:00 время прошло", "12:00 занято", "13:00 выбирают",
        "14:00 только через регистратуру", "15:00 закрыто",
    ]  # fmt: skip
    assert len(page.xpath("//dl[@class='legend']//dd")) == 5
    assert "Это время регистратура распределяет сама" in words(page)
    assert "Выберите время" not in words(page), "nothing is free on this day"
    page = client.page(f"{clinic.url}/doctors/{clinic.role.uid}?day=2026-12-08")
    assert "9:00 запись ещё не открыта" in words(page)
    assert "Запись на этот день откроется вт, 24 ноября." in words(page)


def test_a_day_without_reception_says_so(client: Visitor, clinic: Clinic) -> None:
    page = client.page(f"{clinic.url}/doctors/{clinic.role.uid}?day=2026-11-26")
    assert "В этот день приёма нет" in words(page)


# --- what is not there, in another language, bad input


def test_what_is_not_for_patients_or_of_another_institution_is_not_found(
    client: Visitor, clinic: Clinic, store: Session
) -> None:
    centre = make.make_tenant(store).branch
    foreign = make.make_role(store, make.make_polyclinic(store, name="Речная поликлиника"))
    for path in (
        f"/institutions/{centre.uid}",
        f"/institutions/{make.NOBODYS_UID}",
        f"/institutions/{make.NOBODYS_UID}/services",
        f"{clinic.url}/doctors/{foreign.uid}",
        f"{clinic.url}/doctors/{make.NOBODYS_UID}",
        f"{clinic.url}/doctors/{clinic.surgeon.uid}?service={clinic.service.uid}",
        "/institutions/nonsense",
    ):
        assert client.get(path).status_code == 404, path


def test_whoever_was_switched_off_is_not_offered(
    client: Visitor, clinic: Clinic, store: Session
) -> None:
    clinic.role.is_active = False
    assert "Еловая" not in words(client.page(clinic.url))
    clinic.tenant.branch.is_active = False
    assert client.get(clinic.url).status_code == 404


def test_the_pages_speak_english(client: Visitor, clinic: Clinic) -> None:
    for path, said in (
        ("/settlements", "Choose your settlement"),
        ("/institutions", "Institutions found: 2"),
        ("/organizations", "Choose a medical organization"),
        (f"/organizations/{clinic.tenant.root.uid}", "Choose an institution"),
        (clinic.url, "Doctors’ specialties"),
        (f"{clinic.url}/services", "under the OMS policy"),
        (f"{clinic.url}/doctors/{clinic.role.uid}", "Paediatrician"),
    ):
        assert said in words(client.page(f"{path}?lang=en")), path


@pytest.mark.parametrize("text", ["%", "_", "9" * 40, "2026-13-45", "<b>", "'", "None", "٣"])
def test_no_query_breaks_a_page(client: Visitor, clinic: Clinic, text: str) -> None:
    for path in (
        "/settlements",
        "/institutions",
        "/organizations",
        clinic.url,
        f"{clinic.url}/doctors/{clinic.role.uid}",
    ):
        names = ("city", "type", "specialty", "q", "department", "find", "doctor", "from", "to", "free",
                 "service", "week", "day")  # fmt: skip
        for name in names:
            assert client.get(f"{path}?{name}={quote(text)}").status_code == 200, (path, name)
