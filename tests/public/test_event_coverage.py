"""«Журнал событий» (E55): each act done in the pages leaves its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AccountEvent, ContactProof
from app.models.cabinet_choices import AccountEventKind as E
from app.models.enums import AppointmentStatus as A
from app.rules import contacts
from tests import make
from tests.client import Visitor
from tests.make import PASSWORD

NEW_PASSWORD = "новая-тихая-фраза"


class World:
    def __init__(self, store: Session, as_account: Callable[..., Visitor], client: Visitor) -> None:
        self.store, self.anonymous = store, client
        self.tenant = make.make_tenant(store)
        self.donor = make.make_donor(store, self.tenant)
        self.day = make.make_schedule(store, self.tenant, per_time=4)
        self.client = as_account(self.donor)

    def appointment(self, status: A, **more: Any) -> Any:
        row = make.make_appointment(
            self.store, self.tenant, self.donor, self.day, status=status, **more
        )
        row.undo_until = None
        return row


def sign_in(w: World) -> None:
    w.anonymous.submit("/sign-in", {"email": w.donor.account.email, "password": PASSWORD})


def sign_out(w: World) -> None:
    w.client.send("/sign-out")


def book(w: World) -> None:
    w.client.send(f"/bookings/{w.appointment(A.HELD).uid}/confirm")


def cancel(w: World) -> None:
    w.client.send(f"/bookings/{w.appointment(A.BOOKED).uid}/cancel")


def password(w: World) -> None:
    w.client.send("/profile/password", {"current": PASSWORD, "password": NEW_PASSWORD})


def phone(w: World) -> None:
    w.client.send("/profile/phone", {"number": "+79001234567", "current": PASSWORD})
    proof = w.store.scalars(select(ContactProof)).one()
    w.client.send("/profile/phone/code", {"code": contacts.phone_code(proof)})


def policy(w: World) -> None:
    w.client.send("/profile/policy", {"number": "12345678", "current": PASSWORD})


def notices(w: World) -> None:
    w.client.send("/profile/notices", {})


def withdraw(w: World) -> None:
    w.client.send(f"/profile/consents/{w.tenant.root.uid}/booking/withdraw")


def export(w: World) -> None:
    w.client.send(w.client.send("/profile/data", {"current": PASSWORD}).location)


ACTS: dict[E, Callable[[World], None]] = {
    E.SIGN_IN: sign_in,
    E.SIGN_OUT: sign_out,
    E.BOOKED: book,
    E.CANCELLED: cancel,
    E.PASSWORD: password,
    E.CONTACT: phone,
    E.POLICY: policy,
    E.NOTICES: notices,
    E.CONSENT_WITHDRAWN: withdraw,
    E.DATA_EXPORTED: export,
}


@pytest.mark.parametrize("kind", ACTS, ids=str)
def test_an_act_leaves_its_line(
    store: Session, as_account: Callable[..., Visitor], client: Visitor, kind: E
) -> None:
    world = World(store, as_account, client)
    ACTS[kind](world)
    rows = store.scalars(select(AccountEvent)).all()
    assert [row.kind for row in rows] == [kind]
    assert rows[0].account_id == world.donor.account.id and rows[0].ip == "127.0.0.1"
