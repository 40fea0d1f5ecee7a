"""Closed lists of the personal cabinet: what an account, its family and its cards may be or be told."""

from __future__ import annotations

from enum import StrEnum


class SecondFactor(StrEnum):
    """What is asked for after the password (row E46)."""

    NONE = "none"
    SMS = "sms"
    TOTP = "totp"


class FamilyBasis(StrEnum):
    """By what right one acts for a relative (rows C8–C10)."""

    BIRTH_CERTIFICATE = "birth_certificate"
    GUARDIANSHIP = "guardianship"
    OWN_CONSENT = "own_consent"


class ContactKind(StrEnum):
    """What a code or a link sent to an account proves."""

    EMAIL = "email"
    PHONE = "phone"
    SIGN_IN = "sign_in"
    CARD = "card"
    """Nothing that is sent: the card asked for at registration, until the address is confirmed (C1, C7)."""


class AttachmentStatus(StrEnum):
    """«Прикрепление»: asked for, in force, refused, ended."""

    REQUESTED = "requested"
    ACTIVE = "active"
    REFUSED = "refused"
    ENDED = "ended"


class AttachmentSource(StrEnum):
    """How an attachment came about."""

    ADDRESS = "address"
    STAFF = "staff"
    REGISTRY = "registry"


class PaperKind(StrEnum):
    """Copies of medical documents that go by e-mail (row C17)."""

    TEST_RESULTS = "test_results"
    OUTPATIENT_CARD = "outpatient_card"
    OTHER = "other"


class ConfirmationStatus(StrEnum):
    """Of a request to confirm a profile by a paper consent (row C16)."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class NoticeEvent(StrEnum):
    """What an account may be told of, each to be switched off by itself."""

    BOOKING = "booking"
    REMINDER = "reminder"
    MEDICATION = "medication"
    DONATION_DATE = "donation_date"
    OFFER = "offer"
    DOCUMENT = "document"
    SURVEY = "survey"


class AccountEventKind(StrEnum):
    """Lines of the event log (row E55)."""

    SIGN_IN = "sign_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGN_OUT = "sign_out"
    PASSWORD = "password"  # noqa: S105 - a word of the log, no secret
    CONTACT = "contact"
    POLICY = "policy"
    SECOND_FACTOR = "second_factor"
    BOOKED = "booked"
    BOOKING_REFUSED = "booking_refused"
    CANCELLED = "cancelled"
    MOVED = "moved"
    FAMILY = "family"
    ATTACHMENT = "attachment"
    CONSENT_GIVEN = "consent_given"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    DOCUMENT_SENT = "document_sent"
    DATA_EXPORTED = "data_exported"
    NOTICES = "notices"
    REVIEW = "review"
    WAITING = "waiting"


class ReviewStatus(StrEnum):
    """A review is read by staff before anybody else."""

    NEW = "new"
    PUBLISHED = "published"
    HIDDEN = "hidden"


class QuestionKind(StrEnum):
    """How a question of the survey is answered."""

    STARS = "stars"
    YES_NO = "yes_no"
    TEXT = "text"


class WaitingStatus(StrEnum):
    """Of somebody who waits for a place (N6)."""

    WAITING = "waiting"
    OFFERED = "offered"
    BOOKED = "booked"
    LEFT = "left"
    LAPSED = "lapsed"


class OfferStatus(StrEnum):
    """Of one place offered to one who waits."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
