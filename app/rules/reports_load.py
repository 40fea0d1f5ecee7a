"""The report of load: published places, and how many of them are busy, held and free."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.enums import SlotStatus
from app.models.schedule import Schedule, Slot
from app.rules.day_list import Load
from app.rules.reports import Asked, Counted, counted, of_days


def load(session: Session, asked: Asked) -> Counted[Load]:
    """Places by state; withdrawn ones are not counted. One statement."""
    counts = (
        func.count().filter(Slot.status == status)
        for status in (SlotStatus.FREE, SlotStatus.HELD, SlotStatus.BUSY)
    )
    places = select(*counts).select_from(Slot).join(Schedule, Schedule.id == Slot.schedule_id)
    narrowed = of_days(places, asked).where(Slot.status != SlotStatus.CLOSED)
    return counted(session, narrowed, asked, Load)
