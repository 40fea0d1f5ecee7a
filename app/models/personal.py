"""Which columns are personal data, by class. A new text, date or binary column must be named here.

Classes: ``ident`` names a person, ``contact`` reaches one, ``health`` is about health (152-FZ, art. 10),
``secret`` opens something, ``trace`` tells where from; ``plain`` is not about a person. Keys,
numbers, flags, instants and closed lists are plain unless they are listed.
"""

from __future__ import annotations

from sqlalchemy import Date, Enum, LargeBinary, String
from sqlalchemy.types import JSON, TypeEngine

PERSONAL: dict[str, dict[str, str]] = {
    "account": {
        "email": "contact",
        "password_hash": "secret",
        "locale": "plain",
    },
    "address_import": {"file_name": "plain", "lines": "plain", "report": "plain"},
    "address_point": {
        "settlement": "plain",
        "street": "plain",
        "street_key": "plain",
        "house": "plain",
    },
    "appointment": {
        "held_from": "trace",
        "comment": "health",
        "override_reason": "health",
        "code_nonce": "secret",
        "holder": "trace",
        "phone_ciphertext": "contact",
    },
    "consent": {"sha256": "plain", "ip": "trace", "user_agent": "trace"},
    "deferral": {"reason": "health", "starts_on": "health", "ends_on": "health", "kind": "health"},
    "donation": {"on_date": "health", "note": "health", "kind": "health"},
    "donor": {
        "donor_code": "ident",
        "blood_group": "health",
        "rh": "health",
        "kell": "health",
    },
    "donor_import": {
        "file_name": "plain",
        "sha256": "plain",
        "summary": "plain",
        "affected": "plain",
    },
    "donor_import_row": {
        "code": "ident",
        "reason": "plain",
        "values": "health",
        "changes": "health",
    },
    "donor_record": {
        "code": "ident",
        "family_name": "ident",
        "given_name": "ident",
        "patronymic": "ident",
        "search_name": "ident",
        "filled": "plain",
        "birth_date": "ident",
        "sex": "ident",
        "blood_group": "health",
        "rh": "health",
        "kell": "health",
    },
    "access_event": {"action": "plain", "ip": "trace"},
    "audit_event": {"verb": "plain", "subject": "plain", "changes": "plain"},
    "appointment_event": {"event": "plain"},
    "booking_policy": {"source": "plain", "methods": "plain"},
    "consent_text": {"text_ru": "plain", "text_en": "plain", "sha256": "plain"},
    "department": {
        "code": "plain",
        "name": "plain",
        "kind": "plain",
        "address": "plain",
        "phone": "plain",
    },
    "directory_import": {"file_name": "plain", "lines": "plain", "report": "plain"},
    "district": {"number": "plain", "note": "plain"},
    "district_doctor": {"starts_on": "plain", "ends_on": "plain"},
    "district_import": {"file_name": "plain", "lines": "plain", "report": "plain"},
    "district_range": {
        "settlement": "plain",
        "street": "plain",
        "street_key": "plain",
        "houses": "plain",
        "except_houses": "plain",
    },
    "donation_interval": {"source": "plain", "valid_from": "plain"},
    "donation_limit": {"source": "plain", "valid_from": "plain"},
    "donation_pause": {"notice_ru": "plain", "notice_en": "plain"},
    "donation_type": {
        "code": "plain",
        "name_ru": "plain",
        "name_en": "plain",
        "memo_ru": "plain",
        "memo_en": "plain",
    },
    "feedback": {
        "name_ciphertext": "ident",
        "phone_ciphertext": "contact",
        "email_ciphertext": "contact",
        "email_index": "contact",
        "question": "health",
        "answer": "health",
        "locale": "plain",
    },
    "guest": {
        "holder": "secret",
        "phone_ciphertext": "contact",
        "email_ciphertext": "contact",
        "locale": "plain",
    },
    "healthcare_service": {
        "code": "plain",
        "name_ru": "plain",
        "name_en": "plain",
        "edition": "plain",
        "memo_ru": "plain",
        "memo_en": "plain",
    },
    "heartbeat": {"name": "plain", "error": "plain"},
    "mailbox_letter": {"recipient": "contact", "subject": "contact", "source": "contact"},
    "message": {"key": "plain", "facts": "plain", "last_error": "plain"},
    "message_template": {"locale": "plain", "subject": "plain", "body": "plain"},
    "one_time_link": {"nonce": "secret"},
    "organization": {
        "name": "plain",
        "short_name": "plain",
        "settlement": "plain",
        "address": "plain",
        "directions": "plain",
        "phone": "plain",
        "phones": "plain",
        "site": "plain",
        "hours": "plain",
        "institution": "plain",
        "time_zone": "plain",
    },
    "page": {
        "slug": "plain",
        "title_ru": "plain",
        "title_en": "plain",
        "body_ru": "plain",
        "body_en": "plain",
    },
    "person": {
        "family_name": "ident",
        "given_name": "ident",
        "patronymic": "ident",
        "search_name": "ident",
        "birth_date": "ident",
        "sex": "ident",
        "phone_ciphertext": "contact",
        "phone_index": "contact",
    },
    "person_document": {"number_ciphertext": "ident", "number_index": "ident"},
    "practitioner": {
        "code": "plain",
        "family_name": "plain",
        "given_name": "plain",
        "patronymic": "plain",
        "search_name": "plain",
        "position": "plain",
        "note_ru": "plain",
        "note_en": "plain",
    },
    "practitioner_role": {"room": "plain"},
    "publication": {"title": "plain", "matrix": "plain", "report": "plain"},
    "rejection_reason": {
        "text_ru": "plain",
        "text_en": "plain",
        "advice_ru": "plain",
        "advice_en": "plain",
    },
    "schedule": {
        "date": "plain",
        "kell_key": "plain",
        "sex_key": "plain",
        "closed_reason": "plain",
    },
    "schedule_exception": {"first_day": "plain", "last_day": "plain", "reason": "health"},
    "schedule_template": {"title": "plain"},
    "specialty": {"code": "plain", "name_ru": "plain", "name_en": "plain"},
    "staff_user": {
        "email": "contact",
        "full_name": "ident",
        "password_hash": "secret",
        "totp_seed_ciphertext": "secret",
        "locale": "plain",
    },
    "survey_address": {"email_ciphertext": "contact"},
    "template_line": {"times": "plain"},
    "throttle": {"bucket": "trace"},
    "web_session": {"token_hash": "secret", "ip": "trace", "user_agent": "trace"},
}


def needs_class(column_type: TypeEngine[object]) -> bool:
    """Whether a column of this type could hold personal data, and so has to be named above."""
    return isinstance(column_type, (String, LargeBinary, JSON, Date)) and not isinstance(
        column_type, Enum
    )


def is_personal(table: str, column: str) -> bool:
    return PERSONAL.get(table, {}).get(column, "plain") != "plain"
