"""From a day to a booking: the window, the kept place, its confirmation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Appointment, Schedule, Slot
from app.models.blood import BloodType
from app.models.enums import AppointmentStatus, BloodGroup, Channel, Sign, SlotStatus
from tests import make
from tests.client import Visitor, headings, parsed, words

AB_MINUS = BloodType(BloodGroup.AB, Sign.NEGATIVE)
A = AppointmentStatus
NOBODYS = "3f0c7a52-6d1b-4c9e-9b57-2a8e1f4d6c30"


@pytest.fixture
def tenant(store: Session) -> make.Tenant:
    return make.make_tenant(store)


@pytest.fixture
def day(store: Session, tenant: make.Tenant) -> Schedule:
    """8:00 and 9:00 with two places each, for III (B) − only."""
    return make.make_schedule(store, tenant, blood_types=[make.B_NEGATIVE])


@pytest.fixture
def donor(store: Session, tenant: make.Tenant) -> make.KnownDonor:
    return make.make_donor(store, tenant, donor_code="456545")


@pytest.fixture
def visitor(as_account: Callable[..., Visitor], donor: make.KnownDonor) -> Visitor:
    return as_account(donor)


def url_of(day: Schedule) -> str:
    return f"/places/{day.uid}"


def choose(visitor: Visitor, day: Schedule, slot: Slot) -> Any:
    return visitor.send(url_of(day), {"slot": str(slot.uid)})


def only_booking(store: Session) -> Appointment:
    store.expire_all()
    return store.scalars(select(Appointment)).one()


def test_the_window_names_the_places_the_donor_and_the_day(
    visitor: Visitor, store: Session, tenant: make.Tenant, day: Schedule
) -> None:
    make.make_appointment(store, tenant, make.make_donor(store, tenant), day)
    page = visitor.page(url_of(day))
    text = words(page)
    assert headings(page)[0] == "Создание записи"
    for heading in ("Время донации", "Информация о доноре", "Информация о записи"):
        assert heading in headings(page)
    assert "Занято" in text
    assert "8:00 (2)" in text
    assert "Любое место в 9:00" in text
    assert "456545" in text
    facts = {row[0].text_content(): row[1].text_content() for row in page.xpath("//dl/div")}
    assert facts["Количество записавшихся"] == "1"
    assert facts["Всего слотов"] == "свободно 3 из 4"
    [row] = visitor.page("/").xpath("//tbody/tr")
    in_list = " ".join(row.xpath("string(td[5])").split())
    assert in_list == facts["Всего слотов"], "the list and the window say the same"
    assert facts["Время работы"] == "8:00–10:00, по московскому времени"


def test_a_full_day_is_full_in_the_list_and_in_the_window(
    visitor: Visitor, store: Session, tenant: make.Tenant
) -> None:
    full = make.make_schedule(store, tenant, days=3, total=1)
    make.make_appointment(store, tenant, make.make_donor(store, tenant), full)
    said = "мест нет (0 из 1)"
    assert said in words(visitor.page("/"))
    facts = visitor.page(url_of(full)).xpath("//dl/div[dt='Всего слотов']/dd")
    assert [" ".join(dd.text_content().split()) for dd in facts] == [said]


def test_without_signing_in_the_times_are_shown_and_nothing_can_be_chosen(
    client: Visitor, day: Schedule
) -> None:
    page = client.page(url_of(day))
    assert "8:00 (1)" in words(page)
    assert not page.xpath("//main//form")
    refused = client.send(url_of(day), {"time": "0"})
    assert refused.headers["Location"].startswith("/sign-in")


def test_choosing_keeps_the_place_and_confirming_asks_for_approval(
    visitor: Visitor, store: Session, day: Schedule
) -> None:
    slot = make.slots_of(store, day)[1]
    kept = choose(visitor, day, slot)
    assert kept.status_code == 303
    page = visitor.page(kept.headers["Location"])
    assert headings(page)[0] == "Подтверждение записи"
    text = words(page)
    assert "Подтвердите выбор записи" in text
    assert "Место держится за вами до 10:10" in text
    assert [b.text_content().split()[0] for b in page.xpath("//main//button")] == [
        "Подтверждаю",
        "Продлить",
        "Закрыть",
    ]
    done = visitor.submit(kept.headers["Location"], form=kept.headers["Location"])
    assert done.status_code == 303
    assert "На утверждении" in words(visitor.page(done.headers["Location"]))
    booking = only_booking(store)
    assert (booking.status, booking.slot_id) == (A.PENDING, slot.id)


def test_the_sentences_under_the_buttons_stand_apart(
    visitor: Visitor, store: Session, day: Schedule
) -> None:
    url = choose(visitor, day, make.slots_of(store, day)[0]).headers["Location"]
    assert " раза. После подтверждения" in words(visitor.page(url))
    for _ in range(2):
        visitor.send(url.replace("/confirm", "/extend"))
    assert "продлить время нельзя. После подтверждения" in words(visitor.page(url))
    assert "any more. After you confirm" in words(visitor.page(f"{url}?lang=en"))


def test_confirming_again_leads_to_the_same_booking(
    visitor: Visitor, store: Session, day: Schedule
) -> None:
    kept = choose(visitor, day, make.slots_of(store, day)[0])
    url = kept.headers["Location"]
    answers = [visitor.send(url) for _ in range(3)]
    assert {a.status_code for a in answers} == {303}
    assert len({a.headers["Location"] for a in answers}) == 1
    assert only_booking(store).status is A.PENDING
    assert visitor.get(url).headers["Location"] == answers[0].headers["Location"]


def test_any_place_at_a_time_takes_the_first_free_one(
    visitor: Visitor, store: Session, tenant: make.Tenant, day: Schedule
) -> None:
    make.make_appointment(store, tenant, make.make_donor(store, tenant), day)
    page = visitor.page(url_of(day))
    [time] = page.xpath("//button[@name='time'][contains(., '9:00')]/@value")
    visitor.send(url_of(day), {"time": time})
    held = store.scalars(select(Appointment).where(Appointment.status == A.HELD)).one()
    assert held.slot_id == make.slots_of(store, day)[2].id


def test_a_place_taken_meanwhile_is_told_with_the_nearest_free_ones(
    visitor: Visitor, store: Session, tenant: make.Tenant, day: Schedule
) -> None:
    other_day = make.make_schedule(store, tenant, days=4)
    slot = make.slots_of(store, day)[0]
    make.make_appointment(store, tenant, make.make_donor(store, tenant), day, slot=slot)
    response = choose(visitor, day, slot)
    page = parsed(response)
    assert response.status_code == 409
    assert "Занято" in words(parsed(response))
    assert page.xpath(f"//*[@id='errors']//a[@href='/places/{other_day.uid}']")
    assert page.xpath("//button[@name='slot']")


def test_a_day_of_another_group_is_closed_with_the_reason(
    visitor: Visitor, store: Session, tenant: make.Tenant
) -> None:
    other = make.make_schedule(store, tenant, blood_types=[AB_MINUS])
    page = visitor.page(url_of(other))
    assert "На этот день записаться нельзя" in words(page)
    assert not page.xpath("//main//button")
    response = choose(visitor, other, make.slots_of(store, other)[0])
    assert response.status_code == 409
    assert not store.scalars(select(Appointment)).all()


def test_a_place_for_the_desk_only_is_not_sold_here(
    visitor: Visitor, store: Session, day: Schedule
) -> None:
    slot = make.slots_of(store, day)[0]
    slot.channel = Channel.DESK
    page = visitor.page(url_of(day))
    assert "По телефону" in words(page)
    assert choose(visitor, day, slot).status_code == 404


def test_another_place_can_be_chosen_and_the_first_is_free_again(
    visitor: Visitor, store: Session, day: Schedule
) -> None:
    first, second = make.slots_of(store, day)[:2]
    choose(visitor, day, first)
    shown = words(visitor.page(url_of(day)))
    assert "За вами до 10:10 держится место" in shown
    choose(visitor, day, second)
    assert [s.status for s in make.slots_of(store, day)[:2]] == [SlotStatus.FREE, SlotStatus.HELD]


def test_the_kept_time_can_be_prolonged_twice(
    visitor: Visitor, store: Session, day: Schedule, clock: Any
) -> None:
    url = choose(visitor, day, make.slots_of(store, day)[0]).headers["Location"]
    extend = url.replace("/confirm", "/extend")
    for until in ("10:15", "10:20"):
        clock.forward(minutes=5)
        assert visitor.send(extend).status_code == 303
        assert f"до {until}" in words(visitor.page(url))
    page = visitor.page(url)
    assert "Больше продлить время нельзя" in words(page)
    assert not page.xpath("//button[contains(., 'Продлить')]")
    assert visitor.send(extend).status_code == 409


def test_when_the_time_is_over_the_page_says_so_and_nothing_is_booked(
    visitor: Visitor, store: Session, day: Schedule, clock: Any
) -> None:
    url = choose(visitor, day, make.slots_of(store, day)[0]).headers["Location"]
    clock.forward(minutes=10, seconds=1)
    page = visitor.page(url)
    assert "Выбрать другое время" in words(page)
    response = visitor.send(url)
    assert response.status_code == 409
    assert only_booking(store).status in (A.HELD, A.RELEASED)


def test_closing_frees_the_place(visitor: Visitor, store: Session, day: Schedule) -> None:
    url = choose(visitor, day, make.slots_of(store, day)[0]).headers["Location"]
    closed = visitor.send(url.replace("/confirm", "/close"), follow_redirects=True)
    assert "Место освобождено" in words(closed)
    assert make.slots_of(store, day)[0].status is SlotStatus.FREE
    assert only_booking(store).status is A.RELEASED


def test_going_back_after_closing_says_that_the_place_was_let_go(
    visitor: Visitor, store: Session, day: Schedule
) -> None:
    url = choose(visitor, day, make.slots_of(store, day)[0]).headers["Location"]
    visitor.send(url.replace("/confirm", "/close"))
    pressed = visitor.send(url)
    assert pressed.status_code == 409
    for page in (visitor.page(url), parsed(pressed)):
        assert "Место освобождено" in headings(page)
        assert "Вы освободили это место." in words(page)
        assert "время вышло" not in words(page)


def test_somebody_elses_hold_is_not_there(
    visitor: Visitor, as_account: Callable[..., Visitor], store: Session, tenant: make.Tenant,
    day: Schedule,
) -> None:  # fmt: skip
    url = choose(visitor, day, make.slots_of(store, day)[0]).headers["Location"]
    stranger = as_account(make.make_donor(store, tenant))
    assert stranger.get(url).status_code == 404
    for step in ("confirm", "extend", "close"):
        assert stranger.send(url.replace("/confirm", f"/{step}")).status_code == 404
    assert only_booking(store).status is A.HELD


def test_a_card_of_another_organization_does_not_open_this_one(
    as_account: Callable[..., Visitor], store: Session, day: Schedule
) -> None:
    foreign = make.make_donor(store, make.make_tenant(store, name="Дальний центр"))
    visitor = as_account(foreign)
    assert "Вы зарегистрированы в другой организации" in words(visitor.page(url_of(day)))
    assert choose(visitor, day, make.slots_of(store, day)[0]).status_code == 409


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"slot": "x"},
        {"slot": make.NOBODYS_UID},
        {"time": "-1"},
        {"time": "99999999999"},
        {"time": "٣"},
        {"time": "1790000000"},
    ],
)
def test_a_choice_that_is_not_on_the_page_is_not_found(
    visitor: Visitor, day: Schedule, choice: dict[str, str]
) -> None:
    assert visitor.send(url_of(day), choice).status_code == 404


@pytest.mark.parametrize(
    "path", ["/places/x", "/places/1", f"/places/{make.NOBODYS_UID}", "/bookings/1"]
)
def test_malformed_and_unknown_addresses_are_not_found(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 404
