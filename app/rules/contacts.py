"""A new e-mail or telephone of an account, proved by its own channel before it counts (row E56).

The link and the code are derived from the row's nonce when they are needed and stored nowhere. Every try
of a code is counted before it is compared. How often letters and codes leave is the caller's to limit.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
import secrets
import uuid
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models.account import Account
from app.models.cabinet_choices import ContactKind
from app.models.crypto import derived, derived_digits
from app.models.enums import MessageKind
from app.models.scope import widened
from app.models.sign_in import ContactProof
from app.rules import audit, outbox
from app.rules.accounts import normal_email
from app.rules.actor import actor_of
from app.rules.codes import DIGITS, NoTriesLeft, WrongCode
from app.rules.errors import N_, RuleError
from app.rules.links import LinkEnded
from app.rules.transitions import changed_rows

DATA = json.loads(
    (Path(__file__).parent.parent / "data" / "contacts.json").read_text(encoding="utf-8")
)
CODE_LASTS = dt.timedelta(minutes=DATA["phone"]["minutes"])
CODE_TRIES: int = DATA["phone"]["tries"]
LINK_LASTS = dt.timedelta(hours=DATA["email"]["hours"])
REASON = "a contact of one's own"


class SameContact(RuleError):
    code = "same_contact"
    text = N_("This is what stands in your cabinet already.")


class AddressTaken(RuleError):
    """Only whoever reads the mail of that address learns this."""

    code = "address_taken"
    text = N_("Another cabinet has this address meanwhile. Choose another one, please.")


class PhoneCodeOver(RuleError):
    code = "phone_code_over"
    text = N_("This code is over: it works once, and for ten minutes. Ask for another one, please.")


# --- e-mail: a link to the new address


def ask_email(session: Session, *, account: Account, email: str, now: dt.datetime) -> None:
    """A letter with a link to the new address. Whether another account has it is not told here.

    Raises SameContact.
    """
    wanted = normal_email(email)
    if wanted == account.email and account.email_confirmed_at is not None:
        raise SameContact()
    with widened(session, REASON):
        proof = _new(session, account, ContactKind.EMAIL, wanted, now, LINK_LASTS)
        taken = select(Account.id).where(Account.email == wanted, Account.id != account.id)
        if session.scalar(taken) is not None:
            return  # its owner gets no letter about somebody else's wish
        _tell(session, proof, MessageKind.EMAIL_CHANGE, now)


def email_token(proof: ContactProof) -> str:
    """What stands in the letter's address."""
    return f"{proof.uid.hex}.{derived('contact-email', proof.id, proof.nonce)}"


def email_proof(
    session: Session, *, account: Account, token: str, now: dt.datetime
) -> ContactProof:
    """The live proof behind a link, of this account. Raises LinkEnded for all else alike."""
    name, _, mark = token.partition(".")
    try:
        uid = uuid.UUID(hex=name)
    except ValueError as error:
        raise LinkEnded() from error
    with widened(session, REASON):
        proof = session.scalars(
            select(ContactProof)
            .where(
                ContactProof.uid == uid,
                ContactProof.account_id == account.id,
                ContactProof.kind == ContactKind.EMAIL,
            )
            .execution_options(populate_existing=True)
        ).one_or_none()
    if (
        proof is None
        or proof.used_at is not None
        or proof.expires_at <= now
        or not proof.value
        or not hmac.compare_digest(mark.encode(), email_token(proof).partition(".")[2].encode())
    ):
        raise LinkEnded()
    return proof


def take_email(session: Session, *, account: Account, token: str, now: dt.datetime) -> None:
    """The new address counts; the former one is told. Raises LinkEnded, AddressTaken."""
    proof = email_proof(session, account=account, token=token, now=now)
    with widened(session, REASON):
        _use(session, proof, now)
        former, account.email = account.email, proof.value
        account.email_confirmed_at = now
        try:
            session.flush()
        except IntegrityError as error:
            raise AddressTaken() from error
        proof.value = former  # where the last letter goes; swept with the row
        audit.record(
            session,
            verb="account.email",
            subject=account,
            actor=actor_of(account),
            now=now,
            changes={"email": [former, account.email]},
        )
        if former:
            _tell(session, proof, MessageKind.EMAIL_CHANGED, now)


# --- telephone: a code to the new number


def ask_phone(session: Session, *, account: Account, number: str, now: dt.datetime) -> ContactProof:
    """A code by SMS to the new number («+79001234567»); the code before it is void. Raises SameContact."""
    if number == account.phone and account.phone_confirmed_at is not None:
        raise SameContact()
    with widened(session, REASON):
        proof = _new(session, account, ContactKind.PHONE, number, now, CODE_LASTS)
        _tell(session, proof, MessageKind.PHONE_CODE, now)
    return proof


def phone_awaited(session: Session, *, account: Account, now: dt.datetime) -> ContactProof | None:
    """The number whose code is on its way."""
    with widened(session, REASON):
        proof = _latest(session, account, ContactKind.PHONE)
    live = proof is not None and proof.used_at is None and proof.expires_at > now
    return proof if live else None


def phone_code(proof: ContactProof) -> str:
    """The six digits that are valid now."""
    return derived_digits("contact-phone", proof.id, proof.nonce, DIGITS)


def take_phone(session: Session, *, account: Account, code: str, now: dt.datetime) -> None:
    """The number counts once its code was typed. The caller commits also when this raises, or the try is
    not counted. Raises WrongCode, NoTriesLeft, PhoneCodeOver."""
    proof = phone_awaited(session, account=account, now=now)
    if proof is None:
        raise PhoneCodeOver()
    typed = "".join(c for c in code if c.isdigit() and c.isascii())
    with widened(session, REASON):
        counted = update(ContactProof).where(
            ContactProof.id == proof.id,
            ContactProof.nonce == proof.nonce,
            ContactProof.tries < CODE_TRIES,
        )
        if not changed_rows(session, counted.values(tries=ContactProof.tries + 1)):
            raise NoTriesLeft()
        session.refresh(proof)
        if not hmac.compare_digest(typed.encode(), phone_code(proof).encode()):
            left = CODE_TRIES - proof.tries
            raise WrongCode(left=left) if left > 0 else NoTriesLeft()
        try:
            _use(session, proof, now)
        except LinkEnded as error:  # the same code typed twice at once
            raise PhoneCodeOver() from error
        before, account.phone = account.phone, proof.value
        account.phone_confirmed_at = now
        proof.value = None
        audit.record(
            session,
            verb="account.phone",
            subject=account,
            actor=actor_of(account),
            now=now,
            changes={"phone_ciphertext": [bool(before), True]},
        )
        tell_changed(session, account=account, what="phone", now=now)


def tell_changed(session: Session, *, account: Account, what: str, now: dt.datetime) -> None:
    """A letter that the telephone or the policy («phone», «policy») was changed, where a letter reaches."""
    if account.email is None or account.email_confirmed_at is None:
        return
    with widened(session, REASON):
        outbox.add(
            session,
            kind=MessageKind.CONTACT_CHANGED,
            key=f"{MessageKind.CONTACT_CHANGED}:{account.id}:{what}:{int(now.timestamp() * 1000)}",
            now=now,
            account_id=account.id,
            facts={"what": what},
        )


# --- what both share


def _latest(session: Session, account: Account, kind: ContactKind) -> ContactProof | None:
    return session.scalars(
        select(ContactProof)
        .where(ContactProof.account_id == account.id, ContactProof.kind == kind)
        .order_by(ContactProof.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()


def _new(
    session: Session,
    account: Account,
    kind: ContactKind,
    value: str,
    now: dt.datetime,
    lasts: dt.timedelta,
) -> ContactProof:
    """The account's one row of this kind, for the new value; a used one is kept for its last letter."""
    proof = _latest(session, account, kind)
    if proof is None or proof.used_at is not None:
        proof = ContactProof(uid=uuid.uuid4(), account_id=account.id, kind=kind, sent=0)
        session.add(proof)
    proof.value = value
    proof.nonce = secrets.token_hex(16)
    proof.tries, proof.sent = 0, proof.sent + 1
    proof.created_at, proof.expires_at = now, now + lasts
    session.flush()  # its id
    return proof


def _use(session: Session, proof: ContactProof, now: dt.datetime) -> None:
    used = update(ContactProof).where(
        ContactProof.id == proof.id,
        ContactProof.nonce == proof.nonce,
        ContactProof.used_at.is_(None),
    )
    if not changed_rows(session, used.values(used_at=now)):
        raise LinkEnded()
    session.refresh(proof)


def _tell(session: Session, proof: ContactProof, kind: MessageKind, now: dt.datetime) -> None:
    after = None if kind is MessageKind.EMAIL_CHANGED else proof.expires_at
    outbox.add(
        session,
        kind=kind,
        key=f"{kind}:{proof.id}:{proof.sent}",
        now=now,
        account_id=proof.account_id,
        useless_after=after,
        facts={"proof_id": proof.id, "sent": proof.sent},
    )
