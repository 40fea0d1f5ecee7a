"""The second factor of an account, if its owner wishes one (E46): a code by SMS, or an authenticator.

A code by SMS is derived from its row's nonce when it is needed and stored nowhere. Every try is counted
before it is compared, so that many at once have no more tries than one after another. These rules run
``widened``: whoever needs them is often only half signed in.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
import uuid

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.models.account import Account
from app.models.cabinet_choices import ContactKind, SecondFactor
from app.models.crypto import derived_digits
from app.models.enums import MessageKind
from app.models.scope import widened
from app.models.sign_in import ContactProof
from app.rules import accounts, audit, outbox, sms, totp
from app.rules.actor import Actor, actor_of
from app.rules.codes import DIGITS, NoTriesLeft, WrongCode
from app.rules.errors import N_, RuleError
from app.rules.sign_ins import CODE_LASTS, CODE_TRIES
from app.rules.transitions import changed_rows

HALF = "half signed in"
KEPT = dt.timedelta(hours=1)
"""After their end: an SMS on its way still finds its row."""
VERB = "account.second_factor"


class CodeOver(RuleError):
    code = "sign_in_code_over"
    text = N_("This code is over: it works once, and for ten minutes. Ask for another one, please.")


class NoMobile(RuleError):
    code = "no_mobile"
    text = N_("No mobile number is known to send codes to: type one, please.")


def send_code(
    session: Session, *, account: Account, now: dt.datetime, number: str = ""
) -> ContactProof:
    """A new code by SMS; the one before it is void. To ``number``, which is proved with it, or the account's.

    How often is the caller's to limit. Raises NoMobile.
    """
    with widened(session, HALF):
        try:
            sms.mobile(number or account.phone)
        except sms.NeverSent as never:
            raise NoMobile() from never
        row = _latest(session, account)
        if row is None:
            row = ContactProof(
                uid=uuid.uuid4(), account_id=account.id, kind=ContactKind.SIGN_IN, sent=0
            )
            session.add(row)
        row.value = number or None
        row.nonce = secrets.token_hex(16)
        row.tries, row.sent, row.used_at = 0, row.sent + 1, None
        row.created_at, row.expires_at = now, now + CODE_LASTS
        session.flush()  # its id
        outbox.add(
            session,
            kind=MessageKind.SIGN_IN_CODE,
            key=f"{MessageKind.SIGN_IN_CODE}:{row.uid.hex}:{row.sent}",
            now=now,
            account_id=account.id,
            useless_after=row.expires_at,
            facts={"proof_id": row.id, "sent": row.sent},
        )
        return row


def code_of(proof: ContactProof) -> str:
    """The six digits that are valid now."""
    return derived_digits("sign-in-code", proof.id, proof.nonce, DIGITS)


def waiting(session: Session, *, account: Account, now: dt.datetime) -> ContactProof | None:
    """The code that is on its way."""
    with widened(session, HALF):
        row = _latest(session, account)
    live = row is not None and row.used_at is None and row.expires_at > now
    return row if live else None


def check(
    session: Session, *, account: Account, factor: SecondFactor, code: str, now: dt.datetime
) -> ContactProof | None:
    """A code of ``factor`` is right, once. The caller commits also when this raises, or the try is not counted.

    Raises WrongCode, NoTriesLeft, CodeOver (by SMS); app.rules.totp.WrongCode.
    """
    with widened(session, HALF):
        if factor is SecondFactor.TOTP:
            totp.use(session, account, code, now=now)
            return None
        return _check_sms(session, account, code, now)


def _check_sms(session: Session, account: Account, code: str, now: dt.datetime) -> ContactProof:
    row = _latest(session, account)
    if row is None or row.used_at is not None or row.expires_at <= now:
        raise CodeOver()
    typed = "".join(c for c in code if c.isdigit() and c.isascii())
    right = hmac.compare_digest(typed.encode(), code_of(row).encode())
    counted = update(ContactProof).where(
        ContactProof.id == row.id, ContactProof.nonce == row.nonce, ContactProof.tries < CODE_TRIES
    )
    if not changed_rows(session, counted.values(tries=ContactProof.tries + 1)):
        raise NoTriesLeft()
    session.refresh(row)
    if not right:
        left = CODE_TRIES - row.tries
        raise WrongCode(left=left) if left > 0 else NoTriesLeft()
    used = update(ContactProof).where(
        ContactProof.id == row.id, ContactProof.nonce == row.nonce, ContactProof.used_at.is_(None)
    )
    if not changed_rows(session, used.values(used_at=now)):
        raise CodeOver()  # the same code typed twice at once
    session.refresh(row)
    return row


def _latest(session: Session, account: Account) -> ContactProof | None:
    """The account's one row of this kind, as it stands in the database now."""
    return session.scalars(
        select(ContactProof)
        .where(ContactProof.account_id == account.id, ContactProof.kind == ContactKind.SIGN_IN)
        .order_by(ContactProof.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()


def sweep(session: Session, *, now: dt.datetime) -> None:
    """Codes, links and claims that are over are kept no longer: nobody needs them, and they name people."""
    session.execute(delete(ContactProof).where(ContactProof.expires_at <= now - KEPT))


# --- switching on and off -------------------------------------------------------------------


def begin_totp(session: Session, *, account: Account) -> None:
    """A new seed; it asks for nothing until its first code has been typed."""
    with widened(session, HALF):
        account.totp_seed = totp.new_seed()


def switch_on(
    session: Session, *, account: Account, factor: SecondFactor, code: str, now: dt.datetime
) -> None:
    """By the owner, whose password the caller has verified just now; ``code`` proves the new factor.

    Raises as ``check``.
    """
    proof = check(session, account=account, factor=factor, code=code, now=now)
    with widened(session, HALF):
        if proof is not None:
            account.phone = proof.value or account.phone
            account.phone_confirmed_at = now
            account.totp_seed = None
        _set(session, account, factor, actor_of(account), now)


def switch_off(session: Session, *, account: Account, code: str, now: dt.datetime) -> None:
    """By the owner, with a code of the factor that goes. Raises as ``check``."""
    check(session, account=account, factor=account.second_factor, code=code, now=now)
    with widened(session, HALF):
        account.totp_seed = None
        _set(session, account, SecondFactor.NONE, actor_of(account), now)


def reset(
    session: Session, *, account: Account, by: Actor, now: dt.datetime, tenant_id: int
) -> None:
    """The telephone is lost; staff have checked who is asking. The caller ends all sessions."""
    with widened(session, HALF):
        account.totp_seed = None
        _set(session, account, SecondFactor.NONE, by, now, tenant_id)


def _set(
    session: Session,
    account: Account,
    factor: SecondFactor,
    by: Actor,
    now: dt.datetime,
    tenant_id: int | None = None,
) -> None:
    changes = {"second_factor": [account.second_factor.value, factor.value]}
    account.second_factor = factor
    audit.record(
        session,
        verb=VERB,
        subject=account,
        actor=by,
        now=now,
        tenant_id=tenant_id,
        changes=changes,
    )
    accounts.tell_of_sign_in(session, account, now=now)
