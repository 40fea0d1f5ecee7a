"""«Ваши данные»: an archive that was asked for, and its content in sealed portions until its time is over (N15)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BigKey, HasUid
from app.models.crypto import Encrypted
from app.models.scope import AccountOwned


class DataArchive(AccountOwned, HasUid, Base):
    """One for an account at a time: asked for, then made by a job, then kept until ``ends_at``."""

    __tablename__ = "data_archive"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), unique=True)
    asked_at: Mapped[dt.datetime]
    made_at: Mapped[dt.datetime | None]
    ends_at: Mapped[dt.datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
    """Which try of the worker may write to it."""
    size: Mapped[int] = mapped_column(default=0)
    """Bytes of the whole."""


class DataArchivePart(AccountOwned, HasUid, Base):
    """A portion of it: neither who makes it nor who hands it out ever holds the whole."""

    __tablename__ = "data_archive_part"
    __table_args__ = (UniqueConstraint("archive_id", "number"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    archive_id: Mapped[int] = mapped_column(ForeignKey("data_archive.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    number: Mapped[int]
    content = Encrypted()
    """The portion in Base64."""
    content_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
