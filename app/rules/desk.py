"""Booking for somebody who phones or stands at the desk (B16, N22): the site's rules and its engine.

What the desk has of its own: its times that the site does not sell, no code (it speaks with the person),
no lost link (it is inside the hospital), and the consent by word or on paper.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.consent import ConsentText
from app.models.directory import HealthcareService, PractitionerService
from app.models.enums import Channel, ConsentChannel, SlotStatus
from app.models.person import Person
from app.models.schedule import Schedule, Slot
from app.models.scope import widened
from app.rules import booking, clock, consents, holding, patients
from app.rules.actor import Actor
from app.rules.against import stand
from app.rules.donor_day import Choice
from app.rules.eligibility import Refusal
from app.rules.errors import N_, NotFound, RuleError
from app.rules.facts import COUNTED
from app.rules.grid import SHOWN
from app.rules.visit_requests import STAFF_WORDS

ON_BEHALF = "the rules count every visit of a person, in any branch"
MOST_OTHERS = 12


class ServiceNeeded(RuleError):
    code = "service_needed"
    text = N_("Choose what the visit is for: this practitioner gives several services.")


@dataclass(frozen=True)
class Offer:
    """A time for a person (or for nobody yet), with all that the desk says of it."""

    choice: Choice
    person: Person | None
    against: tuple[Refusal, ...]
    """In the words of colleagues; any of them that blocks refuses the booking, too."""
    services: tuple[HealthcareService, ...]
    """What it may be for; of one or none nothing is asked."""
    consent: ConsentText | None
    """The text to be read out or signed, where the person has not agreed yet."""

    @property
    def is_free(self) -> bool:
        return self.choice.slot.status is SlotStatus.FREE


def choice_of(
    session: Session, *, slot_uid: uuid.UUID, now: dt.datetime, service: uuid.UUID | None = None
) -> Choice:
    """A practitioner's time, of the site or of the desk, for ``service``. Raises NotFound, NoPolicy."""
    return patients.choice_of(session, slot_uid=slot_uid, now=now, service=service, at_desk=True)


def offer(session: Session, *, choice: Choice, person: Person | None, now: dt.datetime) -> Offer:
    """What stands against this time for this person, by facts loaded just now. Raises NotFound."""
    against: list[Refusal] = []
    text = None
    if person is not None:
        demand_same_registry(person, choice)
        with widened(session, ON_BEHALF):
            _, against = stand(
                session, choice, person_id=person.id, holder=None, now=now, at_desk=True
            )
        text = consents.asked(session, policy=choice.day.policy, person=person, now=now)
    return Offer(choice, person, said(against), services_of(session, choice), text)


def said(refusals: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """The same reasons as the person would be told, as colleagues say them."""
    return tuple(
        replace(refusal, text=STAFF_WORDS.get(refusal.code, refusal.text)) for refusal in refusals
    )


def demand_same_registry(person: Person, choice: Choice) -> None:
    """Each legal body has its own cards. Raises NotFound."""
    if person.tenant_id != choice.day.schedule.tenant_id:
        raise NotFound()


def services_of(session: Session, choice: Choice) -> tuple[HealthcareService, ...]:
    """The sitting's service, or those that the practitioner gives."""
    day = choice.day.schedule
    query = select(HealthcareService).where(HealthcareService.is_active)
    if day.service_id is not None:
        query = select(HealthcareService).where(HealthcareService.id == day.service_id)
    else:
        query = query.join(
            PractitionerService, PractitionerService.service_id == HealthcareService.id
        ).where(PractitionerService.practitioner_id == day.role.practitioner_id)
    ordered = query.order_by(HealthcareService.position, HealthcareService.id)
    return tuple(session.scalars(ordered))


def service_among(
    services: Sequence[HealthcareService], wanted: uuid.UUID | None, former: int | None = None
) -> int | None:
    """The id of the service wanted, of the former one, or of the only one. Raises ServiceNeeded."""
    for service in services:
        if service.uid == wanted or (wanted is None and service.id == former):
            return service.id
    if len(services) > 1:
        raise ServiceNeeded()
    return services[0].id if services else None


def book(
    session: Session,
    *,
    slot_uid: uuid.UUID,
    person: Person,
    actor: Actor,
    now: dt.datetime,
    service_uid: uuid.UUID | None = None,
    phone: str = "",
    consent: ConsentChannel | None = None,
) -> Appointment:
    """Book at once. Pressed twice it is the same booking.

    ``phone`` is where this booking is spoken of, if not the card's; ``consent`` how it was given just now.
    Raises Refused, Taken, ServiceNeeded, NotSaid, NotFound.
    """
    choice = choice_of(session, slot_uid=slot_uid, now=now, service=service_uid)
    demand_same_registry(person, choice)
    booking.lock_person(session, person.id)  # whoever has pressed twice waits for himself
    there = _same(session, choice, person)
    if there is not None:
        return there
    service_id = service_among(services_of(session, choice), service_uid)
    if consents.asked(session, policy=choice.day.policy, person=person, now=now) is not None:
        if consent is None:
            raise consents.NotSaid()
        consents.record(session, person=person, channel=consent, by=actor, now=now)
    with widened(session, ON_BEHALF):
        held = holding.keep(
            session, choice, person_id=person.id, actor=actor, now=now, channel=Channel.DESK
        )
        held.service_id = service_id
        held.phone = phone or None
        session.flush()
        return booking.confirm(session, appointment_id=held.id, actor=actor, now=now)


def _same(session: Session, choice: Choice, person: Person) -> Appointment | None:
    """This person's booking of this very time."""
    return session.scalars(
        select(Appointment).where(
            Appointment.slot_id == choice.slot.id,
            Appointment.person_id == person.id,
            Appointment.keeps_slot,
            Appointment.status.in_(COUNTED),
        )
    ).one_or_none()


def other_times(session: Session, *, choice: Choice, now: dt.datetime) -> list[Slot]:
    """The practitioner's other free times of that day, of the site and of the desk, the nearest first."""
    day = choice.day.schedule
    zone = choice.day.organization.time_zone
    rows = session.scalars(
        select(Slot)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .where(
            Slot.role_id == day.role_id,
            Schedule.status.in_(SHOWN),
            Slot.status == SlotStatus.FREE,
            Slot.starts_at > now,
            Slot.starts_at >= clock.midnight(day.date, zone),
            Slot.starts_at < clock.midnight(day.date + dt.timedelta(days=1), zone),
            Slot.id != choice.slot.id,
        )
    ).all()
    chosen = choice.slot.starts_at
    nearest = sorted(rows, key=lambda slot: abs(slot.starts_at - chosen))[:MOST_OTHERS]
    return sorted(nearest, key=lambda slot: slot.starts_at)
