"""Reminders that no single booking causes: whether they are still true, and the jobs that make them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.models.enums import MessageKind
from app.models.message import Message
from app.rules import donation_dates, medication

OF_MEDICINE = frozenset(medication.KINDS.values())
KINDS = OF_MEDICINE | {MessageKind.DONATION_DATE}


def still_true(session: Session, message: Message, *, now: dt.datetime) -> bool:
    """Asked just before sending."""
    if message.kind in OF_MEDICINE:
        return medication.still_true(session, message, now=now)
    return donation_dates.still_true(session, message, now=now)


class Walk:
    """Goes through all rows in portions, then rests. What is made twice (by a second process, after a new
    start) is refused by its key: the place in the walk need not be kept."""

    def __init__(self, rest: dt.timedelta) -> None:
        self.rest = rest
        self.after = 0
        self.ended_at: dt.datetime | None = None

    def resting(self, now: dt.datetime) -> bool:
        """Whether the last round is too near."""
        return self.ended_at is not None and now < self.ended_at + self.rest

    def went(self, last: int | None, now: dt.datetime) -> bool:
        """Remember the place; whether there is more."""
        self.after = last or 0
        self.ended_at = now if last is None else None
        return last is not None
