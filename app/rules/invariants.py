"""What must always be true of the data (reliability.md 1.3). ``doctor`` and every race and kill test ask."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.models.appointment import Appointment, AppointmentEvent
from app.models.attachment import Referral
from app.models.cabinet_choices import OfferStatus, WaitingStatus
from app.models.enums import AppointmentStatus as A
from app.models.enums import MessageStatus, SlotStatus
from app.models.message import Message
from app.models.schedule import Slot
from app.models.waiting import WaitingEntry, WaitingOffer
from app.rules.held_place import by_offer
from app.rules.transitions import SLOT_OF, TRANSITIONS

SHOWN = 5


def check_invariants(session: Session, *, now: dt.datetime) -> list[str]:
    """Each broken invariant in one line with up to five ids; an empty list when all is well."""
    return [
        *_slots_without_owner(session),
        *_wrong_slots(session),
        *_idle_keepers(session),
        *_two_holds(session),
        *_histories(session),
        *_outbox(session, now),
        *_referrals(session),
        *_offers(session),
    ]


def _listed(name: str, ids: list[int]) -> list[str]:
    if not ids:
        return []
    more = " …" if len(ids) > SHOWN else ""
    return [f"{name}: {', '.join(str(number) for number in ids[:SHOWN])}{more}"]


def _slots_without_owner(session: Session) -> list[str]:
    """I1: a place is held or busy only because exactly one appointment keeps it."""
    keeper = (
        select(Appointment.id)
        .where(Appointment.slot_id == Slot.id, Appointment.keeps_slot)
        .exists()
    )
    orphans = session.scalars(
        select(Slot.id).where(Slot.status.in_((SlotStatus.HELD, SlotStatus.BUSY)), ~keeper)
    ).all()
    return _listed("I1 held or busy places that nobody keeps", list(orphans))


def _wrong_slots(session: Session) -> list[str]:
    """I1: the place of an appointment that keeps it looks as its status says."""
    fits = or_(
        *(
            and_(Appointment.status == status, Slot.status == slot)
            for status, slot in SLOT_OF.items()
        )
    )
    wrong = session.scalars(
        select(Appointment.id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Appointment.keeps_slot, ~fits)
    ).all()
    doubles = session.scalars(
        select(Appointment.slot_id)
        .where(Appointment.keeps_slot)
        .group_by(Appointment.slot_id)
        .having(func.count() > 1)
    ).all()
    return _listed("I1 kept places in a wrong status, appointments", list(wrong)) + _listed(
        "I1 places kept twice", list(doubles)
    )


def _idle_keepers(session: Session) -> list[str]:
    """I1, I11: live ones keep their place; ended ones do not (a rejected one may, for its minute)."""
    must = set(SLOT_OF) - {A.REJECTED}
    wrong = session.scalars(
        select(Appointment.id).where(
            or_(
                and_(Appointment.status.in_(must), ~Appointment.keeps_slot),
                and_(Appointment.status.not_in(SLOT_OF), Appointment.keeps_slot),
            )
        )
    ).all()
    return _listed("I11 appointments that keep or free a place wrongly", list(wrong))


def _two_holds(session: Session) -> list[str]:
    """I2: nobody has more live bookings of one organization than its policy allows (holds: one)."""
    from app.models.policy import BookingPolicy

    booked = session.execute(
        select(Appointment.person_id, func.count(), func.max(BookingPolicy.live_limit))
        .join(BookingPolicy, BookingPolicy.id == Appointment.policy_id)
        .where(Appointment.status.in_((A.PENDING, A.PROPOSED, A.BOOKED)))
        .group_by(Appointment.person_id)
        .having(func.count() > func.max(BookingPolicy.live_limit))
    ).all()
    held = session.scalars(
        select(Appointment.person_id)
        .where(Appointment.status == A.HELD, Appointment.person_id.is_not(None), ~by_offer())
        .group_by(Appointment.person_id)
        .having(func.count() > 1)
    ).all()
    unnamed = session.scalars(
        select(func.max(Appointment.id))
        .where(Appointment.status == A.HELD, Appointment.person_id.is_(None))
        .group_by(Appointment.holder)
        .having(func.count() > 1)
    ).all()
    return [
        *_listed("I2 people with too many bookings", [row[0] for row in booked]),
        *_listed("I2 people with two held places", list(held)),
        *_listed("I2 browsers with two held places, appointments", list(unnamed)),
    ]


def _referrals(session: Session) -> list[str]:
    """C14: a used referral belongs to a booking of the same card that has a place, or has had its visit."""
    astray = session.scalars(
        select(Referral.id)
        .join(Appointment, Appointment.id == Referral.appointment_id)
        .where(or_(~Appointment.keeps_slot, Appointment.person_id != Referral.person_id))
    ).all()
    return _listed("C14 referrals used by no booking of their owner", list(astray))


def _histories(session: Session) -> list[str]:
    """I4, I6: one event per change, each allowed by the table, the last one being the present."""
    allowed = or_(
        and_(AppointmentEvent.from_status.is_(None), AppointmentEvent.event == "hold"),
        *(
            and_(
                AppointmentEvent.event == event,
                AppointmentEvent.from_status.in_(rule.source),
                AppointmentEvent.to_status == rule.target,
            )
            for event, rule in TRANSITIONS.items()
        ),
    )
    strange = session.scalars(select(AppointmentEvent.id).where(~allowed)).all()
    last = (
        select(func.max(AppointmentEvent.id))
        .where(AppointmentEvent.appointment_id == Appointment.id)
        .correlate(Appointment)
        .scalar_subquery()
    )
    other = aliased(AppointmentEvent)
    unlike = session.scalars(
        select(Appointment.id)
        .outerjoin(other, other.id == last)
        .where(or_(other.id.is_(None), other.to_status != Appointment.status))
    ).all()
    return _listed("I6 changes that the table does not know", list(strange)) + _listed(
        "I4 appointments whose history ends elsewhere", list(unlike)
    )


def _outbox(session: Session, now: dt.datetime) -> list[str]:
    """I5: what has ended says when; nothing waits past the time it was useful for."""
    unsaid = session.scalars(
        select(Message.id).where(
            or_(
                and_(Message.status == MessageStatus.DUE, Message.ended_at.is_not(None)),
                and_(Message.status != MessageStatus.DUE, Message.ended_at.is_(None)),
            )
        )
    ).all()
    late = session.scalars(
        select(Message.id).where(
            Message.status == MessageStatus.DUE,
            Message.useless_after < now - dt.timedelta(minutes=10),
            Message.run_at < now - dt.timedelta(minutes=10),
        )
    ).all()
    return _listed("I5 messages with a wrong ending", list(unsaid)) + _listed(
        "I5 messages that wait although they are of no use", list(late)
    )


def _offers(session: Session) -> list[str]:
    """I13: who waits has one open offer at most, and is in that state if and only if he has one."""
    is_open = WaitingOffer.status == OfferStatus.OPEN
    offered = WaitingEntry.status == WaitingStatus.OFFERED
    theirs = (
        select(WaitingOffer.id).where(WaitingOffer.entry_id == WaitingEntry.id, is_open).exists()
    )
    wrong = session.scalars(
        select(WaitingEntry.id).where(or_(and_(offered, ~theirs), and_(~offered, theirs)))
    ).all()
    twice = session.scalars(
        select(WaitingOffer.person_id)
        .where(is_open)
        .group_by(WaitingOffer.person_id)
        .having(func.count() > 1)
    ).all()
    lost = session.scalars(
        select(WaitingOffer.id)
        .join(Appointment, Appointment.id == WaitingOffer.appointment_id)
        .where(
            WaitingOffer.status == OfferStatus.ACCEPTED,
            Appointment.status.in_((A.HELD, A.RELEASED)),
        )
    ).all()
    return [
        *_listed("I13 people who wait and their offers disagree, entries", list(wrong)),
        *_listed("I13 people with two open offers", list(twice)),
        *_listed("I13 accepted offers without a booking", list(lost)),
    ]
