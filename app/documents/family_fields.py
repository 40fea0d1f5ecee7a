"""The fields of letters about a family, an attachment and a referral: names are read as the letter is written."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext
from sqlalchemy.orm import Session

from app import i18n
from app.documents import words
from app.models.attachment import Attachment, Referral
from app.models.enums import MessageKind as K
from app.models.message import Message
from app.models.person import Person
from app.rules import attachments, families, family_answers
from app.rules.clock import local_date
from app.rules.districts import doctors_on

ABOUT = frozenset(
    {
        K.FAMILY_ASKED,
        K.FAMILY_DECIDED,
        K.FAMILY_ENDED,
        K.ATTACHMENT_DECIDED,
        K.REFERRAL_ISSUED,
    }
)
SAID = {
    K.FAMILY_DECIDED: family_answers.DECISIONS,
    K.FAMILY_ENDED: family_answers.ENDINGS,
    K.ATTACHMENT_DECIDED: attachments.DECISIONS,
}


def values_of(session: Session, message: Message) -> dict[str, str]:
    """Nothing for other letters; a field that the letter does not have is empty."""
    if message.kind not in ABOUT:
        return {}
    facts = message.facts
    values = {**dict.fromkeys(samples(), ""), "comment": ""}
    person = session.get(Person, facts.get("person_id")) if facts.get("person_id") else None
    values["relative"] = person.full_name if person is not None else ""
    asker = facts.get("asker_id")
    if asker is not None:
        names = families.names_of(session, account_ids=[asker], tenant_id=message.tenant_id)
        values["asker"] = names.get(asker, "")
    sentence = SAID.get(message.kind, {}).get(facts.get("decision", ""))
    values["decision"] = gettext(sentence) if sentence else ""
    attached = session.get(Attachment, facts.get("attachment_id") or 0)
    if attached is not None:
        values |= {"district": _district(session, attached), "comment": attached.note}
    referral = session.get(Referral, facts.get("referral_id") or 0)
    if referral is not None:
        values["specialty"] = i18n.localized(referral.specialty, "name")
        values["valid"] = words.written(referral.valid_until)
    return values


def _district(session: Session, row: Attachment) -> str:
    """«№ 12, Терапевтический, врач: …»; empty where the district is not known."""
    if row.district is None:
        return ""
    since = row.starts_at or row.requested_at
    on = local_date(since, row.organization.time_zone)
    doctor = doctors_on(session, district_ids=[row.district.id], on=on).get(row.district.id)
    name = f"№ {row.district.number}, {i18n.label(row.kind)}"
    return f"{name}, {doctor.role.practitioner.full_name}" if doctor is not None else name


def samples() -> dict[str, str]:
    """Invented values, in the current locale."""
    decided = attachments.DECISIONS["accepted"]
    return {
        "relative": gettext("Ivanova Mariya Petrovna"),
        "asker": gettext("Ivanov Pyotr Sergeyevich"),
        "decision": gettext(decided),
        "district": gettext("№ 12, Therapeutic"),
        "specialty": gettext("Neurologist"),
        "valid": words.written(dt.date(2030, 12, 31)),
    }
