"""What the named fields of a letter stand for: read for one message, or invented for a preview."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import current_app
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import formats, i18n
from app.documents import family_fields, words
from app.documents.account_fields import of_account, samples
from app.models.appointment import Appointment
from app.models.blood import BloodType
from app.models.cabinet_choices import PaperKind
from app.models.enums import AppointmentStatus, LinkPurpose, MessageKind
from app.models.message import Message
from app.models.organization import Organization
from app.models.waiting import WaitingOffer
from app.rules import (
    clock,
    confirmations,
    facts,
    feedback,
    links,
    medical_documents,
    nearest,
    surveys,
)
from app.rules.delivery import link_of
from app.rules.offer_answers import key_of
from app.rules.visits import Visit, visit_of

PATHS: dict[LinkPurpose, str] = {
    LinkPurpose.CONFIRM_EMAIL: "/confirm-email/",
    LinkPurpose.RESET_PASSWORD: "/reset-password/",
    LinkPurpose.STAFF_INVITE: "/staff/invitation/",
    LinkPurpose.DATA_EXPORT: "/profile/data/",
    LinkPurpose.JOIN_FAMILY: "/join-family/",
}
"""Where the links lead. The process that sends letters may serve no surface: no url_for here."""
SURVEY = "/review/"
BOOKINGS = "/bookings"
WAITING = "/cabinet/waiting"
OFFER = "/offers/"
OFFERS = (MessageKind.PLACE_OFFERED, MessageKind.OFFER_LAPSED, MessageKind.TURN_OVER)
VISITS = "/visits"
DAY = "/places/"
OTHER_DAYS = 3
"""How many days a letter offers instead of the closed one."""
MANY_DAYS = 100
"""Days of every kind that are looked through for them."""
DEFAULT_ZONE = "Europe/Moscow"


def values_of(session: Session, message: Message, *, now: dt.datetime) -> dict[str, str]:
    """The value of each field, in the current locale, as the world is ``now``."""
    tenant = session.get(Organization, message.tenant_id) if message.tenant_id else None
    values = {"centre": tenant.name if tenant else "", "site": _address("/")}
    link = link_of(session, message)
    if link is not None:
        values["link"] = _address(PATHS[link.purpose] + links.token(link))
        values["until"] = _moment(link.expires_at, tenant.time_zone if tenant else DEFAULT_ZONE)
    asked = feedback.of_message(session, message)
    if asked is not None:
        zone = tenant.time_zone if tenant else DEFAULT_ZONE
        values |= {"asked": _moment(asked.created_at, zone), "answer": asked.answer}
    values |= of_account(session, message, _address, now=now)
    values |= family_fields.values_of(session, message)
    values |= _of_papers(session, message)
    survey = surveys.of_message(session, message)
    if survey is not None and message.appointment is not None:
        zone = tenant.time_zone if tenant else DEFAULT_ZONE
        values["link"] = _address(SURVEY + surveys.token(survey))
        values["until"] = _moment(surveys.ends_at(message.appointment), zone)
    if message.appointment is not None:
        visit = visit_of(session, appointment_id=message.appointment.id)
        values |= _of_visit(visit) | _of_decision(message.appointment, visit)
        if message.kind is MessageKind.DAY_CLOSED:
            values["others"] = ""
        if message.kind is MessageKind.DAY_CLOSED and visit.doctor is None:
            values["others"] = _days(_instead(session, message.appointment, now))
        if message.kind in OFFERS:
            values |= of_offer(session, message.appointment, visit.time_zone)
        was = message.facts.get("was")
        values["was"] = _moment(dt.datetime.fromisoformat(was), visit.time_zone) if was else ""
    return values


def sample_values() -> dict[str, str]:
    """Every field with an invented value, in the current locale."""
    visit = _sample()
    return (
        _of_visit(visit)
        | samples(_address)
        | family_fields.samples()
        | {
            "centre": visit.centre,
            "site": _address("/"),
            "link": _address("/…"),
            "waiting": _address(WAITING),
            "until": _moment(visit.starts_at, visit.time_zone),
            "reason": gettext("The code differs from the one in the blood service's file."),
            "advice": gettext("Ask for your code at the registration desk and book again."),
            "comment": gettext("Please phone us."),
            "again": words.date(visit),
            "was": _moment(visit.starts_at - dt.timedelta(days=3), visit.time_zone),
            "asked": _moment(visit.starts_at, visit.time_zone),
            "answer": gettext("Please bring your passport and policy to the registration desk."),
            "document": i18n.label(PaperKind.TEST_RESULTS),
            "others": _days(
                [(visit.starts_at, visit.time_zone, visit.branch, _address(f"{DAY}…"))]
            ),
        }
    )


def of_offer(session: Session, booking: Appointment, zone: str) -> dict[str, str]:
    """Where the offer of this place is answered, and until when."""
    offer = session.scalars(
        select(WaitingOffer).where(WaitingOffer.appointment_id == booking.id)
    ).one_or_none()
    values = {"link": "", "until": "", "waiting": _address(WAITING)}
    if offer is not None:
        values["link"] = _address(f"{OFFER}{offer.uid}/{key_of(offer)}")
        values["until"] = _moment(offer.expires_at, zone)
    return values


def _sample() -> Visit:
    memo = {
        "ru": "Накануне – лёгкая еда без жирного и жареного, за 48 часов – без алкоголя.",
        "en": "Eat light the day before, nothing fatty or fried; no alcohol for 48 hours.",
    }
    return Visit(
        number=1002,
        uid=uuid.UUID(int=0),
        status=AppointmentStatus.BOOKED,
        full_name="",
        donor_code="000000",
        blood_type=BloodType.parse("B-"),
        type_names={"ru": "Тромбоцитаферез", "en": "Plateletpheresis"},
        memos=memo,
        starts_at=dt.datetime(2030, 11, 25, 5, 0, tzinfo=dt.UTC),
        place=2,
        centre="Центр крови",
        branch="Филиал в Примерске",
        settlement="Примерск",
        address="ул. Образцовая, д. 1",
        directions="",
        phone="+7 000 000-00-00",
        time_zone=DEFAULT_ZONE,
    )


def _of_visit(visit: Visit) -> dict[str, str]:
    return {
        "number": str(visit.number),
        "type": words.service(visit) if visit.doctor else words.type_name(visit),
        "doctor": words.doctor(visit) if visit.doctor else "",
        "date": words.date(visit),
        "time": words.time(visit),
        "zone": words.zone(visit),
        "place": str(visit.place),
        "branch": visit.branch,
        "address": words.address(visit),
        "directions": visit.directions,
        "phone": visit.phone,
        "memo": words.memo(visit),
        "bookings": _address(VISITS if visit.doctor else BOOKINGS),
    }


def _of_decision(booking: Appointment, visit: Visit) -> dict[str, str]:
    """Why a request was rejected or a visit cancelled, and when one may book again."""
    values = {"reason": "", "advice": "", "comment": booking.comment, "again": ""}
    if booking.reason is not None:
        values["reason"] = i18n.localized(booking.reason, "text")
        values["advice"] = i18n.localized(booking.reason, "advice")
    else:
        reason = booking.comment or booking.schedule.closed_reason
        values["reason"] = (
            gettext(reason) if reason else ""
        )  # some reasons are Talon's own sentences
    if booking.ended_at is not None:
        day = clock.local_date(booking.ended_at, visit.time_zone)
        again = day + dt.timedelta(days=booking.policy.days_after_own_cancel)
        values["again"] = words.written(again)
    return values


def _of_papers(session: Session, message: Message) -> dict[str, str]:
    """Why a profile was refused, or of what kind a copy is: names do not stand beside what is about health."""
    confirmation = confirmations.of_message(session, message.facts)
    if confirmation is not None:
        return {"reason": confirmation.reason}
    copy = medical_documents.of_message(session, message)
    if copy is not None:
        return {"document": i18n.label(copy.kind)}
    return {}


Offer = tuple[dt.datetime, str, str, str]
"""The first free time of a day, its zone, the branch, the address of the booking window."""


def _instead(session: Session, booking: Appointment, now: dt.datetime) -> list[Offer]:
    """The days nearest to the one of ``booking`` where this donor may give the same kind of donation."""
    found = nearest.alternatives(
        session,
        person=facts.of_person(session, booking.person_id),
        tenant_id=booking.tenant_id,
        near=booking.schedule.date,
        now=now,
        without_schedule_id=booking.schedule_id,
        limit=MANY_DAYS,
    )
    return [
        (
            day.starts_at,
            day.organization.time_zone,
            day.organization.short_name,
            _address(f"{DAY}{day.schedule.uid}"),
        )
        for day in found
        if day.donation_type.id == booking.donation_type_id
    ][:OTHER_DAYS]


def _days(offers: list[Offer]) -> str:
    """Two lines for each day, under a heading; empty if there is none."""
    lines = [gettext("Nearest days you can book:")]
    for starts_at, zone, branch, address in offers:
        wall = clock.local(starts_at, zone)
        time = gettext("from %(time)s", time=i18n.hour(wall.time()))
        lines += [f"{words.written(wall.date())}, {time}, {branch}", address]
    return "\n".join(lines) if offers else ""


def _moment(instant: dt.datetime, zone: str) -> str:
    wall = clock.local(instant, zone)
    time = f"{i18n.hour(wall.time())} {formats.zone_words(zone, instant)}"
    return f"{words.written(wall.date())}, {time}"


def _address(path: str) -> str:
    return f"{current_app.config['PUBLIC_URL']}{path}"
