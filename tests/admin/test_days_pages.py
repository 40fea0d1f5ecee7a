"""Published days: the list, a day's places, closing with what happens to its people."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.models import AccessEvent, AccessSubject, Appointment, Message, Schedule, Slot
from app.models.blood import BloodType
from app.models.enums import (
    AppointmentStatus,
    DonationKind,
    MessageKind,
    Role,
    ScheduleStatus,
    SlotStatus,
)
from app.rules import closing
from app.rules.invariants import check_invariants
from tests import make
from tests.client import parsed, words

URL = "/staff/days/"
A = AppointmentStatus
REASON = "Авария на линии"


@pytest.fixture
def tenant(store):
    return make.make_tenant(store)


@pytest.fixture
def day(store, tenant):
    """Wednesday, 8:00 and 9:00, two places each."""
    return make.make_schedule(store, tenant, blood_types=[make.B_NEGATIVE])


@pytest.fixture
def scheduler(as_staff, tenant):
    return as_staff(Role.SCHEDULER, tenant.root)


def page_of(day) -> str:
    return f"{URL}{day.uid}/"


def shown(page) -> list[str]:
    """The addresses of the days on the list."""
    return page.xpath("//table//a[starts-with(@href, '/staff/days/')]/@href")


def test_the_list_shows_how_full_each_day_is(scheduler, tenant, store, day):
    make.make_appointment(store, tenant, make.make_donor(store, tenant), day)
    told = words(scheduler.page(URL))
    assert "ср, 25 ноября" in told
    assert "III (B) −" in told
    assert "1 из 4" in told
    assert "8:00–10:00" in told and "08:00" not in told


def test_filters_stand_in_the_address(scheduler, tenant, store, day):
    plasma = make.make_schedule(store, tenant, kind=DonationKind.PLASMA, days=4)
    closed = make.make_schedule(store, tenant, days=5, status=ScheduleStatus.CLOSED)
    make.make_schedule(store, tenant, days=-1)
    kind = tenant.types[DonationKind.PLASMA].uid
    assert shown(scheduler.page(URL)) == [page_of(day), page_of(plasma)]
    assert shown(scheduler.page(f"{URL}?type={kind}")) == [page_of(plasma)]
    assert shown(scheduler.page(f"{URL}?from=2026-11-26")) == [page_of(plasma)]
    assert shown(scheduler.page(f"{URL}?to=2026-11-25")) == [page_of(day)]
    assert shown(scheduler.page(f"{URL}?blood=O%2B")) == [page_of(plasma)]
    assert shown(scheduler.page(f"{URL}?state=closed")) == [page_of(closed)]
    nothing = scheduler.page(f"{URL}?branch={tenant.root.uid}")
    assert "Показать все" in words(nothing)
    kept = nothing.xpath("//select[@id='branch']/option[@selected]/@value")
    assert kept == [str(tenant.root.uid)]


@pytest.mark.parametrize(
    "query",
    [
        "from=x&to=99.99.9999&branch=1&type=x&blood=Z&state=x&page=-1",
        "page=99999999999999999999",
        "from=0001-01-01&to=9999-12-31&page=%D9%A3",
        "publication=x&from=&to=&page=",
    ],
)
def test_an_address_that_makes_no_sense_shows_the_list(scheduler, day, query):
    assert scheduler.get(f"{URL}?{query}").status_code == 200


def test_places_of_a_day_stand_in_words(scheduler, tenant, store, day):
    make.make_appointment(store, tenant, make.make_donor(store, tenant), day, status=A.BOOKED)
    told = words(scheduler.page(page_of(day)))
    assert "(1) записан (2) свободно" in told
    assert "Занято 1 из 4" in told
    assert "по московскому времени" in told


def test_places_are_added_and_withdrawn(scheduler, tenant, store, day):
    make.make_appointment(store, tenant, make.make_donor(store, tenant), day)
    answer = scheduler.submit(
        page_of(day),
        {"places-0800": "0", "places-0900": "5", "new": "12:00", "each": "3"},
        form=f"{page_of(day)}places/",
        follow_redirects=True,
    )
    told = words(answer)
    assert "Добавлено 6 мест." in told
    assert "Снято 1 место." in told
    assert "В 8:00 остаётся 1 место" in told
    store.refresh(day)
    assert (day.total, day.end_time.hour) == (9, 13)
    assert check_invariants(store, now=make.NOW) == []


def test_what_a_colleague_changed_at_another_time_stays(scheduler, store, day):
    early = {"places-0800": "2", "was-0800": "2", "places-0900": "4", "was-0900": "2"}
    late = {"places-0800": "1", "was-0800": "2", "places-0900": "2", "was-0900": "2"}
    scheduler.send(f"{page_of(day)}places/", early)
    scheduler.send(f"{page_of(day)}places/", late)
    store.refresh(day)
    assert day.total == 5


@pytest.mark.parametrize(
    ("fields", "name", "sentence"),
    [
        ({"places-0800": "много", "was-0800": "2"}, "places-0800", "целое число от 0 до 200"),
        ({"places-0800": "201", "was-0800": "2"}, "places-0800", "целое число от 0 до 200"),
        ({"new": "в обед"}, "new", "14:00, 14:30"),
        ({"new": "12:00", "each": "0"}, "each", "целое число от 1 до 200"),
    ],
)
def test_a_wrong_number_of_places_says_so_and_stays(scheduler, store, day, fields, name, sentence):
    answer = scheduler.send(f"{page_of(day)}places/", fields)
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert parsed(answer).xpath("//*[@name=$name]/@value", name=name) == [fields[name]]
    store.refresh(day)
    assert day.total == 4


@pytest.mark.parametrize(
    "fields", [{"new": "9:30"}, {"places-9999": "3", "places-٠٠٠٠": "3", "places-": "1"}]
)
def test_times_that_cannot_be_are_no_crash(scheduler, tenant, store, fields):
    today = make.make_schedule(store, tenant, days=0)
    assert scheduler.send(f"{page_of(today)}places/", fields).status_code < 500


def test_a_day_is_paused_and_resumed(scheduler, store, day, client):
    scheduler.submit(page_of(day), form=f"{page_of(day)}pause/")
    store.refresh(day)
    assert day.status is ScheduleStatus.PAUSED
    scheduler.submit(page_of(day), form=f"{page_of(day)}resume/")
    store.refresh(day)
    assert day.status is ScheduleStatus.PUBLISHED


def close(scheduler, day, reason=REASON):
    return scheduler.submit(f"{page_of(day)}close/", {"reason": reason}, follow_redirects=True)


def test_closing_names_the_people_and_what_happens_to_them(scheduler, tenant, store, day):
    donor = make.make_donor(store, tenant, family_name="Рябинина")
    make.make_appointment(store, tenant, donor, day)
    card = make.make_person(store, tenant, family_name="Без-Адреса", phone="+74950000001")
    stranger = make.KnownDonor(donor.account, card, donor.donor)
    make.make_appointment(store, tenant, stranger, day, status=A.BOOKED)
    make.make_appointment(store, tenant, make.make_donor(store, tenant), day, status=A.HELD)
    told = words(scheduler.page(f"{page_of(day)}close/"))
    assert "Записаны 2 человека" in told
    assert "Рябинина" in told
    assert "нет адреса: позвоните +74950000001" in told
    assert "1 человек сейчас выбирает время" in told
    assert "Закрыть день: 1 записанный получит сообщение" in told
    assert store.scalar(select(AccessEvent.action)) == "days.close"
    seen = set(store.scalars(select(AccessSubject.person_id)))
    assert seen == {donor.person.id, card.id}


def test_a_nameless_card_is_called_as_in_the_queue(scheduler, tenant, store, day):
    nameless = make.make_donor(store, tenant)
    nameless.person.family_name = nameless.person.given_name = nameless.person.patronymic = ""
    record = make.make_record(store, tenant, nameless, family_name="Изфайлова")
    make.make_appointment(store, tenant, nameless, day)
    page = scheduler.page(f"{page_of(day)}close/")
    assert "Изфайлова" in words(page)
    assert f"№ {nameless.person.id}" not in [words(each) for each in page.xpath("//td[2]")]
    assert set(store.scalars(select(AccessSubject.record_id))) == {None, record.id}


def test_a_closed_day_leaves_nobody_without_a_letter(scheduler, tenant, store, day):
    for status in (A.PENDING, A.BOOKED, A.HELD):
        make.make_appointment(store, tenant, make.make_donor(store, tenant), day, status=status)
    told = words(close(scheduler, day))
    assert "День закрыт." in told
    assert "2 записи отменены. Освобождено 1 место: его кто-то выбирал." in told
    assert REASON in told
    statuses = list(store.scalars(select(Appointment.status).order_by(Appointment.id)))
    assert statuses == [A.CANCELLED, A.CANCELLED, A.RELEASED]
    letters = store.scalars(select(Message.kind).where(Message.kind == MessageKind.DAY_CLOSED))
    assert len(letters.all()) == 2
    assert set(store.scalars(select(Slot.status))) == {SlotStatus.CLOSED}
    assert check_invariants(store, now=make.NOW) == []


def test_a_closed_day_keeps_the_list_of_calls(scheduler, as_staff, tenant, store, day):
    donor = make.make_donor(store, tenant)
    make.make_appointment(store, tenant, donor, day)
    card = make.make_person(store, tenant, family_name="Без-Адреса", phone="+74950000001")
    stranger = make.KnownDonor(donor.account, card, donor.donor)
    make.make_appointment(store, tenant, stranger, day, status=A.BOOKED)
    close(scheduler, day)
    told = words(scheduler.page(page_of(day)))
    assert "Позвоните этим людям: до них не дошло ни одно сообщение Без-Адреса" in told
    assert "+74950000001" in told
    assert donor.person.patronymic not in told
    assert "days.calls" in set(store.scalars(select(AccessEvent.action)))
    assert "Без-Адреса" not in words(as_staff(Role.ANALYST, tenant.root).page(page_of(day)))


def test_closing_without_a_reason_is_refused(scheduler, tenant, store, day):
    make.make_appointment(store, tenant, make.make_donor(store, tenant), day)
    answer = close(scheduler, day, "   ")
    assert answer.status_code == 200 and answer.request.method == "GET", "so that Back works"
    assert "Укажите причину" in words(answer)
    store.refresh(day)
    assert day.status is ScheduleStatus.PUBLISHED
    assert store.scalar(select(func.count()).select_from(Message)) == 0


def test_a_closed_day_offers_nothing_to_change(scheduler, store, day):
    close(scheduler, day)
    page = scheduler.page(page_of(day))
    assert page.xpath("//main//form") == []
    again = scheduler.get(f"{page_of(day)}close/")
    assert again.status_code == 303
    answer = scheduler.send(f"{page_of(day)}places/", {"new": "12:00"})
    assert answer.status_code == 409


def test_what_does_not_fit_into_the_request_the_job_finishes(
    scheduler, tenant, store, day, monkeypatch
):
    from admin import dismissing

    monkeypatch.setattr(dismissing, "PATIENCE", -1)
    make.make_appointment(store, tenant, make.make_donor(store, tenant), day)
    told = words(close(scheduler, day))
    assert "Остальные записи будут отменены в течение минуты" in told
    closing.finish_closings(store, now=make.NOW)
    assert store.scalar(select(Appointment.status)) is A.CANCELLED


@pytest.mark.parametrize(
    ("role", "seen", "changed", "closed"),
    [
        (Role.SCHEDULER, 200, 303, 200),
        (Role.MANAGER, 200, 303, 200),
        (Role.REGISTRAR, 200, 403, 403),
        (Role.ANALYST, 200, 403, 403),
        (Role.SECURITY, 403, 403, 403),
    ],
)
def test_each_role_may_do_its_part(as_staff, tenant, day, role, seen, changed, closed):
    visitor = as_staff(role, tenant.root)
    assert visitor.get(URL).status_code == seen
    assert visitor.get(page_of(day)).status_code == seen
    assert visitor.send(f"{page_of(day)}pause/").status_code == changed
    assert visitor.get(f"{page_of(day)}close/").status_code == closed


def test_buttons_are_shown_to_whom_they_obey(as_staff, tenant, day):
    assert as_staff(Role.REGISTRAR, tenant.root).page(page_of(day)).xpath("//main//button") == []


@pytest.mark.parametrize("act", ["", "places/", "pause/", "resume/", "close/"])
def test_another_organizations_day_is_not_there(as_staff, store, day, act):
    foreign = make.make_tenant(store, name="Чужой центр")
    stranger = as_staff(Role.SCHEDULER, foreign.root)
    address = f"{page_of(day)}{act}"
    answer = stranger.get(address) if act in ("", "close/") else stranger.send(address)
    assert answer.status_code == 404
    assert stranger.send(f"{page_of(day)}close/", {"reason": REASON}).status_code == 404
    store.refresh(day)
    assert day.status is ScheduleStatus.PUBLISHED


def test_a_name_with_markup_stays_words(scheduler, tenant, store, day):
    donor = make.make_donor(store, tenant, family_name="<b onclick=1>Жук</b>")
    make.make_appointment(store, tenant, donor, day)
    page = scheduler.page(f"{page_of(day)}close/")
    assert page.xpath("//b") == []
    assert "<b onclick=1>Жук</b>" in words(page)


def test_a_draft_day_is_not_there(scheduler, tenant, store):
    draft = make.make_schedule(store, tenant, status=ScheduleStatus.DRAFT)
    assert scheduler.get(page_of(draft)).status_code == 404
    assert store.get(Schedule, draft.id).blood_types == frozenset[BloodType]()
