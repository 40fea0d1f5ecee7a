"""When each periodic job last ran: /readyz and doctor read it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Line, Word


class Heartbeat(Base):
    __tablename__ = "heartbeat"

    name: Mapped[Word] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    error: Mapped[Line] = mapped_column(default="")
