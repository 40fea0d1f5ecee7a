"""What columns of the personal cabinet are called in the journal."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

CABINET: dict[str, dict[str, Any]] = {
    "account": {
        "login_ciphertext": _l("SNILS to sign in with"),
        "login_index": _l("SNILS to sign in with"),
        "phone_ciphertext": _l("Telephone"),
        "phone_confirmed_at": _l("Telephone confirmed"),
        "password_expires_at": _l("One-time password until"),
        "second_factor": _l("What is asked for at sign-in"),
        "totp_seed_ciphertext": _l("Second key"),
        "erased_at": _l("Deleted by its owner"),
    },
    "account_identity": {
        "issuer": _l("Other system"),
        "subject": _l("Name in the other system"),
        "used_at": _l("Last sign-in"),
    },
    "account_person": {
        "relation": _l("Who it is"),
        "basis": _l("By what right"),
        "proof": _l("Document"),
        "proved_by_id": _l("Who has seen the papers"),
        "agreed_at": _l("Open from"),
        "ends_at": _l("Open until"),
        "consent_id": _l("Consent"),
    },
    "appointment": {"moved_by_owner": _l("Moved by its owner, times")},
    "attachment": {
        "district_id": _l("District"),
        "address_ciphertext": _l("Address"),
        "requested_at": _l("Asked for"),
        "ends_at": _l("Ends"),
        "decided_by_id": _l("Who decided"),
        "note": _l("Note"),
    },
    "prescription": {
        "medicine": _l("Medicine"),
        "dose": _l("Dose"),
        "hours": _l("Hours"),
        "first_day": _l("First day"),
        "last_day": _l("Last day"),
        "stopped_at": _l("Stopped"),
    },
    "referral": {
        "specialty_id": _l("Specialty"),
        "service_id": _l("Service"),
        "issued_at": _l("Given on"),
        "issued_by_id": _l("Who gave it"),
        "role_id": _l("Practitioner"),
        "valid_until": _l("Valid until"),
    },
    "waiting_entry": {
        "role_id": _l("Practitioner"),
        "specialty_id": _l("Specialty"),
        "service_id": _l("Service"),
        "family": _l("Together with"),
        "first_day": _l("First day"),
        "last_day": _l("Last day"),
        "priority": _l("Priority"),
        "offers": _l("Places offered"),
    },
}
