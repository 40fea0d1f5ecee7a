"""The ledger of letters, the calls, the journal of changes, who saw whose card, and the first page."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from pathlib import Path

import pytest
from sqlalchemy import select

from admin.views import messages
from app.models import AccessEvent, AccessSubject, AuditEvent, Message
from app.models.enums import (
    ActorKind,
    AppointmentStatus,
    MessageChannel,
    MessageKind,
    MessageStatus,
    Role,
)
from tests import make
from tests.client import words

NUMBERS = itertools.count(1)


def letter(
    store,
    tenant,
    *,
    status=MessageStatus.DEAD,
    kind=MessageKind.APPROVED,
    appointment=None,
    **changes,
):
    row = Message(
        tenant_id=tenant.id,
        kind=kind,
        key=f"test:{next(NUMBERS)}",
        status=status,
        appointment_id=appointment.id if appointment else None,
        run_at=make.NOW,
        created_at=make.NOW,
        ended_at=make.NOW if status is not MessageStatus.DUE else None,
        attempts=3,
        **{"facts": {}, "last_error": "SMTP 550"} | changes,
    )
    store.add(row)
    store.flush()
    return row


@pytest.fixture
def tenant(store):
    return make.make_tenant(store)


@pytest.fixture
def booked(store, tenant):
    donor = make.make_donor(store, tenant, email="ivanova@example.org")
    day = make.make_schedule(store, tenant)
    appointment = make.make_appointment(store, tenant, donor, day, status=AppointmentStatus.BOOKED)
    return donor, appointment


def test_the_ledger_shows_letters_with_masked_addresses(store, as_staff, tenant, booked):
    donor, appointment = booked
    letter(store, tenant, appointment=appointment, account_id=donor.account.id)
    page = as_staff(Role.ADMINISTRATOR, over=tenant.root).page("/staff/messages/")
    text = words(page)
    assert "Не доставлено" in text and f"№ {appointment.number}" in text.replace("\u00a0", " ")
    assert "i***@e***.org" in text and "ivanova@example.org" not in text


def test_sms_stand_in_the_ledger_with_masked_numbers_and_are_found_by_their_channel(
    store, as_staff, tenant, booked
):
    donor, appointment = booked
    donor.person.phone = "+79001234567"
    letter(store, tenant, appointment=appointment, account_id=donor.account.id)
    texted = letter(
        store,
        tenant,
        appointment=appointment,
        kind=MessageKind.BOOKING_LAPSED,
        channel=MessageChannel.SMS,
        last_error="SMS 403",
    )
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    both, only = client.page("/staff/messages/"), client.page("/staff/messages/?by=sms")
    rows = "//table[contains(@class,'rows')]/tbody/tr"
    assert (len(both.xpath(rows)), len(only.xpath(rows))) == (2, 1)
    text = words(only)
    assert "СМС об аннулированной записи" in text and "+7 *** ***-45-67" in text
    assert "9001234567" not in text and "i***@" not in text
    assert len(client.page("/staff/messages/?by=nonsense").xpath(rows)) == 2
    details = words(client.page(f"/staff/messages/details/?id={texted.uid}"))
    assert "СМС-шлюз не принял сообщение (SMS 403)" in details and "-45-67" in details


def test_an_sms_that_is_still_true_is_sent_again_as_one(store, as_staff, tenant):
    donor = make.make_donor(store, tenant, phone="+79001234567")
    day = make.make_schedule(store, tenant)
    held = make.make_appointment(store, tenant, donor, day, status=AppointmentStatus.HELD)
    make.make_proposed(store, held, code_until=make.NOW + dt.timedelta(hours=1))
    row = letter(
        store,
        tenant,
        appointment=held,
        kind=MessageKind.CONFIRM_CODE,
        channel=MessageChannel.SMS,
        facts={"code_sent": 1},
    )
    client = as_staff(Role.REGISTRAR, over=tenant.root)
    url = f"/staff/messages/do/resend/?id={row.uid}"
    assert client.submit(url).status_code == 303
    again = store.scalars(select(Message).where(Message.id != row.id)).one()
    assert (again.channel, again.status) == (MessageChannel.SMS, MessageStatus.DUE)


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("told by phone", "сообщено по телефону"),
        ("the address is not confirmed", "донор ещё не подтвердил адрес"),
        ("no answer in time", "почтовый сервер не ответил вовремя"),
        ("SMTP 550 5.1.1", "почтовый сервер не принял письмо (SMTP 550 5.1.1)"),
        ("SMTP 421", "почтовый сервер просит обратиться позже (SMTP 421)"),
        ("ConnectionRefusedError 111", "почтовый сервер недоступен (ConnectionRefusedError 111)"),
        ("SMTPServerDisconnected", "почтовый сервер недоступен"),
        ("KeyError", "письмо не удалось отправить (KeyError)"),
        ("SMS is not set up", "СМС не настроены"),
        ("not a mobile number", "номер не мобильный, СМС на него не доходит"),
        ("no phone number", "в карточке нет номера телефона"),
        ("SMS no answer", "СМС-шлюз не ответил вовремя"),
        ("SMS 403", "СМС-шлюз не принял сообщение (SMS 403)"),
        ("SMS 429", "СМС-шлюз просит обратиться позже (SMS 429)"),
        ("SMS 503", "СМС-шлюз просит обратиться позже (SMS 503)"),
        ("SMS ConnectionRefusedError 111", "СМС-шлюз недоступен (SMS ConnectionRefusedError 111)"),
        ("", "Последняя ошибка—"),
    ],
)
def test_why_a_letter_failed_is_said_in_words(store, as_staff, tenant, kept, told):
    row = letter(store, tenant, last_error=kept)
    client = as_staff(Role.ADMINISTRATOR, over=tenant.root)
    assert told in words(client.page(f"/staff/messages/details/?id={row.uid}"))


def test_every_fault_that_the_code_names_itself_has_words():
    sources = [Path(messages.__file__).parents[2] / name for name in ("app/rules", "app/jobs")]
    named = {
        found
        for folder in sources
        for file in folder.rglob("*.py")
        for found in re.findall(
            r'(?:error=|return )"([a-z][a-z ]+ [a-z ]+)"', file.read_text(encoding="utf-8")
        )
    }
    assert len(named) > 2
    assert named <= set(messages.FAULTS)


def test_a_letter_is_sent_again_once_it_is_asked(store, as_staff, tenant, booked):
    donor, appointment = booked
    row = letter(store, tenant, appointment=appointment, account_id=donor.account.id)
    client = as_staff(Role.REGISTRAR, over=tenant.root)
    url = f"/staff/messages/do/resend/?id={row.uid}"
    client.page(url)
    assert len(store.scalars(select(Message)).all()) == 1
    assert client.submit(url).status_code == 303
    again = store.scalars(select(Message).where(Message.id != row.id)).one()
    assert (again.status, again.kind, again.appointment_id) == (
        MessageStatus.DUE,
        row.kind,
        appointment.id,
    )
    line = store.scalars(select(AuditEvent).where(AuditEvent.verb == "message.send_again")).one()
    assert line.tenant_id == tenant.id and line.actor_kind is ActorKind.STAFF


def test_many_letters_are_sent_again_together_and_refusals_are_told_apart(
    store, as_staff, tenant, booked
):
    donor, appointment = booked
    good = letter(store, tenant, appointment=appointment, account_id=donor.account.id)
    untrue = letter(store, tenant, appointment=appointment, kind=MessageKind.REJECTED)
    waiting = letter(store, tenant, appointment=appointment, status=MessageStatus.DUE)
    client = as_staff(Role.REGISTRAR, over=tenant.root)
    page = client.page("/staff/messages/")
    assert len(page.xpath("//input[@name='id'][@form='bulk']")) == 3
    url = "/staff/messages/do/resend/?" + "&".join(
        f"id={row.uid}" for row in (good, untrue, waiting)
    )
    text = words(client.submit(url, follow_redirects=True))
    assert "Готово: изменена 1 строка" in text
    assert "уже не так" in text and "ещё в пути" in text


def test_a_colleague_without_the_right_looks_and_does_not_send(store, as_staff, tenant, booked):
    row = letter(store, tenant, appointment=booked[1])
    client = as_staff(Role.MANAGER, over=tenant.root)
    page = client.page("/staff/messages/")
    assert not page.xpath("//form[@id='bulk']")
    assert client.get(f"/staff/messages/do/resend/?id={row.uid}").status_code == 403
    assert client.send("/staff/messages/do/resend/", {"id": str(row.uid)}).status_code == 403
    assert len(store.scalars(select(Message)).all()) == 1


def test_letters_of_others_are_not_seen(store, as_staff, tenant, booked):
    """Neither another body's, nor those about another branch's bookings."""
    other = make.make_tenant(store, name="Дальний центр")
    foreign = letter(store, other)
    elsewhere = make.make_organization(
        store, name="Отделение «Ели»", short_name="Ели", part_of_id=tenant.id, root_id=tenant.id
    )
    here = letter(store, tenant, appointment=booked[1])
    for over, rows in ((tenant.root, [here]), (elsewhere, []), (other.root, [foreign])):
        client = as_staff(Role.REGISTRAR, over=over)
        for row in (foreign, here):
            status = client.get(f"/staff/messages/details/?id={row.uid}").status_code
            assert status == (200 if row in rows else 404), (over, row)
        shown = client.page("/staff/messages/").xpath("//table[contains(@class,'rows')]/tbody/tr")
        assert len(shown) == len(rows)


def test_people_to_phone_stand_with_name_telephone_and_visit(store, as_staff, tenant, booked):
    donor, appointment = booked
    donor.person.phone = "+79001234567"
    row = letter(store, tenant, appointment=appointment, account_id=donor.account.id)
    letter(store, tenant, appointment=appointment, status=MessageStatus.SENT)
    client = as_staff(Role.REGISTRAR, over=tenant.root)
    text = words(client.page("/staff/calls/"))
    assert donor.person.full_name in text and "+79001234567" in text
    seen = store.scalars(select(AccessEvent)).one()
    assert seen.action == "calls.list"
    assert store.scalars(select(AccessSubject.person_id)).all() == [donor.person.id]
    client.submit(f"/staff/messages/do/phoned/?id={row.uid}")
    assert row.status is MessageStatus.OBSOLETE
    assert donor.person.full_name not in words(client.page("/staff/calls/"))


def test_telephones_need_the_right_to_see_donors(store, as_staff, tenant):
    assert as_staff(Role.ADMINISTRATOR, over=tenant.root).get("/staff/calls/").status_code == 403


def test_a_visit_that_is_over_is_nobody_to_phone(store, as_staff, tenant, booked, clock):
    letter(store, tenant, appointment=booked[1])
    clock.forward(days=5)
    assert "Звонить некому" in words(
        as_staff(Role.REGISTRAR, over=tenant.root).page("/staff/calls/")
    )


def test_the_journal_tells_who_did_what_and_masks_people(store, as_staff, tenant):
    boss = make.make_staff(store, Role.ADMINISTRATOR, tenant.root, full_name="Тихонова Вера")
    client = as_staff(boss)
    user = make.make_staff(store, Role.REGISTRAR, tenant.root, full_name="Белова Дарья")
    client.submit(f"/staff/staff/edit/?id={user.uid}", {"full_name": "Белова Дарья Андреевна"})
    client.submit(f"/staff/reasons/edit/?id={tenant.reasons[0].uid}", {"position": "5"})
    page = client.page("/staff/audit/")
    text = words(page)
    assert "Изменена причина отклонения" in text and "Тихонова Вера" in text
    assert "Исправлены данные сотрудника" in text
    links = page.xpath("//table//tbody//td[1]/a/@href")
    changes = [
        " ".join(cell.text_content() for cell in client.page(link).xpath("//tbody//td"))
        for link in links
    ]
    assert any("•••" in one for one in changes)
    assert not any("Андреевна" in one for one in changes)


def test_the_journal_speaks_of_rows_roles_and_states_in_words(store, as_staff, tenant):
    boss = make.make_staff(store, Role.ADMINISTRATOR, tenant.root)
    client = as_staff(boss)
    user = make.make_staff(store, Role.REGISTRAR, tenant.root, full_name="Белова Дарья")
    fields = {"role": "scheduler", "over": str(tenant.branch.uid)}
    client.send(f"/staff/staff/assign/?id={user.uid}", fields)
    client.submit(f"/staff/donation-types/edit/?id={tenant.platelets.uid}", {"position": "7"})
    page = client.page("/staff/audit/")
    text = words(page)
    assert "Сотрудник: Белова Дарья" in text and "Тип донации: Тромбоцитаферез" in text
    link = page.xpath("//tr[contains(., 'Назначена роль')]//a/@href")[0]
    detail = words(client.page(link))
    assert "scheduler" not in detail and "Сосны" in detail


def test_the_journal_of_another_body_is_not_seen(store, as_staff, tenant):
    other = make.make_tenant(store, name="Дальний центр")
    event = AuditEvent(
        at=make.NOW,
        tenant_id=other.id,
        actor_kind=ActorKind.SYSTEM,
        verb="чужое",
        subject="organization",
        changes={},
    )
    store.add(event)
    store.flush()
    client = as_staff(Role.SECURITY, over=tenant.root)
    assert "чужое" not in words(client.page("/staff/audit/"))
    assert client.get(f"/staff/audit/details/?id={event.id}").status_code == 404


def test_nobody_writes_into_a_journal(store, as_staff, tenant):
    client = as_staff(Role.SECURITY, over=tenant.root)
    for slug in ("audit", "access"):
        for page in ("new/", "edit/?id=1", "do/delete/?id=1"):
            assert client.get(f"/staff/{slug}/{page}").status_code == 404


def test_who_saw_a_card_is_found_by_name_and_looking_is_seen_too(store, as_staff, tenant):
    donor = make.make_donor(store, tenant, family_name="Семёнова", given_name="Алёна")
    person = donor.person
    person.search_name = "семенова алена"
    registrar = make.make_staff(store, Role.REGISTRAR, tenant.root, full_name="Соловьёва Алёна")
    event = AccessEvent(
        at=make.NOW, tenant_id=tenant.id, staff_user_id=registrar.id, action="queue", ip="192.0.2.9"
    )
    event.subjects = [AccessSubject(person_id=person.id)]
    store.add(event)
    client = as_staff(Role.SECURITY, over=tenant.root)
    found = client.submit("/staff/access/", {"words": "СЕМЕНОВА"}, form="/staff/access/look-up/")
    text = words(found)
    assert "Семёнова Алёна" in text
    card = f"/staff/access/card/{person.uid}/"
    assert card in found.get_data(as_text=True)
    text = words(client.page(card))
    assert "Соловьёва Алёна" in text and "192.0.2.9" in text
    assert "Поиск карточки" in text  # the officer's own look a moment ago
    actions = [row.action for row in store.scalars(select(AccessEvent).order_by(AccessEvent.id))]
    assert actions == ["queue", "access.look_up", "access.card"]


def test_a_record_of_the_file_is_found_by_its_code(store, as_staff, tenant):
    record = make.make_record(store, tenant, code="AB123", family_name="Иванов")
    client = as_staff(Role.SECURITY, over=tenant.root)
    for typed in ("ab123", "иванов"):
        found = client.submit("/staff/access/", {"words": typed}, form="/staff/access/look-up/")
        assert f"/staff/access/card/{record.uid}/" in found.get_data(as_text=True), typed


@pytest.mark.parametrize("typed", ["%", "_", "", " ", "x" * 500, "\\", "'; drop table person; --"])
def test_odd_words_find_nobody(store, as_staff, tenant, typed):
    make.make_donor(store, tenant)
    client = as_staff(Role.SECURITY, over=tenant.root)
    response = client.send("/staff/access/look-up/", {"words": typed})
    assert response.status_code == 200 and "Никого с таким именем" in words(response)


def test_cards_of_another_body_are_not_found(store, as_staff, tenant):
    other = make.make_tenant(store, name="Дальний центр")
    donor = make.make_donor(store, other, family_name="Чужова")
    donor.person.search_name = "чужова"
    client = as_staff(Role.SECURITY, over=tenant.root)
    assert "Чужова" not in words(
        client.send("/staff/access/look-up/", {"words": "чужова"})
    ).replace('value="чужова"', "")
    assert client.get(f"/staff/access/card/{donor.person.uid}/").status_code == 404
    for odd in ("abc", "1", "%00"):
        assert client.get(f"/staff/access/card/{odd}/").status_code in (400, 404)


def test_the_administrator_does_not_watch_the_watchmen(store, as_staff, tenant):
    assert as_staff(Role.ADMINISTRATOR, over=tenant.root).get("/staff/access/").status_code == 403


# --- today -----------------------------------------------------------------------------------


def tiles(page):
    return {
        " ".join(li.xpath(".//a/span/text()")): li.xpath(".//strong/text()")[0]
        for li in page.xpath("//ul[@class='numbers']/li")
    }


def test_today_wants_three_things_of_a_registrar(store, as_staff, tenant, clock):
    day = make.make_schedule(store, tenant, days=3)
    for hours in (1, 30):
        donor = make.make_donor(store, tenant)
        make.make_appointment(
            store,
            tenant,
            donor,
            day,
            status=AppointmentStatus.PENDING,
            decide_by=clock.now + dt.timedelta(hours=hours),
        )
    letter(store, tenant)
    clock.forward(hours=2)
    page = as_staff(Role.REGISTRAR, over=tenant.root).page("/staff/")
    assert tiles(page) == {
        "заявки ждут решения": "2",
        "из них просрочена": "1",
        "письмо не доставлено": "1",
    }
    for link in page.xpath("//ul[@class='numbers']//a/@href"):
        assert link.startswith("/staff/")


def test_today_shows_a_scheduler_the_load_and_no_letters(store, as_staff, tenant, clock):
    day = make.make_schedule(store, tenant, days=0)
    donor = make.make_donor(store, tenant)
    make.make_appointment(store, tenant, donor, day, status=AppointmentStatus.BOOKED)
    letter(store, tenant)
    page = as_staff(Role.SCHEDULER, over=tenant.root).page("/staff/")
    assert tiles(page) == {}
    assert page.xpath("//meter/@value") == ["25"]
    assert "1 из 4" in words(page) and "Недоставленные письма" not in words(page)


def test_today_counts_only_one_s_own(store, as_staff, tenant):
    other = make.make_tenant(store, name="Дальний центр")
    day = make.make_schedule(store, other, days=3)
    make.make_appointment(
        store, other, make.make_donor(store, other), day, status=AppointmentStatus.PENDING
    )
    letter(store, other)
    page = as_staff(Role.REGISTRAR, over=tenant.root).page("/staff/")
    assert set(tiles(page).values()) == {"0"}


def test_today_says_so_when_nothing_waits(store, as_staff, tenant):
    page = as_staff(Role.SECURITY, over=tenant.root).page("/staff/")
    assert "Сегодня вас ничего не ждёт" in words(page)
