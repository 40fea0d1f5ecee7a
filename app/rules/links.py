"""One-time links in letters: issued, derived when the letter is written, used once."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.models.account import OneTimeLink
from app.models.crypto import derived
from app.models.enums import LinkPurpose
from app.rules.errors import N_, RuleError
from app.rules.transitions import changed_rows

LIFETIMES: dict[LinkPurpose, dt.timedelta] = {
    LinkPurpose.CONFIRM_EMAIL: dt.timedelta(hours=24),
    LinkPurpose.RESET_PASSWORD: dt.timedelta(hours=1),
    LinkPurpose.STAFF_INVITE: dt.timedelta(days=3),
    LinkPurpose.DATA_EXPORT: dt.timedelta(days=3),
    LinkPurpose.JOIN_FAMILY: dt.timedelta(days=7),
}


class LinkEnded(RuleError):
    code = "link_ended"
    text = N_("This link has been used or is too old. Ask for a new one, please.")


def issue(
    session: Session,
    *,
    purpose: LinkPurpose,
    now: dt.datetime,
    account_id: int | None = None,
    staff_user_id: int | None = None,
) -> OneTimeLink:
    """A new link; earlier ones for the same purpose and owner die."""
    owner = (
        OneTimeLink.account_id == account_id
        if account_id is not None
        else OneTimeLink.staff_user_id == staff_user_id
    )
    session.execute(delete(OneTimeLink).where(OneTimeLink.purpose == purpose, owner))
    link = OneTimeLink(
        purpose=purpose,
        account_id=account_id,
        staff_user_id=staff_user_id,
        nonce=secrets.token_hex(16),
        created_at=now,
        expires_at=now + LIFETIMES[purpose],
    )
    session.add(link)
    session.flush()  # the token needs the id
    return link


def token(link: OneTimeLink) -> str:
    """What stands in the letter's address."""
    return f"{link.id}.{derived(link.purpose, link.id, link.nonce)}"


def find(session: Session, *, purpose: LinkPurpose, text: str, now: dt.datetime) -> OneTimeLink:
    """The live link of this token. Raises LinkEnded for a wrong, used or old one alike."""
    number, _, proof = text.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        raise LinkEnded()
    link = session.scalars(select(OneTimeLink).where(OneTimeLink.id == int(number))).one_or_none()
    if (
        link is None
        or link.purpose is not purpose
        or link.used_at is not None
        or link.expires_at <= now
        or not hmac.compare_digest(proof.encode(), derived(purpose, link.id, link.nonce).encode())
    ):
        raise LinkEnded()
    return link


def use(session: Session, link: OneTimeLink, *, now: dt.datetime) -> None:
    """Use the link up. Raises LinkEnded for the second of two at once."""
    won = changed_rows(
        session,
        update(OneTimeLink)
        .where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None))
        .values(used_at=now),
    )
    if not won:
        raise LinkEnded()
