"""The link to all that is kept about an account (N15): for one use, for its signed-in owner."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.models.account import Account, OneTimeLink
from app.models.enums import LinkPurpose, MessageKind
from app.models.scope import widened
from app.rules import links, outbox

PURPOSE = LinkPurpose.DATA_EXPORT
REASON = "a link's owner"


def ask(session: Session, *, account: Account, now: dt.datetime) -> OneTimeLink:
    """A new link; the one before it is void. A letter tells of it too, where one reaches."""
    with widened(session, REASON):
        link = links.issue(session, purpose=PURPOSE, account_id=account.id, now=now)
        if account.email is not None and account.email_confirmed_at is not None:
            outbox.add(
                session,
                kind=MessageKind.DATA_READY,
                key=f"{MessageKind.DATA_READY}:{account.id}:{link.id}:{int(now.timestamp() * 1000)}",
                now=now,
                account_id=account.id,
                useless_after=link.expires_at,
                facts={"link_id": link.id},
            )
    return link


def live(session: Session, *, account: Account, token: str, now: dt.datetime) -> OneTimeLink:
    """The link behind a token, of this account. Raises LinkEnded for all else alike."""
    with widened(session, REASON):
        link = links.find(session, purpose=PURPOSE, text=token, now=now)
    if link.account_id != account.id:
        raise links.LinkEnded()
    return link


def use(session: Session, *, account: Account, token: str, now: dt.datetime) -> None:
    """Use it up. Raises LinkEnded, also for the second of two at once."""
    with widened(session, REASON):
        links.use(session, live(session, account=account, token=token, now=now), now=now)
