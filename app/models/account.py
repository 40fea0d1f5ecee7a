"""Accounts of the public site, sessions of both surfaces, one-time links, counters of attempts."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, BigKey, HasUid, stored_by_value
from app.models.enums import LinkPurpose, Relation, Surface
from app.models.person import Person
from app.models.scope import PersonOwned, TenantScoped


class Account(HasUid, Base):
    """A sign-in of the public site; global, it may keep cards in several organizations."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """Lower-cased by app.rules.accounts.normal_email."""
    email_confirmed_at: Mapped[dt.datetime | None]
    password_hash: Mapped[str] = mapped_column(String(200))
    password_changed_at: Mapped[dt.datetime]
    is_active: Mapped[bool] = mapped_column(default=True)
    locale: Mapped[str] = mapped_column(String(5), default="ru")
    created_at: Mapped[dt.datetime]

    people: Mapped[list[AccountPerson]] = relationship(back_populates="account")


class AccountPerson(PersonOwned, TenantScoped, Base):
    """This account keeps this card, as oneself or for a relative."""

    __tablename__ = "account_person"
    __table_args__ = (UniqueConstraint("account_id", "person_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    relation: Mapped[Relation] = mapped_column(stored_by_value(Relation), default=Relation.SELF)

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
    """Staff: when the TOTP code was accepted; without it the session opens nothing but that page."""
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
