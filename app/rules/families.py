"""Whose cards an account keeps, and until when they are open to it (C8–C10)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.account import Account, AccountPerson
from app.models.enums import Relation
from app.models.person import Person
from app.models.scope import widened
from app.rules.errors import NotFound

WHOSE = "whose cards an account keeps"
MOST = 50


def open_at(now: dt.datetime | BindParameter[Any]) -> ColumnElement[bool]:
    """Rows of AccountPerson whose card the account may see: oneself, and relatives from their agreement
    (or proof) on until it ends (an eighteenth birthday, a withdrawal)."""
    return and_(
        or_(AccountPerson.relation == Relation.SELF, AccountPerson.agreed_at <= now),
        or_(AccountPerson.ends_at.is_(None), AccountPerson.ends_at > now),
    )


def kept(session: Session, *, account_id: int, now: dt.datetime) -> Sequence[AccountPerson]:
    """The open cards with their people and organizations, oneself first. One query."""
    with widened(session, WHOSE):
        return session.scalars(
            _whole()
            .where(AccountPerson.account_id == account_id, open_at(now))
            .order_by(AccountPerson.relation != Relation.SELF, AccountPerson.id)
        ).all()


def own_of(session: Session, *, account_id: int | None) -> Sequence[int]:
    """Keys of the account's own cards, one in each organization at most."""
    with widened(session, WHOSE):
        return session.scalars(
            select(AccountPerson.person_id).where(
                AccountPerson.account_id == account_id, AccountPerson.relation == Relation.SELF
            )
        ).all()


def own_card(person: Person, now: dt.datetime) -> ColumnElement[bool]:
    """Rows of AccountPerson that keep this card as one's own now."""
    return and_(
        AccountPerson.person_id == person.id,
        AccountPerson.relation == Relation.SELF,
        open_at(now),
    )


def accounts_of(session: Session, *, person: Person, now: dt.datetime) -> Sequence[int]:
    """Keys of the accounts that keep this card as their own."""
    with widened(session, WHOSE):
        return session.scalars(select(AccountPerson.account_id).where(own_card(person, now))).all()


def waiting(session: Session, *, account_id: int) -> Sequence[AccountPerson]:
    """Whom the account has asked for, and nobody has agreed yet: nothing of these cards may be shown."""
    with widened(session, WHOSE):
        return session.scalars(
            _whole()
            .where(AccountPerson.account_id == account_id, asked())
            .order_by(AccountPerson.id)
        ).all()


def others(
    session: Session, *, account_id: int, own: Collection[int], now: dt.datetime
) -> Sequence[AccountPerson]:
    """Who keeps, or asks to keep, one's own cards (``own``: their keys) besides oneself."""
    if not own:
        return ()
    with widened(session, WHOSE):
        return session.scalars(
            _whole()
            .options(joinedload(AccountPerson.account))
            .where(
                AccountPerson.person_id.in_(own),
                AccountPerson.account_id != account_id,
                AccountPerson.relation != Relation.SELF,
                or_(open_at(now), asked()),
            )
            .order_by(AccountPerson.id)
        ).all()


def asked() -> ColumnElement[bool]:
    """Rows of AccountPerson that nobody has agreed to yet (app.models.account.ASKED)."""
    return and_(
        AccountPerson.relation != Relation.SELF,
        AccountPerson.agreed_at.is_(None),
        AccountPerson.ends_at.is_(None),
    )


def requests(session: Session, *, limit: int = MOST) -> Sequence[AccountPerson]:
    """For staff: who waits until somebody has seen the paper, the oldest first."""
    return session.scalars(
        _whole()
        .options(joinedload(AccountPerson.account))
        .where(asked())
        .order_by(AccountPerson.created_at, AccountPerson.id)
        .limit(limit)
    ).all()


def around(
    session: Session, *, person: Person, now: dt.datetime
) -> tuple[Sequence[AccountPerson], Sequence[AccountPerson]]:
    """For staff, of one card: who acts for its owner, or has asked to; and for whom the owner acts here.
    Three queries."""
    lasts = or_(open_at(now), asked())
    query = (
        _whole()
        .options(joinedload(AccountPerson.account))
        .where(AccountPerson.relation != Relation.SELF, lasts)
        .order_by(AccountPerson.id)
        .limit(MOST)
    )
    accounts = accounts_of(session, person=person, now=now)
    for_them = session.scalars(query.where(AccountPerson.person_id == person.id)).all()
    by_them = session.scalars(query.where(AccountPerson.account_id.in_(accounts))).all()
    return for_them, by_them


def relative(session: Session, *, account: uuid.UUID, person: uuid.UUID) -> AccountPerson:
    """For staff: what is between that account and a relative's card, also when it is over. Raises NotFound."""
    row = session.scalars(
        _whole()
        .join(AccountPerson.account)
        .join(AccountPerson.person)
        .where(
            Account.uid == account, Person.uid == person, AccountPerson.relation != Relation.SELF
        )
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def names_of(
    session: Session, *, account_ids: Collection[int], tenant_id: int | None = None
) -> dict[int, str]:
    """What people behind these accounts are called by their own cards; else their e-mail. Two queries."""
    with widened(session, WHOSE):
        query = (
            select(AccountPerson.account_id, Person)
            .join(Person, Person.id == AccountPerson.person_id)
            .where(
                AccountPerson.account_id.in_(account_ids), AccountPerson.relation == Relation.SELF
            )
        )
        if tenant_id is not None:
            query = query.where(AccountPerson.tenant_id == tenant_id)
        named = {key: person.full_name for key, person in session.execute(query)}
        accounts = session.scalars(select(Account).where(Account.id.in_(account_ids)))
        return {row.id: named.get(row.id) or row.email or "" for row in accounts}


def _whole() -> Select[AccountPerson]:
    return (
        select(AccountPerson)
        .options(joinedload(AccountPerson.person).joinedload(Person.tenant))
        .execution_options(populate_existing=True)
    )
