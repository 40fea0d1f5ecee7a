"""One's rights in the cabinet: consents withdrawn, data taken away, the cabinet deleted (N15)."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Account, AccountEvent, Consent, Message, WebSession
from app.models.cabinet_choices import AccountEventKind as E
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageKind, Role
from tests import make
from tests.client import Visitor, words
from tests.make import NOW, PASSWORD


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
    assert log(store, donor.account)[:2] == [E.CONSENT_WITHDRAWN, E.CONSENT_GIVEN]


def test_a_consent_of_another_is_not_there(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    tenant, _, _ = booked(store)
    stranger = make.make_donor(store, make.make_tenant(store))
    path = f"/profile/consents/{tenant.root.uid}/booking/withdraw"
    assert as_account(stranger).get(path).status_code == 404
    assert as_account(stranger).send(path).status_code == 404


def test_the_archive_is_fetched_once_by_its_owner_alone(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    tenant, donor, _ = booked(store)
    donor.person.family_name = "Соснова-Архивная"
    client = as_account(donor)
    wrong = client.submit("/profile/data", {"current": "не тот"})
    assert wrong.status_code == 409
    path = client.submit("/profile/data", {"current": PASSWORD}).location
    assert store.scalars(select(Message.kind)).all() == [MessageKind.DATA_READY]
    stranger = as_account(make.make_donor(store, tenant))
    assert stranger.get(path).status_code == 410 and stranger.send(path).status_code == 410
    archive = client.submit(path)
    assert archive.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(archive.data)) as packed:
        told = json.loads(packed.read("data.json"))
        assert "Соснова-Архивная" in packed.read("data.html").decode()
    assert told["tables"]["person"][0]["family_name"] == "Соснова-Архивная"
    assert donor.account.password_hash not in json.dumps(told)
    assert client.get(path).status_code == 410
    assert log(store, donor.account) == [E.DATA_EXPORTED]


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
    assert "Пробин" in words(page) and "08:00, 20:00" in words(page)
    (stop,) = page.xpath("//a[contains(@href, '/stop/')]/@href")
    client.submit(stop)
    assert "остановлено" in words(client.page(card))
