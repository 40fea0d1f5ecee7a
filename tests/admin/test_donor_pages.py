"""Donor cards and records as staff see them: search, the card, what may be done, and who looked."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.models import (
    AccessEvent,
    AccessSubject,
    AuditEvent,
    Deferral,
    Donation,
    DonorRecord,
    Message,
    Person,
)
from app.models.enums import (
    AppointmentStatus,
    BloodGroup,
    DeferralKind,
    DonationKind,
    FactSource,
    MessageKind,
    Role,
    Sign,
)
from app.rules.donors import link_record
from tests import make
from tests.client import headings, parsed, words

TODAY = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)


@pytest.fixture
def tenant(store):
    return make.make_tenant(store)


@pytest.fixture
def registrar(as_staff, tenant):
    return as_staff(Role.REGISTRAR, tenant.root)


@pytest.fixture
def donor(store, tenant):
    return make.make_donor(
        store,
        tenant,
        donor_code="456545",
        family_name="Фёдорова",
        given_name="Анна",
        patronymic="",
        birth_date=dt.date(1988, 2, 14),
    )


def url(known, *more: str) -> str:
    return "/".join(["/staff/donors", str(known.person.uid), *more, ""])


def seen(store, action: str) -> list[int]:
    rows = store.scalars(
        select(AccessSubject.person_id)
        .join(AccessEvent, AccessEvent.id == AccessSubject.event_id)
        .where(AccessEvent.action == action, AccessSubject.person_id.is_not(None))
    )
    return list(rows)


def search(visitor, line: str):
    """What the line of search leads to."""
    return visitor.submit(
        "/staff/donors/", {"q": line}, form="/staff/donors/search/", follow_redirects=True
    )


# finding


@pytest.mark.parametrize("line", ["федорова", "ФЁДОРОВА анна", "456545", "14.02.1988"])
def test_a_donor_is_found_and_the_search_is_in_no_address(registrar, store, donor, line):
    page = search(registrar, line)
    assert page.status_code == 200
    assert line not in page.request.url and "456545" not in page.request.url
    again = registrar.get(page.request.full_path)  # Back, Reload
    assert "Фёдорова Анна" in words(again)
    assert "Фёдорова Анна" in words(page)
    assert set(seen(store, "donors.list")) == {donor.person.id}
    assert registrar.get("/staff/donors/search/").status_code == 303


def test_what_was_searched_for_is_shown_to_the_one_who_searched(registrar, as_staff, tenant, donor):
    page = search(registrar, "федорова")
    other = as_staff(Role.REGISTRAR, tenant.root)
    assert other.get(page.request.full_path).location == "/staff/donors/"


def test_what_was_searched_for_is_forgotten_in_half_an_hour(registrar, clock, donor):
    page = search(registrar, "федорова")
    for _ in range(4):
        clock.forward(minutes=10)
        answer = registrar.get(page.request.full_path)
    assert answer.location == "/staff/donors/"


def test_what_was_searched_for_cannot_be_read_in_the_cookie(registrar, donor):
    search(registrar, "федорова")
    with registrar.session_transaction("/staff/") as cookie:
        assert len(cookie["notes"]) == 1
        assert "федорова" not in str(cookie["notes"])


def test_many_searches_fit_into_the_cookie(registrar, donor):
    for number in range(9):
        page = search(registrar, f"{'Щ' * 96} {number}")
    assert page.status_code == 200
    with registrar.session_transaction("/staff/") as cookie:
        assert len(str(cookie["notes"])) < 3000


def test_an_address_finds_its_owner_but_is_masked_in_the_list(registrar, donor):
    page = search(registrar, donor.account.email)
    assert "Фёдорова Анна" in words(page)
    assert "***@" in words(page)
    assert donor.account.email not in words(page)


def test_finding_nobody_says_how_names_are_searched(registrar, donor):
    page = search(registrar, "нету")
    assert "с начала" in words(page)


def test_the_cards_opened_last_stand_on_the_first_page(registrar, donor):
    assert "Фёдорова" not in words(registrar.page("/staff/donors/"))
    registrar.page(url(donor))
    assert "Фёдорова Анна" in words(registrar.page("/staff/donors/"))


# the card


def test_the_card_answers_what_a_registrar_asks(registrar, store, tenant, donor):
    record = make.make_record(store, tenant, donor, kell=Sign.POSITIVE)
    link_record(store, person=donor.person, record=record)
    make.make_donation(store, tenant, donor, on_date=TODAY - 20 * DAY, kind=DonationKind.BLOOD)
    make.make_deferral(store, tenant, donor, starts_on=TODAY - 30 * DAY, ends_on=TODAY - 20 * DAY)
    day = make.make_schedule(store, tenant)
    make.make_appointment(store, tenant, donor, day, status=AppointmentStatus.BOOKED)
    page = registrar.page(url(donor))
    text = words(page)
    assert headings(page)[0] == "Фёдорова Анна"
    assert "14.02.1988 (38 лет)" in text
    assert "с 02.01.2027" in text, "blood after blood: 60 days"
    assert "можно сейчас" not in text, "every interval after blood is at least 30 days here"
    assert "различается" in text, "Kell"
    assert "Кто видел эту карт" in text
    assert seen(store, "donors.card") == [donor.person.id]
    assert "открывал" in words(registrar.page(url(donor)))


def test_a_list_of_the_card_that_is_cut_says_so_and_leads_to_the_rest(
    registrar, store, tenant, donor
):
    for number in range(31):
        make.make_donation(store, tenant, donor, on_date=TODAY - (20 + number) * DAY)
    page = registrar.page(url(donor))
    donations = page.xpath("//section[h2/@id='donations']")[0]
    assert len(donations.xpath(".//tbody/tr")) == 30
    assert "Показаны последние 30. Показать все" in words(donations)
    whole = registrar.page(page.xpath("//section[h2/@id='donations']/p/a/@href")[0])
    assert len(whole.xpath("//section[h2/@id='donations']//tbody/tr")) == 31
    assert "Показаны последние" not in words(whole)


def test_a_whole_list_is_not_called_cut(registrar, store, tenant, donor):
    record = make.make_record(store, tenant, donor)
    for number in range(30):
        make.make_donation(store, tenant, record, on_date=TODAY - (20 + number) * DAY)
    assert "Показаны последние" not in words(registrar.page(url(donor)))
    assert "Показаны последние" not in words(registrar.page(f"/staff/records/{record.uid}/"))
    make.make_donation(store, tenant, record, on_date=TODAY - 100 * DAY)
    assert "Показаны последние 30" in words(registrar.page(f"/staff/records/{record.uid}/"))


def test_the_phone_is_masked_until_a_purpose_is_given(registrar, store, donor):
    donor.person.phone = "+79001234567"
    assert "+79001234567" not in words(registrar.page(url(donor)))
    refused = registrar.submit(url(donor), {"reason": ""}, form=url(donor, "phone"))
    assert refused.status_code == 422
    assert "+79001234567" not in words(refused)
    assert parsed(refused).body.get("data-way-back") == url(donor, "phone")
    assert registrar.get(url(donor, "phone")).location == url(donor)
    shown = registrar.submit(url(donor), {"reason": "call"}, form=url(donor, "phone"))
    assert shown.status_code == 303 and "9001234567" not in shown.location
    assert "+79001234567" in words(registrar.page(shown.location))
    assert seen(store, "donors.phone") == [donor.person.id]
    event = store.scalars(select(AuditEvent).where(AuditEvent.verb == "donor.phone")).one()
    assert event.changes == {"reason": [None, "call"]}


def test_a_shown_phone_is_hidden_again_after_some_minutes(registrar, store, clock, donor):
    donor.person.phone = "+79001234567"
    shown = registrar.submit(url(donor), {"reason": "call"}, form=url(donor, "phone")).location
    clock.forward(minutes=4)
    assert "+79001234567" in words(registrar.page(shown)), "Back leads to it"
    clock.forward(minutes=2)
    assert "+79001234567" not in words(registrar.page(shown))


def test_being_shown_one_phone_shows_no_other(registrar, store, tenant, donor):
    other = make.make_donor(store, tenant)
    donor.person.phone, other.person.phone = "+79001234567", "+79007654321"
    shown = registrar.submit(url(donor), {"reason": "call"}, form=url(donor, "phone")).location
    key = shown.partition("?")[2]
    assert "+79007654321" not in words(registrar.page(f"{url(other)}?{key}"))


def test_a_nameless_card_is_called_by_its_code(registrar, store, tenant):
    nameless = make.make_donor(
        store, tenant, donor_code="77", family_name="", given_name="", patronymic=""
    )
    assert headings(registrar.page(url(nameless)))[0] == "Донор 77"


def test_messages_sent_to_the_donor_are_on_the_card(registrar, store, tenant, donor):
    store.add(
        Message(
            tenant_id=tenant.id,
            key="x",
            kind=MessageKind.PASSWORD_CHANGED,
            account_id=donor.account.id,
            run_at=make.NOW,
            created_at=make.NOW,
        )
    )
    assert "Пароль изменён" in words(registrar.page(url(donor)))


def test_payloads_in_names_stay_literal(registrar, store, donor):
    donor.person.family_name = "<script>alert(1)</script>"
    page = registrar.get(url(donor)).get_data(as_text=True)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


# corrections


def test_a_correction_is_saved_and_shown(registrar, store, donor):
    answer = registrar.submit(
        url(donor, "correct"),
        {"family_name": "Елкина", "blood_group": "O", "phone": "8 900 1234567"},
    )
    assert answer.status_code == 303
    page = registrar.page(url(donor))
    assert headings(page)[0] == "Елкина Анна"
    assert store.get(type(donor.donor), donor.donor.id).blood_group is BloodGroup.O


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"phone": "12"}, "+7 900 123-45-67"),
        ({"donor_code": ""}, "Заполните"),
        ({"donor_code": "<b>"}, "латинских"),
        ({"birth_date": "вчера"}, "дат"),
        ({"sex": "x"}, "списка"),
    ],
)
def test_a_correction_that_cannot_be_read_is_told_at_the_field(registrar, donor, changes, sentence):
    answer = registrar.submit(url(donor, "correct"), changes)
    assert answer.status_code == 422
    assert sentence in words(answer)


def test_the_form_does_not_show_the_phone_and_keeps_it_unless_told(registrar, store, donor):
    donor.person.phone = "+79001234567"
    form = registrar.get(url(donor, "correct")).get_data(as_text=True)
    assert "9001234567" not in form
    registrar.submit(url(donor, "correct"), {"family_name": "Елкина"})
    assert store.get(Person, donor.person.id).phone == "+79001234567"
    registrar.submit(url(donor, "correct"), {"no_phone": "y"})
    assert store.get(Person, donor.person.id).phone is None


def test_two_people_never_overwrite_each_others_corrections(registrar, store, donor):
    form = registrar.page(url(donor, "correct"))
    was = form.xpath("//input[@name='was']/@value")[0]
    donor.person.given_name = "Алла"
    answer = registrar.submit(url(donor, "correct"), {"family_name": "Елкина", "was": was})
    assert answer.status_code == 422
    assert "изменил" in words(answer)


def test_a_new_address_is_saved_and_confirmed_by_letter(registrar, store, donor):
    answer = registrar.submit(url(donor, "email"), {"email": "new@example.org"})
    assert answer.status_code == 303
    page = words(registrar.page(url(donor)))
    assert "new@example.org" in page
    assert "не подтверждён" in page
    assert store.scalars(select(Message.kind)).all() == [MessageKind.CONFIRM_EMAIL]


def test_an_address_in_use_is_refused_with_what_was_typed(registrar, store, tenant, donor):
    other = make.make_donor(store, tenant)
    answer = registrar.submit(url(donor, "email"), {"email": other.account.email})
    assert answer.status_code == 422
    assert other.account.email in answer.get_data(as_text=True)


# deferrals and donations


def test_a_deferral_is_entered_and_the_booking_it_covers_is_flagged(
    registrar, store, tenant, donor
):
    day = make.make_schedule(store, tenant)
    make.make_record(store, tenant, donor)
    make.make_appointment(store, tenant, donor, day, status=AppointmentStatus.BOOKED)
    answer = registrar.submit(
        url(donor, "deferral"), {"kind": "temporary", "ends_on": "2026-12-10", "reason": "давление"}
    )
    assert answer.status_code == 303
    page = words(registrar.page(url(donor)))
    assert "Проверка предстоящей записи" in page
    assert "давление" in page


def test_a_temporary_deferral_without_end_is_refused(registrar, donor):
    answer = registrar.submit(url(donor, "deferral"), {"kind": "temporary"})
    assert answer.status_code == 422
    assert "до какого" in words(answer) or "окончания" in words(answer)


def test_a_deferral_is_withdrawn_after_a_question(registrar, store, tenant, donor):
    deferral = make.make_deferral(store, tenant, donor, kind=DeferralKind.PERMANENT, ends_on=None)
    way = url(donor, "deferral", str(deferral.uid), "withdraw")
    assert "Снять отвод" in words(registrar.page(way))
    assert store.get(Deferral, deferral.id).withdrawn_at is None, "asking changes nothing"
    assert registrar.submit(way).status_code == 303
    assert store.get(Deferral, deferral.id).withdrawn_at is not None


def test_a_donation_is_entered_and_taken_out(registrar, store, donor):
    answer = registrar.submit(url(donor, "donation"), {"kind": "plasma", "on_date": "2026-11-20"})
    assert answer.status_code == 303
    donation = store.scalars(select(Donation)).one()
    assert donation.source is FactSource.STAFF
    registrar.submit(url(donor, "donation", str(donation.uid), "remove"))
    assert store.scalars(select(Donation)).all() == []


# links


def test_the_record_with_the_same_code_is_compared_and_linked(registrar, store, tenant, donor):
    record = make.make_record(store, tenant, donor, family_name="Фёдорова")
    page = registrar.page(url(donor, "link"))
    assert "совпадает" in words(page)
    assert registrar.submit(url(donor, "link"), form="link").status_code == 303
    assert store.get(DonorRecord, record.id).person_id == donor.person.id
    assert "Отвязать" in words(registrar.page(url(donor)))
    assert registrar.submit(url(donor, "unlink")).status_code == 303
    assert store.get(DonorRecord, record.id).person_id is None


def test_a_record_with_another_code_is_found_by_it(registrar, store, tenant, donor):
    record = make.make_record(store, tenant, code="999", family_name="Другая")
    answer = registrar.submit(url(donor, "link"), {"code": "999"}, form="find")
    assert answer.status_code == 200
    assert "Другая" in words(answer)
    answer = registrar.send(url(donor, "link"), {"record": str(record.uid)})
    assert answer.status_code == 303
    assert store.get(DonorRecord, record.id).person_id == donor.person.id


def test_a_record_of_somebody_else_is_not_linked(registrar, store, tenant, donor):
    other = make.make_donor(store, tenant)
    record = make.make_record(store, tenant, other)
    link_record(store, person=other.person, record=record)
    registrar.send(url(donor, "link"), {"record": str(record.uid)})
    assert "уже связана" in words(registrar.page(url(donor)))
    assert store.get(DonorRecord, record.id).person_id == other.person.id


# records


def test_the_file_shows_what_waits_to_be_linked_and_a_record_with_its_facts(
    registrar, store, tenant, donor
):
    record = make.make_record(store, tenant, donor, family_name="Фёдорова", given_name="А.")
    make.make_deferral(store, tenant, record, reason="анемия")
    page = registrar.page("/staff/records/")
    assert "456545" in words(page)
    card = registrar.page(f"/staff/records/{record.uid}/")
    assert headings(card)[0] == "Фёдорова А."
    assert "анемия" in words(card)
    found = registrar.submit(
        "/staff/records/", {"q": "456545"}, form="/staff/records/search/", follow_redirects=True
    )
    assert "Фёдорова А." in words(found)


# who may


PAGES = ("", "correct", "email", "deferral", "donation", "link", "unlink", "phone")


@pytest.mark.parametrize(
    ("role", "views", "edits"),
    [
        (Role.REGISTRAR, True, True),
        (Role.OPERATOR, True, False),
        (Role.MANAGER, True, False),
        (Role.SCHEDULER, False, False),
        (Role.ANALYST, False, False),
        (Role.SECURITY, False, False),
        (Role.ADMINISTRATOR, False, False),
    ],
)
def test_who_may_look_and_who_may_write(as_staff, store, tenant, donor, role, views, edits):
    record = make.make_record(store, tenant, donor)
    link_record(store, person=donor.person, record=record)
    visitor = as_staff(role, tenant.root)
    for path in ("/staff/donors/", "/staff/records/", url(donor)):
        assert visitor.get(path).status_code == (200 if views else 403), path
    for name in ("correct", "email", "deferral", "donation", "link", "unlink"):
        assert visitor.get(url(donor, name)).status_code == (200 if edits else 403), name
        if not edits:
            assert visitor.send(url(donor, name)).status_code == 403, name
    assert ("Исправить" in words(visitor.get(url(donor)))) is edits


@pytest.mark.parametrize("name", PAGES)
def test_cards_of_another_organization_are_not_there(as_staff, store, donor, name):
    other = make.make_tenant(store, name="Другой центр")
    stranger = as_staff(Role.REGISTRAR, other.root)
    path = url(donor, name) if name else url(donor)
    if name != "phone":
        assert stranger.get(path).status_code == 404
    if name:
        assert stranger.send(path, {"reason": "call"}).status_code == 404


def test_facts_of_another_card_are_not_there(registrar, store, tenant, donor):
    other = make.make_donor(store, tenant)
    deferral = make.make_deferral(store, tenant, other)
    donation = make.make_donation(store, tenant, other, on_date=TODAY)
    assert registrar.send(url(donor, "deferral", str(deferral.uid), "withdraw")).status_code == 404
    assert registrar.send(url(donor, "donation", str(donation.uid), "remove")).status_code == 404


@pytest.mark.parametrize("bad", ["x", "0", make.NOBODYS_UID, "%00", "../.."])
def test_what_is_no_card_is_not_there(registrar, tenant, bad):
    assert registrar.get(f"/staff/donors/{bad}/").status_code in (400, 404)
    assert registrar.get(f"/staff/records/{bad}/").status_code in (400, 404)


def test_the_anonymous_are_sent_to_the_door(client, donor):
    for path in (url(donor), "/staff/donors/", "/staff/records/"):
        assert client.get(path).status_code == 303
