"""The texts of letters: which named fields each kind may use, and how they are filled in.

Staff edit these texts, so filling is a plain replacement of ``{name}`` by a known value: no
attributes, no indexes, no formats, and what a value contains is never read as a field again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.models.enums import MessageKind as K
from app.rules import sms
from app.rules.errors import N_, RuleError

FIELD = re.compile(r"\{([a-z_]+)\}")
MAX_SUBJECT = 200


class UnknownField(RuleError):
    code = "unknown_field"
    text = N_(
        "There is no field {%(name)s} for this letter. Use one of the fields listed beside the text."
    )


class StrayBrace(RuleError):
    code = "stray_brace"
    text = N_("A brace stands alone: fields are written as {name}, in small Latin letters.")


class EmptyText(RuleError):
    code = "empty_text"
    text = N_("A letter needs a subject in one line and a text.")


class CodeNeeded(RuleError):
    code = "code_needed"
    text = N_("This SMS is of no use without its code: the field {code} must stand in the text.")


class LinkNeeded(RuleError):
    code = "link_needed"
    text = N_("This letter is of no use without its link: the field {link} must stand in the text.")


COMMON = {
    "centre": N_("name of the blood centre"),
    "site": N_("address of the site"),
}
LINK = {
    "link": N_("the link, for one use"),
    "until": N_("until when the link works"),
}
VISIT = {
    "number": N_("number of the booking"),
    "type": N_("type of donation, or the service"),
    "doctor": N_("the doctor, for a visit to one"),
    "date": N_("date of the visit with its day of the week"),
    "time": N_("time of the visit"),
    "zone": N_("whose clock the time is on"),
    "place": N_("number of the place at that time"),
    "branch": N_("name of the branch"),
    "address": N_("address of the branch"),
    "directions": N_("how to get there"),
    "phone": N_("phone of the branch"),
    "memo": N_("how to prepare"),
    "bookings": N_("address of the donor's list of bookings"),
}
REASON = {"reason": N_("the reason")}
COMMENT = {"comment": N_("the comment of the staff")}
AGAIN = {"again": N_("the first day on which booking is possible again")}
OTHERS = {"others": N_("the nearest other days open to the donor, with their addresses")}
WAS = {"was": N_("the former date and time")}
ADVICE = {"advice": N_("what the reason advises")}
ASKED = {"asked": N_("when the question came")}
CODE = {"code": N_("the code"), "until": N_("the hour until which the code works")}
SHORT_VISIT = {
    "number": N_("number of the booking"),
    "date": N_("date of the visit in figures"),
    "time": N_("time of the visit"),
    "phone": N_("phone of the branch"),
}
SHORT_REASON = {"reason": N_("the reason, shortened")}
OFFER = {
    "link": N_("the page on which both answers can be given"),
    "until": N_("until when the place is kept"),
}
LINE = {"waiting": N_("address of the waiting list in the cabinet")}
ANSWER = {"answer": N_("the answer of the staff")}
NEW_ADDRESS = {"address": N_("the new address, masked")}
CHANGED = {"changed": N_("what was changed: the telephone or the policy")}
MEDICINE = {
    "medicine": N_("the medicine"),
    "dose": N_("how much of it, if staff have written that down"),
    "time": N_("the hour to take it"),
    "relative": N_("whose medicine it is, if a relative’s"),
}
NEXT_DONATION = {
    "possible": N_("each kind of donation with its first date, a line each"),
    "places": N_("address of the page where one books"),
}
COPY = {"document": N_("what kind of document it is")}

RELATIVE = {"relative": N_("whose card it is about")}
ASKER = {"asker": N_("who asks to act for the reader")}
DECISION = {"decision": N_("what was decided, in one sentence")}
DISTRICT = {"district": N_("the district and its doctor")}
REFERRED = {
    "specialty": N_("to which specialist"),
    "valid": N_("until when the referral holds"),
}

FIELDS: dict[K, dict[str, str]] = {
    K.CONFIRM_EMAIL: COMMON | LINK,
    K.ALREADY_REGISTERED: COMMON,
    K.RESET_PASSWORD: COMMON | LINK,
    K.PASSWORD_CHANGED: COMMON,
    K.REQUEST_RECEIVED: COMMON | VISIT,
    K.APPROVED: COMMON | VISIT,
    K.REJECTED: COMMON | VISIT | REASON | ADVICE | COMMENT,
    K.EXPIRED: COMMON | VISIT,
    K.CANCELLED_BY_DONOR: COMMON | VISIT | AGAIN,
    K.CANCELLED_BY_STAFF: COMMON | VISIT | COMMENT,
    K.DAY_CLOSED: COMMON | VISIT | REASON | OTHERS,
    K.REMINDER: COMMON | VISIT,
    K.STAFF_INVITE: COMMON | LINK,
    K.FEEDBACK_RECEIVED: COMMON | ASKED,
    K.FEEDBACK_ANSWERED: COMMON | ASKED | ANSWER,
    K.CONFIRM_CODE: COMMON | CODE | SHORT_VISIT,
    K.BOOKING_LAPSED: COMMON | SHORT_VISIT,
    K.VISIT_CANCELLED: COMMON | SHORT_VISIT | SHORT_REASON,
    K.VISIT_APPROVED: COMMON | SHORT_VISIT,
    K.VISIT_REFUSED: COMMON | SHORT_VISIT | SHORT_REASON,
    K.VISIT_EXPIRED: COMMON | SHORT_VISIT,
    K.MOVED: COMMON | VISIT | WAS,
    K.VISIT_MOVED: COMMON | SHORT_VISIT,
    K.EMAIL_CHANGE: COMMON | LINK,
    K.EMAIL_CHANGED: COMMON | NEW_ADDRESS,
    K.PHONE_CODE: COMMON | CODE,
    K.CONTACT_CHANGED: COMMON | CHANGED,
    K.VISIT_REMINDER: COMMON | SHORT_VISIT,
    K.MEDICATION: COMMON | MEDICINE,
    K.MEDICATION_SMS: COMMON | MEDICINE,
    K.DONATION_DATE: COMMON | NEXT_DONATION,
    K.DATA_READY: COMMON | LINK,
    K.SIGN_IN_CODE: COMMON | CODE,
    K.SIGN_IN_CHANGED: COMMON,
    K.ESIA_LINKED: COMMON,
    K.ESIA_UNLINKED: COMMON,
    K.FAMILY_ASKED: COMMON | LINK | ASKER,
    K.FAMILY_DECIDED: COMMON | RELATIVE | DECISION,
    K.FAMILY_ENDED: COMMON | RELATIVE | DECISION,
    K.ATTACHMENT_DECIDED: COMMON | RELATIVE | DECISION | DISTRICT | COMMENT,
    K.REFERRAL_ISSUED: COMMON | RELATIVE | REFERRED,
    K.PLACE_OFFERED: COMMON | VISIT | OFFER,
    K.VISIT_OFFERED: COMMON | SHORT_VISIT | OFFER,
    K.OFFER_LAPSED: COMMON | VISIT | LINE,
    K.TURN_OVER: COMMON | VISIT | LINE,
    K.PROFILE_CONFIRMED: COMMON,
    K.PROFILE_REFUSED: COMMON | REASON,
    K.DOCUMENT_COPY: COMMON | COPY,
    K.SURVEY: COMMON | LINK | VISIT,
}
"""For each kind: the fields its text may name, with what they stand for (to be translated)."""


def check_letter(kind: K, *, subject: str, body: str) -> None:
    """Whether staff's text can be sent; an SMS has no subject.

    Raises EmptyText, UnknownField, StrayBrace, LinkNeeded, CodeNeeded.
    """
    if kind in sms.KINDS:
        subject = "SMS"
    one_line = len(subject.splitlines()) == 1 and len(subject) <= MAX_SUBJECT
    if not subject.strip() or not body.strip() or not one_line:
        raise EmptyText()
    for text in (subject, body):
        for name in FIELD.findall(text):
            if name not in FIELDS[kind]:
                raise UnknownField(name=name)
        if re.search(r"[{}]", FIELD.sub("", text)):
            raise StrayBrace()
    if "link" in FIELDS[kind] and "{link}" not in body:
        raise LinkNeeded()
    if "code" in FIELDS[kind] and "{code}" not in body:
        raise CodeNeeded()


def filled(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its fields replaced. A line whose every field is empty is left out.

    Raises UnknownField for a field without a value: nobody gets a letter with a hole.
    """
    lines = [_line(line, values) for line in text.splitlines()]
    said = "\n".join(line for line in lines if line is not None)
    return re.sub(r"\n{3,}", "\n\n", said).strip() + "\n"


def subject_line(text: str, values: Mapping[str, str]) -> str:
    """The subject: one line, no control characters, whatever the values hold."""
    line = " ".join(filled(text, values).split())
    return "".join(c for c in line if c.isprintable())[:MAX_SUBJECT]


def _line(line: str, values: Mapping[str, str]) -> str | None:
    names = FIELD.findall(line)
    for name in names:
        if name not in values:
            raise UnknownField(name=name)
    if names and not any(values[name].strip() for name in names):
        return None
    return FIELD.sub(lambda match: values[match[1]].strip(), line)
