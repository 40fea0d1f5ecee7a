"""The state of a doctor's time, with its reason in words; and the pieces of queries that ask for it.

One rule says of every time whether it can be chosen, and why not (N7): for the week's grid
(``app.rules.week``), for a doctor's page (``app.rules.reception``) and for the booking.
"""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, or_, select

from app.models.directory import HealthcareService, PractitionerRole, PractitionerService
from app.models.enums import Channel, ScheduleStatus, SlotStatus
from app.models.schedule import Schedule, Slot
from app.rules.errors import N_


class State(StrEnum):
    """Of one time, or of a day's hours as a whole."""

    FREE = "free"
    TAKEN = "taken"
    HELD = "held"
    DESK = "desk"
    SOON = "soon"
    PAST = "past"
    PAUSED = "paused"
    CLOSED = "closed"


WORDS: dict[State, str] = {
    State.FREE: N_("free"),
    State.TAKEN: N_("taken"),
    State.HELD: N_("being chosen"),
    State.DESK: N_("at the desk only"),
    State.SOON: N_("not open yet"),
    State.PAST: N_("the time is over"),
    State.PAUSED: N_("booking is paused"),
    State.CLOSED: N_("closed"),
}
SHORT: dict[State, str] = {
    State.FREE: N_("free"),
    State.TAKEN: N_("all taken"),
    State.HELD: N_("all taken"),
    State.DESK: N_("by phone"),
    State.SOON: N_("opens later"),
    State.PAST: N_("over"),
    State.PAUSED: N_("on pause"),
    State.CLOSED: N_("closed"),
}
"""Of a day's hours as a whole, in a narrow cell; the legend beside it gives the reason."""
REASONS: dict[State, str] = {
    State.FREE: N_("You can book this time."),
    State.TAKEN: N_("Another patient has booked it. Somebody may cancel: look in later."),
    State.HELD: N_("Somebody is choosing it just now. Look in again in ten minutes."),
    State.DESK: N_("The registry desk gives this time itself: phone or come, please."),
    State.SOON: N_("Booking for this day opens later."),
    State.PAST: N_("Choose a later time."),
    State.PAUSED: N_(
        "Booking for this day is paused for now. Look in later, or choose another day."
    ),
    State.CLOSED: N_("There is no reception at this time. Choose another one."),
}
"""Why a time is as it is, in one sentence (N7)."""


def state_of(
    status: SlotStatus,
    channel: Channel,
    starts_at: dt.datetime,
    sitting: ScheduleStatus,
    *,
    now: dt.datetime,
    until: dt.datetime,
) -> State:
    """The state of one time; ``until`` is the first instant that is not open for booking yet."""
    if starts_at <= now:
        return State.PAST
    if sitting is ScheduleStatus.CLOSED or status is SlotStatus.CLOSED:
        return State.CLOSED
    if sitting is ScheduleStatus.PAUSED:
        return State.PAUSED
    if status is SlotStatus.BUSY:
        return State.TAKEN
    if status is SlotStatus.HELD:
        return State.HELD
    if channel is Channel.DESK:
        return State.DESK
    return State.SOON if starts_at >= until else State.FREE


def _literal(column: Any, value: Any) -> Any:
    """``column = value`` with the value in the statement, so that a partial index is known to fit."""
    return column == bindparam(None, value, type_=column.type, unique=True, literal_execute=True)


def nearest(now: dt.datetime, service: uuid.UUID | None, until: Any) -> Any:
    """A subquery: one step in ``ix_slot_role_free`` for each role. ``until``: the first instant that is not
    open yet, an expression of the role and the Schedule (Horizons.until_in_sql)."""
    query = (
        select(Slot.starts_at)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .where(
            Slot.role_id == PractitionerRole.id,
            _literal(Slot.status, SlotStatus.FREE),
            _literal(Slot.channel, Channel.WEB),
            Slot.starts_at > now,
            Slot.starts_at < until,
            Schedule.status == ScheduleStatus.PUBLISHED,
            for_service(service),
        )
        .order_by(Slot.starts_at)
        .limit(1)
    )
    return query.correlate(PractitionerRole).scalar_subquery()


def for_service(service: uuid.UUID | None) -> Any:
    """A sitting for this service, or for any of the doctor's."""
    if service is None:
        return True
    wanted = select(HealthcareService.id).where(HealthcareService.uid == service)
    return or_(Schedule.service_id.is_(None), Schedule.service_id == wanted.scalar_subquery())


def gives(service: uuid.UUID) -> Any:
    """The doctor gives this service (B5)."""
    return (
        select(PractitionerService.id)
        .where(
            PractitionerService.practitioner_id == PractitionerRole.practitioner_id,
            PractitionerService.service_id == HealthcareService.id,
            HealthcareService.uid == service,
            HealthcareService.is_active,
        )
        .exists()
    )
