"""Which language, and saying things in it: refusals, list values, dates, blood types."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from typing import Any

from babel.dates import format_date, format_time
from flask import g, has_request_context, request
from flask_babel import get_locale, gettext

from app.models import enums, policy_choices
from app.models.blood import EVERY_TYPE, BloodType
from app.rules.errors import N_, Phrase, Words

LOCALES = ("ru", "en")
COOKIE = "talon-lang"


def select_locale() -> str:
    """The reader's choice in the URL or the cookie, then the browser's, then Russian."""
    if not has_request_context():
        return "ru"
    for wish in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wish in LOCALES:
            return str(wish)
    return request.accept_languages.best_match(LOCALES, "ru") or "ru"


def locale() -> str:
    current = get_locale()
    return current.language if current is not None else "ru"


def say(refusal: Any) -> str:
    """The sentence of a RuleError or a Refusal in the reader's language, its places filled."""
    params = {key: spoken(value) for key, value in dict(refusal.params).items()}
    return gettext(refusal.text) % params if params else gettext(refusal.text)


def spoken(value: Any) -> str:
    """One value inside a sentence."""
    if isinstance(value, Phrase):
        return gettext(value)
    if isinstance(value, Words):
        return (value.en if locale() == "en" else "") or value.ru
    if isinstance(value, dt.datetime):
        return f"{day(value.date())}, {hour(value.time())}"
    if isinstance(value, dt.date):
        return day(value)
    if isinstance(value, dt.time):
        return hour(value)
    if isinstance(value, (frozenset, set)):
        return blood_set(value)
    if isinstance(value, BloodType):
        return blood(value)
    if isinstance(value, enum.Enum):
        return label(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(spoken(item) for item in value)
    return str(value)


def day(date: dt.date) -> str:
    """«ср, 25 ноября»; with the year when it is not this one, and in a letter."""
    now = g.get("now") if has_request_context() else None
    this_year = now is not None and date.year == now.year
    return format_date(date, "EEE, d MMMM" if this_year else "EEE, d MMMM y", locale=locale())


def week_day(date: dt.date) -> str:
    """«пн»."""
    return format_date(date, "EEE", locale=locale())


def full_day(date: dt.date) -> str:
    """«25 ноября 2026 г., среда» in words of the language."""
    pattern = "d MMMM y 'г.', EEEE" if locale() == "ru" else "EEEE, d MMMM y"
    return format_date(date, pattern, locale=locale())


def month_name(date: dt.date) -> str:
    """«Август 2015» (E24)."""
    return format_date(date, "LLLL y", locale=locale()).capitalize()


def long_day(date: dt.date) -> str:
    """«16 февраля 2015» (E29, E35)."""
    return format_date(date, "d MMMM y", locale=locale())


def hour(time: dt.time) -> str:
    """«8:00»."""
    return format_time(time, "H:mm", locale=locale())


ROMAN = {"O": "I (O)", "A": "II (A)", "B": "III (B)", "AB": "IV (AB)"}
SIGNS = {"+": "+", "-": "−"}


def blood(blood_type: BloodType) -> str:
    """«III (B) −» (seed A)."""
    return f"{ROMAN[blood_type.group]} {SIGNS[blood_type.rh]}"


def blood_set(types: Iterable[BloodType]) -> str:
    """The types in their usual order; the empty set means every group."""
    chosen = set(types)
    if not chosen or chosen == set(EVERY_TYPE):
        return gettext("any group")
    return ", ".join(blood(t) for t in EVERY_TYPE if t in chosen)


def localized(row: Any, field: str) -> str:
    """A text that staff keep in both languages; Russian where the English one is empty."""
    own = getattr(row, f"{field}_{locale()}", "")
    return own or getattr(row, f"{field}_ru")


def label(value: enum.Enum) -> str:
    """What people call a value of one of our closed lists."""
    text = LABELS.get((type(value), value.value))
    return gettext(text) if text else str(value.value)


_WORDS: tuple[tuple[enum.Enum, str], ...] = (
    *((group, ROMAN[group]) for group in enums.BloodGroup),
    (enums.Sign.POSITIVE, N_("Positive")),
    (enums.Sign.NEGATIVE, N_("Negative")),
    (enums.Sex.FEMALE, N_("women")),
    (enums.Sex.MALE, N_("men")),
    (enums.DonationKind.BLOOD, N_("Whole blood")),
    (enums.DonationKind.PLASMA, N_("Plasma")),
    (enums.DonationKind.PLATELETS, N_("Platelets")),
    (enums.DonationKind.RED_CELLS, N_("Red cells")),
    (enums.OrganizationKind.BLOOD_CENTRE, N_("Blood centre")),
    (enums.OrganizationKind.POLYCLINIC, N_("Polyclinic")),
    (enums.OrganizationKind.BRANCH, N_("Branch")),
    (enums.Role.ADMINISTRATOR, N_("Administrator")),
    (enums.Role.MANAGER, N_("Organization manager")),
    (enums.Role.REGISTRAR, N_("Medical registrar")),
    (enums.Role.SCHEDULER, N_("Scheduler")),
    (enums.Role.OPERATOR, N_("Call-centre operator")),
    (enums.Role.ANALYST, N_("Analyst")),
    (enums.Role.SECURITY, N_("Security officer")),
    (enums.PublicationStatus.DRAFT, N_("Draft")),
    (enums.PublicationStatus.SCHEDULED, N_("Will be published")),
    (enums.PublicationStatus.PUBLISHING, N_("Being published")),
    (enums.PublicationStatus.PUBLISHED, N_("Published")),
    (enums.PublicationStatus.DISCARDED, N_("Discarded")),
    (enums.ScheduleStatus.DRAFT, N_("Draft")),
    (enums.ScheduleStatus.PUBLISHED, N_("Published")),
    (enums.ScheduleStatus.PAUSED, N_("Paused")),
    (enums.ScheduleStatus.CLOSED, N_("Closed")),
    (enums.SlotStatus.FREE, N_("free")),
    (enums.SlotStatus.HELD, N_("being chosen")),
    (enums.SlotStatus.BUSY, N_("taken")),
    (enums.SlotStatus.CLOSED, N_("closed")),
    (enums.Channel.WEB, N_("on the site")),
    (enums.Channel.DESK, N_("at the desk")),
    (enums.AppointmentStatus.HELD, N_("Being chosen")),
    (enums.AppointmentStatus.PENDING, N_("Awaiting approval")),
    (enums.AppointmentStatus.PROPOSED, N_("Awaiting your code")),
    (enums.AppointmentStatus.BOOKED, N_("Donation booking confirmed")),
    (enums.AppointmentStatus.ARRIVED, N_("Arrived")),
    (enums.AppointmentStatus.FULFILLED, N_("Donated")),
    (enums.AppointmentStatus.TURNED_AWAY, N_("Turned away")),
    (enums.AppointmentStatus.NOSHOW, N_("Did not come")),
    (enums.AppointmentStatus.REJECTED, N_("Booking rejected")),
    (enums.AppointmentStatus.CANCELLED, N_("Booking cancelled")),
    (enums.AppointmentStatus.EXPIRED, N_("Not decided in time")),
    (enums.AppointmentStatus.RELEASED, N_("Choice let go")),
    (enums.ActorKind.STAFF, N_("staff")),
    (enums.ActorKind.ACCOUNT, N_("the donor")),
    (enums.ActorKind.GUEST, N_("the patient")),
    (enums.ActorKind.SYSTEM, N_("Talon")),
    (enums.Confirmation.NONE, N_("at once")),
    (enums.Confirmation.APPROVAL, N_("after approval")),
    (enums.Confirmation.CODE, N_("by the code of an SMS")),
    (enums.Confirmation.APPROVAL_CODE, N_("after approval, by the code of an SMS")),
    (policy_choices.Entry.ACCOUNT, N_("by signing in")),
    (policy_choices.Entry.BEFORE, N_("before the schedule")),
    (policy_choices.Entry.AFTER, N_("after the time is chosen")),
    (policy_choices.ConsentStep.REGISTRATION, N_("at registration")),
    (policy_choices.ConsentStep.SCREEN, N_("on a screen of its own")),
    (policy_choices.ConsentStep.BOX, N_("by a box on the form")),
    (policy_choices.PhoneRule.NONE, N_("not asked for")),
    (policy_choices.PhoneRule.REQUIRED, N_("required")),
    (policy_choices.PhoneRule.OPTIONAL, N_("may be given")),
    (policy_choices.PhoneRule.CHOICE, N_("on a step of its own, may be declined")),
    (policy_choices.Wording.DONATION, N_("a donation")),
    (policy_choices.Wording.VISIT, N_("an appointment")),
    (policy_choices.Wording.REQUEST, N_("a request")),
    (enums.DeferralKind.TEMPORARY, N_("Temporary deferral")),
    (enums.DeferralKind.PERMANENT, N_("Permanent deferral")),
    (enums.FactSource.IMPORT, N_("donor file")),
    (enums.FactSource.STAFF, N_("entered by staff")),
    (enums.FactSource.TALON, N_("visit in Talon")),
    (enums.FirstTime.ANY, N_("anybody")),
    (enums.FirstTime.ONLY, N_("first-time donors only")),
    (enums.FirstTime.NO, N_("not for first-time donors")),
    (enums.MessageStatus.DUE, N_("Waiting")),
    (enums.MessageStatus.SENT, N_("Sent")),
    (enums.MessageStatus.OBSOLETE, N_("No longer needed")),
    (enums.MessageStatus.DEAD, N_("Not delivered")),
    (enums.MessageKind.CONFIRM_EMAIL, N_("Confirm the e-mail address")),
    (enums.MessageKind.ALREADY_REGISTERED, N_("Already registered")),
    (enums.MessageKind.RESET_PASSWORD, N_("New password")),
    (enums.MessageKind.PASSWORD_CHANGED, N_("Password changed")),
    (enums.MessageKind.REQUEST_RECEIVED, N_("Request received")),
    (enums.MessageKind.APPROVED, N_("Request approved")),
    (enums.MessageKind.REJECTED, N_("Request rejected")),
    (enums.MessageKind.EXPIRED, N_("Request not decided in time")),
    (enums.MessageKind.CANCELLED_BY_DONOR, N_("Cancelled by the donor")),
    (enums.MessageKind.CANCELLED_BY_STAFF, N_("Cancelled by the centre")),
    (enums.MessageKind.DAY_CLOSED, N_("Day closed")),
    (enums.MessageKind.REMINDER, N_("Reminder")),
    (enums.MessageKind.STAFF_INVITE, N_("Invitation to the back office")),
    (enums.MessageKind.FEEDBACK_RECEIVED, N_("Question received")),
    (enums.MessageKind.FEEDBACK_ANSWERED, N_("Answer to a question")),
    (enums.MessageKind.CONFIRM_CODE, N_("SMS with the confirmation code")),
    (enums.MessageKind.BOOKING_LAPSED, N_("SMS about an annulled booking")),
    (enums.MessageKind.VISIT_CANCELLED, N_("Visit cancelled (SMS)")),
    (enums.MessageKind.VISIT_APPROVED, N_("Request approved (SMS)")),
    (enums.MessageKind.VISIT_REFUSED, N_("Request rejected (SMS)")),
    (enums.MessageKind.VISIT_EXPIRED, N_("Request not decided in time (SMS)")),
    (enums.MessageKind.MOVED, N_("Visit moved")),
    (enums.MessageKind.VISIT_MOVED, N_("Visit moved (SMS)")),
    (enums.MessageChannel.EMAIL, N_("e-mail")),
    (enums.MessageChannel.SMS, N_("SMS")),
    (enums.ConsentPurpose.BOOKING, N_("Booking")),
    (enums.ConsentPurpose.SURVEY, N_("Questionnaire after the visit")),
    (enums.ConsentChannel.SITE, N_("on the site, by oneself")),
    (enums.ConsentChannel.PAPER, N_("on paper")),
    (enums.ConsentChannel.ORAL, N_("by word of mouth")),
    (enums.ImportStatus.CHECKED, N_("Checked")),
    (enums.ImportStatus.APPLIED, N_("Applied")),
    (enums.ImportStatus.DISCARDED, N_("Discarded")),
    (enums.RowAction.NEW, N_("new")),
    (enums.RowAction.CHANGED, N_("changed")),
    (enums.RowAction.SAME, N_("unchanged")),
    (enums.RowAction.BAD, N_("cannot be read")),
    (enums.Payment.OMS, N_("under the OMS policy")),
    (enums.Payment.PAID, N_("paid")),
    (enums.Payment.DMS, N_("under a DMS policy")),
    (enums.ExceptionKind.ABSENCE, N_("Absence")),
    (enums.ExceptionKind.CLOSED, N_("Closed day")),
    (enums.PublicationKind.DONORS, N_("Donor days")),
    (enums.PublicationKind.PATIENTS, N_("Practitioners' schedules")),
    (enums.SlotKind.PLANNED, N_("Planned")),
    (enums.SlotKind.URGENT, N_("Urgent")),
    (enums.SlotKind.PAID, N_("Paid")),
    (enums.DistrictKind.THERAPY, N_("Therapeutic")),
    (enums.DistrictKind.GENERAL, N_("General practice")),
    (enums.DistrictKind.FAMILY, N_("Family practice")),
    (enums.DistrictKind.COMPLEX, N_("Combined")),
    (enums.DistrictKind.FELDSHER, N_("Feldsher’s")),
    (enums.DistrictKind.PAEDIATRIC, N_("Paediatric")),
    (enums.DistrictKind.GYNAECOLOGY, N_("Obstetric and gynaecological")),
    (enums.DistrictKind.DENTAL, N_("Dental")),
    (enums.Parity.ALL, N_("all houses")),
    (enums.Parity.ODD, N_("odd houses")),
    (enums.Parity.EVEN, N_("even houses")),
    (enums.PageKind.INFORMATION, N_("Information")),
    (enums.PageKind.FAQ, N_("Questions and answers")),
    (enums.PageKind.NEWS, N_("News")),
    (enums.PageKind.HOTLINE, N_("Hotline")),
    (enums.PageKind.REGISTRATION, N_("How to register")),
    (enums.FeedbackStatus.NEW, N_("New")),
    (enums.FeedbackStatus.ASSIGNED, N_("In progress")),
    (enums.FeedbackStatus.ANSWERED, N_("Answered")),
    (enums.FeedbackStatus.CLOSED, N_("Dealt with")),
    (enums.DocumentKind.OMS, N_("OMS policy")),
    (enums.DocumentKind.SNILS, N_("SNILS")),
    (enums.DocumentKind.PASSPORT, N_("Passport of the Russian Federation")),
    (enums.DocumentKind.DMS, N_("DMS policy")),
    (enums.DocumentKind.BIRTH_CERTIFICATE, N_("Birth certificate")),
    (enums.DocumentKind.SOCIAL_CARD, N_("Social card")),
    (enums.IdentifyBy.NONE, N_("Without a document")),
    (enums.IdentifyBy.OMS, N_("OMS policy")),
    (enums.IdentifyBy.SNILS, N_("SNILS")),
    (enums.IdentifyBy.PASSPORT, N_("Passport of the Russian Federation")),
    (enums.IdentifyBy.DMS, N_("DMS policy")),
    (enums.IdentifyBy.TWO_DOCUMENTS, N_("OMS policy and one more document")),
)

LABELS = {(type(value), value.value): text for value, text in _WORDS}
"""Keyed by class too: members of two StrEnums with one value are equal."""
