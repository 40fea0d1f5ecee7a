"""The frame of the personal cabinet and its event log (E48, E55, N17)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from app.models import AccessEvent, AccessSubject, AccountEvent, AccountPerson
from app.models.cabinet_choices import AccountEventKind
from app.models.enums import Relation, Role
from tests import make
from tests.client import Visitor, words
from tests.make import NOW


def seen_by_staff(store: Session, at: dt.datetime, *people: Any) -> None:
    """One look at these cards."""
    staff = make.make_staff(store, Role.REGISTRAR)
    event = AccessEvent(
        at=at,
        tenant_id=people[0].tenant_id,
        staff_user_id=staff.id,
        action="donors.card",
        ip="198.51.100.7",
    )
    store.add(event)
    store.flush()
    store.add_all(AccessSubject(event_id=event.id, person_id=person.id) for person in people)


def test_the_log_tells_own_acts_and_whose_staff_has_looked(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    tenant = make.make_tenant(store)
    donor = make.make_donor(store, tenant)
    seen_by_staff(store, NOW - dt.timedelta(hours=2), donor.person)
    store.add(
        AccountEvent(
            account_id=donor.account.id,
            at=NOW - dt.timedelta(hours=1),
            kind=AccountEventKind.CANCELLED,
            ip="203.0.113.7",
        )
    )
    stranger = make.make_donor(store, tenant)
    store.add(
        AccountEvent(
            account_id=stranger.account.id, at=NOW, kind=AccountEventKind.PASSWORD, ip="203.0.113.8"
        )
    )
    page = as_account(donor).page("/cabinet/events")
    rows = [" ".join(words(row).split()) for row in page.xpath("//tbody/tr")]
    assert len(rows) == 2
    assert "203.0.113.7" in rows[0] and "Отмена посещения" in rows[0]
    assert f"Карту открывали сотрудники: {tenant.root.short_name}" in rows[1]
    assert "198.51.100.7" not in words(page)  # an address of ours


def test_a_long_log_is_read_page_by_page(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    """Own acts and looks at two cards, at the same instants: each line stands on one page, once."""
    tenant = make.make_tenant(store)
    donor, child = make.make_donor(store, tenant), make.make_person(store, tenant)
    make.make_kept(store, donor.account, child, Relation.CHILD)
    expected = []
    for minute in range(60):
        at = NOW - dt.timedelta(minutes=59 - minute)
        store.add(
            AccountEvent(
                account_id=donor.account.id,
                at=at,
                kind=AccountEventKind.SIGN_IN,
                ip=f"203.0.113.{minute}",
            )
        )
        expected.append([f"203.0.113.{minute}"])
        if minute % 7 == 0:
            seen_by_staff(store, at, donor.person, child)
            expected[-1] += ["–", "–"]
        store.flush()
    client, pages, path = as_account(donor), [], "/cabinet/events"
    while path:
        page = client.page(path)
        pages.append(page.xpath("//tbody/tr/td[2]/text()"))
        path = next(iter(page.xpath("//a[@rel='next']/@href")), "")
    shown = [ip for page in pages for ip in page]
    assert shown == [ip for lines in reversed(expected) for ip in lines]
    assert [len(lines) for lines in pages] == [25, 26, 25, 2]


def test_signing_in_and_out_is_written_down(client: Visitor, store: Session) -> None:
    donor = make.make_donor(store, make.make_tenant(store))
    client.submit("/sign-in", {"email": donor.account.email, "password": make.PASSWORD})
    client.send("/sign-out", {})
    store.expire_all()
    kinds = [row.kind for row in store.query(AccountEvent).order_by(AccountEvent.id)]
    assert kinds == [AccountEventKind.SIGN_IN, AccountEventKind.SIGN_OUT]


def test_a_relatives_card_is_open_from_the_agreement_until_it_ends(
    as_account: Callable[..., Visitor], store: Session, clock: Any
) -> None:
    tenant = make.make_tenant(store)
    donor, child = make.make_donor(store, tenant), make.make_person(store, tenant)
    child.given_name = "Мила"
    kept = AccountPerson(
        account_id=donor.account.id,
        person_id=child.id,
        tenant_id=tenant.id,
        relation=Relation.CHILD,
    )
    store.add(kept)
    seen_by_staff(store, NOW - dt.timedelta(hours=2), child)
    client = as_account(donor)
    assert "Мила" not in words(client.page("/cabinet/events"))
    kept.agreed_at, kept.ends_at = NOW, NOW + dt.timedelta(hours=1)
    assert "Мила" in words(client.page("/cabinet/events"))
    clock.forward(minutes=20)
    client.page("/cabinet/events")
    clock.forward(minutes=20)
    client.page("/cabinet/events")
    clock.forward(minutes=25)
    assert "Мила" not in words(client.page("/cabinet/events"))


def test_the_menu_follows_what_an_account_is(
    as_account: Callable[..., Visitor], store: Session
) -> None:
    tenant, clinic = make.make_tenant(store), make.make_polyclinic(store)
    patient = make.make_account(store)
    card = make.make_person(store, clinic)
    store.add(AccountPerson(account_id=patient.id, person_id=card.id, tenant_id=clinic.id))

    def menu(who: Any) -> str:
        page = as_account(who).page("/cabinet/events")
        return words(page.xpath("//nav[contains(@class, 'menu')]")[0])

    assert "Мои донации" in menu(make.make_donor(store, tenant))
    assert "Мои донации" not in menu(patient) and "Донорам" in menu(patient)
    assert "Записаться на приём" not in menu(patient), "that asks for data which the cabinet has"
