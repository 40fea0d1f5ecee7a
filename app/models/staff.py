"""People who work in the back office, and what they may do where."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, HasUid, Line, stored_by_value
from app.models.crypto import Encrypted
from app.models.enums import Role
from app.models.organization import Organization
from app.models.scope import StaffOnly


class StaffUser(StaffOnly, HasUid, Base):
    """A sign-in of the back office; apart from donors' accounts, even for the same person."""

    __tablename__ = "staff_user"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    full_name: Mapped[Line]
    password_hash: Mapped[str | None] = mapped_column(String(200))
    """Empty until the invitation is accepted."""
    password_changed_at: Mapped[dt.datetime | None]
    totp_seed = Encrypted()
    totp_seed_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_confirmed_at: Mapped[dt.datetime | None]
    totp_last_step: Mapped[int] = mapped_column(default=0)
    """The 30-second step of the last accepted code: a code works once."""
    is_active: Mapped[bool] = mapped_column(default=True)
    locale: Mapped[str] = mapped_column(String(5), default="ru")
    created_at: Mapped[dt.datetime]

    roles: Mapped[list[RoleAssignment]] = relationship(
        back_populates="staff_user", cascade="all, delete-orphan", lazy="selectin"
    )

    def __str__(self) -> str:
        return self.full_name


class RoleAssignment(StaffOnly, Base):
    """A role held over an organization and everything under it; over all if there is none."""

    __tablename__ = "role_assignment"
    __table_args__ = (UniqueConstraint("staff_user_id", "role", "organization_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_user_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"), index=True)
    role: Mapped[Role] = mapped_column(stored_by_value(Role))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)

    staff_user: Mapped[StaffUser] = relationship(back_populates="roles")
    organization: Mapped[Organization | None] = relationship()
