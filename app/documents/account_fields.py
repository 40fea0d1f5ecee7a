"""Fields of messages about an account and not about one booking; whom these go to; the way to stop them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flask import current_app
from flask_babel import gettext
from sqlalchemy.orm import Session

from app import formats, i18n
from app.documents import words
from app.models.enums import DonationKind, MessageKind
from app.models.message import Message
from app.models.person import Person
from app.rules import account_factor, clock, contacts, delivery, donation_dates, medication, notices

K = MessageKind
TO_PROOF = frozenset({K.EMAIL_CHANGE, K.EMAIL_CHANGED})
"""Letters to the address that the row holds: the new one, then the former one."""
ZONE = "Europe/Moscow"
Address = Callable[[str], str]
"""From a path to the whole address."""


def recipient(session: Session, message: Message) -> str:
    """The address of a letter that does not go to its account's present one; empty for all others."""
    if message.kind not in TO_PROOF:
        return ""
    proof = delivery.proof_of(session, message)
    return (proof.value or "") if proof is not None else ""


def of_account(
    session: Session, message: Message, address: Address, *, now: dt.datetime
) -> dict[str, str]:
    """The values of these kinds' own fields, in the current locale; of other kinds none."""
    if message.kind in (K.EMAIL_CHANGE, K.EMAIL_CHANGED, K.PHONE_CODE, K.SIGN_IN_CODE):
        return _of_proof(session, message, address)
    if message.kind is K.CONTACT_CHANGED:
        return {"changed": changed_words().get(message.facts.get("what", ""), "")}
    if message.kind in (K.MEDICATION, K.MEDICATION_SMS):
        return _of_medicine(session, message)
    if message.kind is K.DONATION_DATE:
        found = donation_dates.of_message(session, message, now=now)
        return {"possible": _kinds(found.dates, found.today), "places": address("/")}
    return {}


def _of_proof(session: Session, message: Message, address: Address) -> dict[str, str]:
    proof = delivery.proof_of(session, message)
    if proof is None:
        return {"link": "", "until": "", "code": "", "address": ""}
    until = clock.local(proof.expires_at, ZONE)
    if message.kind is K.EMAIL_CHANGE:
        path = f"/profile/email/{contacts.email_token(proof)}"
        hour = f"{i18n.hour(until.time())} {formats.zone_words(ZONE, proof.expires_at)}"
        return {"link": address(path), "until": f"{words.written(until.date())}, {hour}"}
    if message.kind is K.EMAIL_CHANGED:
        return {"address": formats.masked_email(proof.account.email or "")}
    code = account_factor.code_of if message.kind is K.SIGN_IN_CODE else contacts.phone_code
    return {"code": code(proof), "until": i18n.hour(until.time())}


def changed_words() -> dict[str, str]:
    """By the fact «what» of the message."""
    return {"phone": gettext("the telephone"), "policy": gettext("the number of the policy")}


def _of_medicine(session: Session, message: Message) -> dict[str, str]:
    row = medication.of_message(session, message)
    if row is None:
        return dict.fromkeys(("medicine", "dose", "time", "relative"), "")
    own = medication.is_own(session, account_id=message.account_id or 0, person_id=row.person_id)
    person = session.get_one(Person, row.person_id)
    return {
        "medicine": row.medicine,
        "dose": row.dose,
        "time": str(message.facts.get("hour", "")),
        "relative": "" if own else person.given_name,
    }


def _kinds(dates: dict[DonationKind, dt.date], today: dt.date) -> str:
    lines = []
    for kind, day in sorted(dates.items(), key=lambda pair: (pair[1], pair[0])):
        when = gettext("now") if day <= today else gettext("from %(date)s", date=words.written(day))
        lines.append(f"{i18n.label(kind)}: {when}")
    return "\n".join(lines)


def samples(address: Address) -> dict[str, str]:
    """Every field with an invented value, in the current locale."""
    today = dt.date(2030, 11, 25)
    return {
        "address": "i***@d***.ru",
        "changed": changed_words()["phone"],
        "medicine": gettext("Vitamin D"),
        "dose": gettext("1 tablet"),
        "relative": "",
        "possible": _kinds(
            {DonationKind.PLASMA: today, DonationKind.BLOOD: today + dt.timedelta(days=30)}, today
        ),
        "places": address("/"),
    }


def stop_address(message: Message) -> str:
    """Where these letters are stopped without signing in; empty where they cannot be, or go to nobody's
    account."""
    event = notices.event_of(message.kind)
    if event is None or message.account is None:
        return ""
    token = notices.stop_token(message.account, event, message.channel)
    return f"{current_app.config['PUBLIC_URL']}/notices/stop/{token}"


def stop_words(address: str) -> str:
    """The last lines of a letter that can be stopped."""
    return gettext("To get no more letters of this kind, open this address:") + f"\n{address}"
