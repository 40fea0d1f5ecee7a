"""Medical organizations and their branches (seed A, row A13)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, HasUid, Line, Note, Word, stored_by_value
from app.models.enums import OrganizationKind


class Organization(HasUid, Base):
    """A legal body (the root: the tenant, its own operator of personal data) or a branch of it."""

    __tablename__ = "organization"

    id: Mapped[int] = mapped_column(primary_key=True)
    part_of_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    root_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    """The tenant; empty for the tenant itself."""
    kind: Mapped[OrganizationKind] = mapped_column(stored_by_value(OrganizationKind))
    name: Mapped[Line]
    short_name: Mapped[Line]
    settlement: Mapped[Line] = mapped_column(default="")
    address: Mapped[Line] = mapped_column(default="")
    directions: Mapped[Note] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    phones: Mapped[Line] = mapped_column(default="")
    """The registry desks' own, as they stand on the institution's page (E17)."""
    site: Mapped[Line] = mapped_column(default="")
    hours: Mapped[Note] = mapped_column(default="")
    """«Режим работы», in words."""
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    institution: Mapped[Word] = mapped_column(default="")
    """The type patients search by (E37), a key of app/data/institutions.json."""
    time_zone: Mapped[str] = mapped_column(String(40), default="Europe/Moscow")
    """IANA name; every date and hour of this organization is in it."""
    takes_donors: Mapped[bool] = mapped_column(default=True)
    takes_patients: Mapped[bool] = mapped_column(default=False)
    link_lost_at: Mapped[dt.datetime | None]
    """Since when staff say that there is no link to this institution: no booking till it is back (E33)."""
    is_active: Mapped[bool] = mapped_column(default=True)

    part_of: Mapped[Organization | None] = relationship(
        remote_side=[id], foreign_keys=[part_of_id], back_populates="branches"
    )
    branches: Mapped[list[Organization]] = relationship(
        foreign_keys=[part_of_id], back_populates="part_of"
    )

    @property
    def tenant_id(self) -> int:
        return self.root_id or self.id

    def __str__(self) -> str:
        return self.short_name
