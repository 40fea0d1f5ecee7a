"""Copies of medical documents (C17): uploaded by staff, kept encrypted, sent by e-mail and read in the cabinet.

A copy goes out only while the profile is confirmed and its paper consent stands (app.rules.confirmations):
that is asked when it is uploaded, and again when the letter is taken up and when it is written.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.cabinet_choices import AccountEventKind, PaperKind
from app.models.enums import MessageChannel, MessageKind, MessageStatus
from app.models.medical_document import MedicalDocument, ProfileConfirmation
from app.models.message import Message
from app.models.person import Person
from app.models.scope import widened
from app.rules import account_log, audit, confirmations, notices, outbox
from app.rules.actor import Actor
from app.rules.errors import N_, NotFound, RuleError

MOST = 100
LONGEST_TITLE = 200
MEGABYTE = 1024 * 1024


class EmptyFile(RuleError):
    code = "empty_file"
    text = N_("The file is empty: choose another one, please.")


class FileTooLarge(RuleError):
    code = "file_too_large"
    text = N_("The file is larger than %(most)s MB: scan it anew with fewer dots or in parts.")


class WrongType(RuleError):
    code = "wrong_type"
    text = N_("This is no PDF, JPEG or PNG, whatever its name says: save the copy as one of these.")


class TitleNeeded(RuleError):
    code = "title_needed"
    text = N_("Name the document: the person reads it in the cabinet.")


class NotToBeSent(RuleError):
    code = "not_to_be_sent"
    text = N_(
        "Nobody may have copies of this card by e-mail: the profile is not confirmed, or its consent was withdrawn."
    )


class WithdrawnAlready(RuleError):
    code = "document_withdrawn"
    text = N_("This copy was withdrawn before.")


@dataclass(frozen=True)
class File:
    """A copy as it was uploaded."""

    name: str
    """Nothing of the person or the document."""
    content_type: str
    body: bytes


def most_bytes() -> int:
    """The largest file that is taken."""
    return int(confirmations.numbers()["most_bytes"])


def type_of(body: bytes) -> dict[str, Any] | None:
    """The type by what the file begins with; None for one that is not taken."""
    for each in confirmations.numbers()["types"]:
        if body.startswith(bytes.fromhex(each["begins"])):
            return dict(each)
    return None


def upload(
    session: Session,
    *,
    person: Person,
    kind: PaperKind,
    title: str,
    body: bytes,
    actor: Actor,
    now: dt.datetime,
) -> tuple[MedicalDocument, int]:
    """Keep a copy, and send it to whom it may go; the copy and to how many.

    Raises TitleNeeded, EmptyFile, FileTooLarge, WrongType.
    """
    if not title.strip():
        raise TitleNeeded()
    if not body:
        raise EmptyFile()
    if len(body) > most_bytes():
        raise FileTooLarge(most=most_bytes() // MEGABYTE)
    found = type_of(body)
    if found is None:
        raise WrongType()
    row = MedicalDocument(
        uid=uuid.uuid4(),
        tenant_id=person.tenant_id,
        person_id=person.id,
        kind=kind,
        title=title.strip()[:LONGEST_TITLE],
        content_type=found["content_type"],
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        created_at=now,
        created_by_id=actor.id,
    )
    row.content = base64.b64encode(body).decode("ascii")
    session.add(row)
    session.flush()  # the audit and the outbox name it by its id
    audit.record(
        session,
        verb="copy.upload",
        subject=row,
        actor=actor,
        now=now,
        changes={"kind": [None, kind.value], "size": [None, row.size]},
    )
    return row, _send(session, row, now)


def send_again(session: Session, *, row: MedicalDocument, actor: Actor, now: dt.datetime) -> int:
    """Once more, to whom it may go now; to how many. Raises NotToBeSent, WithdrawnAlready."""
    if row.withdrawn_at is not None:
        raise WithdrawnAlready()
    sent = _send(session, row, now)
    if not sent:
        raise NotToBeSent()
    audit.record(session, verb="copy.send", subject=row, actor=actor, now=now, changes={})
    return sent


def _send(session: Session, row: MedicalDocument, now: dt.datetime) -> int:
    kind = MessageKind.DOCUMENT_COPY
    reached = [
        account
        for account in confirmations.readers(session, person_id=row.person_id, now=now)
        if notices.wants(session, account_id=account.id, kind=kind, channel=MessageChannel.EMAIL)
    ]
    for account in reached:
        outbox.add(
            session,
            kind=kind,
            key=f"{kind}:{row.id}:{account.id}:{int(now.timestamp() * 1000)}",
            now=now,
            tenant_id=row.tenant_id,
            account_id=account.id,
            facts={"document_id": row.id},
        )
    return len(reached)


def withdraw(session: Session, *, row: MedicalDocument, actor: Actor, now: dt.datetime) -> None:
    """Uploaded in error: the content is wiped, letters not sent yet end. Raises WithdrawnAlready."""
    if row.withdrawn_at is not None:
        raise WithdrawnAlready()
    row.withdrawn_at = now
    row.content = None
    audit.record(session, verb="copy.withdraw", subject=row, actor=actor, now=now, changes={})
    for message in deliveries(session, rows=[row]).get(row.id, ()):
        if message.status is MessageStatus.DUE:
            outbox.finish(session, message, MessageStatus.OBSOLETE, now=now)


# --- sending


def of_message(session: Session, message: Message) -> MedicalDocument | None:
    """What a letter of the outbox carries, if it is one of these."""
    if message.kind is not MessageKind.DOCUMENT_COPY:
        return None
    row = session.get(MedicalDocument, message.facts.get("document_id", 0))
    return row if row is not None and row.tenant_id == message.tenant_id else None


def may_go(session: Session, message: Message, *, now: dt.datetime) -> bool:
    """Whether this copy may still go to this account, as the world is ``now``."""
    row = of_message(session, message)
    if row is None or row.withdrawn_at is not None or message.account_id is None:
        return False
    readers = confirmations.readers(session, person_id=row.person_id, now=now)
    return message.account_id in {account.id for account in readers} and notices.wants(
        session, account_id=message.account_id, kind=message.kind, channel=message.channel
    )


def note_sent(session: Session, message: Message, *, now: dt.datetime) -> None:
    """A line in the account's own log (E55), if this letter carried a copy."""
    row = of_message(session, message)
    if row is not None and message.account_id is not None:
        account_log.write(
            session,
            account_id=message.account_id,
            kind=AccountEventKind.DOCUMENT_SENT,
            person_id=row.person_id,
            now=now,
        )


# --- reading


def of_person(session: Session, *, person_id: int) -> Sequence[MedicalDocument]:
    """The copies of a card, the latest first, without their contents."""
    return session.scalars(
        select(MedicalDocument)
        .where(MedicalDocument.person_id == person_id)
        .order_by(MedicalDocument.id.desc())
        .limit(MOST)
    ).all()


def deliveries(session: Session, *, rows: Sequence[MedicalDocument]) -> dict[int, list[Message]]:
    """The letters that carried each of these copies of one card, newest first. One query."""
    if not rows:
        return {}
    ids = {row.id for row in rows}
    first = min(row.created_at for row in rows)
    sent: dict[int, list[Message]] = {}
    found = session.scalars(
        select(Message)
        .where(
            Message.account_id.in_(_accounts(rows[0].person_id)),
            Message.kind == MessageKind.DOCUMENT_COPY,
            Message.created_at >= first,
        )
        .order_by(Message.id.desc())
        .limit(MOST)
    )
    for message in found:
        key = message.facts.get("document_id", 0)
        if key in ids:
            sent.setdefault(key, []).append(message)
    return sent


def _accounts(person_id: int) -> Any:
    """Whoever has ever asked for this card's copies."""
    return select(ProfileConfirmation.account_id).where(ProfileConfirmation.person_id == person_id)


def named(session: Session, *, person_id: int, uid: uuid.UUID) -> MedicalDocument:
    """A copy of this card. Raises NotFound, also for one of another card."""
    row = session.scalars(
        select(MedicalDocument).where(
            MedicalDocument.uid == uid, MedicalDocument.person_id == person_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def own(session: Session, *, uid: uuid.UUID, account_id: int) -> MedicalDocument:
    """The reader's own copy, of a profile that is confirmed. Raises NotFound for anything else."""
    row = session.scalars(
        select(MedicalDocument).where(
            MedicalDocument.uid == uid, MedicalDocument.withdrawn_at.is_(None)
        )
    ).one_or_none()
    if row is None or not confirmations.is_confirmed(
        session, account_id=account_id, person_id=row.person_id
    ):
        raise NotFound()
    return row


def file_of(row: MedicalDocument) -> File:
    """The file itself. Raises NotFound where its content was wiped."""
    text = row.content
    if text is None:
        raise NotFound()
    ends = {each["content_type"]: each["extension"] for each in confirmations.numbers()["types"]}
    ending = ends.get(row.content_type, "bin")
    return File(
        f"talon-copy-{row.created_at:%Y-%m-%d}-{row.id}.{ending}",
        row.content_type,
        base64.b64decode(text),
    )


def sent_on(session: Session, *, account_id: int) -> dict[int, dt.datetime]:
    """When each copy last reached this account by e-mail; by the copy's key. One query."""
    with widened(session, "the letters of this account"):
        rows = session.scalars(
            select(Message)
            .where(
                Message.account_id == account_id,
                Message.kind == MessageKind.DOCUMENT_COPY,
                Message.status == MessageStatus.SENT,
            )
            .order_by(Message.id.desc())
            .limit(MOST)
        ).all()
    return {
        row.facts.get("document_id", 0): row.ended_at or row.created_at for row in reversed(rows)
    }
