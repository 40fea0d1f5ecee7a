"""The report of ratings: how visits of a period were rated, by doctor, branch or time (E51, E59)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.cabinet_choices import ReviewStatus
from app.models.enums import AppointmentStatus
from app.models.review import Review
from app.rules.reports import Asked, Counted, counted, of_bookings


@dataclass(frozen=True)
class Ratings:
    """Reviews by their stars, by the date of the visit; hidden ones are left out."""

    five: int = 0
    four: int = 0
    three: int = 0
    two: int = 0
    one: int = 0

    @property
    def total(self) -> int:
        return self.five + self.four + self.three + self.two + self.one

    @property
    def good(self) -> int:
        """Four and five stars."""
        return self.five + self.four

    @property
    def average(self) -> float | None:
        """None: nobody has rated."""
        if not self.total:
            return None
        sum_of = 5 * self.five + 4 * self.four + 3 * self.three + 2 * self.two + self.one
        return sum_of / self.total


def ratings(session: Session, asked: Asked) -> Counted[Ratings]:
    """Reviews of visits that took place. One statement."""
    counts = (func.count().filter(Review.stars == stars) for stars in (5, 4, 3, 2, 1))
    rated = (
        select(*counts)
        .select_from(Appointment)
        .join(Review, Review.appointment_id == Appointment.id)
        .where(Review.status != ReviewStatus.HIDDEN)
    )
    found = of_bookings(rated, asked, (AppointmentStatus.FULFILLED,))
    return counted(session, found, asked, Ratings)
