"""The waiting list on the site (N6): joining, answering an offer with and without signing in, leaving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.documents import sms
from app.documents.letters import render
from app.models import AccountEvent, Appointment, Message, WaitingEntry, WaitingOffer
from app.models.cabinet_choices import AccountEventKind, OfferStatus, WaitingStatus
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind, SlotStatus
from app.rules import offers
from app.rules.offer_answers import key_of
from tests import make
from tests.client import Visitor, words
from tests.make import NOW
from tests.public.clinic import make_account, make_clinic
from tests.waiting import make_entry

As = Callable[..., Visitor]


@pytest.fixture
def tenant(store: Session) -> make.Tenant:
    return make.make_tenant(store)


def full_day(store: Session, tenant: make.Tenant) -> make.Schedule:
    day = make.make_schedule(store, tenant, total=1)
    other = make.make_donor(store, tenant)
    make.make_appointment(store, tenant, other, day, status=A.BOOKED)
    store.commit()
    return day


def offered(store: Session, tenant: make.Tenant) -> tuple[make.KnownDonor, WaitingOffer]:
    day = make.make_schedule(store, tenant, total=1)
    known = make.make_donor(store, tenant)
    make_entry(store, tenant, known)
    (offer,) = offers.look(store, schedule_id=day.id, now=NOW).offers
    store.commit()
    return known, offer


def test_a_full_day_leads_to_the_waiting_list(
    as_account: As, store: Session, tenant: make.Tenant
) -> None:
    day = full_day(store, tenant)
    known = make.make_donor(store, tenant)
    client = as_account(known)
    (link,) = client.page(f"/places/{day.uid}").xpath(
        "//a[contains(., 'Сообщить, когда появится место')]/@href"
    )
    page = client.page(link)
    assert "Тромбоцитаферез" in words(page)
    answer = client.send(link, {"people": str(known.person.uid)})
    assert answer.status_code == 303
    text = words(client.page("/cabinet/waiting"))
    assert "Перед вами никого нет" in text and "Тромбоцитаферез" in text
    (entry,) = store.scalars(select(WaitingEntry))
    assert (entry.person_id, entry.status) == (known.person.id, WaitingStatus.WAITING)
    kinds = store.scalars(select(AccountEvent.kind)).all()
    assert kinds == [AccountEventKind.WAITING]
    answer = client.send(link, {"people": str(known.person.uid)})
    assert answer.status_code == 409
    assert "уже в этом листе ожидания" in answer.text


def test_dates_that_cannot_be_stay_as_typed(
    as_account: As, store: Session, tenant: make.Tenant
) -> None:
    day = full_day(store, tenant)
    known = make.make_donor(store, tenant)
    client = as_account(known)
    path = f"/waiting/join?day={day.uid}"
    sent = {"people": str(known.person.uid), "first_day": "2026-12-20", "last_day": "2026-12-10"}
    answer = client.send(path, sent)
    assert answer.status_code == 409
    assert "не может быть раньше" in answer.text and "2026-12-20" in answer.text
    answer = client.send(path, sent | {"first_day": "завтра"})
    assert answer.status_code == 400 and "завтра" in answer.text
    answer = client.send(path, {"people": make.NOBODYS_UID})
    assert answer.status_code == 400


def test_without_a_list_one_is_told_so(as_account: As, store: Session, tenant: make.Tenant) -> None:
    day = full_day(store, tenant)
    tenant.policy.offer_limit = 0
    known = make.make_donor(store, tenant)
    store.commit()
    client = as_account(known)
    assert "Сообщить, когда" not in client.get(f"/places/{day.uid}").text
    answer = client.get(f"/waiting/join?day={day.uid}")
    assert answer.status_code == 409 and "нет листа ожидания" in answer.text


def test_the_offer_is_taken_in_the_cabinet(
    as_account: As, store: Session, tenant: make.Tenant
) -> None:
    known, offer = offered(store, tenant)
    client = as_account(known)
    page = client.page("/cabinet/waiting")
    assert "Вам предложено место" in words(page)
    assert page.xpath("//button[@name='answer']/@value") == ["yes", "no"]
    answer = client.send(f"/cabinet/offers/{offer.uid}", {"answer": "yes"})
    assert answer.status_code == 303
    assert answer.location.startswith("/bookings/")
    store.expire_all()
    assert (offer.status, offer.appointment.status) == (OfferStatus.ACCEPTED, A.PENDING)
    assert "Вы заняли это место" in client.get(f"/cabinet/offers/{offer.uid}").text


def test_the_letters_link_needs_no_signing_in(
    client: Visitor, store: Session, tenant: make.Tenant
) -> None:
    known, offer = offered(store, tenant)
    path = f"/offers/{offer.uid}/{key_of(offer)}"
    answer = client.get(path)
    assert answer.status_code == 200
    assert known.person.family_name not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get(path[:-1] + ("a" if path[-1] != "a" else "b")).status_code == 404
    assert client.send(path, {"answer": "maybe"}).location == path
    answer = client.send(path, {"answer": "no"})
    assert answer.status_code == 303
    assert "передано следующему" in client.get(path).text
    store.expire_all()
    assert offer.status is OfferStatus.DECLINED
    assert offer.appointment.status is A.RELEASED
    (event,) = store.scalars(select(AccountEvent))
    assert event.account_id == known.account.id


def test_somebody_elses_offer_is_not_there(
    as_account: As, store: Session, tenant: make.Tenant
) -> None:
    _, offer = offered(store, tenant)
    stranger = as_account(make.make_donor(store, tenant))
    for path in (f"/cabinet/offers/{offer.uid}",):
        assert stranger.get(path).status_code == 404
        assert stranger.send(path, {"answer": "yes"}).status_code == 404
    entry = store.scalars(select(WaitingEntry)).one()
    assert stranger.send(f"/cabinet/waiting/{entry.uid}/leave").status_code == 404
    store.expire_all()
    assert offer.status is OfferStatus.OPEN


def test_too_late_is_said_with_what_comes_next(
    as_account: As, store: Session, tenant: make.Tenant, clock: Any
) -> None:
    known, offer = offered(store, tenant)
    clock.forward(minutes=tenant.policy.offer_minutes)
    answer = as_account(known).send(f"/cabinet/offers/{offer.uid}", {"answer": "yes"})
    assert answer.status_code == 409
    assert "время ответа прошло" in answer.text
    assert store.scalars(select(Appointment.status)).all() == [A.HELD]


def test_a_rule_that_has_come_between_sends_the_place_on(
    as_account: As, store: Session, tenant: make.Tenant
) -> None:
    known, offer = offered(store, tenant)
    make.make_deferral(store, tenant, known)
    store.commit()
    answer = as_account(known).send(f"/cabinet/offers/{offer.uid}", {"answer": "yes"})
    assert answer.status_code == 409 and "отвод" in answer.text
    store.expire_all()
    assert offer.status is OfferStatus.DECLINED
    assert offer.appointment.status is A.RELEASED


def test_one_leaves(as_account: As, store: Session, tenant: make.Tenant) -> None:
    known, offer = offered(store, tenant)
    client = as_account(known)
    answer = client.send(f"/cabinet/waiting/{offer.entry.uid}/leave")
    assert answer.status_code == 303
    store.expire_all()
    assert (offer.status, offer.entry.status) == (OfferStatus.DECLINED, WaitingStatus.LEFT)
    again = client.send(f"/cabinet/waiting/{offer.entry.uid}/leave")
    assert again.status_code == 409


def test_the_letter_and_the_sms_lead_to_that_page(store: Session, app: Flask) -> None:
    tenant = make.make_tenant(store, account_sms=True)
    known, offer = offered(store, tenant)
    letter = store.scalars(select(Message).where(Message.kind == MessageKind.PLACE_OFFERED)).one()
    with app.app_context():
        text = render(letter, now=NOW).get_body(("plain",)).get_content()
    assert f"/offers/{offer.uid}/{key_of(offer)}" in text
    assert "Тромбоцитаферез" in text
    known.person.phone = "+79001234567"
    other = make.make_schedule(store, tenant, days=3, total=1)
    offers.end(store, offer, OfferStatus.DECLINED, now=NOW)
    assert offers.look(store, schedule_id=other.id, now=NOW).offers
    short = store.scalars(select(Message).where(Message.kind == MessageKind.VISIT_OFFERED)).one()
    with app.app_context():
        sent = sms.render(short)
    assert "/offers/" in sent.text and sent.number == "+79001234567"


def test_a_doctor_without_a_free_time_leads_to_the_waiting_list(
    as_account: As, store: Session
) -> None:
    clinic = make_clinic(store, live_limit=3)
    for slot in clinic.slots:
        slot.status = SlotStatus.CLOSED
    account = make_account(store, clinic)
    store.commit()
    client = as_account(account)
    (link,) = client.page(clinic.doctor).xpath(
        "//a[contains(., 'Сообщить, когда появится место')]/@href"
    )
    answer = client.send(link, {"people": str(clinic.patient.uid)})
    assert answer.status_code == 303
    text = words(client.page("/cabinet/waiting"))
    assert "Захарова" in text
    (entry,) = store.scalars(select(WaitingEntry))
    assert entry.role_id == clinic.role.id
