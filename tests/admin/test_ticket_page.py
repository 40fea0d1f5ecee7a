"""What the code on a ticket opens, and looking a booking up by number or donor code."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.models import AccessEvent, Appointment, Donor
from app.models.enums import AppointmentStatus, MessageKind, Role
from app.rules.donors import link_record
from tests import make
from tests.admin.registrar import NOBODY, Desk
from tests.client import headings, parsed, words

A = AppointmentStatus
TICKET = "/staff/ticket/"


def find(desk: Desk, text: str) -> Any:
    """Press «Find»; several found stand on a page of their own, to which Back leads."""
    answer = desk.client.submit(TICKET, {"q": text}, form=TICKET)
    if "asked=" in (answer.location or ""):
        assert text not in answer.location
        return desk.client.get(answer.location)
    return answer


def code_of(desk: Desk, row: Appointment) -> str:
    return desk.store.scalars(
        select(Donor.donor_code).where(Donor.person_id == row.person_id)
    ).one()


# --- looking up -------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["{}", "№ {}", "№{}", " {} "])
def test_a_number_opens_its_booking(desk: Desk, written: str) -> None:
    row = desk.request()
    response = find(desk, written.format(row.number))
    assert response.location == f"{TICKET}{row.uid}"
    assert f"№ {row.number}: На утверждении" in headings(parsed(desk.client.get(response.location)))


def test_a_donors_code_opens_all_bookings_of_that_donor(desk: Desk) -> None:
    row = desk.request()
    donor = make.KnownDonor(None, row.person, None)  # type: ignore[arg-type]
    old = make.make_schedule(desk.store, desk.tenant, days=-40)
    past = make.make_appointment(desk.store, desk.tenant, donor, old, status=A.FULFILLED)
    response = find(desk, code_of(desk, row))
    assert response.location == f"{TICKET}donor/{row.person.uid}"
    page = parsed(desk.client.get(response.location))
    assert headings(page)[0].startswith("Соснова Вера")
    links = page.xpath("//table//a/@href")
    assert links == [f"{TICKET}{row.uid}", f"{TICKET}{past.uid}"]


def test_a_code_never_stands_in_an_address(desk: Desk) -> None:
    row = desk.request()
    code = code_of(desk, row)
    response = find(desk, code)
    assert code not in response.location
    assert "Найдено" not in words(desk.client.get(f"{TICKET}?q={code}"))


def test_the_record_of_a_donor_who_typed_another_code_is_found_too(desk: Desk) -> None:
    row = desk.request(known=False)
    record = make.make_record(desk.store, desk.tenant, code="AB-77")
    link_record(desk.store, person=row.person, record=record)
    assert find(desk, "AB-77").location == f"{TICKET}donor/{row.person.uid}"


def test_what_is_a_number_and_a_code_at_once_is_asked_about(desk: Desk) -> None:
    row = desk.request()
    make.make_donor(desk.store, desk.tenant, donor_code=str(row.number), family_name="Тёзкина")
    page = parsed(find(desk, str(row.number)))
    found = [words(item) for item in page.xpath("//ul[@class='found']/li")]
    assert found[0].startswith(f"Запись № {row.number}")
    assert found[1].startswith("Тёзкина Вера")


def test_nothing_found_says_so_and_keeps_what_was_typed(desk: Desk) -> None:
    response = find(desk, "999999")
    assert response.status_code == 404
    assert "Нет записи с таким номером и донора с таким кодом" in words(response)
    assert parsed(response).xpath("//input[@name='q']/@value") == ["999999"]


@pytest.mark.parametrize("text", ["", "   ", "1" * 41, "9" * 18, "9" * 30, "٣٤", "-5", "0", "1000"])
def test_strange_numbers_find_nothing_and_break_nothing(desk: Desk, text: str) -> None:
    assert find(desk, text).status_code in (404, 422)


def test_looking_up_is_written_down(desk: Desk) -> None:
    row = desk.request()
    desk.client.page(f"{TICKET}{row.uid}")
    seen = desk.store.scalars(select(AccessEvent).where(AccessEvent.action == "ticket")).one()
    assert {s.person_id for s in seen.subjects} - {None} == {row.person_id}


def test_a_choice_among_several_found_is_written_down_too(desk: Desk) -> None:
    row = desk.request()
    twin = make.make_donor(desk.store, desk.tenant, donor_code=code_of(desk, row))
    assert find(desk, code_of(desk, row)).status_code == 200
    seen = desk.store.scalars(select(AccessEvent).where(AccessEvent.action == "ticket.find")).one()
    assert {s.person_id for s in seen.subjects} == {row.person_id, twin.person.id}


# --- the booking ------------------------------------------------------------------------------


def test_the_code_on_a_ticket_asks_a_stranger_to_sign_in(desk: Desk, client: Any) -> None:
    row = desk.request()
    response = client.get(f"{TICKET}{row.uid}")
    assert response.status_code == 303
    assert "/staff/sign-in" in response.location


def test_the_history_names_who_did_what_and_when(desk: Desk) -> None:
    row = desk.request()
    desk.approve(row)
    desk.act(row, "undo")
    said = [
        words(line)
        for line in desk.client.page(f"{TICKET}{row.uid}").xpath(
            "//section[@aria-labelledby='happened']//li"
        )
    ]
    assert said[-2:] == [
        "пн, 23 ноября, 10:00 Утверждена, Ольга Первая",
        "пн, 23 ноября, 10:00 Утверждение отменено, Ольга Первая",
    ]
    assert said[0].startswith("пн, 23 ноября, 10:00 Место выбрано")


def test_the_letters_of_the_booking_stand_on_it(desk: Desk) -> None:
    row = desk.request()
    desk.approve(row)
    page = desk.client.page(f"{TICKET}{row.uid}")
    said = " ".join(words(line) for line in page.xpath("//section[@aria-labelledby='letters']//li"))
    assert "Заявка утверждена: Ждёт отправки, уйдёт пн, 23 ноября, 10:01" in said
    assert "Заявка получена: Больше не нужно" in said


def test_a_request_can_be_decided_here_and_one_stays_here(desk: Desk) -> None:
    row = desk.request()
    here = f"{TICKET}{row.uid}"
    response = desk.client.submit(here, form="approve")
    assert response.location == here
    page = parsed(desk.client.get(here))
    assert f"№ {row.number}: Запись на донацию подтверждена" in headings(page)
    assert not page.xpath("//form[@id='approve' or @id='reject']")
    assert desk.client.submit(here, form="undo").location == here
    assert desk.status(row) is A.PENDING


def test_a_reason_why_a_check_was_overridden_stands_on_the_booking(desk: Desk) -> None:
    row = desk.request(known=False)
    desk.approve(row, override_reason="Код выдан сегодня")
    assert "Код выдан сегодня" in words(desk.client.page(f"{TICKET}{row.uid}"))


def test_rejecting_here_without_a_reason_keeps_the_comment(desk: Desk) -> None:
    row = desk.request()
    response = desk.client.send(f"{TICKET}{row.uid}/reject", {"comment": "Позвоните нам."})
    assert response.status_code == 422
    assert "Позвоните нам." in parsed(response).xpath("//textarea[@id='comment']")[0].text
    assert parsed(response).body.get("data-way-back") == f"{TICKET}{row.uid}"


@pytest.mark.parametrize("status", [A.PENDING, A.BOOKED])
def test_the_centre_cancels_with_words_for_the_donor(desk: Desk, status: A) -> None:
    row = desk.request()
    if status is A.BOOKED:
        desk.approve(row)
    here = f"{TICKET}{row.uid}"
    without = desk.client.send(f"{here}/cancel", {"comment": "  "})
    assert without.status_code == 422
    assert "это прочтут в письме или СМС" in words(without)
    assert desk.status(row) is status

    desk.client.submit(here, {"comment": "Аппарат сломан"}, form=f"{here}/cancel")
    assert desk.status(row) is A.CANCELLED
    assert row.comment == "Аппарат сломан"
    assert desk.due(row) == {MessageKind.CANCELLED_BY_STAFF}
    again = desk.client.send(f"{here}/cancel", {"comment": "ещё раз"}, follow_redirects=True)
    assert "Ничего не сделано." in words(again)


def test_a_visit_that_is_over_offers_nothing(desk: Desk) -> None:
    row = desk.request()
    desk.approve(row)
    desk.clock.now = row.starts_at
    by = desk.as_staff(desk.registrar)  # the former session has ended meanwhile
    page = by.page(f"{TICKET}{row.uid}")
    assert not page.xpath("//main//form")


def test_an_operator_may_cancel_but_not_decide(desk: Desk) -> None:
    row = desk.request()
    by = desk.as_staff(Role.OPERATOR, over=desk.tenant.root)
    page = by.page(f"{TICKET}{row.uid}")
    assert not page.xpath("//form[@id='approve']")
    assert page.xpath("//form[@class='cancel']")
    assert by.send(f"{TICKET}{row.uid}/approve").status_code == 403


def test_a_manager_may_look_but_not_cancel(desk: Desk) -> None:
    row = desk.request()
    by = desk.as_staff(Role.MANAGER, over=desk.tenant.root)
    assert not by.page(f"{TICKET}{row.uid}").xpath("//form[@class='cancel']")
    assert by.send(f"{TICKET}{row.uid}/cancel", {"comment": "нет"}).status_code == 403
    assert desk.status(row) is A.PENDING


def test_another_organizations_booking_is_not_found(desk: Desk) -> None:
    row = desk.request()
    other = make.make_tenant(desk.store, name="Степной центр")
    by = desk.as_staff(Role.REGISTRAR, over=other.root)
    assert by.get(f"{TICKET}{row.uid}").status_code == 404
    assert by.get(f"{TICKET}donor/{row.person.uid}").status_code == 404
    assert by.send(f"{TICKET}{row.uid}/cancel", {"comment": "нет"}).status_code == 404
    for text in (str(row.number), code_of(desk, row)):
        assert by.send(TICKET, {"q": text}).status_code == 404
    assert desk.status(row) is A.PENDING


@pytest.mark.parametrize("uid", ["1", "x", NOBODY, "donor/1", f"donor/{NOBODY}"])
def test_what_is_not_there_is_not_found(desk: Desk, uid: str) -> None:
    assert desk.client.get(f"{TICKET}{uid}").status_code == 404


@pytest.mark.parametrize("status", [A.HELD, A.RELEASED])
def test_a_choice_that_was_not_confirmed_is_no_booking(desk: Desk, status: A) -> None:
    day = make.make_schedule(desk.store, desk.tenant)
    row = make.make_appointment(
        desk.store, desk.tenant, make.make_donor(desk.store, desk.tenant), day, status=status
    )
    assert desk.client.get(f"{TICKET}{row.uid}").status_code == 404
    assert find(desk, str(row.number)).status_code == 404


@pytest.mark.parametrize("status", sorted(set(make.PATHS) - {A.HELD, A.RELEASED}))
def test_every_status_has_its_page(desk: Desk, status: A) -> None:
    day = make.make_schedule(desk.store, desk.tenant)
    row = make.make_appointment(
        desk.store, desk.tenant, make.make_donor(desk.store, desk.tenant), day, status=status
    )
    desk.client.page(f"{TICKET}{row.uid}")
