"""Signing in through ESIA (D2–D3): the way there and back, and what it has asserted until its owner agrees.

Whose account a subject opens: app.rules.identities. Whose cards are his: app.rules.esia_cards.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from dataclasses import asdict, dataclass, field
from hmac import compare_digest
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.models.crypto import CannotDecrypt, blind_index, bound_to, decrypt, encrypt
from app.models.enums import Sex
from app.models.scope import widened
from app.models.sign_in import OidcAttempt
from app.rules.errors import N_, RuleError
from app.rules.transitions import changed_rows

DATA = json.loads((Path(__file__).parent.parent / "data" / "esia.json").read_text("utf-8"))
ATTEMPT_LASTS = dt.timedelta(minutes=DATA["attempt_minutes"])
AGREE_LASTS = dt.timedelta(minutes=DATA["agree_minutes"])
"""How long who comes for the first time may read what he is asked to agree to."""
WHOSE = "signing in through ESIA"


class AttemptEnded(RuleError):
    """Unknown, used, too old, of another browser or of another account: one sentence for all."""

    code = "esia_attempt_ended"
    text = N_(
        "This sign-in through ESIA was begun too long ago or in another browser. Begin once more, please."
    )


class Declined(RuleError):
    code = "esia_declined"
    text = N_(
        "ESIA was not allowed to say who you are, so nobody was signed in. Begin once more or sign in another way."
    )


@dataclass(frozen=True)
class Asserted:
    """What the provider has proved about who sits at the browser; empty where it says nothing."""

    issuer: str
    subject: str = field(repr=False)
    trusted: bool = False
    """The person's identity was confirmed in person, not only typed: else no card is found by it."""
    family_name: str = field(default="", repr=False)
    given_name: str = field(default="", repr=False)
    patronymic: str = field(default="", repr=False)
    birth_date: dt.date | None = field(default=None, repr=False)
    sex: Sex | None = field(default=None, repr=False)
    snils: str = field(default="", repr=False)
    """Eleven digits."""
    oms: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.family_name, self.given_name, self.patronymic)))

    @property
    def names_a_card(self) -> bool:
        """Enough is known, and surely enough, to find or to make a card."""
        return bool(
            self.trusted and self.family_name and self.given_name and self.birth_date and self.snils
        )


# --- there and back ---------------------------------------------------------------------------


def begin(
    session: Session,
    *,
    state: str,
    holder: str,
    nonce: str,
    verifier: str,
    back: str,
    account_id: int | None,
    now: dt.datetime,
) -> OidcAttempt:
    """Write down that the browser with the token ``holder`` goes to the provider."""
    attempt = OidcAttempt(
        uid=uuid.uuid4(),
        state_hash=_hash(state),
        holder=_holder(holder),
        back=back,
        account_id=account_id,
        created_at=now,
        expires_at=now + ATTEMPT_LASTS,
    )
    attempt.nonce, attempt.verifier = nonce, verifier
    with widened(session, WHOSE):
        session.add(attempt)
        session.flush()
    return attempt


def take(session: Session, *, state: str, holder: str, now: dt.datetime) -> OidcAttempt:
    """The attempt that comes back, used up by it. Raises AttemptEnded."""
    with widened(session, WHOSE):
        attempt = session.scalars(
            select(OidcAttempt).where(OidcAttempt.state_hash == _hash(state))
        ).one_or_none()
        if attempt is None or not holder or not compare_digest(attempt.holder, _holder(holder)):
            raise AttemptEnded()
        used = update(OidcAttempt).where(
            OidcAttempt.id == attempt.id,
            OidcAttempt.used_at.is_(None),
            OidcAttempt.expires_at > now,
        )
        if not changed_rows(session, used.values(used_at=now, expires_at=now + AGREE_LASTS)):
            raise AttemptEnded()
        session.refresh(attempt)
        return attempt


def belongs_to(session: Session, attempt: OidcAttempt, *, account_id: int) -> None:
    """What is still asked of it is asked of that account, which has signed in by it."""
    with widened(session, WHOSE):
        session.execute(
            update(OidcAttempt)
            .where(OidcAttempt.id == attempt.id)
            .values(account_id=account_id)
            .execution_options(synchronize_session=False)
        )


def sweep(session: Session, *, now: dt.datetime) -> int:
    """Forget attempts whose time is over; how many."""
    return changed_rows(session, delete(OidcAttempt).where(OidcAttempt.expires_at <= now))


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()


def _holder(token: str) -> bytes:
    return blind_index("oidc holder", token)


# --- what has been asserted, kept by the browser until its owner has agreed ---------------------


def sealed(attempt: OidcAttempt, asserted: Asserted) -> str:
    """For a hidden field: nothing of it stands in the database before its owner has agreed."""
    said: dict[str, Any] = asdict(asserted)
    said["birth_date"] = asserted.birth_date.isoformat() if asserted.birth_date else ""
    return encrypt(json.dumps(said), _bound(attempt.uid)).hex()


def seen(
    session: Session,
    *,
    uid: uuid.UUID | None,
    text: str,
    holder: str,
    account_id: int | None,
    now: dt.datetime,
) -> tuple[OidcAttempt, Asserted]:
    """The attempt and what was sealed for it; neither ends with this. Raises AttemptEnded."""
    with widened(session, WHOSE):
        attempt = session.scalars(select(OidcAttempt).where(OidcAttempt.uid == uid)).one_or_none()
    if (
        attempt is None
        or attempt.used_at is None
        or attempt.expires_at <= now
        or attempt.account_id != account_id
        or not holder
        or not compare_digest(attempt.holder, _holder(holder))
    ):
        raise AttemptEnded()
    try:
        said = json.loads(decrypt(bytes.fromhex(text), _bound(attempt.uid)))
    except (CannotDecrypt, ValueError):
        raise AttemptEnded() from None
    born = said.pop("birth_date")
    sex = said.pop("sex")
    return attempt, Asserted(
        **said,
        birth_date=dt.date.fromisoformat(born) if born else None,
        sex=Sex(sex) if sex else None,
    )


def opened(
    session: Session,
    *,
    uid: uuid.UUID | None,
    text: str,
    holder: str,
    account_id: int | None,
    now: dt.datetime,
) -> tuple[OidcAttempt, Asserted]:
    """The same, and both end with this. Raises AttemptEnded."""
    attempt, asserted = seen(
        session, uid=uid, text=text, holder=holder, account_id=account_id, now=now
    )
    with widened(session, WHOSE):
        gone = delete(OidcAttempt).where(OidcAttempt.id == attempt.id)
        if not changed_rows(session, gone):
            raise AttemptEnded()
        session.expunge(attempt)
    return attempt, asserted


def _bound(uid: uuid.UUID) -> str:
    return bound_to(OidcAttempt.__tablename__, "asserted", uid)
