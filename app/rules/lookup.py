"""Staff look up a booking: by the ticket's code, its number or the donor's; what happened to it; what is behind it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.account import Account, AccountPerson
from app.models.appointment import FIRST_NUMBER, Appointment, AppointmentEvent
from app.models.donor import Donor, DonorRecord
from app.models.enums import ActorKind, AppointmentStatus, Relation
from app.models.message import Message
from app.models.person import Person
from app.models.scope import widened
from app.models.staff import StaffUser
from app.rules.errors import N_, NotFound
from app.rules.queue import loaded
from app.rules.shown import Shown

UNCONFIRMED = (AppointmentStatus.HELD, AppointmentStatus.RELEASED)
"""A choice that was never confirmed is no booking."""
MOST_LISTED = 50
BIGGEST_ID = 2**63 - 1

WHAT_HAPPENED = {
    "hold": N_("Place chosen"),
    "confirm_to_pending": N_("Request sent"),
    "confirm_to_booked": N_("Booked"),
    "release": N_("Choice let go"),
    "propose": N_("Booked, the code is awaited"),
    "code": N_("Confirmed by the code"),
    "lapse": N_("Not confirmed by the code in time"),
    "approve": N_("Approved"),
    "approve_to_proposed": N_("Approved, the code is awaited"),
    "reject": N_("Rejected"),
    "undo_approve": N_("Approval taken back"),
    "undo_propose": N_("Approval taken back"),
    "undo_reject": N_("Rejection taken back"),
    "expire": N_("Not decided in time"),
    "move": N_("Moved to another time"),
    "cancel": N_("Cancelled"),
    "arrive": N_("Arrived"),
    "undo_arrive": N_("Arrival taken back"),
    "noshow": N_("Did not come"),
    "undo_noshow": N_("“Did not come” taken back"),
    "fulfil": N_("Donated"),
    "turn_away": N_("Turned away"),
}
"""Each event of app.rules.transitions, as the history of a booking says it."""


def booking(session: Session, *, uid: uuid.UUID) -> Appointment:
    """The booking of a ticket. Raises NotFound if it is not there or not yours to see."""
    found = session.scalars(
        loaded()
        .options(joinedload(Appointment.reason))
        .where(Appointment.uid == uid, Appointment.status.not_in(UNCONFIRMED))
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def by_number(session: Session, number: int) -> uuid.UUID | None:
    """The booking with this number («№ записи»)."""
    key = number - FIRST_NUMBER
    if not 0 < key <= BIGGEST_ID:
        return None
    return session.scalar(
        select(Appointment.uid).where(Appointment.id == key, Appointment.status.not_in(UNCONFIRMED))
    )


def by_code(session: Session, code: str) -> list[Person]:
    """Cards whose donor gives this code, or which are linked to the record that bears it."""
    owners = select(DonorRecord.person_id).where(
        DonorRecord.code == code, DonorRecord.person_id.is_not(None)
    )
    givers = select(Donor.person_id).where(Donor.donor_code == code)
    people = session.scalars(
        select(Person)
        .where(or_(Person.id.in_(owners), Person.id.in_(givers)))
        .order_by(Person.id)
        .limit(MOST_LISTED)
    )
    return list(people)


def person(session: Session, *, uid: uuid.UUID) -> Person:
    """Raises NotFound."""
    found = session.scalars(select(Person).where(Person.uid == uid)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def bookings_of(
    session: Session, *, person_id: int, besides: int = 0, limit: int = MOST_LISTED
) -> Shown[Appointment]:
    """A donor's bookings, the latest visit first; it says whether there are more than ``limit``."""
    rows = session.scalars(
        loaded()
        .where(
            Appointment.person_id == person_id,
            Appointment.id != besides,
            Appointment.status.not_in(UNCONFIRMED),
        )
        .order_by(Appointment.starts_at.desc(), Appointment.id.desc())
        .limit(limit + 1)
    )
    return Shown.of(rows.unique(), limit)


def no_shows(session: Session, *, person_id: int) -> int:
    """How often this donor did not come."""
    found = session.scalar(
        select(func.count()).where(
            Appointment.person_id == person_id, Appointment.status == AppointmentStatus.NOSHOW
        )
    )
    return found or 0


def email_of(session: Session, *, person_id: int) -> str:
    """Where this donor's letters go; empty if nobody keeps the card."""
    found = session.scalar(
        select(Account.email)
        .join(AccountPerson, AccountPerson.account_id == Account.id)
        .where(AccountPerson.person_id == person_id)
        .order_by(AccountPerson.relation != Relation.SELF, AccountPerson.id)
        .limit(1)
    )
    return found or ""


@dataclass(frozen=True)
class Happening:
    """One line of a booking's history. ``who`` is a name, or the kind where there is none."""

    at: dt.datetime
    what: str
    who: str | ActorKind


def history(session: Session, *, appointment_id: int) -> list[Happening]:
    """Everything that happened to a booking, oldest first, with the names of colleagues."""
    events = session.scalars(
        select(AppointmentEvent)
        .where(AppointmentEvent.appointment_id == appointment_id)
        .order_by(AppointmentEvent.id)
    ).all()
    names = staff_names(
        session, {e.actor_id for e in events if e.actor_kind is ActorKind.STAFF and e.actor_id}
    )
    return [
        Happening(
            event.at,
            WHAT_HAPPENED.get(event.event, event.event),
            names.get(event.actor_id or 0, event.actor_kind)
            if event.actor_kind is ActorKind.STAFF
            else event.actor_kind,
        )
        for event in events
    ]


def staff_names(session: Session, ids: set[int]) -> dict[int, str]:
    """Names of colleagues, also of those whose roles the reader does not see."""
    with widened(session, "who did it: names of colleagues"):
        rows = session.execute(
            select(StaffUser.id, StaffUser.full_name).where(StaffUser.id.in_(ids))
        )
        return {row.id: row.full_name for row in rows}


def messages(session: Session, *, appointment_id: int) -> list[Message]:
    """The ledger's rows about a booking, oldest first."""
    return list(
        session.scalars(
            select(Message).where(Message.appointment_id == appointment_id).order_by(Message.id)
        )
    )
