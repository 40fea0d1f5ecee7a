"""From a free time to a ticket without an account: seeds B and E, each way, each refusal, each end of time."""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from app.models import Appointment, Consent, Guest, Message, Slot, SurveyAddress
from app.models.enums import (
    ActorKind,
    AppointmentStatus,
    Channel,
    ConsentPurpose,
    MessageKind,
    Role,
    SlotStatus,
)
from app.rules import approval, codes
from tests import make
from tests.client import form_of, headings, parsed, words
from tests.public.clinic import (
    BORN,
    DMS,
    PASSPORT,
    PHONE,
    POLICY,
    SNILS,
    booking,
    make_account,
    make_clinic,
)

A = AppointmentStatus
OMS = {"number": POLICY, "birth_date": BORN, "consent": "y"}


def choose(client, clinic, number: int = 0, **more):
    """Press a free time on the doctor's page."""
    client.page(clinic.doctor)
    return client.send("/visits", {"slot": str(clinic.slots[number].uid), **more})


def address(clinic, method: str = "oms") -> str:
    return f"/appointment?organization={clinic.tenant.branch.uid}&method={method}"


def identify(client, clinic, method: str = "oms", **fields):
    url = address(clinic, method)
    return client.submit(url, {**(OMS if method == "oms" else {}), **fields}, form=url)


def after(client, response, status: int = 200):
    """The page a POST has led to."""
    assert response.status_code == 303, words(response)
    return client.page(response.location, status=status)


def visit_url(store) -> str:
    return f"/visits/{booking(store).uid}"


# --- seed E, mode 2: first the data, then the schedule, confirmed at once ----------------------


def test_the_electronic_registry_books_at_once(store, client, clock):
    clinic = make_clinic(store, "registry")
    page = client.page("/appointment")
    assert headings(page)[0] == "Для записи на приём укажите ваши данные"
    assert [o.text for o in page.xpath("//select[@name='method']/option")][1:] == [
        "Без удостоверяющего документа",
        "Полис ОМС",
        "СНИЛС",
        "Паспорт гражданина РФ",
        "Полис ДМС",
    ]
    page = after(client, identify(client, clinic, email="anna@example.ru", survey="y"))
    assert "Нет активных талонов" in words(page)
    page = after(client, choose(client, clinic))
    assert headings(page)[0] == "Записаться на ср, 25 ноября, 9:00?"
    assert "Рябинина" not in words(page)
    page = after(client, client.submit(visit_url(store), form=f"{visit_url(store)}/confirm"))
    said = words(page)
    assert headings(page)[0] == "Ждём вас на приём 25 ноября 2026 в 9:00"
    assert "Теперь необходимо распечатать талон либо записать его номер." in said
    assert "Распечатать талон?" in said
    row = booking(store)
    assert f"Талон № {row.number}" in said
    assert (row.status, row.person_id, row.channel) == (A.BOOKED, clinic.patient.id, Channel.WEB)
    assert row.service_id == clinic.service.id
    assert store.get_one(Slot, row.slot_id).status is SlotStatus.BUSY
    given = store.scalars(select(Consent).order_by(Consent.id)).all()
    assert [c.text.purpose for c in given] == [ConsentPurpose.BOOKING, ConsentPurpose.SURVEY]
    kept = store.scalars(select(SurveyAddress)).one()
    assert (kept.email, kept.appointment_id, kept.consent_id) == (
        "anna@example.ru",
        row.id,
        given[1].id,
    )
    page = client.page(clinic.place)
    assert f"№ {row.number}" in words(page)


def test_the_ticket_names_who_what_when_and_where(store, client):
    clinic = make_clinic(store)
    identify(client, clinic)
    url = choose(client, clinic).location
    client.send(f"{url}/confirm")
    pdf = client.get(f"{url}/ticket.pdf")
    assert pdf.headers["Content-Type"] == "application/pdf"
    text = " ".join(PdfReader(io.BytesIO(pdf.data)).pages[0].extract_text().split())
    for said in (
        "Рябинина Анна Петровна",
        "B01.064.001 Прием врача стоматолога первичный",
        "Захарова Софья Сергеевна, врач-стоматолог (прием по полису ОМС)",
        "Сосны",
        "Талон на приём",
        "9:00",
        str(booking(store).number),
        "Запись на приём подтверждена",
    ):
        assert said in text
    calendar = client.get(f"{url}/visit.ics").get_data(as_text=True)
    assert "Приём у врача" in calendar
    assert "Рябинина" not in calendar and "Захарова" not in calendar


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("oms", {"number": POLICY, "birth_date": BORN}),
        ("snils", {"number": SNILS, "birth_date": BORN}),
        ("passport", {"number": PASSPORT, "birth_date": BORN}),
        ("dms", {"number": DMS, "birth_date": BORN}),
    ],
)
def test_each_document_finds_the_same_card(store, client, method, fields):
    clinic = make_clinic(store)
    assert identify(client, clinic, method, consent="y", **fields).status_code == 303
    assert store.scalars(select(Guest)).one().person_id == clinic.patient.id


def test_without_a_document_a_card_is_made_of_what_was_typed(store, client):
    clinic = make_clinic(store)
    name = {"family_name": "Ольхин", "given_name": "Пётр", "birth_date": "1.3.1990"}
    url = address(clinic, "none")
    response = client.submit(url, {**name, "phone": PHONE, "consent": "y"}, form=url)
    after(client, response)
    url = choose(client, clinic).location
    after(client, client.send(f"{url}/confirm"))
    row = booking(store)
    assert row.person.full_name == "Ольхин Пётр"
    assert row.phone == "+79001234567"


# --- seed E, mode 1: the code of an SMS --------------------------------------------------------


def proposed(store, client, way: str = "registry_code"):
    clinic = make_clinic(store, way)
    identify(client, clinic, phone=PHONE)
    url = choose(client, clinic).location
    after(client, client.send(f"{url}/confirm"))
    return clinic, url


def test_a_booking_by_code(store, client, clock):
    _, url = proposed(store, client)
    page = client.page(url)
    assert headings(page)[0] == "Вами забронирован талон на приём 25 ноября 2026 в 9:00"
    said = words(page)
    assert "Для подтверждения брони записи введите код подтверждения" in said
    assert "ваша запись на приём будет аннулирована" in said
    assert "Подтверждение талона возможно до 11:00" in said
    assert "Рябинина" not in said
    row = booking(store)
    assert row.status is A.PROPOSED
    sms = store.scalars(select(Message).where(Message.kind == MessageKind.CONFIRM_CODE)).one()
    assert sms.appointment_id == row.id
    assert client.get(f"{url}/ticket.pdf").status_code == 404
    right = codes.code_of(row)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    response = client.submit(url, {"code": wrong}, form=f"{url}/code")
    assert response.status_code == 409
    assert "Осталось попыток: 4" in words(response)
    page = after(
        client, client.submit(url, {"code": f" {right[:3]} {right[3:]} "}, form=f"{url}/code")
    )
    assert "Запись на приём подтверждена. Вы можете распечатать талон" in words(page)
    assert client.get(f"{url}/ticket.pdf").status_code == 200
    assert booking(store).status is A.BOOKED


def test_five_wrong_codes_and_another_one(store, client):
    _, url = proposed(store, client)
    row = booking(store)
    wrong = f"{(int(codes.code_of(row)) + 1) % 10**6:06}"
    for _ in range(5):
        response = client.send(f"{url}/code", {"code": wrong})
    assert "Запросите новый" in words(response)
    first = codes.code_of(row)
    assert client.send(f"{url}/code", {"code": first}).status_code == 409
    page = after(client, client.send(f"{url}/code/again"))
    assert "Новый код отправлен" in words(page)
    assert client.send(f"{url}/code", {"code": first}).status_code == 409
    after(client, client.send(f"{url}/code", {"code": codes.code_of(booking(store))}))
    assert booking(store).status is A.BOOKED


def test_when_the_hour_is_over_the_booking_is_annulled(store, client, clock):
    _, url = proposed(store, client)
    clock.forward(minutes=59)
    assert "Введите код" in words(client.page(url))
    clock.forward(minutes=2)
    with_code = codes.code_of(booking(store))
    codes.lapse(store, now=clock.now)
    assert store.get_one(Slot, booking(store).slot_id).status is SlotStatus.FREE
    assert client.send(f"{url}/code", {"code": with_code}).status_code == 404  # forgotten by now
    kinds = set(store.scalars(select(Message.kind)))
    assert MessageKind.BOOKING_LAPSED in kinds


def test_an_empty_code_stays_at_its_field(store, client):
    _, url = proposed(store, client)
    response = client.send(f"{url}/code", {"code": ""})
    assert response.status_code == 400
    assert "Введите код из СМС" in words(response)


# --- seed B: the time first, then the consent, then two documents ------------------------------


TWO = {"number": POLICY, "second": "123456", "birth_date": BORN}


def test_the_patient_portal(store, client, clock):
    clinic = make_clinic(store, "portal")
    page = after(client, choose(client, clinic))
    assert headings(page)[0] == "Соглашение об обработке персональных данных"
    url = visit_url(store)
    assert booking(store).person_id is None
    page = after(client, client.submit(url, form=f"{url}/consent"))
    assert headings(page)[0] == "Авторизация"
    page = after(client, client.submit(url, TWO, form=f"{url}/identify"))
    said = words(page)
    assert "Вы успешно записались на приём!" in said
    assert "Печать талона" in said and "В начало" in said
    assert "Автоматический выход произойдёт через 21 секунду" in said
    row = booking(store)
    assert (row.status, row.person_id) == (A.BOOKED, clinic.patient.id)
    assert store.scalars(select(Consent)).one().given_at == clock.now


def test_refusing_the_consent_frees_the_time(store, client):
    clinic = make_clinic(store, "portal")
    url = choose(client, clinic).location
    page = after(client, client.submit(url, form=f"{url}/close"))
    assert "Время снова свободно" in words(page)
    assert store.get_one(Slot, clinic.slots[0].id).status is SlotStatus.FREE
    assert store.scalars(select(Consent)).all() == []


@pytest.mark.parametrize(
    "wrong", [{"second": "654321"}, {"birth_date": "15.02.1985"}, {"number": "7712345678901243"}]
)
def test_wrong_data_and_an_unknown_patient_get_the_same_answer(store, client, wrong):
    clinic = make_clinic(store, "portal")
    url = choose(client, clinic).location
    client.send(f"{url}/consent", {"text": str(clinic.tenant.consent_text.id)})
    response = client.submit(url, TWO | wrong, form=f"{url}/identify")
    assert response.status_code == 409
    said = words(response)
    assert "Вход невозможен, проверьте, что данные введены верно" in said
    page = parsed(response)
    assert form_of(page, f"{url}/identify").fields["birth_date"] == (TWO | wrong)["birth_date"]
    assert booking(store).status is A.HELD


def test_identification_is_not_reached_past_the_consent(store, client):
    clinic = make_clinic(store, "portal")
    url = choose(client, clinic).location
    assert client.send(f"{url}/identify", TWO).location == url
    assert store.scalars(select(Guest)).one().person_id is None
    assert client.send(f"{url}/confirm").location == url
    assert booking(store).status is A.HELD


def test_the_screen_in_a_hall_forgets_whoever_sat_there(store, client, clock):
    clinic = make_clinic(store, "portal")
    url = choose(client, clinic).location
    client.send(f"{url}/consent", {"text": str(clinic.tenant.consent_text.id)})
    client.send(f"{url}/identify", TWO)
    page = client.page(url)
    assert page.xpath("//noscript/meta/@content") == ["21; url=/visits/end"]
    client.get("/visits/end")
    assert client.get(url).status_code == 200  # nobody is sent away before the time
    clock.forward(seconds=21)
    assert client.get("/visits/end").status_code == 303
    assert store.scalars(select(Guest)).all() == []
    assert client.get(url).status_code == 404
    assert client.get(f"{url}/ticket.pdf").status_code == 404
    assert booking(store).status is A.BOOKED


def test_a_request_made_in_a_hall_leaves_the_screen_too(store, client):
    clinic = make_clinic(store, "portal", confirmation="approval")
    url = choose(client, clinic).location
    client.send(f"{url}/consent", {"text": str(clinic.tenant.consent_text.id)})
    client.send(f"{url}/identify", TWO)
    assert booking(store).status is A.PENDING
    assert client.page(url).xpath("//noscript/meta/@content") == ["21; url=/visits/end"]


def test_an_address_alone_signs_nobody_out(store, as_account):
    clinic = make_clinic(store, "esia")
    client = as_account(make_account(store, clinic))
    assert choose(client, clinic).status_code == 303
    store.query(Guest).delete()
    assert client.get("/visits/end").status_code == 303
    assert client.get("/profile").status_code == 200


def test_who_is_known_where_no_box_was_ticked_agrees_where_one_is_asked_for(store, client):
    clinic = make_clinic(store, "registry", consent="registration")
    asked = {name: value for name, value in OMS.items() if name != "consent"}
    assert client.submit(address(clinic), asked, form=address(clinic)).status_code == 303
    clinic.tenant.policy.consent = "box"
    url = choose(client, clinic).location
    page = client.page(url)
    client.send(f"{url}/confirm")
    assert booking(store).status is A.HELD, "not before he has agreed"
    assert page.xpath(f"//form[@action='{url}/consent']")
    client.send(f"{url}/consent", {"text": str(clinic.tenant.consent_text.id)})
    assert client.send(f"{url}/confirm").status_code == 303
    given = store.scalars(select(Consent)).one()
    assert (booking(store).status, given.text.purpose) == (A.BOOKED, ConsentPurpose.BOOKING)


def test_whoever_wants_to_stay_stays(store, client, clock):
    clinic = make_clinic(store, "portal")
    url = choose(client, clinic).location
    client.send(f"{url}/consent", {"text": str(clinic.tenant.consent_text.id)})
    client.send(f"{url}/identify", TWO)
    clock.forward(seconds=15)
    page = client.page(url)
    assert "через 6 секунд" in words(page)
    page = after(client, client.send("/visits/stay", {"back": url}))
    assert "Автоматический выход" not in words(page)
    assert client.get("/visits/end").status_code == 303
    clock.forward(minutes=10)
    assert client.get(url).status_code == 200
    clock.forward(minutes=21)
    assert client.get(url).status_code == 404


def test_the_row_is_gone_even_if_the_browser_does_nothing(store, client, clock):
    clinic = make_clinic(store, "portal")
    url = choose(client, clinic).location
    client.send(f"{url}/consent", {"text": str(clinic.tenant.consent_text.id)})
    client.send(f"{url}/identify", TWO)
    clock.forward(seconds=27)
    assert client.get(url).status_code == 404


# --- the held time -----------------------------------------------------------------------------


def test_a_time_is_kept_prolonged_twice_and_runs_out(store, client, clock):
    clinic = make_clinic(store, "portal")
    url = choose(client, clinic).location
    assert "За вами" in words(client.page(url)) or "держится" in words(client.page(url))
    for _ in range(2):
        clock.forward(minutes=8)
        after(client, client.send(f"{url}/extend"))
    response = client.send(f"{url}/extend")
    assert response.status_code == 409
    clock.forward(minutes=11)
    page = client.page(url)
    assert "Выбрать другое время" in words(page)
    response = client.send(f"{url}/consent", {"text": str(clinic.tenant.consent_text.id)})
    assert response.status_code == 409


def test_who_is_late_hears_it_on_the_doctor_s_day(store, client, new_client):
    clinic = make_clinic(store)
    choose(client, clinic)
    late = new_client()
    response = choose(late, clinic)
    assert response.status_code == 409
    assert "Занято" in words(response)
    assert choose(late, clinic, 1).status_code == 303


def test_nobody_else_opens_a_held_time_or_a_booking(store, client, new_client):
    clinic = make_clinic(store)
    identify(client, clinic)
    url = choose(client, clinic).location
    stranger = new_client()
    for path in (url, f"{url}/ticket.pdf", f"{url}/cancel"):
        assert stranger.get(path).status_code == 404
    assert stranger.send(f"{url}/confirm").status_code == 404
    client.send(f"{url}/confirm")
    for path in (url, f"{url}/ticket.pdf", f"{url}/visit.ics", f"{url}/cancel"):
        assert stranger.get(path).status_code == 404
    for act in ("cancel", "code", "code/again", "close", "extend", "phone", "consent"):
        assert stranger.send(f"{url}/{act}").status_code == 404
    assert booking(store).status is A.BOOKED


def test_a_guest_is_told_nothing_of_the_record(store, client, new_client):
    """A second visit with the same doctor is refused, but not in words that tell of the first."""
    clinic = make_clinic(store)
    identify(client, clinic)
    url = choose(client, clinic).location
    client.send(f"{url}/confirm")
    other = new_client()
    identify(other, clinic)
    url = choose(other, clinic, 1).location
    response = other.send(f"{url}/confirm")
    assert response.status_code == 409
    said = words(response)
    assert "С этими данными записаться через сайт нельзя" in said
    assert "уже записаны" not in said


def test_two_windows_of_one_browser_do_not_book_each_other_s_time(store, client):
    clinic = make_clinic(store)
    identify(client, clinic)
    first = choose(client, clinic, 0).location
    second = choose(client, clinic, 1).location
    response = client.send(f"{first}/confirm")
    assert response.status_code == 409
    assert client.send(f"{second}/confirm").status_code == 303
    rows = store.scalars(select(Appointment).order_by(Appointment.id)).all()
    assert [row.status for row in rows] == [A.RELEASED, A.BOOKED]


def test_pressed_twice_is_booked_once(store, client):
    clinic = make_clinic(store)
    identify(client, clinic)
    url = choose(client, clinic).location
    assert client.send(f"{url}/confirm").location == url
    assert client.send(f"{url}/confirm").location == url
    assert booking(store).status is A.BOOKED
    assert len(store.scalars(select(Consent)).all()) == 1


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"number": "123"}, "16 цифр"),
        ({"number": "7712345678901231"}, "ошибка"),
        ({"birth_date": ""}, "Введите дату рождения"),
        ({"birth_date": "32.01.1985"}, "Такого дня в календаре нет"),
        ({"consent": None}, "Без вашего согласия"),
        ({"phone": "8 800 100-00-00"}, "номер мобильного телефона так"),
        ({"email": "anna@example.ru"}, "поставьте отметку и здесь"),
        ({"number": "\u202e<script>"}, "цифры"),
    ],
)
def test_each_slip_is_said_at_its_field_and_nothing_is_lost(store, client, fields, sentence):
    clinic = make_clinic(store)
    response = identify(client, clinic, **fields)
    assert response.status_code == 400
    assert sentence in words(response)
    kept = form_of(parsed(response), address(clinic)).fields
    for name, value in (OMS | fields).items():
        if name != "consent" and value and "<" not in value:
            assert kept[name] == value
    assert store.scalars(select(Guest)).all() == []


def test_a_changed_text_of_the_consent_is_read_anew(store, client):
    clinic = make_clinic(store)
    url = address(clinic)
    response = client.submit(url, OMS | {"consent_text": "999999"}, form=url)
    assert response.status_code == 409
    assert "Текст согласия" in words(response)


@pytest.mark.parametrize("text", ["²", "9" * 5000, "", "-1"])
def test_a_text_of_the_consent_that_is_none_is_no_error_of_ours(store, client, text):
    clinic = make_clinic(store, "portal")
    url = choose(client, clinic).location
    assert client.send(f"{url}/consent", {"text": text}).status_code == 409
    clinic.tenant.policy.entry, clinic.tenant.policy.methods = "before", ("oms",)
    clinic.tenant.policy.consent = "box"
    response = client.send(address(clinic), OMS | {"consent_text": text})
    assert response.status_code == 409


def test_a_method_that_the_policy_does_not_offer(store, client):
    clinic = make_clinic(store, "registry", methods=("oms",))
    response = client.get(address(clinic, "dms"))
    assert "Полис ДМС" not in words(response)
    url = address(clinic, "dms")
    assert client.send(url, OMS | {"number": DMS}).status_code == 400
    assert store.scalars(select(Guest)).all() == []


def test_where_one_signs_in_a_stranger_is_sent_to_sign_in(store, client):
    clinic = make_clinic(store, "esia")
    response = choose(client, clinic)
    assert response.location.startswith("/sign-in?next=")
    assert "записывает через личный кабинет" in words(client.page(response.location))
    assert store.scalars(select(Appointment)).all() == []


def test_who_comes_back_from_signing_in_finds_the_chosen_time(store, client):
    clinic = make_clinic(store, "esia")
    back = parse_qs(urlsplit(choose(client, clinic).location).query)["next"][0]
    page = client.page(back)
    [button] = page.xpath("//main//button[contains(., 'Продолжить запись на')]")
    assert button.get("value") == str(clinic.slots[0].uid)
    other = make.make_sitting(store, make.make_role(store, clinic.tenant), times=["09:00"])
    [strange] = store.scalars(select(Slot).where(Slot.schedule_id == other.id))
    for odd in ("x", str(strange.uid), str(uuid.uuid4())):
        page = words(client.page(back.replace(str(clinic.slots[0].uid), odd)))
        assert "Продолжить" not in page and "Вы выбирали" not in page
    for status, state in ((SlotStatus.HELD, "выбирают"), (SlotStatus.BUSY, "занято")):
        clinic.slots[0].status = status
        page = words(client.page(back))
        assert "Продолжить" not in page
        assert f"Сейчас это время недоступно ({state})." in page


@pytest.mark.parametrize("slot", ["", "nonsense", "c0ffee00-0000-4000-8000-000000000000"])
def test_no_such_time(store, client, slot):
    make_clinic(store)
    client.page("/institutions")
    assert client.send("/visits", {"slot": slot}).status_code == 404


def test_a_time_of_the_desk_is_not_to_be_had(store, client):
    clinic = make_clinic(store)
    clinic.slots[0].channel = Channel.DESK
    assert choose(client, clinic).status_code == 404


# --- afterwards --------------------------------------------------------------------------------


def booked(store, client, way: str = "registry"):
    clinic = make_clinic(store, way)
    identify(client, clinic, phone=PHONE)
    url = choose(client, clinic).location
    client.send(f"{url}/confirm")
    return clinic, url


def test_cancelling_asks_as_the_source_does(store, client):
    clinic, url = booked(store, client)
    page = client.page(f"{url}/cancel")
    assert headings(page)[0] == "Отменить посещение 25 ноября 2026, 9:00"
    assert "Отменить посещение?" in words(page)
    page = after(client, client.submit(f"{url}/cancel"))
    assert "Приём отменён" in words(page)
    row = booking(store)
    assert (row.status, row.ended_by) == (A.CANCELLED, ActorKind.GUEST)
    assert store.get_one(Slot, clinic.slots[0].id).status is SlotStatus.FREE
    response = client.send(f"{url}/cancel")
    assert response.status_code == 409
    text = words(client.page(f"{url}/cancel"))
    assert "Это посещение уже отменено" in text and "Позвоните" not in text


def test_a_ticket_is_found_again_and_cancelled_by_it(store, client, new_client, clock):
    _, url = booked(store, client)
    number = booking(store).number
    later = new_client()
    response = later.submit(
        "/visits", {"number": f"№ {number}", "birth_date": "14 02 1985"}, form="/visits/find"
    )
    page = after(later, response)
    assert f"Талон № {number}" in words(page)
    after(later, later.submit(f"{url}/cancel"))
    assert booking(store).status is A.CANCELLED
    clock.forward(minutes=31)
    assert later.get(url).status_code == 404


def test_a_wrong_number_and_a_wrong_date_are_one_answer(store, client, new_client):
    booked(store, client)
    number = booking(store).number
    answers = []
    for fields in (
        {"number": str(number + 1), "birth_date": BORN},
        {"number": str(number), "birth_date": "15.02.1985"},
    ):
        response = new_client().submit("/visits", fields, form="/visits/find")
        assert response.status_code == 409
        answers.append(words(response))
    assert answers[0] == answers[1]
    assert "Талон с таким номером и датой рождения не найден" in answers[0]


@pytest.mark.parametrize(
    ("number", "said"),
    [("10О2", "только цифры"), ("9" * 16, "слишком длинный"), ("9" * 5000, "слишком длинный")],
)
def test_a_number_that_no_ticket_has_is_said_in_words(store, client, number, said):
    booked(store, client)
    fields = {"number": number, "birth_date": BORN}
    response = client.submit("/visits", fields, form="/visits/find")
    assert response.status_code == 400 and said in words(response)


def test_guessing_tickets_is_stopped(store, client, new_client):
    booked(store, client)
    number = booking(store).number
    seen = set()
    for day in range(1, 8):
        response = new_client().send(
            "/visits/find", {"number": str(number), "birth_date": f"{day:02}.01.1990"}
        )
        seen.add(response.status_code)
    assert 429 in seen or 400 in seen
    response = new_client().send("/visits/find", {"number": str(number), "birth_date": BORN})
    assert response.status_code in (400, 429)


def test_donors_bookings_are_not_found_by_number_and_date(store, client):
    tenant = make.make_tenant(store)
    donor = make.make_donor(store, tenant, birth_date=dt.date(1985, 2, 14))
    day = make.make_schedule(store, tenant)
    row = make.make_appointment(store, tenant, donor, day, status=A.BOOKED)
    store.flush()
    response = client.submit(
        "/visits", {"number": str(row.number), "birth_date": BORN}, form="/visits/find"
    )
    assert response.status_code == 409


# --- an account, as seed D (the account is made by the test until it can register) -------------


def test_the_regional_portal(store, as_account, client):
    clinic = make_clinic(store, "esia")
    account = make_account(store, clinic)
    clinic.patient.phone = "+79007654321"
    store.flush()
    reader = as_account(account)
    page = after(reader, choose(reader, clinic))
    assert headings(page)[0] == "Соглашение об обработке персональных данных"
    assert "Да, я даю согласие" in words(page)
    url = visit_url(store)
    page = after(reader, reader.submit(url, form=f"{url}/consent"))
    assert headings(page)[0] == "Выберите телефон для связи с вами"
    said = words(page)
    assert "Или наберите новый номер" in said
    assert "Я не хочу указывать контактный телефон" in said
    assert "+7 *** ***-43-21" in said and "9007654321" not in said
    response = reader.submit(url, {"known": "new", "number": ""}, form=f"{url}/phone")
    assert response.status_code == 400
    page = after(reader, reader.submit(url, {"known": "own"}, form=f"{url}/phone"))
    said = words(page)
    assert "Вы успешно записались на приём!" in said
    assert "Ждём Вас в назначенное время с полисом медицинского страхования" in said
    assert "Автоматический выход произойдёт через 18 секунд" in said
    assert "Заявка подтверждена" in said
    assert parsed(reader.get(url)).get("data-theme") == "hall"
    row = booking(store)
    assert (row.phone, row.person_id) == ("+79007654321", clinic.patient.id)
    reader.send("/visits/leave")
    assert reader.get("/profile").status_code == 303


def test_a_telephone_may_be_declined(store, as_account):
    clinic = make_clinic(store, "esia")
    account = make_account(store, clinic)
    reader = as_account(account)
    url = choose(reader, clinic).location
    reader.submit(url, form=f"{url}/consent")
    after(reader, reader.submit(url, {"none": "y"}, form=f"{url}/phone"))
    row = booking(store)
    assert (row.status, row.phone) == (A.BOOKED, None)


def test_an_account_without_a_card_there_is_shown_no_telephone_of_whom_it_says_it_is(
    store, as_account
):
    clinic = make_clinic(store, "registry", phone="choice")
    clinic.patient.phone = "+79007654321"
    reader = as_account(make.make_account(store))
    identify(reader, clinic)
    page = after(reader, choose(reader, clinic))
    assert headings(page)[0] == "Выберите телефон для связи с вами"
    assert "43-21" not in words(page)
    response = reader.send(f"{visit_url(store)}/phone", {"known": "own"})
    assert response.status_code == 400
    assert booking(store).phone is None


def test_who_said_who_he_is_in_another_way_says_it_again_where_more_is_asked(store, client):
    clinic = make_clinic(store, "registry")
    identify(client, clinic)
    clinic.tenant.policy.methods = ("snils", "passport")
    page = after(client, choose(client, clinic))
    assert headings(page)[0] != "Записаться на ср, 25 ноября, 9:00?"
    client.send(f"{visit_url(store)}/confirm")
    assert booking(store).status is A.HELD


def test_the_days_stand_as_a_calendar_too(store, client):
    clinic = make_clinic(store)
    page = client.page(clinic.doctor)
    (table,) = page.xpath("//details[@class='calendar']//table")
    assert words(table.xpath("./caption")[0]) == "Ноябрь 2026"
    assert [words(head) for head in table.xpath(".//th")] == [
        "пн",
        "вт",
        "ср",
        "чт",
        "пт",
        "сб",
        "вс",
    ]
    (link,) = table.xpath(".//a")
    assert words(link) == "25: свободно: 4"
    assert link.get("aria-current") == "date"
    assert "day=2026-11-25" in link.get("href")


LOST = (
    "Выбранное время недоступно для записи. К сожалению, временно нет связи с ЛПУ. "
    "Попробуйте обратиться позже."
)


def test_without_a_link_to_the_institution_nothing_is_booked(store, client, clock):
    """Row E33, at the choice and at the confirmation; afterwards it goes on where it stopped."""
    clinic = make_clinic(store)
    identify(client, clinic)
    clinic.tenant.branch.link_lost_at = clock.now
    response = choose(client, clinic)
    assert response.status_code == 409
    assert LOST in words(response)
    clinic.tenant.branch.link_lost_at = None
    url = choose(client, clinic).location
    clinic.tenant.branch.link_lost_at = clock.now
    response = client.send(f"{url}/confirm")
    assert response.status_code == 409
    assert LOST in words(response)
    assert booking(store).status is A.HELD
    clinic.tenant.branch.link_lost_at = None
    after(client, client.send(f"{url}/confirm"))
    assert booking(store).status is A.BOOKED


def test_allowed_by_the_institution_first_then_the_code(store, client, as_staff, clock):
    """Row E27: «после получения разрешения записи на приём со стороны медицинского учреждения»."""
    clinic = make_clinic(store, "registry_approval")
    identify(client, clinic, phone=PHONE)
    url = choose(client, clinic).location
    page = after(client, client.send(f"{url}/confirm"))
    assert headings(page)[0] == "Ожидает разрешения учреждения"
    row = booking(store)
    assert row.status is A.PENDING
    registrar = make.make_staff(store, Role.REGISTRAR, clinic.tenant.root)
    approval.approve(store, appointment_id=row.id, by=registrar, now=clock.now)
    store.commit()
    page = client.page(url)
    assert headings(page)[0].startswith("Вами забронирован талон на приём")
    page = after(client, client.send(f"{url}/code", {"code": codes.code_of(booking(store))}))
    assert "Запись на приём подтверждена" in words(page)


def test_guesses_are_stopped_and_hit_and_miss_look_the_same(store, new_client, clock):
    """The page of a miss is the same whatever was wrong; after some misses a question is asked, then nothing."""
    clinic = make_clinic(store)
    url = address(clinic)
    pages = []
    for fields in ({"number": "7712345678901243"}, {"birth_date": "15.02.1985"}):
        response = new_client().submit(url, OMS | fields, form=url)
        assert response.status_code == 409
        page = response.get_data(as_text=True)
        for value in (OMS | fields)["number"], (OMS | fields)["birth_date"]:
            page = page.replace(value, "")
        pages.append(re.sub(r'name="csrf_token" value="[^"]+"', "", page))
    assert pages[0] == pages[1]
    answers = set()
    for day in range(1, 20):
        response = new_client().send(url, OMS | {"birth_date": f"{day:02}.03.1991"})
        answers.add(response.status_code)
    assert answers <= {400, 409, 429}
    assert new_client().send(url, OMS).status_code in (400, 429)
    assert store.scalars(select(Guest)).all() == []
