"""Ways into an account beside the password: another system's sign-in, codes and links that prove a contact."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.account import Account
from app.models.base import Base, BigKey, HasUid, Line, stored_by_value
from app.models.cabinet_choices import ContactKind
from app.models.crypto import Encrypted
from app.models.scope import AccountOwned, StaffOnly


class AccountIdentity(AccountOwned, HasUid, Base):
    """This account signs in as that subject of that issuer (ESIA, D2–D3). One subject, one account."""

    __tablename__ = "account_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    issuer: Mapped[Line]
    subject: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime]

    account: Mapped[Account] = relationship()


class OidcAttempt(StaffOnly, HasUid, Base):
    """One way to the provider and back: used once, by the browser that began it, within minutes."""

    __tablename__ = "oidc_attempt"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    state_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    holder: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Blind index of the token in that browser's cookie."""
    nonce = Encrypted()
    nonce_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    verifier = Encrypted()
    """PKCE: proves to the provider that who comes back is who went."""
    verifier_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    back: Mapped[str] = mapped_column(String(500), default="")
    """The path on this site to return to."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    """Who was signed in when it began: that account is bound, and no other."""
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    used_at: Mapped[dt.datetime | None]


class ContactProof(AccountOwned, HasUid, Base):
    """A code or a link on its way to an account: a new e-mail or telephone, or the second factor.

    Codes and tokens are derived from ``nonce`` and stored nowhere (app.models.crypto.derived).
    """

    __tablename__ = "contact_proof"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[ContactKind] = mapped_column(stored_by_value(ContactKind))
    value = Encrypted()
    value_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The new address or number; empty where the account's own is used."""
    nonce: Mapped[str] = mapped_column(String(32))
    tries: Mapped[int] = mapped_column(default=0)
    """Wrong codes typed for the present nonce."""
    sent: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    used_at: Mapped[dt.datetime | None]

    account: Mapped[Account] = relationship()


class SignInRefusal(AccountOwned, Base):
    """A password that was not right: a line of the event log of the account it was meant for (E55).

    One row for every refusal, whether there is such an account or not: both cost the same (docs/decisions/0025).
    """

    __tablename__ = "sign_in_refusal"
    __table_args__ = (Index("ix_sign_in_refusal_account", "account_id", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int | None] = mapped_column(BigKey)
    """No foreign key, which would be looked up for one and not for the other. Empty: no such account, gone within minutes."""
    at: Mapped[dt.datetime]
    ip: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(200), default="")
