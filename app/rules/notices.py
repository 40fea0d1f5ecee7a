"""What an account wishes to be told of, by what channel; asked again just before a message is sent."""

from __future__ import annotations

import datetime as dt
import hmac
import json
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import Account
from app.models.cabinet import NoticeChoice
from app.models.cabinet_choices import NoticeEvent
from app.models.crypto import derived
from app.models.enums import MessageChannel, MessageKind
from app.models.scope import widened
from app.rules.errors import NotFound

DATA = Path(__file__).parent.parent / "data" / "notices.json"
Choice = tuple[NoticeEvent, MessageChannel]


@cache
def defaults() -> dict[Choice, bool]:
    """Whether somebody who has not chosen is told (app/data/notices.json)."""
    listed = json.loads(DATA.read_text(encoding="utf-8"))["defaults"]
    return {
        (NoticeEvent(event), MessageChannel(channel)): on
        for event, channels in listed.items()
        for channel, on in channels.items()
    }


@cache
def event_of(kind: MessageKind) -> NoticeEvent | None:
    """What a message tells of; None for those that nobody can switch off."""
    listed = json.loads(DATA.read_text(encoding="utf-8"))["events"]
    found = listed.get(kind.value)
    return NoticeEvent(found) if found else None


def choices(session: Session, *, account_id: int) -> dict[Choice, bool]:
    """What this account has chosen, and the default where it has not."""
    with widened(session, "the wishes of an account"):
        rows = session.scalars(
            select(NoticeChoice).where(NoticeChoice.account_id == account_id)
        ).all()
    return defaults() | {(row.event, row.channel): row.is_on for row in rows}


def wants(session: Session, *, account_id: int, kind: MessageKind, channel: MessageChannel) -> bool:
    """Whether this account is to be told by this channel."""
    event = event_of(kind)
    return event is None or choices(session, account_id=account_id)[event, channel]


def choose(
    session: Session,
    *,
    account_id: int,
    event: NoticeEvent,
    channel: MessageChannel,
    on: bool,
    now: dt.datetime,
) -> bool:
    """Tell or no longer tell; False if that was so already. Two at once: the later one wins."""
    if choices(session, account_id=account_id)[event, channel] is on:
        return False
    with widened(session, "the wishes of an account"):
        row = session.scalars(
            select(NoticeChoice)
            .where(
                NoticeChoice.account_id == account_id,
                NoticeChoice.event == event,
                NoticeChoice.channel == channel,
            )
            .with_for_update()
        ).one_or_none()
        if row is None:
            row = NoticeChoice(account_id=account_id, event=event, channel=channel)
            session.add(row)
        row.is_on, row.changed_at = on, now
        session.flush()
    return True


def stop_token(account: Account, event: NoticeEvent, channel: MessageChannel) -> str:
    """What stands in a letter's address: it stops these notices and opens nothing else. Never stored."""
    return f"{account.uid.hex}.{event.value}.{channel.value}.{_mark(account.id, event, channel)}"


def _mark(account_id: int, event: NoticeEvent, channel: MessageChannel) -> str:
    return derived("stop-notices", account_id, f"{event.value}|{channel.value}")


@dataclass(frozen=True)
class Stop:
    """What a letter's address stops, and whether that is so already."""

    account_id: int
    event: NoticeEvent
    channel: MessageChannel
    is_on: bool


def meant(session: Session, *, token: str) -> Stop:
    """Raises NotFound for what no letter of ours says."""
    parts = token.split(".")
    try:
        name, said, way, mark = parts
        uid, event, channel = uuid.UUID(hex=name), NoticeEvent(said), MessageChannel(way)
    except ValueError as error:
        raise NotFound() from error
    with widened(session, "a letter's reader"):
        account_id = session.scalar(
            select(Account.id).where(Account.uid == uid, Account.erased_at.is_(None))
        )
    good = account_id is not None and hmac.compare_digest(
        mark.encode(), _mark(account_id, event, channel).encode()
    )
    if account_id is None or not good:
        raise NotFound()
    is_on = choices(session, account_id=account_id)[event, channel]
    return Stop(account_id, event, channel, is_on)
