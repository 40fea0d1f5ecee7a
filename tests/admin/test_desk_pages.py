"""The registry desk: find, register, book, move, cancel, and who may; every card seen is written down."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from app.models import AccessEvent, AccessSubject, Appointment, AuditEvent, Consent, Message, Person
from app.models.enums import AppointmentStatus as A
from app.models.enums import (
    Channel,
    Confirmation,
    ConsentChannel,
    DocumentKind,
    MessageKind,
    Role,
    SlotStatus,
)
from app.models.policy_choices import ConsentStep
from app.rules import transitions
from tests import make
from tests.client import headings, parsed, words
from tests.public.clinic import make_clinic

DESK = "/staff/desk/"
GRID = "/staff/grid/"
BORN = dt.date(1988, 2, 14)


@pytest.fixture
def world(store, as_staff) -> SimpleNamespace:
    """A polyclinic that asks the site for codes; a doctor's day; a patient; a registrar at the desk."""
    tenant = make.make_polyclinic(store, confirmation=Confirmation.CODE, live_limit=3)
    tenant.branch.address = "ул. Полевая, 5"
    role = make.make_role(store, tenant)
    day = make.make_sitting(store, role)
    patient = make.make_person(
        store, tenant, family_name="Алёнова", given_name="Анна", birth_date=BORN
    )
    patient.phone = "+79001234567"
    make.make_document(store, patient, DocumentKind.SNILS, "112-233-445 95")
    registrar = make.make_staff(store, Role.REGISTRAR, tenant.root)
    store.flush()
    return SimpleNamespace(
        store=store, tenant=tenant, role=role, day=day, patient=patient,
        slots=make.slots_of(store, day), registrar=registrar, client=as_staff(registrar),
    )  # fmt: skip


def search(world: SimpleNamespace, line: str, born: str = "", start: str = DESK):
    answer = world.client.submit(start, {"q": line, "born": born}, form=f"{DESK}search/")
    assert answer.status_code == 303, words(answer)
    assert not line or line not in unquote(answer.location)
    return world.client.page(answer.location)


def links(page, text: str) -> list[str]:
    return page.xpath(f"//a[normalize-space(text())='{text}' or starts-with(., '{text}')]/@href")


def book_page(world: SimpleNamespace, number: int = 0, who=None) -> str:
    return f"{DESK}book/{world.slots[number].uid}/?person={(who or world.patient).uid}"


def move_page(world: SimpleNamespace, row: Appointment, number: int) -> str:
    return f"{DESK}move/{row.uid}/{world.slots[number].uid}/"


def booked(world: SimpleNamespace, number: int = 0, who=None) -> Appointment:
    return make.make_appointment(
        world.store, world.tenant, who or world.patient, world.day,
        slot=world.slots[number], status=A.BOOKED,
    )  # fmt: skip


def day_page(world: SimpleNamespace, **args: object) -> str:
    query = "".join(f"&{name}={value}" for name, value in args.items())
    return f"{GRID}day/?role={world.role.uid}&date={world.day.date}{query}"


def seen(world: SimpleNamespace, action: str) -> list[int]:
    return list(
        world.store.scalars(
            select(AccessSubject.person_id)
            .join(AccessEvent, AccessEvent.id == AccessSubject.event_id)
            .where(AccessEvent.action == action)
        )
    )


# --- finding


@pytest.mark.parametrize(
    ("line", "born"),
    [("аленова анна", ""), ("112-233-445 95", ""), ("8 900 123-45-67", ""), ("", "14.2.1988")],
)
def test_whatever_is_said_finds_the_person_and_the_list_is_written_down(world, line, born):
    other = make.make_person(world.store, world.tenant, family_name="Дубов")
    page = search(world, line, born)
    assert "Алёнова Анна" in words(page)
    assert "112*****595" in words(page) and "14.02.1988" in words(page)
    assert "Дубов" not in words(page)
    assert seen(world, "desk.list") == [world.patient.id]
    assert other.id not in seen(world, "desk.list")


def test_a_ticket_number_finds_its_owner_and_the_next_visit_stands_there(world):
    row = booked(world)
    page = search(world, f"№ {row.number}")
    assert f"№ {row.number}" in words(page) and "Алёнова" in words(page)


def test_nobody_found_leads_to_registering(world):
    page = search(world, "Несуществующий")
    assert "Никто не найден" in words(page) or "не найден" in words(page)
    assert f"{DESK}new/" in page.xpath("//main//a/@href")


def test_a_date_that_is_none_stays_with_what_was_typed(world):
    answer = world.client.submit(
        DESK, {"q": "Алёнова", "born": "31.02.1988"}, form=f"{DESK}search/"
    )
    assert answer.status_code == 422
    assert "Такого дня в календаре нет" in words(answer)
    assert parsed(answer).xpath("//input[@id='q']/@value") == ["Алёнова"]


def test_the_card_of_a_patient_shows_no_donations_but_visits_and_consents(world):
    row = booked(world)
    page = world.client.page(f"/staff/donors/{world.patient.uid}/")
    said = words(page)
    assert "Группа крови" not in said and "Донации" not in said
    assert "Еловая Марта Сергеевна" in said
    assert links(page, "Записать на приём") == [f"{GRID}?person={world.patient.uid}"]
    assert f"{GRID}?move={row.uid}" in page.xpath("//a/@href")
    assert (
        world.client.page(f"/staff/donors/{world.patient.uid}/correct/").xpath(
            "//input[@name='donor_code']"
        )
        == []
    )


# --- booking


def test_from_a_person_over_the_grid_to_a_ticket(world):
    page = search(world, "аленова")
    [grid] = [href for href in page.xpath("//td//a/@href") if "person=" in href]
    page = world.client.page(f"{grid}&week={world.day.date}")
    assert "Алёнова Анна" in words(page)
    [day] = [href for href in page.xpath("//a[contains(@class,'sum-of-day')]/@href")]
    page = world.client.page(day)
    offered = page.xpath("//td//a[contains(@class,'button')]/@href")
    assert offered[0] == book_page(world)
    page = world.client.page(offered[0])
    assert "Ничто не мешает" in words(page) and "ул. Полевая, 5" in words(page)
    answer = world.client.submit(offered[0])
    row = world.store.scalars(select(Appointment)).one()
    assert (row.status, row.channel, row.person_id) == (A.BOOKED, Channel.DESK, world.patient.id)
    assert answer.location == day_page(world, done=row.uid).replace("&", "&")
    page = world.client.page(answer.location)
    assert f"Записано: № {row.number}" in words(page)
    assert "занято" in words(page) and "Алёнова Анна" in words(page)
    ticket = world.client.get(f"/staff/ticket/{row.uid}/ticket.pdf")
    assert ticket.status_code == 200 and ticket.data[:5] == b"%PDF-"


def test_who_books_for_a_caller_looks_at_the_first_week_with_something_free(world):
    grid = f"{GRID}?person={world.patient.uid}"
    here = world.client.page(grid).xpath("//nav[@class='tabs']/a[@aria-current]")
    assert here[0].text.startswith("23.11")
    for slot in world.slots:
        slot.status = SlotStatus.CLOSED
    world.store.flush()
    here = world.client.page(grid).xpath("//nav[@class='tabs']/a[@aria-current]")
    assert here[0].text.startswith("30.11")
    here = world.client.page(GRID).xpath("//nav[@class='tabs']/a[@aria-current]")
    assert here[0].text.startswith("23.11"), "who only looks sees the week that is"


def test_a_time_chosen_first_asks_for_whom(world):
    answer = world.client.get(f"{DESK}book/{world.slots[1].uid}/")
    assert answer.location == f"{DESK}?slot={world.slots[1].uid}"
    page = search(world, "аленова", start=answer.location)
    assert "Выбрано время" in words(page)
    assert links(page, "Записать")[0] == book_page(world, 1)


def test_what_stands_against_it_is_said_and_there_is_no_button(world):
    booked(world)
    page = world.client.page(book_page(world, 1))
    assert "к этому врачу уже записан" in words(page)
    assert page.xpath("//main//form[@method='post']") == []
    assert world.client.send(book_page(world, 1)).status_code == 409


def test_the_second_of_two_hears_it_and_sees_the_other_times(world):
    rival = make.make_person(world.store, world.tenant)
    form = world.client.page(book_page(world)).forms[-1]
    booked(world, 0, who=rival)
    answer = world.client.post(book_page(world), data=dict(form.form_values()))
    assert answer.status_code == 409
    assert "Занято" in words(answer)
    assert parsed(answer).xpath("//ul[contains(@class,'times-free')]//a/@href") == [
        book_page(world, number) for number in (1, 2, 3)
    ]


def test_the_consent_is_asked_once_and_kept_with_who_wrote_it_down(world):
    world.tenant.policy.consent = ConsentStep.SCREEN
    page = world.client.page(book_page(world))
    assert world.tenant.consent_text.text_ru in words(page)
    answer = world.client.submit(book_page(world))
    assert answer.status_code == 422 and "Зачитайте согласие" in words(answer)
    world.client.submit(book_page(world), {"consent": "oral", "phone": "8 900 111-22-33"})
    consent = world.store.scalars(select(Consent)).one()
    assert (consent.channel, consent.recorded_by_id) == (
        ConsentChannel.ORAL, world.registrar.id,
    )  # fmt: skip
    assert world.store.scalars(select(Appointment)).one().phone == "+79001112233"
    card = words(world.client.page(f"/staff/donors/{world.patient.uid}/"))
    assert "Согласия" in card and world.registrar.full_name in card


@pytest.mark.parametrize("phone", ["12", "+1 202 555 0100", "x" * 40])
def test_a_telephone_that_is_none_is_said_at_the_field(world, phone):
    answer = world.client.submit(book_page(world), {"phone": phone})
    assert answer.status_code == 422
    assert world.store.scalars(select(Appointment)).all() == []


def test_several_services_are_asked_for(world):
    services = [make.make_service(world.store, world.tenant) for _ in range(2)]
    doctor = make.make_practitioner(world.store, world.tenant, services=services)
    role = make.make_role(world.store, world.tenant, practitioner=doctor)
    world.slots = make.slots_of(world.store, make.make_sitting(world.store, role))
    answer = world.client.submit(book_page(world))
    assert answer.status_code == 422 and "Выберите услугу" in words(answer)
    world.client.submit(book_page(world), {"service": str(services[1].uid)})
    assert world.store.scalars(select(Appointment)).one().service_id == services[1].id


# --- moving and cancelling


def test_a_booking_is_moved_and_the_browser_comes_back_to_that_day(world):
    row = booked(world)
    page = world.client.page(f"{GRID}?move={row.uid}")
    assert f"Перенос № {row.number}" in words(page)
    [day] = page.xpath("//a[contains(@class,'sum-of-day')]/@href")
    offered = world.client.page(day).xpath("//td//a[contains(@class,'button')]/@href")
    assert offered == [move_page(world, row, number) for number in (1, 2, 3)]
    answer = world.client.submit(offered[1])
    assert answer.location == day_page(world, done=row.uid, moved=1)
    world.store.expire_all()
    assert row.slot_id == world.slots[2].id
    assert f"Перенесено: № {row.number}" in words(world.client.page(answer.location))
    kinds = world.store.scalars(select(Message.kind)).all()
    assert kinds == [MessageKind.VISIT_MOVED]
    history = words(world.client.page(f"/staff/ticket/{row.uid}"))
    assert "Перенесена на другое время" in history


def test_whoever_comes_second_to_move_is_told(world):
    row = booked(world)
    form = world.client.page(move_page(world, row, 1)).forms[-1]
    world.client.submit(move_page(world, row, 2))
    answer = world.client.post(move_page(world, row, 1), data=dict(form.form_values()))
    assert answer.status_code == 409 and "уже перенесли" in words(answer)


def test_what_is_not_booked_any_more_is_not_moved(world):
    row = booked(world)
    transitions.move(
        world.store, appointment_id=row.id, event="cancel", actor=make.NOBODY, now=make.NOW
    )
    answer = world.client.get(move_page(world, row, 1), follow_redirects=True)
    assert "Перенести можно только подтверждённую запись" in words(answer)


def test_a_visit_is_cancelled_with_a_word_of_why(world):
    row = booked(world)
    page = f"/staff/ticket/{row.uid}"
    assert "Еловая Марта Сергеевна" in words(world.client.page(page))
    world.client.submit(page, {"comment": "Врач заболел"}, form=f"{page}/cancel")
    world.store.expire_all()
    assert row.status is A.CANCELLED
    assert world.store.scalars(select(Message.kind)).all() == [MessageKind.VISIT_CANCELLED]


# --- registering


FORM = {
    "family_name": "Рябинина",
    "given_name": "Алёна",
    "birth_date": "3.7.1985",
    "phone": "8 900 555-44-33",
    "passport": "45 08 654321",
    "consent": "paper",
}


def test_somebody_is_registered_once_and_booked_at_once(world):
    page = f"{DESK}new/?slot={world.slots[0].uid}"
    answer = world.client.submit(page, FORM)
    person = world.store.scalars(select(Person).where(Person.family_name == "Рябинина")).one()
    assert answer.location == book_page(world, who=person)
    assert (person.birth_date, person.phone) == (dt.date(1985, 7, 3), "+79005554433")
    audited = world.store.scalars(select(AuditEvent.verb)).all()
    assert {"person.register", "document.add", "consent.record"} <= set(audited)


def test_the_same_document_leads_to_that_card(world):
    answer = world.client.submit(f"{DESK}new/", FORM | {"snils": "112-233-445 95"})
    assert answer.status_code == 422
    assert "Карта с таким документом уже есть" in words(answer)
    assert f"/staff/donors/{world.patient.uid}/" in parsed(answer).xpath("//a/@href")
    assert parsed(answer).xpath("//input[@name='family_name']/@value") == ["Рябинина"]
    assert world.patient.id in seen(world, "desk.list")


def test_a_namesake_is_shown_and_registered_once_it_is_said_to_be_another(world):
    same = FORM | {
        "family_name": "Аленова", "given_name": "Анна", "birth_date": "14.02.1988",
        "patronymic": world.patient.patronymic,
    }  # fmt: skip
    page = f"{DESK}new/"
    world.patient.patronymic = same["patronymic"] = "Ивановна"
    world.patient.search_name = "аленова анна ивановна"
    answer = world.client.submit(page, same)
    assert answer.status_code == 422 and "тем же именем" in words(answer)
    fields = dict(parsed(answer).forms[-1].form_values()) | {"is_another": "y"}
    assert world.client.post(page, data=fields).status_code == 303
    assert len(world.store.scalars(select(Person)).all()) == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"snils": "112-233-445 96"}, "В СНИЛС ошибка"),
        ({"oms": "1234"}, "16 цифр"),
        ({"birth_date": "1.1.2050"}, "между 1900 годом и сегодняшним днём"),
        ({"family_name": ""}, "Заполните"),
        ({"consent": ""}, "Отметьте, как получено согласие"),
        ({"family_name": "<b>"}, "Только буквы"),
    ],
)
def test_a_slip_is_said_at_its_field_and_nothing_is_lost(world, wrong, said):
    answer = world.client.submit(f"{DESK}new/", FORM | wrong)
    assert answer.status_code == 422
    page = parsed(answer)
    assert page.xpath("//input[@name='given_name']/@value") == ["Алёна"]
    assert page.xpath("//*[@class='error']")
    assert len(world.store.scalars(select(Person)).all()) == 1
    _ = said


# --- the link to the hospital


def test_staff_say_that_the_link_is_lost_and_back(world, as_staff):
    page = world.client.page(DESK)
    assert "связь есть" in words(page)
    url = f"{DESK}link/{world.tenant.root.uid}/"
    answer = world.client.send(url, {"lost": "1"})
    assert answer.location.endswith("#links")
    said = words(world.client.page(DESK))
    assert "связь прервана" in said and "Сайт больше не записывает" in said
    assert "связь прервана" in words(world.client.page("/staff/"))
    world.store.expire_all()
    assert world.tenant.branch.link_lost_at == make.NOW
    manager = as_staff(Role.MANAGER, world.tenant.root)
    manager.send(url, {"back": "1"})
    world.store.expire_all()
    assert world.tenant.branch.link_lost_at is None
    operator = as_staff(Role.OPERATOR, world.tenant.root)
    assert operator.send(url, {"lost": "1"}).status_code == 403


LOST = (
    "Выбранное время недоступно для записи. К сожалению, временно нет связи с ЛПУ. "
    "Попробуйте обратиться позже."
)
"""Row E33, word for word."""


def test_the_site_refuses_in_the_words_of_the_source_and_it_is_in_the_journal(
    store, as_staff, client
):
    """While the link is lost nobody is held and nobody confirms; once it is back both go on."""
    clinic = make_clinic(store, "portal")
    registrar = as_staff(Role.REGISTRAR, clinic.tenant.root)
    link = f"{DESK}link/{clinic.tenant.root.uid}/"
    registrar.send(link, {"lost": "1"})
    client.page(clinic.doctor)
    refused = client.send("/visits", {"slot": str(clinic.slots[0].uid)})
    assert refused.status_code == 409 and LOST in words(refused)
    assert store.scalars(select(Appointment)).all() == []
    [noted] = store.scalars(select(AuditEvent).where(AuditEvent.verb == "booking.link_lost"))
    assert (noted.subject, noted.subject_id) == ("schedule", clinic.day.id)
    security = as_staff(Role.SECURITY, clinic.tenant.root)
    assert "Отказ в записи: нет связи с учреждением" in words(security.page("/staff/audit/"))
    registrar.send(link, {"back": "1"})
    assert client.send("/visits", {"slot": str(clinic.slots[0].uid)}).status_code == 303


# --- who may


def test_a_manager_looks_and_books_nobody(world, as_staff):
    booked(world)
    manager = as_staff(Role.MANAGER, world.tenant.root)
    assert "Регистратура" in headings(manager.page(DESK))
    page = manager.page(day_page(world))
    assert "Алёнова Анна" in words(page) and "Записать" not in words(page)
    assert manager.get(book_page(world, 1)).status_code == 403
    assert manager.get(f"{DESK}new/").status_code == 403


def test_who_sees_no_cards_sees_times_without_names(world, as_staff):
    booked(world)
    page = as_staff(Role.SCHEDULER, world.tenant.root).page(day_page(world))
    assert "занято" in words(page) and "Алёнова" not in words(page)


def test_a_centre_without_patients_has_no_desk_in_its_menu(store, as_staff):
    centre = make.make_tenant(store)
    menu = as_staff(Role.REGISTRAR, centre.root).page("/staff/").xpath("//nav//a/@href")
    assert DESK not in menu and "/staff/queue/" in menu


def test_a_polyclinic_has_no_donors_entries_in_its_menu(world):
    menu = world.client.page("/staff/").xpath("//nav//a/@href")
    assert DESK in menu and "/staff/visits/" in menu
    assert not {"/staff/queue/", "/staff/donors/", "/staff/days/"} & set(menu)


def test_neither_names_nor_numbers_stand_in_an_address(world):
    row = booked(world)
    for url in (book_page(world, 1), day_page(world), f"{GRID}?move={row.uid}", DESK):
        page = world.client.page(url)
        for href in page.xpath("//a/@href"):
            assert "Ал" not in href and "%D0%90" not in href and "11223344595" not in href
