"""The documents a person is known by: numbers encrypted, found again by a keyed index."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, BigKey, HasUid, stored_by_value
from app.models.crypto import Encrypted
from app.models.enums import DocumentKind
from app.models.person import Person
from app.models.scope import PersonOwned, TenantScoped


class PersonDocument(PersonOwned, TenantScoped, HasUid, Base):
    """One document of a person's card (rows B9–B10, E9–E13)."""

    __tablename__ = "person_document"
    __table_args__ = (Index(None, "tenant_id", "kind", "number_index"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[DocumentKind] = mapped_column(stored_by_value(DocumentKind))
    number = Encrypted(indexed=True)
    """Normalised by app.rules.documents: digits and capital letters only."""
    number_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    number_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[dt.datetime]

    person: Mapped[Person] = relationship()
