"""A person's card in one organization's registry."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Date, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship, synonym

from app.models.base import Base, BigKey, Folded, HasUid, stored_by_value
from app.models.crypto import Encrypted
from app.models.enums import Sex
from app.models.organization import Organization
from app.models.scope import PersonOwned, TenantScoped


def with_initials(family_name: str, given_name: str, patronymic: str) -> str:
    """«Иванова А. П.» (row D4)."""
    initials = [f"{name[0]}." for name in (given_name, patronymic) if name]
    return " ".join([family_name, *initials])


class Person(PersonOwned, TenantScoped, HasUid, Base):
    """One human being in one organization. Names are empty until staff or the file give them."""

    __tablename__ = "person"
    __table_args__ = (
        Index(None, "tenant_id", "search_name"),
        Index(None, "tenant_id", "birth_date"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = synonym("id")
    family_name: Mapped[str] = mapped_column(String(80), default="")
    given_name: Mapped[str] = mapped_column(String(80), default="")
    patronymic: Mapped[str] = mapped_column(String(80), default="")
    search_name: Mapped[str] = mapped_column(Folded, default="")
    """Full name folded for search: lower case, ё → е (app.rules.donors.folded)."""
    birth_date: Mapped[dt.date | None] = mapped_column(Date)
    sex: Mapped[Sex | None] = mapped_column(stored_by_value(Sex))
    phone = Encrypted(indexed=True)
    phone_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    created_at: Mapped[dt.datetime]

    tenant: Mapped[Organization] = relationship(foreign_keys="Person.tenant_id")

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.family_name, self.given_name, self.patronymic)))

    def __str__(self) -> str:
        return self.full_name or f"№ {self.id}"
