"""«Журнал событий» (E55): each kind of line has its way to come about, by the pages that people use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import i18n
from app.models import Attachment, ContactProof
from app.models.cabinet_choices import AccountEventKind as E
from app.models.cabinet_choices import AttachmentStatus, PaperKind
from app.models.enums import AppointmentStatus as A
from app.models.enums import ConsentPurpose, Role
from app.rules import account_factor, account_log, contacts, medical_documents
from app.rules.actor import actor_of
from tests import make
from tests.client import Visitor, words
from tests.make import NOW, PASSWORD
from tests.public.household import CERTIFICATE, CHILD_BORN, Household, make_household
from tests.working import work

NEW_PASSWORD = "новая-тихая-фраза"


class World:
    """A donor of a blood centre, signed in; or, ``at_home``, the mother of a family."""

    def __init__(
        self, app: Flask, store: Session, as_account: Callable[..., Visitor], client: Visitor
    ) -> None:
        self.app, self.store, self.as_account, self.anonymous = app, store, as_account, client
        self.tenant = make.make_tenant(store)
        self.donor = make.make_donor(store, self.tenant)
        self.day = make.make_schedule(store, self.tenant, per_time=4)
        self.client, self.owner = as_account(self.donor), self.donor.account

    def at_home(self, *, child: bool = True) -> Household:
        home = make_household(self.store)
        if child:
            make.make_kept(self.store, home.account, home.child)
        self.client, self.owner = self.as_account(home.account), home.account
        return home

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
    w.client.send("/profile/data", {"current": PASSWORD})
    work(w.app, w.store)
    w.client.send("/profile/data", {"current": PASSWORD})


def sign_in_refused(w: World) -> None:
    w.anonymous.submit("/sign-in", {"email": w.donor.account.email, "password": "не тот"})


def second_factor(w: World) -> None:
    answers = {"by-factor": "sms", "by-current": PASSWORD, "by-phone": "+79001234567"}
    w.client.send("/profile/second-factor", answers)
    proof = w.store.scalars(select(ContactProof)).one()
    w.client.submit("/profile/second-factor/confirm", {"code": account_factor.code_of(proof)})


def booking_refused(w: World) -> None:
    row = w.appointment(A.HELD)
    row.hold_until = NOW
    assert w.client.send(f"/bookings/{row.uid}/confirm").status_code == 409


def move(w: World) -> None:
    home = w.at_home()
    row = make.make_appointment(
        w.store, home.tenant, home.child, home.day, status=A.BOOKED, slot=home.slots[0]
    )
    row.undo_until = None
    w.client.send(f"/visits/{row.uid}/move", {"slot": str(home.slots[1].uid)})


def family(w: World) -> None:
    w.at_home(child=False)
    child = {"number": CERTIFICATE, "birth_date": CHILD_BORN}
    w.client.submit("/cabinet/family/add/child", child)


def attachment(w: World) -> None:
    home = w.at_home()
    person = home.mother
    for row in w.store.scalars(select(Attachment).where(Attachment.person_id == person.id)):
        row.status = AttachmentStatus.ENDED
    w.client.submit(f"/cabinet/family/{person.uid}/attachment", {"street": "Ленина", "house": "3"})


def consent_given(w: World) -> None:
    make.make_consent(
        w.store, w.donor.person, ConsentPurpose.BOOKING, account_id=w.donor.account.id,
        withdrawn_at=NOW,
    )  # fmt: skip
    w.client.submit(f"/profile/consents/{w.tenant.root.uid}/give")


def document_sent(w: World) -> None:
    make.make_confirmation(w.store, w.donor)
    by = make.make_staff(w.store, Role.REGISTRAR, w.tenant.root)
    medical_documents.upload(
        w.store, person=w.donor.person, kind=PaperKind.OTHER, title="Выписка", body=make.PDF,
        actor=actor_of(by), now=NOW,
    )  # fmt: skip
    work(w.app, w.store)


def review(w: World) -> None:
    clinic = make.make_polyclinic(w.store)
    sitting = make.make_sitting(w.store, make.make_role(w.store, clinic), days=-2)
    row = make.make_appointment(w.store, clinic, w.donor.person, sitting, status=A.FULFILLED)
    w.client.send(f"/cabinet/visits/{row.uid}/review", {"stars": "5"})


def waiting(w: World) -> None:
    day = make.make_schedule(w.store, w.tenant, days=9, total=1)
    taken = make.make_donor(w.store, w.tenant)
    make.make_appointment(w.store, w.tenant, taken, day, status=A.BOOKED)
    link = f"/waiting/join?day={day.uid}"
    w.client.send(link, {"people": str(w.donor.person.uid)})


ACTS: dict[E, Callable[[World], None]] = {
    E.SIGN_IN: sign_in,
    E.SIGN_IN_REFUSED: sign_in_refused,
    E.SIGN_OUT: sign_out,
    E.SECOND_FACTOR: second_factor,
    E.BOOKED: book,
    E.BOOKING_REFUSED: booking_refused,
    E.CANCELLED: cancel,
    E.MOVED: move,
    E.FAMILY: family,
    E.ATTACHMENT: attachment,
    E.CONSENT_GIVEN: consent_given,
    E.DOCUMENT_SENT: document_sent,
    E.REVIEW: review,
    E.WAITING: waiting,
    E.PASSWORD: password,
    E.CONTACT: phone,
    E.POLICY: policy,
    E.NOTICES: notices,
    E.CONSENT_WITHDRAWN: withdraw,
    E.DATA_EXPORTED: export,
}


@pytest.mark.parametrize("kind", E, ids=str)
def test_each_kind_has_its_way_and_is_read_in_the_log(
    app: Flask, store: Session, as_account: Callable[..., Visitor], client: Visitor, kind: E
) -> None:
    """A new kind without a way here is no kind: nothing writes it."""
    world = World(app, store, as_account, client)
    ACTS[kind](world)
    store.expire_all()
    account = world.owner
    found, _ = account_log.lines(store, account_id=account.id, own=(), person_ids=())
    assert [line.kind for line in found] == [kind]
    from_where = "" if kind is E.DOCUMENT_SENT else "127.0.0.1"
    assert found[0].ip == from_where, "what the worker does comes from nowhere"
    page = words(as_account(account).page("/cabinet/events"))
    with app.test_request_context():
        assert i18n.label(kind) in page
