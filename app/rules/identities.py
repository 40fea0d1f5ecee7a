"""Whose account another system's sign-in opens: known by issuer and subject and by nothing else (D2).

Never by an e-mail or a SNILS that happens to be the same: two ways in become one cabinet's only when its owner
has signed in to it and binds the other.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from app.models.account import Account
from app.models.enums import MessageKind
from app.models.scope import widened
from app.models.sign_in import AccountIdentity
from app.rules import audit, outbox
from app.rules.actor import actor_of
from app.rules.errors import N_, RuleError
from app.rules.esia import WHOSE, Asserted


class CabinetClosed(RuleError):
    code = "esia_cabinet_closed"
    text = N_("This cabinet is closed. Phone the call centre or the registry desk, please.")


class BoundElsewhere(RuleError):
    code = "esia_bound_elsewhere"
    text = N_(
        "This ESIA account opens another cabinet already. Sign in to that one and unlink ESIA there, "
        "then link it here."
    )


class BoundToAnother(RuleError):
    code = "esia_bound_to_another"
    text = N_("This cabinet is linked with another ESIA account. Unlink that one first.")


class AnotherPerson(RuleError):
    code = "esia_another_person"
    text = N_(
        "ESIA says another name or birth date than your card. Only your own ESIA account can be linked "
        "with this cabinet. If there is a slip in the card, tell the registry desk."
    )


class OnlyWay(RuleError):
    code = "esia_only_way"
    text = N_(
        "ESIA is the only way into this cabinet. To unlink it, first add an e-mail in the profile (one that opens no "
        "other cabinet) and choose a password by “I have forgotten the password” on the sign-in page."
    )


def identity_of(session: Session, *, account_id: int, issuer: str) -> AccountIdentity | None:
    """For the page of the profile: what this account is linked with."""
    with widened(session, WHOSE):
        return session.scalars(
            select(AccountIdentity).where(
                AccountIdentity.account_id == account_id, AccountIdentity.issuer == issuer
            )
        ).first()


def _known(session: Session, asserted: Asserted) -> AccountIdentity | None:
    return session.scalars(
        select(AccountIdentity)
        .options(joinedload(AccountIdentity.account))
        .where(
            AccountIdentity.issuer == asserted.issuer, AccountIdentity.subject == asserted.subject
        )
    ).one_or_none()


def account_of(session: Session, asserted: Asserted, *, now: dt.datetime) -> Account | None:
    """The account this subject opens; None for somebody who comes for the first time.

    Raises CabinetClosed.
    """
    with widened(session, WHOSE):
        known = _known(session, asserted)
        if known is None:
            return None
        if not known.account.is_active or known.account.erased_at is not None:
            raise CabinetClosed()
        known.used_at = now
        return known.account


def open_account(session: Session, asserted: Asserted, *, locale: str, now: dt.datetime) -> Account:
    """A new account without an e-mail and a password, that this subject opens. Raises BoundElsewhere."""
    with widened(session, WHOSE):
        account = Account(
            uid=uuid.uuid4(), email=None, locale=locale, password_changed_at=now, created_at=now
        )
        session.add(account)
        session.flush()  # its id
        _bind(session, account, asserted, now)
        audit.record(
            session,
            verb="account.register",
            subject=account,
            actor=actor_of(account),
            now=now,
            changes={},
        )
        return account


def bind(session: Session, account: Account, asserted: Asserted, *, now: dt.datetime) -> bool:
    """This subject opens this account too, whose owner is signed in; False if it did already.

    Raises BoundElsewhere, BoundToAnother. The caller has compared whose cards it keeps
    (app.rules.esia_cards.demand_same).
    """
    with widened(session, WHOSE):
        known = _known(session, asserted)
        if known is not None and known.account_id != account.id:
            raise BoundElsewhere()
        if known is not None:
            known.used_at = now
            return False
        if identity_of(session, account_id=account.id, issuer=asserted.issuer) is not None:
            raise BoundToAnother()
        _bind(session, account, asserted, now)
        audit.record(
            session,
            verb="account.bind",
            subject=account,
            actor=actor_of(account),
            now=now,
            changes={},
        )
        _tell(session, account, MessageKind.ESIA_LINKED, now)
        return True


def _bind(session: Session, account: Account, asserted: Asserted, now: dt.datetime) -> None:
    session.add(
        AccountIdentity(
            uid=uuid.uuid4(),
            account_id=account.id,
            issuer=asserted.issuer,
            subject=asserted.subject,
            created_at=now,
            used_at=now,
        )
    )
    try:
        session.flush()
    except IntegrityError as error:  # two at once: the index decides
        raise BoundElsewhere() from error


def may_unbind(account: Account) -> bool:
    """Whether another way into the cabinet is left."""
    named = account.email_confirmed_at is not None or account.login_ciphertext is not None
    return bool(account.password_hash and named)


def unbind(session: Session, account: Account, *, issuer: str, now: dt.datetime) -> bool:
    """ESIA opens this account no more; False if it did not anyway. Raises OnlyWay."""
    with widened(session, WHOSE):
        known = identity_of(session, account_id=account.id, issuer=issuer)
        if known is None:
            return False
        if not may_unbind(account):
            raise OnlyWay()
        session.delete(known)
        audit.record(
            session,
            verb="account.unbind",
            subject=account,
            actor=actor_of(account),
            now=now,
            changes={},
        )
        _tell(session, account, MessageKind.ESIA_UNLINKED, now)
        return True


def _tell(session: Session, account: Account, kind: MessageKind, now: dt.datetime) -> None:
    """A letter; who has given no address has nothing to be written to."""
    if account.email:
        outbox.add(
            session,
            kind=kind,
            key=f"{kind}:{account.id}:{int(now.timestamp() * 1000)}",
            now=now,
            account_id=account.id,
        )
