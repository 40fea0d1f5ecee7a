"""SMS: which messages are ones, how many parts a text takes, and which numbers they reach."""

from __future__ import annotations

import re

from app.models.enums import MessageKind
from app.rules.errors import N_, RuleError

INSTEAD = {
    MessageKind.APPROVED: MessageKind.VISIT_APPROVED,
    MessageKind.REJECTED: MessageKind.VISIT_REFUSED,
    MessageKind.EXPIRED: MessageKind.VISIT_EXPIRED,
    MessageKind.MOVED: MessageKind.VISIT_MOVED,
    MessageKind.CANCELLED_BY_STAFF: MessageKind.VISIT_CANCELLED,
    MessageKind.DAY_CLOSED: MessageKind.VISIT_CANCELLED,
}
"""A letter that nobody may miss, and the SMS for whom no letter reaches."""
CODES = frozenset({MessageKind.PHONE_CODE, MessageKind.SIGN_IN_CODE})
"""Codes of an account: to the number that is being proved, if one is."""
OF_ACCOUNT = frozenset({*CODES, MessageKind.MEDICATION_SMS})
"""To the telephone of an account, about no booking."""
KINDS = frozenset(
    {
        MessageKind.CONFIRM_CODE,
        MessageKind.BOOKING_LAPSED,
        MessageKind.VISIT_REMINDER,
        *OF_ACCOUNT,
        MessageKind.VISIT_OFFERED,
        *INSTEAD.values(),
    }
)
"""These go out as SMS: their texts have no subject."""
MOST_PARTS = 2
MOBILE = re.compile(r"\+79[0-9]{9}")
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = frozenset("^{}\\[~]|€")
"""3GPP TS 23.038, 6.2.1: the alphabet of short texts, and the characters that take two places."""


class NeverSent(Exception):
    """No try will ever succeed; the words go into the ledger and name nobody."""


class SmsTooLong(RuleError):
    code = "sms_too_long"
    text = N_(
        "With invented values this SMS takes %(parts)s parts; at most %(most)s are allowed: shorten it, please."
    )


def parts(text: str) -> int:
    """How many SMS ``text`` takes: 160 signs or 153 in each of several; with Cyrillic 70 or 67."""
    if all(char in GSM or char in GSM_TWICE for char in text):
        size = len(text) + sum(char in GSM_TWICE for char in text)
        whole, each = 160, 153
    else:
        size, whole, each = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if size <= whole else -(-size // each)


def mobile(number: str | None) -> str:
    """``number`` if an SMS reaches it («+79001234567»). Raises NeverSent with the reason."""
    if not number:
        raise NeverSent("no phone number")
    if not MOBILE.fullmatch(number):
        raise NeverSent("not a mobile number")
    return number
