"""Closed lists that code decides on. They are stored by value; people see labels (``app.i18n``)."""

from __future__ import annotations

from enum import StrEnum

from app.models.message_choices import LinkPurpose as LinkPurpose  # noqa: PLC0414 - given on
from app.models.message_choices import MessageChannel as MessageChannel  # noqa: PLC0414 - given on
from app.models.message_choices import MessageKind as MessageKind  # noqa: PLC0414 - given on
from app.models.message_choices import MessageStatus as MessageStatus  # noqa: PLC0414 - given on


class BloodGroup(StrEnum):
    """AB0 group; shown as I (O), II (A), III (B), IV (AB) (seed A, row A7)."""

    O = "O"  # noqa: E741 - this is the group's name
    A = "A"
    B = "B"
    AB = "AB"


class Sign(StrEnum):
    """Rh factor or Kell antigen: «Положительный» / «Отрицательный» (rows A8, A11)."""

    POSITIVE = "+"
    NEGATIVE = "-"


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"


class DonationKind(StrEnum):
    """What is drawn; intervals and yearly limits are data by kind (order 1166н, see donation_rules.json)."""

    BLOOD = "blood"
    PLASMA = "plasma"
    PLATELETS = "platelets"
    RED_CELLS = "red_cells"


class OrganizationKind(StrEnum):
    BLOOD_CENTRE = "blood_centre"
    POLYCLINIC = "polyclinic"
    BRANCH = "branch"


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    MANAGER = "manager"
    REGISTRAR = "registrar"
    SCHEDULER = "scheduler"
    OPERATOR = "operator"
    ANALYST = "analyst"
    SECURITY = "security"


class Relation(StrEnum):
    SELF = "self"
    CHILD = "child"
    PARENT = "parent"
    WARD = "ward"


class PublicationKind(StrEnum):
    """Whose days it makes: donor days by matrix, or practitioners' sittings by template."""

    DONORS = "donors"
    PATIENTS = "patients"


class PublicationStatus(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    """A large one, made in portions (app.rules.large_publishing)."""
    PUBLISHED = "published"
    DISCARDED = "discarded"


class ScheduleStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    PAUSED = "paused"
    CLOSED = "closed"


class SlotStatus(StrEnum):
    FREE = "free"
    HELD = "held"
    BUSY = "busy"
    CLOSED = "closed"


class Channel(StrEnum):
    """Who may sell a place: the public site, or the desk alone."""

    WEB = "web"
    DESK = "desk"


class AppointmentStatus(StrEnum):
    HELD = "held"
    PENDING = "pending"
    PROPOSED = "proposed"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    TURNED_AWAY = "turned_away"
    NOSHOW = "noshow"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RELEASED = "released"


class ActorKind(StrEnum):
    STAFF = "staff"
    ACCOUNT = "account"
    GUEST = "guest"
    """A patient without an account (app.rules.guests)."""
    SYSTEM = "system"


class Confirmation(StrEnum):
    """How a held place becomes a booked one (policy)."""

    NONE = "none"
    APPROVAL = "approval"
    CODE = "code"
    """By the code of an SMS within an hour (row E27)."""
    APPROVAL_CODE = "approval_code"
    """The organization allows it first, then the code (row E27: «после получения разрешения»)."""


class DeferralKind(StrEnum):
    """«Временный отвод» ends on a date; «постоянный» has no end (seed A, row A32)."""

    TEMPORARY = "temporary"
    PERMANENT = "permanent"


class FactSource(StrEnum):
    IMPORT = "import"
    STAFF = "staff"
    TALON = "talon"


class FirstTime(StrEnum):
    """Whether a donor day takes people without any donation yet."""

    ANY = "any"
    ONLY = "only"
    NO = "no"


class Surface(StrEnum):
    PUBLIC = "public"
    STAFF = "staff"


class ConsentPurpose(StrEnum):
    BOOKING = "booking"
    SURVEY = "survey"
    """Row E14: an e-mail for one questionnaire, and nothing else."""
    DOCUMENTS = "documents"
    """Row C16: copies of medical documents by e-mail, on paper."""
    FAMILY = "family"
    """Row C8: an adult lets a relative act for him."""
    MEDICATION = "medication"
    """Row E56: reminders of medicines by SMS."""


class ConsentChannel(StrEnum):
    """How somebody agreed: on the site, on paper at the desk, or by word on the telephone (N22)."""

    SITE = "site"
    PAPER = "paper"
    ORAL = "oral"


class ImportStatus(StrEnum):
    CHECKED = "checked"
    APPLIED = "applied"
    DISCARDED = "discarded"


class RowAction(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    BAD = "bad"


class Payment(StrEnum):
    """Who pays for a service (rows B18, D20)."""

    OMS = "oms"
    PAID = "paid"
    DMS = "dms"


class SlotKind(StrEnum):
    """«Плановый» and the other kinds of a slot (row E25)."""

    PLANNED = "planned"
    URGENT = "urgent"
    PAID = "paid"


class ExceptionKind(StrEnum):
    ABSENCE = "absence"
    CLOSED = "closed"


class DistrictKind(StrEnum):
    """Types of districts (features.md 5.5)."""

    THERAPY = "therapy"
    GENERAL = "general"
    FAMILY = "family"
    COMPLEX = "complex"
    FELDSHER = "feldsher"
    PAEDIATRIC = "paediatric"
    GYNAECOLOGY = "gynaecology"
    DENTAL = "dental"


class Parity(StrEnum):
    ALL = "all"
    ODD = "odd"
    EVEN = "even"


class PageKind(StrEnum):
    INFORMATION = "information"
    FAQ = "faq"
    NEWS = "news"
    HOTLINE = "hotline"
    REGISTRATION = "registration"


class FeedbackStatus(StrEnum):
    NEW = "new"
    ASSIGNED = "assigned"
    ANSWERED = "answered"
    CLOSED = "closed"


class DocumentKind(StrEnum):
    """What proves who somebody is (rows B10, E8)."""

    OMS = "oms"
    SNILS = "snils"
    PASSPORT = "passport"
    DMS = "dms"
    BIRTH_CERTIFICATE = "birth_certificate"
    SOCIAL_CARD = "social_card"


class IdentifyBy(StrEnum):
    """How somebody without an account says who they are: the five variants of E8, and B9's two numbers."""

    NONE = "none"
    OMS = "oms"
    SNILS = "snils"
    PASSPORT = "passport"
    DMS = "dms"
    TWO_DOCUMENTS = "two_documents"
