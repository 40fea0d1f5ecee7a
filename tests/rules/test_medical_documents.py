"""Copies of medical documents (C17): encrypted, of known types, mailed only while the consent stands."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AccountEvent, AccountPerson, MedicalDocument, Message, NoticeChoice
from app.models.cabinet_choices import AccountEventKind, ConfirmationStatus, NoticeEvent, PaperKind
from app.models.enums import MessageChannel, MessageStatus, Role
from app.rules import delivery, medical_documents
from app.rules.actor import actor_of
from app.rules.delivery import Verdict, verdict
from app.rules.errors import NotFound
from tests import make

NOW = make.NOW
PNG = b"\x89PNG\r\n\x1a\n" + b"canary-of-health"


class World:
    """A donor with a confirmed profile, and who uploads."""

    def __init__(self, session: Session, *, confirmed: bool = True) -> None:
        self.session = session
        self.tenant = make.make_tenant(session)
        self.donor = make.make_donor(session, self.tenant)
        self.confirmation = make.make_confirmation(session, self.donor, confirmed=confirmed)
        self.registrar = make.make_staff(session, Role.REGISTRAR, self.tenant.root)

    def upload(self, body: bytes = PNG, title: str = "Анализ") -> tuple[MedicalDocument, int]:
        return medical_documents.upload(
            self.session,
            person=self.donor.person,
            kind=PaperKind.TEST_RESULTS,
            title=title,
            body=body,
            actor=actor_of(self.registrar),
            now=NOW,
        )


@pytest.fixture
def world(session: Session) -> World:
    return World(session)


def letter(session: Session) -> Message:
    session.flush()
    return session.scalars(select(Message)).one()


def test_the_content_is_encrypted_at_rest(session: Session, world: World) -> None:
    row, _ = world.upload()
    session.flush()
    stored = session.scalar(select(MedicalDocument.content_ciphertext))
    assert stored is not None
    assert b"canary" not in stored and base64.b64encode(PNG) not in stored
    session.expire_all()
    file = medical_documents.file_of(session.get_one(MedicalDocument, row.id))
    assert (file.body, file.content_type) == (PNG, "image/png")
    assert file.name.endswith(".png") and "Анализ" not in file.name


def test_a_list_of_copies_reads_no_content(session: Session, world: World) -> None:
    world.upload()
    session.flush()
    session.expunge_all()
    (row,) = medical_documents.of_person(session, person_id=world.donor.person.id)
    assert "content_ciphertext" not in row.__dict__


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", medical_documents.EmptyFile),
        (b"MZ\x90\x00 a program that is called scan.pdf", medical_documents.WrongType),
        (b"<html>%PDF-", medical_documents.WrongType),
        (b"%PDF-" + b"0" * (5 * 1024 * 1024), medical_documents.FileTooLarge),
    ],
)
def test_what_is_no_copy_is_refused(
    session: Session, world: World, body: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        world.upload(body)
    assert not session.scalars(select(MedicalDocument)).all()


@pytest.mark.parametrize("body", [b"%PDF-1.7", b"\xff\xd8\xff\xe0", PNG])
def test_the_three_types_are_known_by_how_they_begin(world: World, body: bytes) -> None:
    assert world.upload(body)[1] == 1


def test_a_title_is_needed(world: World) -> None:
    with pytest.raises(medical_documents.TitleNeeded):
        world.upload(title="  ")


def test_a_copy_goes_to_a_confirmed_profile(session: Session, world: World) -> None:
    row, sent = world.upload()
    message = letter(session)
    assert sent == 1
    assert (message.account_id, message.facts) == (world.donor.account.id, {"document_id": row.id})
    assert verdict(session, message, now=NOW) is Verdict.SEND


def test_without_a_confirmed_profile_nothing_is_queued(session: Session) -> None:
    world = World(session, confirmed=False)
    _, sent = world.upload()
    assert sent == 0
    assert not session.scalars(select(Message)).all()


def withdraw_consent(world: World) -> None:
    world.confirmation.consent.withdrawn_at = NOW


def refuse(world: World) -> None:
    world.confirmation.status = ConfirmationStatus.REFUSED


def wipe(world: World) -> None:
    row = world.session.scalars(select(MedicalDocument)).one()
    row.withdrawn_at = NOW


def end_the_link(world: World) -> None:
    world.session.scalars(select(AccountPerson)).one().ends_at = NOW


def erase(world: World) -> None:
    world.donor.account.erased_at = NOW


def unprove(world: World) -> None:
    world.donor.account.email_confirmed_at = None


def say_no(world: World) -> None:
    world.session.add(
        NoticeChoice(
            account_id=world.donor.account.id,
            event=NoticeEvent.DOCUMENT,
            channel=MessageChannel.EMAIL,
            is_on=False,
            changed_at=NOW,
        )
    )


@pytest.mark.parametrize(
    "happens", [withdraw_consent, refuse, wipe, end_the_link, erase, unprove, say_no]
)
def test_what_has_changed_since_it_was_queued_keeps_the_copy_back(
    session: Session, world: World, happens: object
) -> None:
    world.upload()
    message = letter(session)
    message.attempts = 1
    happens(world)
    session.flush()
    later = NOW + dt.timedelta(seconds=1)
    assert verdict(session, message, now=later) is Verdict.DROP
    assert not delivery.begin(session, message_id=message.id, attempt=1, now=later)
    assert message.status is MessageStatus.OBSOLETE


def test_a_copy_that_has_left_stands_in_the_log_of_the_account(
    session: Session, world: World
) -> None:
    world.upload()
    message = letter(session)
    delivery.succeed(session, message_id=message.id, now=NOW)
    line = session.scalars(select(AccountEvent)).one()
    assert (line.kind, line.person_id) == (
        AccountEventKind.DOCUMENT_SENT,
        world.donor.person.id,
    )
    sent = medical_documents.sent_on(session, account_id=world.donor.account.id)
    assert list(sent) == [message.facts["document_id"]]


def test_withdrawing_wipes_the_file_and_ends_letters(session: Session, world: World) -> None:
    row, _ = world.upload()
    message = letter(session)
    medical_documents.withdraw(session, row=row, actor=actor_of(world.registrar), now=NOW)
    session.flush()
    assert message.status is MessageStatus.OBSOLETE
    assert session.scalar(select(MedicalDocument.content_ciphertext)) is None
    with pytest.raises(NotFound):
        medical_documents.file_of(row)
    with pytest.raises(medical_documents.WithdrawnAlready):
        medical_documents.send_again(session, row=row, actor=actor_of(world.registrar), now=NOW)


def test_sending_again_to_nobody_is_refused(session: Session, world: World) -> None:
    row, _ = world.upload()
    withdraw_consent(world)
    session.flush()
    with pytest.raises(medical_documents.NotToBeSent):
        medical_documents.send_again(session, row=row, actor=actor_of(world.registrar), now=NOW)
