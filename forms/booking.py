"""What the buttons of the booking window send: one place, or any place at a time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """Exactly one of the two is set."""

    slot: uuid.UUID | None = None
    starts_at: dt.datetime | None = None


def choice_of(form: Mapping[str, str]) -> Choice | None:
    """The place (``slot``) or the time (``time``, seconds since 1970) chosen; None if unreadable."""
    slot, time = form.get("slot", ""), form.get("time", "")
    if slot:
        try:
            return Choice(slot=uuid.UUID(slot))
        except ValueError:
            return None
    if time.isascii() and time.isdigit() and len(time) <= 11:
        return Choice(starts_at=dt.datetime.fromtimestamp(int(time), dt.UTC))
    return None
