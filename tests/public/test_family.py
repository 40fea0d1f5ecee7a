"""The cabinet's family: added, booked for, moved, and never somebody else's (C8–C15, B17)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from app.documents.letters import render
from app.models import (
    AccountEvent,
    AccountPerson,
    Appointment,
    Attachment,
    Message,
    OneTimeLink,
    Referral,
    Slot,
)
from app.models.cabinet_choices import AccountEventKind as K
from app.models.cabinet_choices import AttachmentStatus
from app.models.enums import AppointmentStatus, MessageKind, Relation
from app.rules import family_age, links
from app.rules.actor import actor_of
from tests import make
from tests.client import headings, words
from tests.make import NOW
from tests.public.household import (
    CERTIFICATE,
    CHILD_BORN,
    FATHER_BORN,
    FATHER_POLICY,
    Household,
    make_household,
)

A = AppointmentStatus
CHILD = {"number": CERTIFICATE, "birth_date": CHILD_BORN}
FATHER = {"document": "oms", "number": FATHER_POLICY, "birth_date": FATHER_BORN}


@pytest.fixture
def home(store) -> Household:
    return make_household(store)


@pytest.fixture
def client(as_account, home):
    return as_account(home.account)


def with_child(store, home) -> None:
    make.make_kept(store, home.account, home.child)


def take(client, home, slot: Slot, person: Any = None) -> Any:
    """A free time of «Талоны», and «Да»."""
    chosen = client.send(
        "/visits", {"slot": str(slot.uid), "whom": str((person or home.child).uid)}
    )
    if chosen.status_code != 303:
        return chosen
    return client.submit(chosen.location, {}, form=f"{chosen.location}/confirm")


def slot_of(store, role) -> Slot:
    rows = store.scalars(select(Slot).where(Slot.role_id == role.id).order_by(Slot.id))
    return next(iter(rows))


def booking(store) -> Appointment:
    return store.scalars(select(Appointment).order_by(Appointment.id.desc())).first()


def kinds(store) -> list[K]:
    return [row.kind for row in store.scalars(select(AccountEvent).order_by(AccountEvent.id))]


# --- adding


def test_a_child_is_added_by_the_certificate_and_shown(client, store, home):
    assert "Состав семьи" in headings(client.page("/cabinet/family"))
    sent = client.submit("/cabinet/family/add/child", CHILD)
    assert sent.status_code == 303, words(sent)
    page = words(client.page("/cabinet/family"))
    assert "Ребёнок добавлен в семью" in page
    assert home.child.full_name in page and "Участок №7, Педиатрический" in page
    assert "до восемнадцатилетия" in page
    assert kinds(store) == [K.FAMILY]


@pytest.mark.parametrize(
    "wrong", [{"birth_date": "09.03.2018"}, {"number": "II-МЮ 000000"}, {"birth_date": "завтра"}]
)
def test_what_does_not_prove_a_child_adds_nobody_and_keeps_what_was_typed(
    client, store, home, wrong
):
    sent = client.submit("/cabinet/family/add/child", CHILD | wrong)
    assert sent.status_code in (400, 409)
    assert home.child.given_name not in words(sent)
    assert (CHILD | wrong)["number"] in sent.get_data(as_text=True)
    assert store.query(AccountPerson).filter_by(person_id=home.child.id).count() == 0


def test_an_adult_agrees_by_the_link_of_the_letter(client, as_account, store, home, app):
    sent = client.submit("/cabinet/family/add/adult", FATHER)
    assert sent.status_code == 303, words(sent)
    page = words(client.page("/cabinet/family"))
    assert "Ждут ответа" in page and home.father.given_name not in page
    link = store.scalars(select(OneTimeLink)).one()
    letter = store.scalars(select(Message).where(Message.kind == MessageKind.FAMILY_ASKED)).one()
    with app.app_context():
        text = render(letter, now=NOW).get_body(("plain",)).get_content()
    token = links.token(link)
    assert f"/join-family/{token}" in text and home.mother.full_name in text
    stranger = app.test_client()
    page = client.page(f"/join-family/{token}")
    assert home.mother.full_name in words(page) and "Разрешаю записывать меня" in words(page)
    answer = client.send(f"/join-family/{token}", {"who": str(home.account.uid), "say": "yes"})
    assert answer.status_code == 303
    assert home.father.full_name in words(client.page("/cabinet/family"))
    assert stranger.get(f"/join-family/{token}").status_code == 410  # used up


def test_in_the_own_cabinet_one_agrees_and_takes_it_back(client, as_account, store, home):
    client.submit("/cabinet/family/add/adult", FATHER)
    theirs = as_account(home.fathers)
    page = words(theirs.page("/cabinet/family"))
    assert "Кто записывает меня" in page and home.mother.full_name in page
    who = {"who": str(home.account.uid)}
    theirs.send("/cabinet/family/answer", who | {"say": "yes"})
    assert home.father.full_name in words(client.page("/cabinet/family"))
    theirs.send("/cabinet/family/answer", who | {"say": "end"})
    assert home.father.full_name not in words(client.page("/cabinet/family"))


def test_who_is_taken_out_is_seen_no_more(client, store, home):
    with_child(store, home)
    assert home.child.full_name in words(client.page("/cabinet/family"))
    client.send(f"/cabinet/family/{home.child.uid}/withdraw", {})
    assert home.child.full_name not in words(client.page("/cabinet/family"))
    assert client.get(f"/cabinet/family/{home.child.uid}/attachment").status_code == 404


# --- another family's


def test_nothing_of_another_family_is_reached(as_account, store, home):
    """A card, a ticket, a move, a booking in its name: by every address and field that names one."""
    with_child(store, home)
    theirs = make_household(store, name="Петровы")
    mine = as_account(home.account)
    take(mine, home, home.slots[0])
    row = booking(store)
    stranger = as_account(theirs.account)
    for path in (
        f"/cabinet/family/{home.child.uid}/attachment",
        f"/visits/{row.uid}",
        f"/visits/{row.uid}/move",
        f"/visits/{row.uid}/cancel",
        f"/visits/{row.uid}/ticket.pdf",
        f"/visits/{row.uid}/visit.ics",
    ):
        assert stranger.get(path).status_code == 404, path
    for path, data in (
        (f"/cabinet/family/{home.child.uid}/withdraw", {}),
        (f"/visits/{row.uid}/move", {"slot": str(home.slots[1].uid)}),
        (f"/visits/{row.uid}/cancel", {}),
    ):
        assert stranger.send(path, data).status_code == 404, path
    page = words(stranger.page(home.district(home.child)))
    assert home.child.full_name not in page  # falls back to the reader's own card
    sent = take(stranger, home, home.slots[1], home.child)
    assert sent.status_code == 409  # its own card is of another institution
    store.expire_all()
    assert store.get(Slot, home.slots[1].id).status.value == "free"
    assert booking(store).status is A.BOOKED


def test_a_childs_ticket_is_closed_from_its_birthday_on(client, store, home, clock):
    with_child(store, home)
    kept = store.scalars(
        select(AccountPerson).where(AccountPerson.person_id == home.child.id)
    ).one()
    take(client, home, home.slots[0])
    url = f"/visits/{booking(store).uid}"
    kept.ends_at = NOW + dt.timedelta(minutes=10)
    clock.now = NOW + dt.timedelta(minutes=9, seconds=59)
    assert home.child.full_name in words(client.page(url))
    clock.now = NOW + dt.timedelta(minutes=10)
    page = client.get(url)
    assert page.status_code == 404 or home.child.full_name not in words(page)


# --- tickets of the district doctor


def test_the_childs_ticket_is_taken_and_names_the_child(client, store, home):
    with_child(store, home)
    page = client.page(home.district(home.child))
    assert "Участок №7, Педиатрический" in words(page) and "не более 2 талонов" in words(page)
    assert len(page.xpath("//ul[@class='times']//button")) == 2
    made = take(client, home, home.slots[0])
    assert made.status_code == 303, words(made)
    row = booking(store)
    assert (row.person_id, row.status) == (home.child.id, A.BOOKED)
    assert home.child.full_name in words(client.page(f"/visits/{row.uid}"))
    letter = store.scalars(select(Message).where(Message.kind == MessageKind.APPROVED)).one()
    assert letter.account_id == home.account.id
    assert kinds(store) == [K.BOOKED]


def test_for_whom_can_be_changed_on_the_last_page(client, store, home):
    with_child(store, home)
    adults = slot_of(store, home.therapist)
    chosen = client.send("/visits", {"slot": str(adults.uid)})
    page = client.page(chosen.location)
    radios = page.xpath("//input[@name='whom']")
    assert len(radios) == 2 and radios[0].get("checked") is not None
    sent = client.send(f"{chosen.location}/confirm", {"whom": str(home.child.uid)})
    assert sent.status_code == 409 and "другого участка" in words(sent)
    sent = client.send(f"{chosen.location}/confirm", {"whom": str(home.mother.uid)})
    assert sent.status_code == 303 and booking(store).person_id == home.mother.id


def test_a_doctors_page_books_for_whoever_of_the_family_may_come(client, store, home):
    """Nobody was chosen: the paediatrician's time is the child's."""
    with_child(store, home)
    chosen = client.send("/visits", {"slot": str(home.slots[0].uid)})
    assert chosen.status_code == 303, words(chosen)
    client.submit(chosen.location, {}, form=f"{chosen.location}/confirm")
    assert booking(store).person_id == home.child.id


def test_the_days_quota_is_said_to_be_reached(client, store, home):
    with_child(store, home)
    for slot in home.slots:
        slot.status = slot.status.__class__.BUSY
    page = client.page(home.district(home.child))
    assert "Все талоны на этот день выданы" in words(page)
    assert page.xpath("//main//a[starts-with(@href, '/waiting/join?role=')]")
    assert not page.xpath("//section[.//h2[contains(., '№7')]]//button")


def test_a_district_without_a_doctor_leads_to_the_desk(client, store, home):
    with_child(store, home)
    store.delete(store.scalars(select(make.DistrictDoctor).where(
        make.DistrictDoctor.district_id == home.for_children.id)).one())  # fmt: skip
    page = words(client.page(home.district(home.child)))
    assert "талоны можно взять только через регистратуру" in page and "111-22-33" in page


def test_who_is_not_attached_is_led_to_the_attachment(client, store, home):
    for row in store.scalars(select(Attachment).where(Attachment.person_id == home.mother.id)):
        row.status = AttachmentStatus.ENDED
    assert "кто прикреплён к этой поликлинике" in words(client.page(home.district(home.mother)))
    sent = take(client, home, slot_of(store, home.therapist), home.mother)
    assert sent.status_code == 409 and "прикреплён к этой поликлинике" in words(sent)
    url = f"/cabinet/family/{home.mother.uid}/attachment"
    sent = client.submit(url, {"street": "ул. Ленина", "house": "5"})
    assert sent.status_code == 303, words(sent)
    assert "заявка подана" in words(client.page("/cabinet/family"))
    assert kinds(store)[-1] is K.ATTACHMENT


def test_a_specialist_by_referral_once_and_again_after_a_cancel(client, store, home):
    slot = slot_of(store, home.specialist)
    sent = take(client, home, slot, home.mother)
    assert sent.status_code == 409 and "направляет только участковый врач" in words(sent)
    referral = home.refer(store, home.mother, now=NOW)
    page = words(client.page(home.district(home.mother)))
    assert "Врач-невролог" in page
    assert take(client, home, slot, home.mother).status_code == 303
    row = booking(store)
    assert store.get(Referral, referral.id).appointment_id == row.id
    assert "Использовано для записи" in words(client.page(home.district(home.mother)))
    client.send(f"/visits/{row.uid}/cancel", {})
    store.expire_all()
    assert store.get(Referral, referral.id).appointment_id is None
    assert kinds(store) == [K.BOOKED, K.CANCELLED]


# --- moving


def test_the_owner_moves_a_visit_and_the_ticket_stays(client, store, home, clock):
    with_child(store, home)
    take(client, home, home.slots[0])
    clock.now = NOW + dt.timedelta(minutes=1)
    row = booking(store)
    url = f"/visits/{row.uid}"
    assert "Перенести запись" in words(client.page(url))
    page = client.page(f"{url}/move")
    assert [b.get("value") for b in page.xpath("//button[@name='slot']")] == [
        str(home.slots[1].uid)
    ]
    sent = client.send(f"{url}/move", {"slot": str(home.slots[1].uid)})
    assert sent.status_code == 303, words(sent)
    store.expire_all()
    moved = booking(store)
    assert (moved.number, moved.slot_id, moved.moved_by_owner) == (
        row.number, home.slots[1].id, 1,
    )  # fmt: skip
    assert kinds(store) == [K.BOOKED, K.MOVED]


def test_how_often_and_until_when_is_the_policys(client, store, home, clock):
    with_child(store, home)
    take(client, home, home.slots[0])
    row = booking(store)
    url, there = f"/visits/{row.uid}/move", {"slot": str(home.slots[1].uid)}
    row.moved_by_owner = 2
    sent = client.send(url, there)
    assert sent.status_code == 409 and "уже переносили" in words(sent)
    row.moved_by_owner = 0
    clock.now = home.slots[0].starts_at - dt.timedelta(hours=3)
    client.sign_in(home.account, now=clock.now)
    sent = client.send(url, there)
    assert sent.status_code == 409 and "Перенести эту запись на сайте можно было до" in words(sent)
    home.tenant.policy.move_limit = 0
    assert "Перенести запись" not in words(client.page(f"/visits/{row.uid}"))


def test_a_visit_is_not_moved_to_another_doctor(client, store, home):
    with_child(store, home)
    take(client, home, home.slots[0])
    url = f"/visits/{booking(store).uid}/move"
    other = slot_of(store, home.therapist)
    assert client.send(url, {"slot": str(other.uid)}).status_code == 404


def test_what_ended_by_age_is_told_in_a_letter(store, home, app):
    kept = make.make_kept(store, home.account, home.child)
    kept.ends_at = family_age.grown_at(home.child)
    assert family_age.come_of_age(store, now=kept.ends_at) == 1
    letter = store.scalars(select(Message)).one()
    with app.app_context():
        text = render(letter, now=kept.ends_at)
    body = text.get_body(("plain",)).get_content()
    assert home.child.full_name in body and "Исполнилось 18 лет" in body
    assert home.child.given_name not in text["Subject"]
    assert actor_of(home.account).id == letter.account_id
    assert kept.relation is Relation.CHILD
