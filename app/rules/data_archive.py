"""The archive of all that is kept about an account (N15): asked for, made by the worker, kept sealed for three
days, then gone. Its link is for one use; in the cabinet the password opens it (docs/decisions/0025).
"""

from __future__ import annotations

import base64
import datetime as dt
import uuid

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models.account import Account, OneTimeLink
from app.models.data_archive import DataArchive, DataArchivePart
from app.models.enums import LinkPurpose, MessageKind
from app.models.message import Message
from app.models.scope import widened
from app.rules import links, outbox

PURPOSE = LinkPurpose.DATA_EXPORT
REASON = "a link's owner"
KEPT = links.LIFETIMES[PURPOSE]
WAITED_FOR = dt.timedelta(days=1)
"""Not made by then, it may be asked for anew."""
PORTION = 240 * 1024
"""Bytes of one row."""
SWEPT = 20


class Gone(Exception):
    """It is wanted no more: its account was deleted, or it was asked for anew, or another try makes it."""


def current(session: Session, *, account: Account, now: dt.datetime) -> DataArchive | None:
    """The account's own: being made, or ready (``made_at``)."""
    return session.scalars(
        select(DataArchive).where(DataArchive.account_id == account.id, DataArchive.ends_at > now)
    ).one_or_none()


def ask(session: Session, *, account: Account, now: dt.datetime) -> DataArchive:
    """A new one; the one before it goes. One that is being made is not begun anew."""
    with widened(session, REASON):
        session.scalar(select(Account.id).where(Account.id == account.id).with_for_update())
        there = current(session, account=account, now=now)
        if there is not None and there.made_at is None:
            return there
        drop(session, account_id=account.id)
        row = DataArchive(
            uid=uuid.uuid4(), account_id=account.id, asked_at=now, ends_at=now + WAITED_FOR
        )
        session.add(row)
        outbox.add(
            session,
            kind=MessageKind.DATA_WANTED,
            key=f"{MessageKind.DATA_WANTED}:{row.uid}",
            now=now,
            account_id=account.id,
            useless_after=row.ends_at,
            facts={"archive": str(row.uid)},
        )
    return row


# --- making it


def wanted(session: Session, message: Message) -> DataArchive | None:
    """What a row of the outbox asks the worker to make, unless it is made or gone."""
    return session.scalars(
        select(DataArchive).where(
            DataArchive.uid == uuid.UUID(message.facts["archive"]), DataArchive.made_at.is_(None)
        )
    ).one_or_none()


def _locked(session: Session, uid: uuid.UUID, tries: int) -> DataArchive:
    row = session.scalars(
        select(DataArchive).where(DataArchive.uid == uid).with_for_update()
    ).one_or_none()
    if row is None or row.tries != tries:
        raise Gone()
    return row


def begin(session: Session, *, uid: uuid.UUID) -> int:
    """Whatever a try before this one has left is dropped, and should it live still, it is stopped; the
    number of this one. Raises Gone."""
    tries = session.scalar(select(DataArchive.tries).where(DataArchive.uid == uid))
    row = _locked(session, uid, tries or 0)
    session.execute(delete(DataArchivePart).where(DataArchivePart.archive_id == row.id))
    row.tries += 1
    return row.tries


def add_part(session: Session, *, uid: uuid.UUID, tries: int, number: int, content: bytes) -> None:
    """The next portion, sealed. Raises Gone."""
    row = _locked(session, uid, tries)
    part = DataArchivePart(
        uid=uuid.uuid4(), archive_id=row.id, account_id=row.account_id, number=number
    )
    part.content = base64.b64encode(content).decode("ascii")
    session.add(part)


def finish(session: Session, *, uid: uuid.UUID, tries: int, size: int, now: dt.datetime) -> None:
    """It is whole: kept from now on, and a letter tells of it where one reaches. Raises Gone."""
    row = _locked(session, uid, tries)
    row.made_at, row.size, row.ends_at = now, size, now + KEPT
    account = session.get_one(Account, row.account_id)
    if account.email is None or account.email_confirmed_at is None:
        return
    link = links.issue(session, purpose=PURPOSE, account_id=account.id, now=now)
    outbox.add(
        session,
        kind=MessageKind.DATA_READY,
        key=f"{MessageKind.DATA_READY}:{row.uid}",
        now=now,
        account_id=account.id,
        useless_after=link.expires_at,
        facts={"link_id": link.id},
    )


# --- handing it out


def part(session: Session, *, archive_id: int, number: int) -> bytes | None:
    """One portion of it, opened; None behind the last one."""
    row = session.scalars(
        select(DataArchivePart).where(
            DataArchivePart.archive_id == archive_id, DataArchivePart.number == number
        )
    ).one_or_none()
    return base64.b64decode(row.content) if row is not None else None


def live(
    session: Session, *, account: Account, token: str, now: dt.datetime
) -> tuple[OneTimeLink, DataArchive]:
    """What is behind a token of this account. Raises LinkEnded for all else alike."""
    with widened(session, REASON):
        link = links.find(session, purpose=PURPOSE, text=token, now=now)
    row = current(session, account=account, now=now)
    if link.account_id != account.id or row is None or row.made_at is None:
        raise links.LinkEnded()
    return link, row


def use(session: Session, *, account: Account, token: str, now: dt.datetime) -> DataArchive:
    """Use the link up. Raises LinkEnded, also for the second of two at once."""
    with widened(session, REASON):
        link, row = live(session, account=account, token=token, now=now)
        links.use(session, link, now=now)
    return row


# --- letting it go


def drop(session: Session, *, account_id: int) -> None:
    """Nothing of it is left, nor of its link. The caller sees the rows of the account."""
    mine = DataArchive.account_id == account_id
    session.execute(
        select(DataArchive.id).where(mine).with_for_update()
    )  # no part is added meanwhile
    for statement in (
        delete(DataArchivePart).where(DataArchivePart.account_id == account_id),
        delete(DataArchive).where(mine),
        delete(OneTimeLink).where(
            OneTimeLink.account_id == account_id, OneTimeLink.purpose == PURPOSE
        ),
    ):
        session.execute(statement)


def sweep(session: Session, *, now: dt.datetime) -> None:
    """Those whose time is over."""
    over = select(DataArchive.account_id).where(DataArchive.ends_at <= now).limit(SWEPT)
    for account_id in session.scalars(over).all():
        drop(session, account_id=account_id)
