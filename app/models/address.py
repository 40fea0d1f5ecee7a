"""Where houses are: points by which the institutions nearest to an address are found (rows E37, E38)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from app.models.base import Base, BigKey, Folded, HasUid, Line, Word
from app.models.scope import StaffOnly


class AddressPoint(Base):
    """A house, or the middle of a street: one list for the whole installation, about nobody.

    Patients search across bodies, and a street stands where it stands for all of them.
    """

    __tablename__ = "address_point"
    __table_args__ = (
        UniqueConstraint("street_key", "house"),
        Index(None, "settlement", "street_key"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    settlement: Mapped[Line]
    """As institutions write it, where one stands there."""
    street: Mapped[Line]
    street_key: Mapped[str] = mapped_column(Folded)
    """Street and settlement folded for look-up (app.rules.streets)."""
    house: Mapped[Word] = mapped_column(default="")
    """In its one spelling (app.rules.houses); empty for the middle of the street."""
    latitude: Mapped[float]
    longitude: Mapped[float]


class AddressImport(StaffOnly, HasUid, Base):
    """A file of points that was checked: applied whole or not at all."""

    __tablename__ = "address_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    file_name: Mapped[Line]
    lines: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    """Emptied once applied."""
    report: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))
    applied_at: Mapped[dt.datetime | None]
