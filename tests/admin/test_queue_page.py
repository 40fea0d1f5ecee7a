"""The registrar's queue over HTTP: seen, decided by one and by many, undone, by two at once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models import AccessEvent, Account, AccountPerson, Donor, Message, RoleAssignment
from app.models.enums import AppointmentStatus, MessageKind, Role, SlotStatus
from app.rules import access, approval, queue
from app.rules.donors import link_record
from tests import make
from tests.admin.registrar import NOBODY, QUEUE, Desk
from tests.client import Visitor, parsed, words
from tests.statements import statements

A = AppointmentStatus


def opened(page: Any) -> str:
    """Whose request is open: the number in its words."""
    (row,) = page.xpath("//tr[@class='here']//td[@class='who']/a/@href") or [""]
    return row.rpartition("open=")[2]


def went_to(response: TestResponse) -> str:
    assert response.status_code == 303, words(response)
    return response.location.rpartition("open=")[2]


def names(page: Any) -> list[str]:
    return [a.text_content().strip() for a in page.xpath("//td[@class='who']/a")]


# --- looking ----------------------------------------------------------------------------------


def test_the_page_says_how_many_wait_and_how_many_are_overdue(desk: Desk) -> None:
    desk.requests(3)
    late = desk.request(days=9)
    late.decide_by = desk.clock.now
    (heading,) = desk.client.page(QUEUE).xpath("//h1")
    assert words(heading) == "На утверждении 4 · просрочено 1"


def test_more_than_a_thousand_is_not_counted_to_the_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.requests(3)
    monkeypatch.setattr(queue, "MOST_COUNTED", 2)
    monkeypatch.setattr("admin.views.queue.MOST_COUNTED", 2)
    (heading,) = desk.client.page(QUEUE).xpath("//h1")
    assert "больше 2" in words(heading)


def test_a_row_says_each_check_in_words(desk: Desk) -> None:
    desk.request(known=False)
    (cell,) = desk.client.page(QUEUE).xpath("//td[@class='marks']")
    said = " ".join(span.text_content() for span in cell.xpath(".//*[@class='hidden-words']"))
    assert said.startswith("Код донора: не пройдена. Группа крови: обратите внимание.")
    assert said.count(":") == 6
    signs = [span.text_content() for span in cell.xpath(".//*[@aria-hidden]")]
    assert signs == ["✗", "!", "✓", "✓", "✓", "!"]


def test_the_open_request_shows_who_when_where_and_the_past(desk: Desk) -> None:
    row = desk.request()
    donor = make.KnownDonor(None, row.person, None)  # type: ignore[arg-type]
    day = make.make_schedule(desk.store, desk.tenant, days=-30)
    make.make_appointment(desk.store, desk.tenant, donor, day, status=A.NOSHOW)
    make.make_donation(desk.store, desk.tenant, row.person, on_date=dt.date(2026, 5, 1))

    said = words(desk.client.page(QUEUE))

    assert "Соснова Вера" in said
    assert "17.05.1990" in said
    assert "III (B) −" in said
    assert "d***@e***.org" in said
    assert not re.search(r"donor\d+@", said)
    assert "ср, 25 ноября, 8:00, по московскому времени" in said
    assert "1 донация, 1 неявка" in said
    assert "Не пришёл" in said
    assert "По медицинским срокам можно: уже сегодня" in said


def test_another_zone_is_said(desk: Desk) -> None:
    desk.tenant.branch.time_zone = "Asia/Kamchatka"
    desk.request()
    assert "UTC+12" in words(desk.client.page(QUEUE))


def test_a_name_that_only_the_file_knows_is_said_to_be_the_files(desk: Desk) -> None:
    donor = make.make_donor(desk.store, desk.tenant, family_name="", given_name="", patronymic="")
    make.make_record(desk.store, desk.tenant, donor, family_name="Берёзова", given_name="Анна")
    day = make.make_schedule(desk.store, desk.tenant)
    make.make_appointment(desk.store, desk.tenant, donor, day)
    page = desk.client.page(QUEUE)
    assert names(page) == ["Берёзова А."]
    assert "взяты из файла доноров" in words(page)


def test_filters_stand_in_the_address(desk: Desk) -> None:
    soon, later = desk.request(days=2, name="Ближняя"), desk.request(days=9, name="Дальняя")
    later.decide_by = desk.clock.now
    elsewhere = make.make_organization(
        desk.store, part_of_id=desk.tenant.id, root_id=desk.tenant.id
    )
    day = make.make_schedule(desk.store, desk.tenant, organization=elsewhere, days=4)
    other = make.make_donor(desk.store, desk.tenant, family_name="Иная")
    make.make_appointment(desk.store, desk.tenant, other, day)

    def shown(query: str) -> list[str]:
        return [name.split()[0] for name in names(desk.client.page(f"{QUEUE}?{query}"))]

    assert shown("") == ["Ближняя", "Иная", "Дальняя"]
    assert shown(f"branch={elsewhere.uid}") == ["Иная"]
    assert shown(f"branch={desk.tenant.root.uid}") == ["Ближняя", "Иная", "Дальняя"]
    assert shown("overdue=1") == ["Дальняя"]
    assert shown("from=2026-11-27&to=2026-11-28") == ["Иная"]
    assert shown(f"type={desk.tenant.platelets.uid}&to=2026-11-25") == ["Ближняя"]
    assert desk.status(soon) is A.PENDING


@pytest.mark.parametrize(
    "query",
    [
        "branch=x",
        f"branch={NOBODY}",
        "type=1",
        f"type={NOBODY}",
        "from=25.11.2026",
        "to=20261125",
        "from=0001-01-01",
        "to=9999-12-31",
        "open=1",
        f"open={NOBODY}",
        f"after={NOBODY}",
        "before=%D1%8F",
        "per=7",
        "per=1000000",
    ],
)
def test_an_address_that_no_page_has_written_is_not_found(desk: Desk, query: str) -> None:
    desk.request()
    assert desk.client.get(f"{QUEUE}?{query}").status_code == 404


def test_pages_go_on_by_key(desk: Desk) -> None:
    for number in range(26):
        desk.request(days=2 + number % 3, name=f"Донор{number}")
    first = desk.client.page(QUEUE)
    assert len(names(first)) == 25
    (further,) = first.xpath("//nav[@class='pages']/a[@rel='next']/@href")
    second = desk.client.page(further)
    assert len(names(second)) == 1
    (back,) = second.xpath("//nav[@class='pages']/a[@rel='prev']/@href")
    assert names(desk.client.page(back)) == names(first)


def test_an_empty_queue_says_why_and_what_next(desk: Desk) -> None:
    assert "Заявок нет: по всем решение принято" in words(desk.client.page(QUEUE))
    desk.request()
    page = desk.client.page(f"{QUEUE}?to=2026-11-23")
    assert "По этому фильтру нет заявок" in words(page)


def test_the_number_of_queries_does_not_grow_with_the_page(desk: Desk, engine: sa.Engine) -> None:
    def counted() -> int:
        with statements(engine) as asked:
            desk.client.page(QUEUE)
        # one row for each person seen: an INSERT of many rows is one statement or several
        return sum(not s.startswith(("INSERT", "BEGIN")) for s in asked)

    desk.requests(3)
    few = counted()
    elsewhere = make.make_organization(
        desk.store, part_of_id=desk.tenant.id, root_id=desk.tenant.id
    )
    for number in range(12):
        desk.request(days=3 + number, name=f"Донор{number}", known=number % 2 == 0)
    desk.request(days=3, organization=elsewhere)
    assert counted() == few <= 40


def test_whose_requests_were_shown_is_written_down_once(desk: Desk) -> None:
    rows = desk.requests(3)
    desk.client.page(QUEUE)
    (seen,) = desk.store.scalars(select(AccessEvent).where(AccessEvent.action == "queue")).all()
    assert seen.staff_user_id == desk.registrar.id
    assert {s.person_id for s in seen.subjects} - {None} == {row.person_id for row in rows}
    assert len([s for s in seen.subjects if s.record_id is not None]) == 3


def test_a_form_that_comes_back_with_its_error_is_a_look_at_people_too(desk: Desk) -> None:
    row = desk.request()
    assert desk.reject(row, reason="").status_code == 422
    seen = desk.store.scalars(select(AccessEvent).where(AccessEvent.action == "queue")).one()
    assert row.person_id in {s.person_id for s in seen.subjects}


# --- deciding one -----------------------------------------------------------------------------


def test_one_button_approves_and_opens_the_next_of_the_same_filter(desk: Desk) -> None:
    first, second, third = desk.requests(3)
    page = desk.client.page(f"{QUEUE}?to=2026-11-26&per=50")
    (action,) = page.xpath("//form[@id='approve']/@action")

    response = desk.client.submit(f"{QUEUE}?to=2026-11-26&per=50", form="approve")

    assert "to=2026-11-26&per=50" in action
    assert desk.status(first) is A.BOOKED
    assert went_to(response) == str(second.uid)
    assert "to=2026-11-26&per=50" in response.location
    assert desk.status(third) is A.PENDING


def test_the_place_in_the_list_is_kept(desk: Desk) -> None:
    rows = desk.requests(4)
    args = f"?after={rows[0].uid}&open={rows[2].uid}"
    response = desk.approve(rows[2], args=args)
    assert f"after={rows[0].uid}" in response.location
    page = parsed(desk.client.get(response.location))
    assert opened(page) == str(rows[3].uid)
    assert len(names(page)) == 2


def test_after_the_last_one_the_one_before_is_opened_and_then_nothing(desk: Desk) -> None:
    first, last = desk.requests(2)
    assert went_to(desk.approve(last)) == str(first.uid)
    response = desk.approve(first)
    assert "open" not in response.location
    assert "Заявок нет" in words(desk.client.get(response.location))


def test_the_donor_sees_the_booking_confirmed_within_the_same_minute(
    desk: Desk, as_account: Callable[..., Visitor]
) -> None:
    row = desk.request()
    desk.approve(row)
    owner = desk.store.scalars(
        select(Account).join(AccountPerson).where(AccountPerson.person_id == row.person_id)
    ).one()
    desk.store.refresh(row)
    assert row.undo_until is not None and row.undo_until > desk.clock.now
    assert "Запись на донацию подтверждена" in words(as_account(owner).page("/bookings"))


def test_rejecting_quotes_the_reason_and_the_comment(desk: Desk) -> None:
    row, following = desk.requests(2)
    response = desk.client.submit(
        f"{QUEUE}?open={row.uid}",
        {"reason": str(desk.tenant.reasons[2].uid), "comment": " Позвоните нам. "},
        form="reject",
    )
    assert went_to(response) == str(following.uid)
    assert desk.status(row) is A.REJECTED
    assert (row.reason_id, row.comment) == (desk.tenant.reasons[2].id, "Позвоните нам.")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"reason": ""}, "Выберите причину: её прочтут в письме."),
        ({"comment": "я" * 2001}, "Комментарий слишком длинный"),
    ],
)
def test_a_rejection_that_lacks_something_stays_open_with_what_was_typed(
    desk: Desk, data: dict[str, str], sentence: str
) -> None:
    row, _ = desk.requests(2)
    response = desk.reject(row, **{"comment": "Позвоните нам."} | data)
    page = parsed(response)
    assert response.status_code == 422
    assert desk.status(row) is A.PENDING
    assert opened(page) == str(row.uid)
    assert sentence in words(page)
    way_back = page.body.get("data-way-back")
    assert opened(desk.client.page(way_back)) == str(row.uid), "where Back and Reload lead"
    typed = page.xpath("//textarea[@name='comment']")[0].text.strip()
    assert typed == ({"comment": "Позвоните нам."} | data)["comment"]


@pytest.mark.parametrize("reason", ["1", NOBODY, "x" * 3000])
def test_a_reason_that_is_not_offered_is_refused(desk: Desk, reason: str) -> None:
    row = desk.request()
    assert desk.reject(row, reason=reason).status_code == 422
    assert desk.status(row) is A.PENDING


def test_another_organizations_reason_is_not_offered(desk: Desk) -> None:
    other = make.make_tenant(desk.store, name="Степной центр")
    row = desk.request()
    assert desk.reject(row, reason=str(other.reasons[0].uid)).status_code == 422
    offered = desk.client.page(QUEUE).xpath("//select[@name='reason']/option/@value")
    assert offered == ["", *(str(reason.uid) for reason in desk.tenant.reasons)]


# --- overriding -------------------------------------------------------------------------------


def test_a_failing_check_asks_for_a_reason_instead_of_the_plain_button(desk: Desk) -> None:
    row = desk.request(known=False)
    page = desk.client.page(QUEUE)
    (field,) = page.xpath("//form[@id='approve']//input[@name='override_reason']")
    assert field.get("required") is not None

    refused = desk.approve(row)
    assert went_to(refused) == str(row.uid)
    assert desk.status(row) is A.PENDING
    assert "Проверка не пройдена: Код донора." in words(desk.client.get(refused.location))

    desk.approve(row, override_reason="Код выдан сегодня")
    assert desk.status(row) is A.BOOKED
    assert row.override_reason == "Код выдан сегодня"


def test_without_the_right_a_failing_check_is_a_sentence(desk: Desk, store: Session) -> None:
    row = desk.request(known=False)
    weak = make.make_staff(store, Role.REGISTRAR, desk.tenant.root)
    by = desk.as_staff(weak)
    given = access.PERMISSIONS[Role.REGISTRAR]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(access.PERMISSIONS, Role.REGISTRAR, given - {"queue.override"})
        page = by.page(QUEUE)
        assert not page.xpath("//form[@id='approve']//button")
        assert "может тот, у кого есть такое право" in words(page)
        answer = by.get(desk.approve(row, by=by, override_reason="очень надо").location)
        assert "Ваша роль этого не позволяет" in words(answer)
    assert desk.status(row) is A.PENDING


# --- two registrars ---------------------------------------------------------------------------


def test_the_second_registrar_is_told_who_and_when_and_goes_on(desk: Desk) -> None:
    row, following = desk.requests(2)
    second = desk.as_staff(make.make_staff(desk.store, over=desk.tenant.root))
    desk.approve(row)

    for decide in (desk.approve, desk.reject):
        response = decide(row, by=second)
        assert went_to(response) == str(following.uid)
        page = parsed(second.get(response.location))
        (said,) = page.xpath("//div[contains(@class, 'last bad')]/p")
        assert "«Запись на донацию подтверждена», Ольга Первая, пн, 23 ноября, 10:00" in words(said)

    assert desk.status(row) is A.BOOKED
    assert "Ольга Первая" not in words(second.get(QUEUE)), "said once"


def test_pressing_twice_is_harmless(desk: Desk) -> None:
    row = desk.request()
    desk.approve(row)
    desk.approve(row)
    sent = select(Message).where(
        Message.appointment_id == row.id, Message.kind == MessageKind.APPROVED
    )
    assert len(desk.store.scalars(sent).all()) == 1


def test_a_request_decided_by_a_colleague_while_it_was_open_says_so(desk: Desk) -> None:
    row, following = desk.requests(2)
    approval.approve(desk.store, appointment_id=row.id, by=desk.registrar, now=desk.clock.now)
    page = desk.client.page(f"{QUEUE}?open={row.uid}")
    assert "уже не ждёт решения" in words(page)
    (onward,) = page.xpath("//nav[@class='steps-nav']/a[@rel='next']/@href")
    assert onward.endswith(str(following.uid))


# --- undoing ----------------------------------------------------------------------------------


def test_the_last_decision_can_be_undone_for_a_minute(desk: Desk) -> None:
    row, _ = desk.requests(2)
    page = parsed(desk.client.get(desk.approve(row).location))
    (bar,) = page.xpath("//div[@class='last']")
    assert f"№ {row.number}" in words(bar)
    assert "осталось 60 с" in words(bar)
    desk.clock.forward(seconds=59)
    assert "осталось 1 с" in words(desk.client.page(QUEUE))
    desk.clock.forward(seconds=1)
    assert not desk.client.page(QUEUE).xpath("//form[@id='undo']")


def test_undoing_brings_the_request_back_open_and_sends_nothing(desk: Desk) -> None:
    row, _ = desk.requests(2)
    desk.approve(row)
    desk.clock.forward(seconds=30)
    response = desk.client.submit(QUEUE, form="undo")
    assert went_to(response) == str(row.uid)
    assert desk.status(row) is A.PENDING
    assert desk.due(row) == set()
    assert opened(parsed(desk.client.get(response.location))) == str(row.uid)


def test_undoing_too_late_says_that_the_letter_is_on_its_way(desk: Desk) -> None:
    row = desk.request()
    desk.reject(row)
    desk.clock.forward(seconds=61)
    answer = desk.client.get(desk.act(row, "undo").location)
    assert "Минута на отмену прошла" in words(answer) or "минут" in words(answer).lower()
    assert desk.status(row) is A.REJECTED
    assert desk.due(row) == {MessageKind.REJECTED}


def test_one_after_another_the_last_decisions_are_undone(desk: Desk) -> None:
    first, second = desk.requests(2)
    desk.approve(first)
    desk.clock.forward(seconds=3)
    desk.approve(second)
    desk.clock.forward(seconds=3)
    desk.client.submit(QUEUE, form="undo")
    desk.client.submit(QUEUE, form="undo")
    assert (desk.status(first), desk.status(second)) == (A.PENDING, A.PENDING)


# --- who may ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        (Role.REGISTRAR, 200),
        (Role.MANAGER, 200),
        (Role.OPERATOR, 200),
        (Role.ADMINISTRATOR, 403),
        (Role.SCHEDULER, 403),
        (Role.ANALYST, 403),
        (Role.SECURITY, 403),
    ],
)
def test_who_may_look(desk: Desk, role: Role, seen: int) -> None:
    desk.request()
    assert desk.as_staff(role, over=desk.tenant.root).get(QUEUE).status_code == seen


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPERATOR])
def test_who_may_only_look_sees_no_buttons_and_is_refused(desk: Desk, role: Role) -> None:
    row = desk.request()
    by = desk.as_staff(role, over=desk.tenant.root)
    page = by.page(QUEUE)
    assert not page.xpath("//form[@id='approve' or @id='reject']")
    assert not page.xpath("//input[@name='pick']")
    for what in ("approve", "reject", "undo"):
        assert desk.act(row, what, by=by).status_code == 403
    assert by.get(f"/staff/queue-bulk/?do=approve&pick={row.uid}").status_code == 403
    assert desk.status(row) is A.PENDING


def test_a_role_of_another_organization_finds_nothing(desk: Desk) -> None:
    row = desk.request()
    other = make.make_tenant(desk.store, name="Степной центр")
    by = desk.as_staff(Role.REGISTRAR, over=other.root)
    assert names(by.page(QUEUE)) == []
    assert by.get(f"{QUEUE}?open={row.uid}").status_code == 404
    for what in ("approve", "reject", "undo"):
        assert desk.act(row, what, by=by).status_code == 404
    assert by.get(f"{QUEUE}?branch={desk.tenant.branch.uid}").status_code == 404
    assert desk.status(row) is A.PENDING


def test_a_registrar_of_one_branch_only_looks_at_the_other(desk: Desk, store: Session) -> None:
    """Registrar here, operator over everything: the right does not travel."""
    elsewhere = make.make_organization(store, part_of_id=desk.tenant.id, root_id=desk.tenant.id)
    here, there = desk.request(), desk.request(days=4, organization=elsewhere)
    user = make.make_staff(store, Role.REGISTRAR, desk.tenant.branch)
    user.roles.append(RoleAssignment(role=Role.OPERATOR, organization_id=desk.tenant.id))
    by = desk.as_staff(user)
    assert by.page(f"{QUEUE}?open={here.uid}").xpath("//form[@id='approve']")
    assert not by.page(f"{QUEUE}?open={there.uid}").xpath("//form[@id='approve']")
    assert desk.approve(there, by=by).status_code == 404
    assert desk.approve(here, by=by).status_code == 303
    assert (desk.status(here), desk.status(there)) == (A.BOOKED, A.PENDING)


@pytest.mark.parametrize("uid", ["1", "x", "%00", NOBODY])
def test_deciding_what_is_not_there_is_not_found(desk: Desk, uid: str) -> None:
    for what in ("approve", "reject", "undo"):
        status = desk.client.send(f"{QUEUE}{uid}/{what}").status_code
        assert status == (400 if uid == "%00" else 404)


def test_deciding_without_the_token_is_refused(desk: Desk) -> None:
    row = desk.request()
    assert desk.client.post(f"{QUEUE}{row.uid}/approve").status_code == 400
    assert desk.client.get(f"{QUEUE}{row.uid}/approve").status_code == 405
    assert desk.status(row) is A.PENDING


def test_names_stay_literal(desk: Desk) -> None:
    desk.request(name='"><img src=x onerror=alert(1)>')
    body = desk.client.get(QUEUE).get_data(as_text=True)
    assert "<img src=x" not in body
    assert "&lt;img src=x" in body


def test_a_place_freed_after_the_minute_is_not_freed_before(desk: Desk) -> None:
    row = desk.request()
    desk.reject(row)
    desk.store.refresh(row.slot)
    assert row.slot.status is SlotStatus.HELD


def test_of_a_shared_code_no_strangers_data_is_shown(desk: Desk) -> None:
    owner = make.make_donor(desk.store, desk.tenant, family_name="Владельцева")
    record = make.make_record(desk.store, desk.tenant, owner, birth_date=dt.date(1971, 3, 9))
    make.make_donation(desk.store, desk.tenant, record, on_date=dt.date(2026, 5, 17))
    make.make_deferral(desk.store, desk.tenant, record, reason="тайная причина")
    link_record(desk.store, person=owner.person, record=record)
    row = desk.request(known=False)
    row.person.birth_date = None
    taken = desk.store.scalars(select(Donor).where(Donor.person_id == row.person_id)).one()
    taken.donor_code = record.code
    for address in (f"{QUEUE}?open={row.uid}", f"/staff/ticket/{row.uid}"):
        told = words(desk.client.page(address))
        assert f"Код {record.code} общий: он указан и в карточке другого донора." in told
        assert "регистратор выясняет по документам" in told
        for private in ("Владельцева", "09.03.1971", "17.05.2026", "17 мая", "тайная причина"):
            assert private not in told, address
    card = words(desk.client.page(f"/staff/donors/{row.person.uid}/"))
    for private in ("09.03.1971", "17.05.2026", "тайная причина"):
        assert private not in card


@pytest.mark.parametrize("settlements", [("Лесной", "Сосновка"), ("Лесной", "Лесной")])
def test_a_row_of_the_list_names_its_branch_shortly_and_without_doubt(
    desk: Desk, settlements: tuple[str, str]
) -> None:
    row = desk.request()
    desk.tenant.root.settlement, desk.tenant.branch.settlement = settlements
    wanted = row.organization.settlement
    if settlements[0] == settlements[1]:
        wanted = row.organization.short_name
    what = desk.client.page(QUEUE).xpath("//*[@class='what']")[0]
    assert words(what).endswith(f" · {wanted}")
