"""Closed lists of messages and links: what is told, by what way, how it ends. ``enums`` gives them on."""

from __future__ import annotations

from enum import StrEnum


class LinkPurpose(StrEnum):
    CONFIRM_EMAIL = "confirm_email"
    RESET_PASSWORD = "reset_password"
    STAFF_INVITE = "staff_invite"
    DATA_EXPORT = "data_export"
    """Everything that is kept about an account, to be taken away once (N15)."""
    JOIN_FAMILY = "join_family"
    """An adult relative agrees to be represented (C8)."""


class MessageStatus(StrEnum):
    """Due → sent; obsolete = no longer true or too late; dead = all tries failed: phone the person."""

    DUE = "due"
    SENT = "sent"
    OBSOLETE = "obsolete"
    DEAD = "dead"


class MessageKind(StrEnum):
    CONFIRM_EMAIL = "confirm_email"
    ALREADY_REGISTERED = "already_registered"
    RESET_PASSWORD = "reset_password"
    PASSWORD_CHANGED = "password_changed"
    REQUEST_RECEIVED = "request_received"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED_BY_DONOR = "cancelled_by_donor"
    CANCELLED_BY_STAFF = "cancelled_by_staff"
    DAY_CLOSED = "day_closed"
    REMINDER = "reminder"
    STAFF_INVITE = "staff_invite"
    FEEDBACK_RECEIVED = "feedback_received"
    FEEDBACK_ANSWERED = "feedback_answered"
    CONFIRM_CODE = "confirm_code"
    BOOKING_LAPSED = "booking_lapsed"
    VISIT_CANCELLED = "visit_cancelled"
    VISIT_APPROVED = "visit_approved"
    VISIT_REFUSED = "visit_refused"
    VISIT_EXPIRED = "visit_expired"
    MOVED = "moved"
    VISIT_MOVED = "visit_moved"
    ESIA_LINKED = "esia_linked"
    ESIA_UNLINKED = "esia_unlinked"
    FAMILY_ASKED = "family_asked"
    FAMILY_DECIDED = "family_decided"
    FAMILY_ENDED = "family_ended"
    ATTACHMENT_DECIDED = "attachment_decided"
    REFERRAL_ISSUED = "referral_issued"
    PROFILE_CONFIRMED = "profile_confirmed"
    PROFILE_REFUSED = "profile_refused"
    DOCUMENT_COPY = "document_copy"
    """With the copy of a medical document attached (row C17)."""
    SURVEY = "survey"
    """The questionnaire after a visit (row E14)."""
    EMAIL_CHANGE = "email_change"
    """To the new address, with the link that proves it (E56)."""
    EMAIL_CHANGED = "email_changed"
    """To the former address."""
    PHONE_CODE = "phone_code"
    CONTACT_CHANGED = "contact_changed"
    VISIT_REMINDER = "visit_reminder"
    """The reminder by SMS, where the policy lets accounts have any (E53)."""
    MEDICATION = "medication"
    MEDICATION_SMS = "medication_sms"
    DONATION_DATE = "donation_date"
    DATA_WANTED = "data_wanted"
    """Nothing to be sent: an archive of one's own data to be made (app.rules.data_archive)."""
    DATA_READY = "data_ready"
    SIGN_IN_CODE = "sign_in_code"
    """The second factor by SMS (E46)."""
    SIGN_IN_CHANGED = "sign_in_changed"
    """Another way of signing in: a second factor, a one-time password issued by staff."""
    PLACE_FREED = "place_freed"
    """Nothing to be sent: to whom of the waiting list is this place offered (app.rules.freed)?"""
    PLACE_OFFERED = "place_offered"
    VISIT_OFFERED = "visit_offered"
    OFFER_LAPSED = "offer_lapsed"
    TURN_OVER = "turn_over"


class MessageChannel(StrEnum):
    """By what way a message goes out."""

    EMAIL = "email"
    SMS = "sms"
