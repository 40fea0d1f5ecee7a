"""Accounts of the public site, sessions of both surfaces, one-time links, counters of attempts."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, BigKey, HasUid, stored_by_value
from app.models.cabinet_choices import FamilyBasis, SecondFactor
from app.models.crypto import Encrypted
from app.models.enums import DocumentKind, LinkPurpose, Relation, Surface
from app.models.person import Person
from app.models.scope import PersonOwned, TenantScoped


class Account(HasUid, Base):
    """A sign-in of the public site; global, it may keep cards in several organizations.

    It is known by an e-mail (A11, C1), by a SNILS that the call centre has checked (E44–E45), by ESIA
    (app.models.sign_in.AccountIdentity), or by several of these.
    """

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    """Lower-cased by app.rules.accounts.normal_email; empty for a sign-in by SNILS or ESIA alone."""
    email_confirmed_at: Mapped[dt.datetime | None]
    login = Encrypted(indexed=True)
    """SNILS, eleven digits, of a sign-in issued by the call centre (E45)."""
    login_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    login_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    phone = Encrypted()
    """Where SMS to the account go; ``phone_confirmed_at`` says that a code was typed from there."""
    phone_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_confirmed_at: Mapped[dt.datetime | None]
    password_hash: Mapped[str | None] = mapped_column(String(200))
    """Empty where one signs in through ESIA alone."""
    password_changed_at: Mapped[dt.datetime]
    password_expires_at: Mapped[dt.datetime | None]
    """Of a one-time password (E44): until then it opens nothing but the page that changes it."""
    second_factor: Mapped[SecondFactor] = mapped_column(
        stored_by_value(SecondFactor),
        default=SecondFactor.NONE,
        server_default=SecondFactor.NONE.value,
    )
    totp_seed = Encrypted()
    totp_seed_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_last_step: Mapped[int] = mapped_column(default=0, server_default="0")
    """The 30-second step of the last accepted code: a code works once."""
    erased_at: Mapped[dt.datetime | None]
    """Deleted by its owner: nothing personal is left in this row (N15)."""
    is_active: Mapped[bool] = mapped_column(default=True)
    locale: Mapped[str] = mapped_column(String(5), default="ru")
    created_at: Mapped[dt.datetime]

    people: Mapped[list[AccountPerson]] = relationship(back_populates="account")


ASKED = "relation != 'self' AND agreed_at IS NULL AND ends_at IS NULL"
"""Of an AccountPerson: somebody asks to act for a relative, and nobody has agreed yet."""


class AccountPerson(PersonOwned, TenantScoped, Base):
    """This account keeps this card, as oneself or for a relative (C8–C10).

    The card is open to the account from ``agreed_at`` on, until ``ends_at``: app.rules.families.open_at.
    """

    __tablename__ = "account_person"
    __table_args__ = (
        UniqueConstraint("account_id", "person_id"),
        Index(
            "ix_account_person_asked",
            "tenant_id",
            "created_at",
            "id",
            postgresql_where=text(ASKED),
            sqlite_where=text(ASKED),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    relation: Mapped[Relation] = mapped_column(stored_by_value(Relation), default=Relation.SELF)
    basis: Mapped[FamilyBasis | None] = mapped_column(stored_by_value(FamilyBasis))
    """By what right a relative is represented; empty for oneself."""
    proof: Mapped[DocumentKind | None] = mapped_column(stored_by_value(DocumentKind))
    """The document that, with the birth date, was found in the registry."""
    proved_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"), index=True)
    """Who of the staff has seen the paper, where the registry alone does not prove it."""
    created_at: Mapped[dt.datetime | None]
    agreed_at: Mapped[dt.datetime | None]
    """When the adult himself (or the registry, for a child; the account, for oneself) agreed."""
    ends_at: Mapped[dt.datetime | None]
    """A child's eighteenth birthday in the organization's zone; or when it was withdrawn."""
    consent_id: Mapped[int | None] = mapped_column(ForeignKey("consent.id"))

    account: Mapped[Account] = relationship(back_populates="people")
    person: Mapped[Person] = relationship()


class WebSession(Base):
    """Who is signed in. The cookie holds a random token, the row its SHA-256; deleted at sign-out."""

    __tablename__ = "web_session"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    surface: Mapped[Surface] = mapped_column(stored_by_value(Surface))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    staff_user_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"), index=True)
    second_factor_at: Mapped[dt.datetime | None]
    """When the second code was accepted; without it a session that wants one opens only that page."""
    half_open: Mapped[bool] = mapped_column(default=False, server_default=false())
    """An account's session that still waits for its second factor or for a new password (E44–E46)."""
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    ip: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(200))


class OneTimeLink(Base):
    """A link in a letter: single use, expires; its token is derived from ``nonce``, never stored."""

    __tablename__ = "one_time_link"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    purpose: Mapped[LinkPurpose] = mapped_column(stored_by_value(LinkPurpose))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    staff_user_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"), index=True)
    nonce: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class Throttle(Base):
    """How often something was tried within a window of time: counted here, so that it fails closed."""

    __tablename__ = "throttle"
    __table_args__ = (UniqueConstraint("bucket", "window_start"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    bucket: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Blind index of what is limited (an address, an e-mail): no personal data here."""
    window_start: Mapped[dt.datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
