"""Deleting a cabinet: the account is emptied, its own cards are made anonymous as far as the law lets go of
them (N15; app/data/retention.json, docs/decisions/0021).

Rows stay where others count on them (bookings, the journal of acts), with nothing personal in them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson, OneTimeLink, WebSession
from app.models.appointment import Appointment
from app.models.attachment import Attachment, Referral
from app.models.cabinet import AccountEvent, NoticeChoice
from app.models.cabinet_choices import (
    AttachmentStatus,
    ConfirmationStatus,
    SecondFactor,
)
from app.models.consent import Consent
from app.models.donor import Deferral, Donation, Donor, DonorRecord
from app.models.enums import AppointmentStatus as A
from app.models.enums import ConsentChannel, MessageStatus
from app.models.guest import Guest, SurveyAddress
from app.models.identity import PersonDocument
from app.models.medical_document import MedicalDocument, Prescription, ProfileConfirmation
from app.models.message import MailboxLetter, Message
from app.models.organization import Organization
from app.models.person import Person
from app.models.review import Review, ReviewAnswer
from app.models.scope import widened
from app.models.sign_in import AccountIdentity, ContactProof, OidcAttempt, SignInRefusal
from app.models.waiting import WaitingEntry
from app.rules import audit, data_archive, families, own_consents, waiting
from app.rules.actor import Actor, actor_of
from app.rules.joining import IN_LINE

REASON = "an account that its owner deletes"
HAPPENED = (A.ARRIVED, A.FULFILLED, A.TURNED_AWAY)
"""A visit of which the organization keeps a medical record."""


def kept_by(session: Session, *, account: Account) -> Sequence[Organization]:
    """The organizations that must keep a card of this account, to be told before anything is deleted."""
    with widened(session, REASON):
        kept = _kept(session, _own_cards(session, account))
        return session.scalars(
            select(Organization)
            .where(Organization.id.in_(select(Person.tenant_id).where(Person.id.in_(kept))))
            .order_by(Organization.id)
        ).all()


def ahead(session: Session, *, account: Account) -> int:
    """How many bookings of its own cards are cancelled with it."""
    with widened(session, REASON):
        cards = _own_cards(session, account)
        return own_consents.live(session, person_ids=cards, tenant_id=None)


def erase(session: Session, *, account: Account, now: dt.datetime) -> None:
    """Delete it. The caller has asked for the password just now, and ends the session."""
    actor = actor_of(account)
    with widened(session, REASON):
        cards = _own_cards(session, account)
        own_consents.cancel_ahead(session, person_ids=cards, tenant_id=None, actor=actor, now=now)
        kept = _kept(session, cards)
        _letters(session, account, cards, now)
        _ways_in(session, account)
        _leave_lines(session, account, actor, now)
        _family(session, account, now)
        _said(session, cards, now)
        _cards(session, cards, set(cards) - kept)
        _consents(session, account, now)
        for name in ("email", "login", "phone", "password_hash", "totp_seed", "phone_confirmed_at",
                     "email_confirmed_at", "password_expires_at"):  # fmt: skip
            setattr(account, name, None)
        account.second_factor, account.is_active = SecondFactor.NONE, False
        account.erased_at = now
        audit.record(
            session, verb="account.erase", subject=account, actor=actor, now=now, changes={}
        )


def _own_cards(session: Session, account: Account) -> list[int]:
    return list(families.own_of(session, account_id=account.id))


def _kept(session: Session, cards: Collection[int]) -> set[int]:
    """Cards of which the organization keeps a medical record, or that it made by itself at its desk."""
    grounds: tuple[Any, ...] = (
        select(Donation.person_id).where(Donation.person_id.in_(cards)),
        select(Deferral.person_id).where(
            Deferral.person_id.in_(cards), Deferral.withdrawn_at.is_(None)
        ),
        select(DonorRecord.person_id).where(DonorRecord.person_id.in_(cards)),
        select(Appointment.person_id).where(
            Appointment.person_id.in_(cards), Appointment.status.in_(HAPPENED)
        ),
        select(Attachment.person_id).where(
            Attachment.person_id.in_(cards), Attachment.status == AttachmentStatus.ACTIVE
        ),
        select(Consent.person_id).where(
            Consent.person_id.in_(cards), Consent.channel != ConsentChannel.SITE
        ),
    )
    return {person_id for query in grounds for person_id in session.scalars(query)}


def _run(session: Session, *statements: Any) -> None:
    for statement in statements:
        session.execute(statement, execution_options={"synchronize_session": False})


def _letters(session: Session, account: Account, cards: Collection[int], now: dt.datetime) -> None:
    """Nothing more is sent; what was sent says nothing any more."""
    bookings = select(Appointment.id).where(Appointment.person_id.in_(cards))
    mine = or_(Message.account_id == account.id, Message.appointment_id.in_(bookings))
    ids = select(Message.id).where(mine)
    _run(
        session,
        delete(MailboxLetter).where(MailboxLetter.message_id.in_(ids)),
        update(Message)
        .where(mine, Message.status == MessageStatus.DUE)
        .values(status=MessageStatus.OBSOLETE, ended_at=now),
        update(Message).where(mine).values(facts={}, last_error=""),
    )


def _ways_in(session: Session, account: Account) -> None:
    tables: tuple[Any, ...] = (
        WebSession, OneTimeLink, ContactProof, AccountIdentity, OidcAttempt, SignInRefusal, NoticeChoice, AccountEvent,
    )  # fmt: skip
    data_archive.drop(session, account_id=account.id)
    _run(session, *(delete(table).where(table.account_id == account.id) for table in tables))


def _leave_lines(session: Session, account: Account, actor: Actor, now: dt.datetime) -> None:
    """It waits for no place, and one that is offered to it goes on to the next in line."""
    query = select(WaitingEntry).where(
        WaitingEntry.account_id == account.id, WaitingEntry.status.in_(IN_LINE)
    )
    for entry in session.scalars(query.order_by(WaitingEntry.id)).all():
        waiting.leave(session, entry=entry, actor=actor, now=now)


def _family(session: Session, account: Account, now: dt.datetime) -> None:
    """No card is open to it any more."""
    _run(
        session,
        update(AccountPerson)
        .where(
            AccountPerson.account_id == account.id,
            or_(AccountPerson.ends_at.is_(None), AccountPerson.ends_at > now),
        )
        .values(ends_at=now),
        update(WaitingEntry)
        .where(WaitingEntry.account_id == account.id)
        .values(first_day=None, last_day=None),
        update(ProfileConfirmation)
        .where(
            ProfileConfirmation.account_id == account.id,
            ProfileConfirmation.status.in_(
                (ConfirmationStatus.WAITING, ConfirmationStatus.CONFIRMED)
            ),
        )
        .values(status=ConfirmationStatus.WITHDRAWN, decided_at=now),
        update(ProfileConfirmation)
        .where(ProfileConfirmation.account_id == account.id)
        .values(reason=""),
    )


def _said(session: Session, cards: Collection[int], now: dt.datetime) -> None:
    """What no law asks to keep of any card: telephones, words, copies."""
    _run(
        session,
        update(Appointment)
        .where(Appointment.person_id.in_(cards))
        .values(
            phone_ciphertext=None, comment="", override_reason="", code_nonce="", holder=None,
            held_from=None,
        ),
        update(MedicalDocument)
        .where(MedicalDocument.person_id.in_(cards), MedicalDocument.withdrawn_at.is_(None))
        .values(withdrawn_at=now),
        update(MedicalDocument)
        .where(MedicalDocument.person_id.in_(cards))
        .values(content_ciphertext=None, title="", sha256="", content_type=""),
        update(Attachment)
        .where(Attachment.person_id.in_(cards))
        .values(address_ciphertext=None, note=""),
        update(Referral).where(Referral.person_id.in_(cards)).values(reason=""),
        update(Review).where(Review.person_id.in_(cards)).values(comment=""),
        update(Person)
        .where(Person.id.in_(cards))
        .values(phone_ciphertext=None, phone_index=None),
        *(
            delete(table).where(table.person_id.in_(cards))
            for table in (ReviewAnswer, Prescription, SurveyAddress, Guest)
        ),
    )  # fmt: skip


def _cards(session: Session, cards: Collection[int], free: Collection[int]) -> None:
    """``free``: those that no law keeps, made anonymous."""
    nobody = {"family_name": "", "given_name": "", "patronymic": "", "search_name": ""}
    _run(
        session,
        update(Person).where(Person.id.in_(free)).values(**nobody, birth_date=None, sex=None),
        delete(PersonDocument).where(PersonDocument.person_id.in_(free)),
        delete(Donor).where(Donor.person_id.in_(free)),
        update(Deferral).where(Deferral.person_id.in_(free)).values(reason=""),
    )
    for person in session.scalars(select(Person).where(Person.id.in_(cards))):
        session.refresh(person)


def _consents(session: Session, account: Account, now: dt.datetime) -> None:
    """When and to what is kept, as a proof; from where is not."""
    mine = Consent.account_id == account.id
    _run(
        session,
        update(Consent).where(mine, Consent.withdrawn_at.is_(None)).values(withdrawn_at=now),
        update(Consent).where(mine).values(ip="", user_agent=""),
    )
