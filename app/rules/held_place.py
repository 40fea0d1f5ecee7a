"""The row of a place that has just been taken: kept for somebody until then, and nothing more."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, select

from app.models.appointment import Appointment
from app.models.cabinet_choices import OfferStatus
from app.models.enums import AppointmentStatus, Channel
from app.models.waiting import WaitingOffer
from app.rules.donor_day import Choice


def held_place(
    choice: Choice,
    slot_id: int,
    *,
    person_id: int | None,
    until: dt.datetime,
    now: dt.datetime,
    channel: Channel = Channel.WEB,
    service_id: int | None = None,
    **more: Any,
) -> Appointment:
    """Not in the session yet: app.rules.transitions.start puts it there with its history."""
    schedule = choice.day.schedule
    return Appointment(
        organization_id=schedule.organization_id,
        tenant_id=schedule.tenant_id,
        person_id=person_id,
        slot_id=slot_id,
        schedule_id=schedule.id,
        donation_type_id=schedule.donation_type_id,
        service_id=service_id or schedule.service_id,
        policy_id=choice.day.policy.id,
        status=AppointmentStatus.HELD,
        channel=channel,
        keeps_slot=True,
        starts_at=choice.slot.starts_at,
        created_at=now,
        hold_until=until,
        **more,
    )


@cache
def by_offer() -> ColumnElement[bool]:
    """The Appointment of the enclosing query keeps a place offered to one who waits: choosing another
    place does not let it go, and it is nobody's choice yet."""
    return (
        select(WaitingOffer.id)
        .where(
            WaitingOffer.appointment_id == Appointment.id, WaitingOffer.status == OfferStatus.OPEN
        )
        .correlate(Appointment)
        .exists()
    )
