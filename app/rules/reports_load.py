"""The report of load: published places, and how many of them are busy, held and free."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.enums import AppointmentStatus, SlotStatus
from app.models.schedule import Schedule, Slot
from app.rules.day_list import Load
from app.rules.reports import Asked, Counted, counted, of_bookings, of_days


def load(session: Session, asked: Asked) -> Counted[Load]:
    """Places by state; withdrawn ones are not counted. Two statements.

    A place that a rejection has yet to free (its undo minute runs, or the sweep has not come) counts as
    free: the request stands in the report of decisions as rejected, and nobody is coming.
    """
    counts = (
        func.count().filter(Slot.status == status)
        for status in (SlotStatus.FREE, SlotStatus.HELD, SlotStatus.BUSY)
    )
    places = select(*counts).select_from(Slot).join(Schedule, Schedule.id == Slot.schedule_id)
    narrowed = of_days(places, asked).where(Slot.status != SlotStatus.CLOSED)
    found = counted(session, narrowed, asked, Load)
    rejected = of_bookings(
        select(func.count()).select_from(Appointment), asked, (AppointmentStatus.REJECTED,)
    )
    freed = counted(session, rejected.where(Appointment.keeps_slot), asked, Load)
    lines = {
        line: _with_free(row, freed.lines[line]) if line in freed.lines else row
        for line, row in found.lines.items()
    }
    return Counted(lines, _with_free(found.total, freed.total))


def _with_free(row: Load, freed: Load) -> Load:
    return replace(row, free=row.free + freed.free, held=row.held - freed.free)
