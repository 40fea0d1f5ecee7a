"""Copies of documents by e-mail: attached if consent and confirmation stand when they are sent, else nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs import deliver as jobs
from app.jobs.deliver import deliver
from app.models import Consent, Message, ProfileConfirmation
from app.models.cabinet_choices import PaperKind
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageStatus, Role
from app.rules import medical_documents, outbox, surveys
from app.rules.actor import actor_of
from tests import make
from tests.jobs.sink import Sink

NOW = make.NOW


def queued(store: Session) -> tuple[Message, int]:
    """A copy on its way, leased."""
    tenant = make.make_tenant(store)
    donor = make.make_donor(store, tenant)
    make.make_confirmation(store, donor)
    registrar = make.make_staff(store, Role.REGISTRAR, tenant.root)
    medical_documents.upload(
        store,
        person=donor.person,
        kind=PaperKind.TEST_RESULTS,
        title="Анализ-канарейка",
        body=make.PDF,
        actor=actor_of(registrar),
        now=NOW,
    )
    store.commit()
    return leased(store)


def leased(store: Session, now: dt.datetime = NOW) -> tuple[Message, int]:
    ((key, attempt),) = outbox.lease(store, now=now)
    message = store.get_one(Message, key)
    store.commit()
    return message, attempt


def fresh(store: Session, message: Message) -> Message:
    store.rollback()
    store.refresh(message)
    return message


def withdraw(store: Session) -> None:
    key = store.scalars(select(ProfileConfirmation.consent_id)).one()
    store.get_one(Consent, key).withdrawn_at = NOW
    store.commit()


def test_the_copy_is_attached(mail_app: Flask, sink: Sink, store: Session) -> None:
    message, attempt = queued(store)
    deliver(message.id, attempt)
    assert fresh(store, message).status is MessageStatus.SENT
    (letter,) = sink.letters
    (file,) = letter.iter_attachments()
    assert file.get_content() == make.PDF
    assert file.get_content_type() == "application/pdf"
    body = letter.get_body(("plain",)).get_content()
    assert "канарейка" not in body and "канарейка" not in str(letter["Subject"])


def test_a_consent_withdrawn_since_sends_nothing(
    mail_app: Flask, sink: Sink, store: Session
) -> None:
    message, attempt = queued(store)
    withdraw(store)
    deliver(message.id, attempt)
    assert fresh(store, message).status is MessageStatus.OBSOLETE
    assert not sink.letters


def test_a_consent_withdrawn_while_the_letter_is_taken_up_sends_nothing(
    mail_app: Flask, sink: Sink, store: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the verdict and the writing of the letter."""
    message, attempt = queued(store)
    hand_in: Callable[[int], None] = jobs._hand_in

    def late(message_id: int) -> None:
        withdraw(store)
        hand_in(message_id)

    monkeypatch.setattr(jobs, "_hand_in", late)
    deliver(message.id, attempt)
    assert fresh(store, message).status is MessageStatus.DUE
    assert not sink.letters
    monkeypatch.setattr(jobs, "_hand_in", hand_in)
    message.locked_until, message.run_at = None, NOW
    again, attempt = leased(store)
    deliver(again.id, attempt)
    assert fresh(store, message).status is MessageStatus.OBSOLETE
    assert not sink.letters


def test_the_questionnaire_goes_to_the_address_given_for_it(
    mail_app: Flask, sink: Sink, store: Session, clock
) -> None:
    clinic = make.make_polyclinic(store)
    day = make.make_sitting(store, make.make_role(store, clinic), days=-2)
    row = make.make_appointment(
        store, clinic, make.make_person(store, clinic), day, status=A.FULFILLED
    )
    address = make.make_survey_address(store, row, email="guest@example.org")
    surveys.plan(store, address, booking=row, now=NOW)
    store.commit()
    message, attempt = leased(store)
    deliver(message.id, attempt)
    assert fresh(store, message).status is MessageStatus.SENT
    (letter,) = sink.letters
    assert str(letter["To"]) == "guest@example.org"
    assert f"/review/{surveys.token(address)}" in letter.get_body(("plain",)).get_content()
