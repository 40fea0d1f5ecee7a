"""Which account keeps a card as its own: one at a time (docs/decisions/0016)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson, WebSession
from app.models.person import Person
from app.models.scope import widened
from app.rules import documents, families
from app.rules.errors import NotFound

WHOSE = "whose card it is, for the call centre"
MOST = 20


@dataclass(frozen=True)
class Keeper:
    """An account that keeps the card as its own."""

    account: Account
    seen_at: dt.datetime | None
    """When it was used last, as far as a session is still there."""

    @property
    def name(self) -> str:
        """The SNILS or the start of the address: enough to ask «is this yours?»."""
        login = self.account.login
        return documents.masked(login) if login else ""


def keepers(session: Session, *, person: Person, now: dt.datetime) -> Sequence[Keeper]:
    """Who keeps the card as one's own now, confirmed or with a login."""
    with widened(session, WHOSE):
        seen = (
            select(func.max(WebSession.seen_at))
            .where(WebSession.account_id == Account.id)
            .scalar_subquery()
        )
        rows = session.execute(
            select(Account, seen)
            .join(AccountPerson, AccountPerson.account_id == Account.id)
            .where(families.own_card(person, now))
            .order_by(Account.id)
            .limit(MOST)
        ).all()
    return [Keeper(account, seen_at) for account, seen_at in rows]


def keeper(session: Session, *, person: Person, uid: uuid.UUID, now: dt.datetime) -> Account:
    """The account of that name among them. Raises NotFound."""
    for one in keepers(session, person=person, now=now):
        if one.account.uid == uid:
            return one.account
    raise NotFound()
