"""Many requests at once: asked first, done in chunks, the failing ones left out and listed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.models import AccessEvent, Appointment
from app.models.enums import AppointmentStatus, MessageKind, Role
from app.rules import approval
from tests import make
from tests.admin.registrar import NOBODY, Desk
from tests.client import headings, parsed, words

A = AppointmentStatus
BULK = "/staff/queue-bulk/"


def address(do: str, *rows: Appointment, **more: str) -> str:
    picks = "".join(f"&pick={row.uid}" for row in rows)
    return f"{BULK}?do={do}{picks}" + "".join(f"&{k}={v}" for k, v in more.items())


def ask(desk: Desk, do: str, *rows: Appointment, **more: str) -> Any:
    return desk.client.page(address(do, *rows, **more))


def do(desk: Desk, what: str, *rows: Appointment, **more: Any) -> TestResponse:
    data = more.pop("data", {})
    return desk.client.send(address(what, *rows, **more), data)


def statuses(desk: Desk, rows: list[Appointment]) -> set[AppointmentStatus]:
    return {desk.status(row) for row in rows}


def test_the_list_leads_to_the_question_with_what_was_ticked(desk: Desk) -> None:
    rows = desk.requests(3)
    page = desk.client.page("/staff/queue/?per=50")
    (form,) = page.xpath("//form[@id='many']")
    assert form.get("action") == BULK
    assert [box.get("value") for box in form.xpath(".//input[@name='pick']")] == [
        str(row.uid) for row in rows
    ]
    assert form.fields["per"] == "50"


def test_the_question_says_how_many_and_lists_what_is_left_out(desk: Desk) -> None:
    good, bad = desk.requests(2), desk.request(known=False, days=8)
    gone = desk.request(days=9)
    approval.approve(desk.store, appointment_id=gone.id, by=desk.registrar, now=desk.clock.now)
    page = ask(desk, "approve", *good, bad, gone)
    said = words(page)
    assert "Будут утверждены 2 заявки." in said
    assert "1 заявка не войдёт: проверка не пройдена." in said
    assert "По 1 отмеченной заявке решение уже принято" in said
    (line,) = page.xpath("//ul[@class='left-out']/li")
    assert words(line) == (
        f"№ {bad.number} Соснова В. П., вт, 1 декабря, 8:00: Код донора: нет в файле доноров"
    )
    assert f"open={bad.uid}" in line.xpath("./a/@href")[0]
    assert statuses(desk, [*good, bad]) == {A.PENDING}, "nothing is done yet"


def test_the_picked_ones_are_approved_and_the_failing_one_waits(desk: Desk) -> None:
    good, bad = desk.requests(3), desk.request(known=False, days=8)
    response = do(desk, "approve", *good, bad)
    page = parsed(response)
    assert "Решены 3 заявки" in headings(page)
    assert "Утверждены 3 заявки. Не вошла: 1." in words(page)
    (line,) = page.xpath("//ul[@class='left-out']/li")
    assert "Код донора: нет в файле доноров" in words(line)
    assert statuses(desk, good) == {A.BOOKED}
    assert desk.status(bad) is A.PENDING
    assert desk.due(bad) == {MessageKind.REQUEST_RECEIVED}


def test_who_was_named_as_left_out_is_written_down(desk: Desk) -> None:
    good, bad = desk.request(), desk.request(known=False, days=8)
    ask(desk, "approve", good, bad)
    do(desk, "approve", good, bad)
    seen = desk.store.scalars(select(AccessEvent).where(AccessEvent.action == "queue.bulk")).all()
    assert [{s.person_id for s in one.subjects} for one in seen] == [{bad.person_id}] * 2


def test_the_whole_filter_is_decided_not_only_the_page(desk: Desk) -> None:
    rows = [desk.request(days=2 + number % 5) for number in range(30)]
    outside = desk.request(days=20)
    said = words(ask(desk, "approve", whole="1", to="2026-12-01"))
    assert "Будет утверждено 30 заявок." in said
    do(desk, "approve", whole="1", to="2026-12-01")
    assert statuses(desk, rows) == {A.BOOKED}
    assert desk.status(outside) is A.PENDING


def test_the_filter_is_evaluated_anew_when_the_button_is_pressed(desk: Desk) -> None:
    first = desk.request()
    ask(desk, "approve", whole="1")
    came_later = desk.request(days=3)
    do(desk, "approve", whole="1")
    assert statuses(desk, [first, came_later]) == {A.BOOKED}


def test_rejecting_many_asks_for_one_reason(desk: Desk) -> None:
    rows = [desk.request(), desk.request(known=False, days=3)]
    assert "Будут отклонены 2 заявки." in words(ask(desk, "reject", *rows))

    without = do(desk, "reject", *rows, data={"comment": "Нет реактивов"})
    assert without.status_code == 422
    assert "Выберите причину" in words(without)
    assert "Нет реактивов" in parsed(without).xpath("//textarea")[0].text
    assert statuses(desk, rows) == {A.PENDING}

    reason = desk.tenant.reasons[1]
    do(desk, "reject", *rows, data={"reason": str(reason.uid), "comment": "Нет реактивов"})
    assert statuses(desk, rows) == {A.REJECTED}
    assert {(row.reason_id, row.comment) for row in rows} == {(reason.id, "Нет реактивов")}


def test_pressing_twice_decides_once(desk: Desk) -> None:
    rows = desk.requests(3)
    do(desk, "approve", *rows)
    again = words(do(desk, "approve", *rows))
    assert "Утверждено 0 заявок. Не вошли: 3." in again or "Не вошло: 3" in again
    assert again.count("Решение уже принято: «Запись на донацию подтверждена», Ольга Первая") == 3
    for row in rows:
        assert desk.due(row) == {MessageKind.APPROVED, MessageKind.REMINDER}


def test_pressing_twice_on_the_whole_filter_finds_nothing_more(desk: Desk) -> None:
    desk.requests(2)
    do(desk, "approve", whole="1")
    assert "Утверждено 0 заявок" in words(do(desk, "approve", whole="1"))


def test_what_was_decided_in_one_go_is_undone_in_one_go(desk: Desk) -> None:
    rows, alone = desk.requests(3), desk.request(days=9)
    desk.approve(alone)
    desk.clock.forward(seconds=5)
    done = parsed(do(desk, "approve", *rows))
    (form,) = done.xpath("//form[@id='undo']")
    assert "Отменить все эти решения" in words(form)
    desk.clock.forward(seconds=54)
    assert "Приняты решения по 3 заявкам" in words(desk.client.page("/staff/queue/"))
    desk.client.submit("/staff/queue/", form="undo")
    assert statuses(desk, rows) == {A.PENDING}
    assert desk.status(alone) is A.BOOKED
    assert {kind for row in rows for kind in desk.due(row)} == set()


def test_a_long_go_is_answered_in_time_and_gone_on_with(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [desk.request(days=2 + number) for number in range(5)]
    monkeypatch.setattr("admin.views.queue_bulk.CHUNK", 2)
    monkeypatch.setattr("admin.views.queue_bulk.SECONDS", 1e-9)
    bad = desk.request(known=False, days=1)

    said = do(desk, "approve", whole="1")
    handled = 0
    for _ in range(9):
        page = parsed(said)
        forms = page.xpath("//form[.//input[@name='after']]")
        if not forms:
            break
        handled += 1
        fields = {name: value for name, value in forms[0].form_values() if name != "csrf_token"}
        said = desk.client.send(forms[0].action, fields)
    assert handled == 2
    assert statuses(desk, rows) == {A.BOOKED}
    assert desk.status(bad) is A.PENDING


def test_more_than_fits_into_one_go_is_said_and_gone_on_with(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [desk.request(days=2 + number) for number in range(5)]
    monkeypatch.setattr("admin.views.queue_bulk.MOST_AT_ONCE", 3)
    said = words(ask(desk, "approve", whole="1"))
    assert "Будут утверждены 3 заявки." in said
    assert "за один раз решается не больше 3" in said
    page = parsed(do(desk, "approve", whole="1"))
    assert [desk.status(row) for row in rows] == [A.BOOKED] * 3 + [A.PENDING] * 2
    (form,) = page.xpath("//form[.//input[@name='after']]")
    desk.client.send(form.action, {"after": form.fields["after"]})
    assert statuses(desk, rows) == {A.BOOKED}


def test_nothing_ticked_says_so_on_the_queue(desk: Desk) -> None:
    desk.request()
    assert "Ничего не отмечено" in words(ask(desk, "approve"))


def test_other_organizations_requests_are_not_in_the_selection(desk: Desk) -> None:
    own = desk.request()
    other = make.make_tenant(desk.store, name="Степной центр")
    day = make.make_schedule(desk.store, other)
    foreign = make.make_appointment(desk.store, other, make.make_donor(desk.store, other), day)
    assert "Будет утверждена 1 заявка." in words(ask(desk, "approve", own, foreign))
    do(desk, "reject", own, foreign, data={"reason": str(desk.tenant.reasons[0].uid)})
    assert (desk.status(own), desk.status(foreign)) == (A.REJECTED, A.PENDING)


def test_somebody_who_only_looks_is_refused(desk: Desk) -> None:
    row = desk.request()
    by = desk.as_staff(Role.OPERATOR, over=desk.tenant.root)
    assert by.get(address("approve", row)).status_code == 403
    assert by.send(address("approve", row)).status_code == 403
    assert desk.status(row) is A.PENDING


@pytest.mark.parametrize(
    "query",
    ["", "do=delete", "do=approve&pick=1", "do=approve&branch=x&whole=1",
     f"do=approve&whole=1&type={NOBODY}", "do=approve&whole=1&from=1"],
)  # fmt: skip
def test_an_address_that_no_page_has_written_is_not_found(desk: Desk, query: str) -> None:
    desk.request()
    assert desk.client.get(f"{BULK}?{query}").status_code == 404
    assert desk.client.send(f"{BULK}?{query}").status_code == 404


@pytest.mark.parametrize("after", ["1", NOBODY])
def test_a_made_up_place_to_go_on_from_is_not_found(desk: Desk, after: str) -> None:
    row = desk.request()
    assert do(desk, "approve", whole="1", data={"after": after}).status_code == 404
    assert desk.status(row) is A.PENDING
