"""A patient's own booking: found by the browser that made it or by the account's cards, and what he does with it.

Holding a time and naming its owner are app.rules.patients; the acts themselves are the one engine's
(app.rules.booking, holding, codes). Here is who may do them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.directory import PractitionerRole
from app.models.enums import AppointmentStatus
from app.models.guest import Guest
from app.models.policy import BookingPolicy
from app.models.policy_choices import Entry, PhoneRule
from app.models.schedule import Schedule
from app.models.scope import widened
from app.rules import (
    booking,
    codes,
    guest_consents,
    guests,
    holding,
    hospital_link,
    patients,
    visit_checks,
)
from app.rules.actor import Actor
from app.rules.cabinet import CANCELLABLE, WITH_TICKET
from app.rules.errors import N_, HoldEnded, NotFound, Refused, RuleError

A = AppointmentStatus
OWN = "a patient's own booking"
LISTED = (*WITH_TICKET, A.FULFILLED, A.NOSHOW, A.CANCELLED, A.REJECTED, A.EXPIRED)
MOST = 50


@dataclass(frozen=True)
class Reader:
    """Who is asking: a browser by its token, with what it has said so far, and the account's cards."""

    token: str = ""
    guest: Guest | None = None
    cards: tuple[int, ...] = ()
    """Person ids of the account that is signed in."""
    account_id: int | None = None

    def guest_in(self, tenant_id: int) -> Guest | None:
        """What the browser has said to that legal body; what it has said to another one is not for it."""
        return self.guest if self.guest is not None and self.guest.tenant_id == tenant_id else None

    def known(
        self, tenant_id: int, card: int | None, policy: BookingPolicy | None = None
    ) -> int | None:
        """Who this is in that registry: the account's card, or whom the guest has been found to be.

        With a ``policy``, only if it takes the way in which he has said so: one of its branches may ask
        for more than another.
        """
        if card is not None:
            return card
        guest = self.guest_in(tenant_id)
        if guest is None:
            return None
        if policy is not None and (
            policy.entry is Entry.ACCOUNT or guest.method not in policy.methods
        ):
            return None
        return guest.person_id

    def whose(self) -> ColumnElement[bool]:
        """What this reader may see: its own; what a browser has made, as long as its guest is there."""
        mine: list[ColumnElement[bool]] = [Appointment.person_id.in_(self.cards)]
        if self.token:
            held = Appointment.holder == guests.holder_of(self.token)
            if self.guest is None:
                held = and_(held, Appointment.status.in_((A.HELD, A.RELEASED)))
            mine.append(held)
        if self.guest is not None and self.guest.ticket_id is not None:
            mine.append(Appointment.id == self.guest.ticket_id)
        return or_(*mine)


OF_THE_RECORD = frozenset({"same_doctor", "same_time", "too_many"})
"""Refusals that tell of the person's other visits."""


class NotPossible(RuleError):
    """The same, about a card that is not the account's own: nothing of it is told (row E32: the ways out)."""

    code = "not_possible"
    text = N_(
        "This cannot be booked on the site with these data. Choose another time or another doctor, "
        "check the patient’s data, or phone the registry desk."
    )


class Step(StrEnum):
    """What comes next for a held time."""

    SIGN_IN = "sign_in"
    CONSENT = "consent"
    IDENTIFY = "identify"
    PHONE = "phone"
    CONFIRM = "confirm"


def own(session: Session, *, uid: uuid.UUID, reader: Reader) -> Appointment:
    """The reader's own booking of a doctor, with all that its page says. Raises NotFound."""
    with widened(session, OWN):
        row = session.scalars(_whole().where(Appointment.uid == uid, reader.whose())).one_or_none()
        if row is None:
            raise NotFound()
        return row


def own_brief(session: Session, *, uid: uuid.UUID, reader: Reader) -> Appointment:
    """The same with no more than its next step asks for: nothing is shown of it. Raises NotFound."""
    query = (
        select(Appointment)
        .join(Appointment.schedule)
        .options(joinedload(Appointment.organization), joinedload(Appointment.policy))
        .where(Schedule.role_id.is_not(None), Appointment.uid == uid, reader.whose())
    )
    with widened(session, OWN):
        row = session.scalars(query).one_or_none()
        if row is None:
            raise NotFound()
        return row


def tickets(session: Session, *, reader: Reader, now: dt.datetime) -> Sequence[Appointment]:
    """«Активные талоны» (E34): the reader's bookings ahead, the soonest first. One query."""
    with widened(session, OWN):
        return session.scalars(
            _whole()
            .where(
                reader.whose(),
                Appointment.status.in_(WITH_TICKET),
                Appointment.starts_at > now,
            )
            .order_by(Appointment.starts_at)
            .limit(MOST)
        ).all()


def _whole() -> Select[Appointment]:
    return (
        select(Appointment)
        .join(Appointment.schedule)
        .options(
            joinedload(Appointment.slot),
            joinedload(Appointment.service),
            joinedload(Appointment.organization),
            joinedload(Appointment.policy),
            joinedload(Appointment.reason),
            joinedload(Appointment.person),
            joinedload(Appointment.schedule).options(
                joinedload(Schedule.service),
                joinedload(Schedule.role).options(
                    joinedload(PractitionerRole.practitioner),
                    joinedload(PractitionerRole.specialty),
                    joinedload(PractitionerRole.department),
                ),
            ),
        )
        .where(Schedule.role_id.is_not(None))
        .execution_options(populate_existing=True)
    )


def next_step(policy: BookingPolicy, *, person_id: int | None, guest: Guest | None) -> Step:
    """What has to be said before a held time can be booked, in the order of the policy. Pure."""
    if person_id is None and policy.entry is Entry.ACCOUNT:
        return Step.SIGN_IN
    if guest_consents.due(policy, guest):
        return Step.CONSENT
    if person_id is None:
        return Step.IDENTIFY
    settled = guest is not None and guest.phone_settled
    if policy.phone is PhoneRule.CHOICE and not settled:
        return Step.PHONE
    if policy.phone is PhoneRule.REQUIRED and not (guest is not None and guest.phone_ciphertext):
        return Step.PHONE
    return Step.CONFIRM


def book(
    session: Session,
    *,
    row: Appointment,
    reader: Reader,
    person_id: int,
    actor: Actor,
    now: dt.datetime,
    ip: str = "",
    user_agent: str = "",
) -> Appointment:
    """The held time becomes this person's booking, by the policy's way; a repeat returns the same one.

    With it go the telephone given for it and what was agreed to. Raises HoldEnded, Refused, NotFound,
    and NotPossible instead of a refusal that would tell of a record that is not the account's own.
    """
    try:
        return _booked(session, row, reader, person_id, actor, now, ip, user_agent)
    except Refused as refusal:
        if person_id not in reader.cards and refusal.code in OF_THE_RECORD:
            raise NotPossible() from refusal
        raise


def _booked(
    session: Session,
    row: Appointment,
    reader: Reader,
    person_id: int,
    actor: Actor,
    now: dt.datetime,
    ip: str,
    user_agent: str,
) -> Appointment:
    with widened(session, OWN):
        booking.lock_person(session, person_id)
        row, pause = booking.whole(session, row.id, now)
        fresh = row.status is A.HELD  # whoever has pressed twice has waited for himself
        guest = reader.guest_in(row.tenant_id)
        if fresh:  # before anything is written: this refusal is committed
            hospital_link.demand(session, row.organization, slot=row.slot, actor=actor, now=now)
        named = row.person_id == person_id
        if fresh and not named and row.holder != guests.holder_of(reader.token):
            raise NotFound()
        if fresh and guest is not None:
            row.phone = guest.phone
        known = visit_checks.visits_of(session, person_id=person_id) if fresh else None
        done = booking.confirm_locked(
            session,
            row,
            pause,
            person_id=person_id,
            known=known,
            from_cabinet=person_id in reader.cards,
            actor=actor,
            now=now,
        )
        if known is not None and not named:
            patients.let_others_go(session, known, kept=row.id, actor=actor, now=now)
        if fresh and guest is not None:
            guest_consents.write_down(
                session,
                guest,
                done,
                account_id=reader.account_id,
                ip=ip,
                user_agent=user_agent,
                now=now,
            )
            _remember(guest, done)
        return done


def _remember(guest: Guest, done: Appointment) -> None:
    """As long as a code is awaited, the browser that has asked for it may type it."""
    if done.code_until is not None:
        guest.expires_at = max(guest.expires_at, done.code_until)


def extend(session: Session, *, row: Appointment, actor: Actor, now: dt.datetime) -> Appointment:
    """«Продлить». Raises HoldEnded, NoMoreExtensions."""
    with widened(session, OWN):
        return holding.extend(session, appointment_id=row.id, actor=actor, now=now)


def let_go(session: Session, *, row: Appointment, actor: Actor, now: dt.datetime) -> Appointment:
    """«Нет»: the time is free again."""
    with widened(session, OWN):
        return holding.release(session, appointment_id=row.id, actor=actor, now=now)


def enter_code(
    session: Session, *, row: Appointment, code: str, actor: Actor, now: dt.datetime
) -> Appointment:
    """As codes.enter, which counts the try: the caller commits also when this raises."""
    with widened(session, OWN):
        return codes.enter(session, appointment_id=row.id, code=code, actor=actor, now=now)


def another_code(session: Session, *, row: Appointment, now: dt.datetime) -> Appointment:
    """As codes.another."""
    with widened(session, OWN):
        return codes.another(session, appointment_id=row.id, now=now)


def cancel(session: Session, *, row: Appointment, actor: Actor, now: dt.datetime) -> Appointment:
    """«Отменить посещение? Да» (E35). Raises TooLateToCancel, AlreadyChanged."""
    with widened(session, OWN):
        return booking.cancel(session, appointment_id=row.id, actor=actor, now=now)


def may_cancel(row: Appointment, *, now: dt.datetime) -> bool:
    return row.status in CANCELLABLE and row.starts_at > now


def has_ended(row: Appointment, *, now: dt.datetime) -> bool:
    """A held time that is held no more."""
    return row.status is not A.HELD or row.hold_until is None or row.hold_until <= now


def demand_held(row: Appointment, *, now: dt.datetime) -> None:
    """Raises HoldEnded."""
    if has_ended(row, now=now):
        raise HoldEnded()
