"""One's rights in the cabinet: consents withdrawn, data taken away, the cabinet deleted (N15)."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import (
    Account,
    AccountEvent,
    Consent,
    DataArchive,
    DataArchivePart,
    Message,
    OneTimeLink,
    WebSession,
)
from app.models.cabinet_choices import AccountEventKind as E
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind, MessageStatus, Role
from app.rules import data_archive, links
from tests import make
from tests.client import Visitor, words
from tests.conftest import Clock
from tests.make import NOW, PASSWORD
from tests.working import work


def booked(store: Session) -> tuple[make.Tenant, make.KnownDonor, Any]:
    tenant = make.make_tenant(store)
    donor = make.make_donor(store, tenant)
    day = make.make_schedule(store, tenant)
    row = make.make_appointment(store, tenant, donor, day, status=A.BOOKED)
    row.undo_until = None
    return tenant, donor, row


def log(store: Session, account: Account) -> list[E]:
    query = select(AccountEvent.kind).where(AccountEvent.account_id == account.id)
    return list(store.scalars(query.order_by(AccountEvent.id)))


def test_withdrawing_the_consent_to_booking_is_explained_and_cancels(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    _, donor, row = booked(store)
    client = as_account(donor)
    (link,) = client.page("/profile/rights").xpath("//main//a[contains(@href, '/withdraw')]/@href")
    text = words(client.page(link))
    assert "предстоящие записи" in text and "Будет отменена 1 запись." in text
    assert row.status is A.BOOKED
    client.submit(link)
    assert row.status is A.CANCELLED
    consent = store.scalars(select(Consent)).one()
    assert consent.withdrawn_at == NOW
    assert log(store, donor.account) == [E.CONSENT_WITHDRAWN]
    assert "отозвано" in words(client.page("/profile/rights"))
    assert client.get(link).status_code == 404


def test_who_has_withdrawn_it_books_nothing_until_he_agrees_anew(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    tenant, donor, _ = booked(store)
    client = as_account(donor)
    client.send(f"/profile/consents/{tenant.root.uid}/booking/withdraw")
    day = make.make_schedule(store, tenant, days=9)
    held = make.make_appointment(store, tenant, donor, day, status=A.HELD)
    held.hold_until = NOW.replace(hour=20)
    refused = client.send(f"/bookings/{held.uid}/confirm")
    assert refused.status_code == 409 and "Вы отозвали согласие" in words(refused)
    (link,) = client.page("/profile/rights").xpath("//main//a[contains(@href, '/give')]/@href")
    stale = client.send(link, {"text": make.NOBODYS_UID})
    assert stale.status_code == 409
    client.submit(link)
    again = client.send(f"/bookings/{held.uid}/confirm", follow_redirects=True)
    assert "Вы отозвали согласие" not in words(again)
    given = store.scalars(select(Consent).where(Consent.withdrawn_at.is_(None))).all()
    assert [row.account_id for row in given] == [donor.account.id]
    assert log(store, donor.account)[:3] == [
        E.CONSENT_WITHDRAWN,
        E.BOOKING_REFUSED,
        E.CONSENT_GIVEN,
    ]


def test_a_consent_of_another_is_not_there(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    tenant, _, _ = booked(store)
    stranger = make.make_donor(store, make.make_tenant(store))
    path = f"/profile/consents/{tenant.root.uid}/booking/withdraw"
    assert as_account(stranger).get(path).status_code == 404
    assert as_account(stranger).send(path).status_code == 404


def test_the_archive_is_made_by_the_worker_and_opens_to_its_owner_alone(
    as_account: Callable[..., Visitor], store: Session, app: Flask, clock: Clock
) -> None:
    tenant, donor, _ = booked(store)
    donor.person.family_name = "Соснова-Архивная"
    by = make.make_staff(store, Role.REGISTRAR, tenant.root)
    pages = os.urandom(600_000)  # three portions
    make.make_copy(store, donor.person, by, body=pages)
    client = as_account(donor)
    wrong = client.submit("/profile/data", {"current": "не тот"})
    assert wrong.status_code == 409
    for _ in range(2):  # pressed twice
        client.send("/profile/data", {"current": PASSWORD})
    assert store.scalars(select(Message.kind)).all() == [MessageKind.DATA_WANTED]
    waits = client.page("/profile/data")
    assert "Архив собирается" in words(waits) and not waits.xpath("//main//form[@method='post']")

    work(app, store)
    ready, letter = store.scalars(select(Message).order_by(Message.id))
    assert (ready.status, letter.kind) == (MessageStatus.SENT, MessageKind.DATA_READY)
    sealed = store.scalars(select(DataArchivePart.content_ciphertext)).all()
    assert len(sealed) == 3 and b"PK" not in {part[:2] for part in sealed}
    assert "Архив готов" in words(client.page("/profile/data"))
    assert client.submit("/profile/data", {"current": "не тот"}).status_code == 409
    archive = client.submit("/profile/data", {"current": PASSWORD})
    assert archive.headers["Content-Type"] == "application/zip"
    assert archive.headers["Content-Length"] == str(len(archive.data))
    with zipfile.ZipFile(io.BytesIO(archive.data)) as packed:
        told = json.loads(packed.read("data.json"))
        assert "Соснова-Архивная" in packed.read("data.html").decode()
        (copy,) = told["tables"]["medical_document"]
        assert packed.read(copy["content"]) == pages
    assert told["tables"]["person"][0]["family_name"] == "Соснова-Архивная"
    assert donor.account.password_hash not in json.dumps(told)

    path = f"/profile/data/{links.token(store.scalars(select(OneTimeLink)).one())}"
    stranger = as_account(make.make_donor(store, tenant))
    assert stranger.get(path).status_code == 410 and stranger.send(path).status_code == 410
    assert "Архив собирается" not in words(stranger.page("/profile/data"))
    assert client.submit(path).data == archive.data
    assert client.get(path).status_code == 410, "the letter's link is for one use"
    assert log(store, donor.account) == [E.DATA_EXPORTED, E.DATA_EXPORTED]
    data_archive.sweep(store, now=clock.forward(days=3))
    for table in (DataArchive, DataArchivePart):
        assert store.scalars(select(table)).all() == [], "its time is over"


def test_a_try_that_failed_is_made_anew_and_one_that_is_wanted_no_more_is_not(
    as_account: Callable[..., Visitor], store: Session, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, donor, _ = booked(store)
    client = as_account(donor)
    client.send("/profile/data", {"current": PASSWORD})
    with monkeypatch.context() as patch:
        patch.setattr(data_archive, "finish", lambda *_args, **_more: 1 / 0)
        work(app, store)
    assert store.scalars(select(Message.status)).all() == [MessageStatus.DUE]
    assert store.scalars(select(func.count(DataArchivePart.id))).one() == 1
    work(app, store, now=NOW + dt.timedelta(minutes=5))
    assert store.scalars(select(func.count(DataArchivePart.id))).one() == 1
    client.send("/profile/data", {"current": PASSWORD, "again": "y"})
    assert store.scalars(select(func.count(DataArchivePart.id))).one() == 0
    client.send("/profile/delete", {"sure": "y", "current": PASSWORD})
    work(app, store, now=NOW + dt.timedelta(minutes=9))
    assert store.scalars(select(DataArchive)).all() == []
    assert store.scalars(select(Message.status).order_by(Message.id.desc())).first() is (
        MessageStatus.OBSOLETE
    )


def test_the_cabinet_is_deleted_after_the_password_and_a_tick(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    _, donor, row = booked(store)
    email, client = donor.account.email, as_account(donor)
    text = words(client.page("/profile/delete"))
    assert "Что организации обязаны хранить по закону" in text and "152-ФЗ" in text
    assert "Будет отменена 1 запись." in text
    assert client.submit("/profile/delete", {"current": PASSWORD}).status_code == 400
    wrong = client.submit("/profile/delete", {"sure": "y", "current": "не тот"})
    assert wrong.status_code == 409 and donor.account.email == email
    done = client.submit(
        "/profile/delete", {"sure": "y", "current": PASSWORD}, follow_redirects=True
    )
    assert "Ваш кабинет удалён" in words(done)
    assert donor.account.email is None and row.status is A.CANCELLED
    assert store.scalars(select(WebSession)).all() == []
    assert client.get("/profile").status_code == 303
    again = client.submit("/sign-in", {"email": email, "password": PASSWORD})
    assert again.status_code == 400


def test_the_pages_are_in_english_too(as_account: Callable[..., Visitor], store: Session) -> None:
    _, donor, _ = booked(store)
    client = as_account(donor)
    for path in ("/profile", "/profile/rights", "/profile/delete", "/profile/notices", "/profile/data",
                 "/profile/email", "/profile/phone", "/profile/policy"):  # fmt: skip
        text = words(client.page(f"{path}?lang=en"))
        main = re.sub(r"«[^»]*»", "", text)
        assert "Delete the cabinet" in main or "profile" in main.lower(), path


# --- staff


def test_staff_see_what_would_go_and_only_the_installations_own_delete_it(
    as_staff: Callable[..., Visitor], store: Session
) -> None:
    tenant = make.make_tenant(store)
    over_one = as_staff(Role.ADMINISTRATOR, tenant.root)
    assert "Закончившиеся сеансы входа" in words(over_one.page("/staff/retention/"))
    assert over_one.send("/staff/retention/").status_code == 404
    everywhere = as_staff(Role.ADMINISTRATOR)
    assert everywhere.submit("/staff/retention/").status_code == 303


def test_staff_write_a_prescription_and_stop_it(
    as_staff: Callable[..., Visitor], store: Session
) -> None:
    tenant = make.make_tenant(store)
    donor = make.make_donor(store, tenant)
    client, card = as_staff(Role.REGISTRAR, tenant.root), f"/staff/donors/{donor.person.uid}/"
    form = {
        "medicine": "Пробин", "dose": "1 таблетка", "hours": "8:00 20:00",
        "first_day": "2026-11-23", "last_day": "2026-11-30",
    }  # fmt: skip
    bad = client.submit(f"{card}prescriptions/", form | {"hours": "26:00"})
    assert bad.status_code == 422 and "хотя бы один час" in words(bad)
    client.submit(f"{card}prescriptions/", form)
    page = client.page(card)
    assert "Пробин" in words(page) and " 8:00, 20:00" in words(page)
    (stop,) = page.xpath("//a[contains(@href, '/stop/')]/@href")
    client.submit(stop)
    assert "остановлено" in words(client.page(card))
