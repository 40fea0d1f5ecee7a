"""What closing a day tells: bookings are cancelled a portion at a time, the periodic job does what is left."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from flask_babel import gettext, ngettext

from admin.base import done
from app.extensions import saved
from app.rules import closing

PATIENCE = 8.0
"""Seconds a request cancels bookings of closed days."""


def dismiss(page: Any, schedule_ids: Iterable[int]) -> None:
    """Cancel the bookings of these closed days, tell their people, and say on the next page how many."""
    cancelled = released = 0
    left, end = list(schedule_ids), time.monotonic() + PATIENCE
    while left and time.monotonic() < end:
        with saved() as session:
            ended = closing.dismiss(session, schedule_id=left[0], actor=page.actor, now=page.now)
        cancelled, released = cancelled + ended.cancelled, released + ended.released
        if not ended:
            left.pop(0)
    done(gettext("The day is closed."))
    if cancelled:
        done(
            ngettext("%(num)d booking is cancelled.", "%(num)d bookings are cancelled.", cancelled)
        )
    if released:
        done(
            ngettext(
                "%(num)d place that somebody was choosing is let go.",
                "%(num)d places that people were choosing are let go.",
                released,
            )
        )
    if left:
        done(gettext("The remaining ones are cancelled within a minute; nobody is forgotten."))
