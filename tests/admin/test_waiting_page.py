"""The waiting list at /staff/waiting/: who waits, the offers, priority, taking out, a caller (N6)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AuditEvent, WaitingEntry
from app.models.cabinet_choices import WaitingStatus
from app.models.enums import Role
from app.rules import offers
from tests import make
from tests.client import Visitor, words
from tests.make import NOW
from tests.waiting import make_entry

AsStaff = Callable[..., Visitor]


@pytest.fixture
def tenant(store: Session) -> make.Tenant:
    return make.make_tenant(store)


def test_the_list_says_who_waits_and_what_was_filled(
    as_staff: AsStaff, store: Session, tenant: make.Tenant
) -> None:
    known = make.make_donor(store, tenant)
    entry = make_entry(store, tenant, known)
    day = make.make_schedule(store, tenant, total=1)
    offers.look(store, schedule_id=day.id, now=NOW)
    store.commit()
    client = as_staff(Role.SCHEDULER, tenant.root)
    page = client.page("/staff/waiting/")
    assert known.person.full_name in words(page)
    figures = page.xpath("//dl[@class='facts'][1]//dd/text()")
    assert figures == ["1", "0", "0", "0", "1"]
    page = client.page(f"/staff/waiting/details/?id={entry.uid}")
    assert "Ждёт ответа" in words(page) or "Ждет ответа" in words(page)
    assert client.get(f"/staff/waiting/remove/?id={entry.uid}").status_code == 403


def test_priority_and_taking_out_with_a_reason(
    as_staff: AsStaff, store: Session, tenant: make.Tenant
) -> None:
    entry = make_entry(store, tenant, make.make_donor(store, tenant))
    store.commit()
    client = as_staff(Role.REGISTRAR, tenant.root)
    path = f"/staff/waiting/priority/?id={entry.uid}"
    assert client.send(path, {"priority": "много"}).status_code == 422
    assert client.send(path, {"priority": "-5"}).status_code == 303
    path = f"/staff/waiting/remove/?id={entry.uid}"
    assert client.send(path, {"reason": ""}).status_code == 422
    assert client.send(path, {"reason": "Просил по телефону"}).status_code == 303
    assert client.send(path, {"reason": "Ещё раз"}).status_code == 409
    store.expire_all()
    assert (entry.priority, entry.status) == (-5, WaitingStatus.LEFT)
    verbs = store.scalars(select(AuditEvent.verb).order_by(AuditEvent.id)).all()
    assert verbs[-2:] == ["waiting.leave", "waiting.remove"]


def test_a_caller_is_put_in_line(as_staff: AsStaff, store: Session, tenant: make.Tenant) -> None:
    known = make.make_donor(store, tenant, donor_code="654321")
    stranger = make.make_person(store, tenant, family_name="Безвходов")
    store.commit()
    client = as_staff(Role.OPERATOR, tenant.root)
    path, kind = "/staff/waiting/join/", str(tenant.platelets.uid)
    assert client.send(path, {"person": "654321"}).status_code == 422
    answer = client.send(path, {"person": stranger.family_name, "donation_type": kind})
    assert answer.status_code == 422 and "нет входа" in answer.text
    answer = client.send(path, {"person": "654321", "donation_type": kind})
    assert answer.status_code == 303, answer.text
    (entry,) = store.scalars(select(WaitingEntry))
    assert (entry.person_id, entry.account_id) == (known.person.id, known.account.id)
