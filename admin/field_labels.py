"""What columns are called in the journal where no view of the back office lists or asks for them."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

UNTOLD = frozenset(
    {
        "id",
        "uid",
        "tenant_id",
        "root_id",
        "search_name",
        "phone_index",
        "sha256",
        "keeps_slot",
        "totp_last_step",
        "filled",
        "matrix",
        "report",
        "summary",
        "affected",
        "facts",
        "changes",
        "key",
        "locked_until",
        "updated_at",
    }
)
"""Columns for the machine: what they hold says nothing to a reader, or is said by another column."""

EVERYWHERE: dict[str, Any] = {
    "account_id": _l("Donor's account"),
    "actor_id": _l("Who"),
    "actor_kind": _l("Who"),
    "appointment_id": _l("Booking"),
    "at": _l("When"),
    "code": _l("Code"),
    "created_at": _l("Entered"),
    "created_by_id": _l("Author"),
    "donation_type_id": _l("Donation type"),
    "donor_code": _l("Donor code"),
    "email": _l("E-mail"),
    "ended_at": _l("Ended"),
    "is_active": _l("Works"),
    "kind": _l("Kind"),
    "locale": _l("Language"),
    "organization_id": _l("Branch"),
    "person_id": _l("Donor card"),
    "reason": _l("Reason"),
    "reason_id": _l("Reason"),
    "record_id": _l("Record in the file"),
    "schedule_id": _l("Donor day"),
    "source": _l("Source"),
    "staff_user_id": _l("Member of staff"),
    "starts_at": _l("Begins"),
    "status": _l("State"),
    "to_check": _l("To check"),
    "valid_from": _l("Holds from"),
    "version": _l("Version"),
    "withdrawn_at": _l("Withdrawn on"),
}
"""Names that mean the same in every table."""

LABELS: dict[str, dict[str, Any]] = {
    "access_event": {"action": _l("On which page"), "ip": _l("From the address")},
    "account": {
        "email_confirmed_at": _l("Address confirmed"),
        "password_hash": _l("Password"),
        "password_changed_at": _l("Password changed"),
        "created_at": _l("Registered"),
    },
    "appointment": {
        "slot_id": _l("Place"),
        "policy_id": _l("Version of the booking rules"),
        "requested_at": _l("Booking asked for"),
        "hold_until": _l("The place is kept until"),
        "hold_extended": _l("Kept longer, times"),
        "held_from": _l("From the address"),
        "decide_by": _l("To be decided by"),
        "decided_at": _l("Decided"),
        "decided_by_id": _l("Who decided"),
        "undo_until": _l("The decision can be undone until"),
        "comment": _l("Comment for the donor"),
        "override_reason": _l("Why approve all the same"),
        "overridden": _l("Checks that were overruled"),
        "linked_record_id": _l("Record in the file"),
        "ended_by": _l("Who ended it"),
    },
    "audit_event": {
        "verb": _l("What was done"),
        "subject": _l("To what"),
        "subject_id": _l("To what"),
    },
    "consent_text": {
        "purpose": _l("What for"),
        "text_ru": _l("Text in Russian"),
        "text_en": _l("Text in English"),
    },
    "deferral": {"starts_on": _l("First day"), "ends_on": _l("Last day")},
    "donation": {"kind": _l("What was given"), "on_date": _l("Day"), "note": _l("Note")},
    "donation_interval": {
        "from_kind": _l("After the donation"),
        "to_kind": _l("Before the donation"),
        "days": _l("Days between donations"),
    },
    "donation_limit": {"kind": _l("What is drawn"), "times": _l("Times a year")},
    "donation_pause": {
        "ends_at": _l("Ends"),
        "notice_ru": _l("Notice in Russian"),
        "notice_en": _l("Notice in English"),
    },
    "donor_import": {
        "file_name": _l("File"),
        "uploaded_at": _l("Loaded"),
        "uploaded_by_id": _l("Who loaded it"),
        "applied_at": _l("Applied"),
        "ended_by_id": _l("Who ended it"),
        "new": _l("Lines with new donors"),
        "changed": _l("Lines with changes"),
        "same": _l("Lines without changes"),
        "bad": _l("Lines that cannot be read"),
    },
    "donor_record": {"code": _l("Donor code")},
    "message": {"run_at": _l("To be sent")},
    "message_template": {
        "kind": _l("Letter"),
        "subject": _l("Subject"),
        "body": _l("Text"),
    },
    "person": {
        "phone": _l("Telephone"),
        "phone_ciphertext": _l("Telephone"),
        "reason": _l("What for"),
        "created_at": _l("Card since"),
    },
    "publication": {
        "title": _l("Name, for yourself"),
        "publish_at": _l("To be published"),
        "published_at": _l("Published on"),
        "days": _l("Days"),
        "places": _l("Places"),
    },
    "schedule": {
        "publication_id": _l("Publication"),
        "date": _l("Date"),
        "start_time": _l("Hours from"),
        "end_time": _l("Hours until"),
        "step_minutes": _l("Step, minutes"),
        "places_per_time": _l("Places per time"),
        "total": _l("Places a day"),
        "blood_types": _l("Blood groups"),
        "kell_key": _l("Kell"),
        "sex_key": _l("Sex"),
        "first_time": _l("First-time donors"),
        "closed_reason": _l("Reason"),
    },
    "staff_user": {
        "password_hash": _l("Password"),
        "totp_seed_ciphertext": _l("Second key"),
        "totp_confirmed_at": _l("Telephone set up"),
        "is_active": _l("Works"),
    },
}
"""Table → column → its name. Lines of the journal that are no columns (counts, checks) stand here too."""
