"""Who sits at one browser: what a patient without an account has said so far, for half an hour.

The browser knows a random token; everything else stands in one row that only this module reads. Wiping
the row ends it, whoever has copied the cookie.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import FIRST_NUMBER, Appointment
from app.models.consent import ConsentText
from app.models.crypto import blind_index
from app.models.enums import AppointmentStatus, ConsentPurpose, IdentifyBy
from app.models.guest import Guest
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import widened
from app.rules import holding, throttle
from app.rules.actor import Actor
from app.rules.consent_texts import TextChanged, current_consent
from app.rules.errors import N_, RuleError
from app.rules.identification import networks
from app.rules.transitions import changed_rows

A = AppointmentStatus
STAYS = dt.timedelta(minutes=30)
"""As long as a donor's idle session (app.sessions.LIFETIMES)."""
SLACK = dt.timedelta(seconds=5)
"""A page in kiosk mode counts down by itself; the row lives a little longer than that."""
WHOSE = "who sits at this browser"
FOUND_FOR = dt.timedelta(minutes=15)
"""How long a ticket found by its number can be looked at."""


class NoSuchTicket(RuleError):
    """Unknown number, another birth date: one sentence for both."""

    code = "no_such_ticket"
    text = N_(
        "No ticket with this number and birth date was found. Check both, or phone the registry desk, please."
    )


class Left(RuleError):
    code = "guest_left"
    text = N_(
        "For your safety what you had typed was forgotten after a while without a click. Begin again, please."
    )


def holder_of(token: str) -> bytes:
    """By which a browser's row and its held places are found; the token itself is in its cookie alone."""
    return blind_index("holder", token)


def of(session: Session, *, token: str, now: dt.datetime) -> Guest | None:
    """Who sits there, unless nobody or for too long."""
    if not token:
        return None
    with widened(session, WHOSE):
        return session.scalars(
            select(Guest)
            .options(joinedload(Guest.organization))
            .where(Guest.holder == holder_of(token), Guest.expires_at > now)
        ).one_or_none()


def at(
    session: Session,
    *,
    token: str,
    organization: Organization,
    locale: str,
    now: dt.datetime,
    new: bool = False,
    alone: bool = False,
) -> Guest:
    """The browser's row, made if there is none; another legal body begins anew: its registry is another one.

    Who comes after a row that is forgotten may be another person: what was booked before is not his.
    ``new``: the token was made for this request, nobody has used it yet. ``alone``: this transaction has
    waited for the browser's others already (app.rules.patients.hold).
    """
    with widened(session, WHOSE):
        holder = holder_of(token)
        if not (new or alone):
            one_after_another(session, holder)
        row = None if new else _there(session, holder, organization, now)
        row = _stays(session, row, holder, organization, locale, now)
        session.flush()  # one browser has one row: the index decides
        return row


def _forget_bookings(session: Session, holder: bytes) -> None:
    """They stay booked, and are found by their numbers; what is being chosen just now stays in the browser."""
    session.execute(
        update(Appointment)
        .where(Appointment.holder == holder, Appointment.status.not_in((A.HELD, A.RELEASED)))
        .values(holder=None)
    )


def _there(
    session: Session, holder: bytes, organization: Organization, now: dt.datetime
) -> Guest | None:
    """The row as it stands, locked; what is over is forgotten."""
    row = session.scalars(
        select(Guest)
        .where(Guest.holder == holder)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None or row.expires_at <= now:
        _forget_bookings(session, holder)
    if row is not None and (row.expires_at <= now or row.tenant_id != organization.tenant_id):
        session.delete(row)
        session.flush()
        return None
    return row


def _stays(
    session: Session,
    row: Guest | None,
    holder: bytes,
    organization: Organization,
    locale: str,
    now: dt.datetime,
) -> Guest:
    """The row, or a new one, is here and stays for another while; not written yet."""
    if row is None:
        row = Guest(
            uid=uuid.uuid4(),
            holder=holder,
            tenant_id=organization.tenant_id,
            phone_settled=False,
            created_at=now,
            expires_at=now + STAYS,
        )
        session.add(row)
    row.organization_id = organization.id
    row.locale = locale
    row.expires_at = max(row.expires_at, now + STAYS)
    return row


def one_after_another(session: Session, holder: bytes) -> None:
    """Two requests of one browser wait for each other. (On SQLite the one writer is the lock.)"""
    if session.get_bind().dialect.name == "postgresql":
        key = int.from_bytes(holder[:8], "big", signed=True)
        session.execute(select(func.pg_advisory_xact_lock(key)))


def stay(session: Session, guest: Guest, *, now: dt.datetime) -> None:
    """«Остаться»: another half hour from now on."""
    with widened(session, WHOSE):
        guest.expires_at = now + STAYS


def soon_gone(session: Session, guest: Guest, *, seconds: int, now: dt.datetime) -> None:
    """Kiosk mode: after success the row is forgotten by itself (B12, D15), whatever the browser does."""
    with widened(session, WHOSE):
        guest.expires_at = now + dt.timedelta(seconds=seconds) + SLACK


def text_of(
    session: Session, *, tenant_id: int, now: dt.datetime, purpose: ConsentPurpose
) -> ConsentText | None:
    """The text one is asked to agree to."""
    return current_consent(session, tenant_id=tenant_id, purpose=purpose, now=now)


def agree(session: Session, guest: Guest, *, text_id: int | None, now: dt.datetime) -> None:
    """«Да, я даю согласие». Raises TextChanged if the text shown is not the one that holds now."""
    with widened(session, WHOSE):
        guest.consent_text_id = _valid_text(session, guest.tenant_id, text_id, now)
        guest.agreed_at = now


def _valid_text(session: Session, tenant_id: int, text_id: int | None, now: dt.datetime) -> int:
    text = text_of(session, tenant_id=tenant_id, now=now, purpose=ConsentPurpose.BOOKING)
    if text is None or text.id != text_id:
        raise TextChanged()
    return text.id


@dataclass(frozen=True)
class Agreed:
    """The box of consent was ticked under this text."""

    text_id: int | None


def said(
    session: Session,
    *,
    token: str,
    organization: Organization,
    locale: str,
    person_id: int,
    method: IdentifyBy,
    agreed: Agreed | None = None,
    new: bool = False,
    phone: str = "",
    email: str = "",
    now: dt.datetime,
) -> Guest:
    """``at``, ``agree`` and ``identified`` with one row written once. Raises TextChanged before anything."""
    with widened(session, WHOSE):
        text_id = (
            _valid_text(session, organization.tenant_id, agreed.text_id, now) if agreed else None
        )
        holder = holder_of(token)
        if not new:
            one_after_another(session, holder)
        row = None if new else _there(session, holder, organization, now)
        guest = _stays(session, row, holder, organization, locale, now)
        _known_as(guest, person_id, method, phone, email, now)
        if agreed:
            guest.consent_text_id, guest.agreed_at = text_id, now
        session.flush()  # one browser has one row: the index decides
        return guest


def identified(
    session: Session,
    guest: Guest,
    *,
    person_id: int,
    method: IdentifyBy,
    phone: str = "",
    email: str = "",
    now: dt.datetime,
) -> None:
    """He has said who he is, and perhaps how to reach him. For another person one agrees anew."""
    with widened(session, WHOSE):
        _known_as(guest, person_id, method, phone, email, now)


def _known_as(
    guest: Guest, person_id: int, method: IdentifyBy, phone: str, email: str, now: dt.datetime
) -> None:
    if guest.person_id not in (None, person_id):
        guest.consent_text_id = guest.agreed_at = None
    guest.person_id, guest.method, guest.ticket_id = person_id, method, None
    guest.phone, guest.email = phone or None, email or None
    guest.phone_settled = bool(phone)
    guest.expires_at = max(guest.expires_at, now + STAYS)


def settle_phone(session: Session, guest: Guest, *, phone: str) -> None:
    """The number for this booking, or empty: «Я не хочу указывать контактный телефон» (D13)."""
    with widened(session, WHOSE):
        guest.phone, guest.phone_settled = phone or None, True


def phone_of(session: Session, *, person_id: int) -> str:
    """The card's own number, for its owner alone; empty if there is none."""
    with widened(session, WHOSE):
        person = session.get(Person, person_id)
        return (person.phone or "") if person is not None else ""


def leave(session: Session, *, token: str, actor: Actor, now: dt.datetime) -> None:
    """Forget whoever sat there: what he was choosing is free again, what he has booked stays booked."""
    with widened(session, WHOSE):
        holder = holder_of(token)
        for appointment_id in session.scalars(
            select(Appointment.id).where(Appointment.holder == holder, Appointment.status == A.HELD)
        ).all():
            holding.release(session, appointment_id=appointment_id, actor=actor, now=now)
        session.execute(delete(Guest).where(Guest.holder == holder))


def sweep(session: Session, *, now: dt.datetime) -> int:
    """Forget rows whose time is over; how many."""
    return changed_rows(session, delete(Guest).where(Guest.expires_at <= now))


def find_ticket(
    session: Session,
    *,
    token: str,
    number: int,
    birth_date: dt.date,
    address: str,
    locale: str,
    now: dt.datetime,
) -> Appointment:
    """A patient's ticket by its number and the birth date, open to this browser for a quarter of an hour.

    The caller commits also when this raises NoSuchTicket or TooManyTries, or the try is not counted.
    """
    one, around = networks(address)
    tries = [("ticket_address", one), ("ticket_network", around), ("ticket_number", str(number))]
    with widened(session, WHOSE):
        throttle.count_all(session, tries, now=now)
        row = session.scalars(
            select(Appointment)
            .options(joinedload(Appointment.organization), joinedload(Appointment.person))
            .where(
                Appointment.id == number - FIRST_NUMBER,
                Appointment.donation_type_id.is_(None),
                Appointment.status.not_in((A.HELD, A.RELEASED)),
            )
        ).one_or_none()
        if row is None or row.person.birth_date != birth_date:
            raise NoSuchTicket()
        throttle.take_back(session, tries, now=now)
        guest = at(session, token=token, organization=row.organization, locale=locale, now=now)
        guest.ticket_id = row.id
        if guest.person_id is None and guest.agreed_at is None:
            guest.expires_at = now + FOUND_FOR
        return row
