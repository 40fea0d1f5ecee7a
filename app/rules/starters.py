"""The rows a new organization begins with: its policy, texts, reasons, and the medical numbers (app/data)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.models.appointment import RejectionReason
from app.models.consent import ConsentText
from app.models.donation_type import DonationInterval, DonationLimit, DonationType
from app.models.enums import Confirmation, ConsentPurpose, DonationKind, IdentifyBy, Sex
from app.models.policy import BookingPolicy
from app.models.policy_choices import ConsentStep, Entry, PhoneRule, Wording
from app.rules import surveys
from app.rules.errors import Words

DATA = Path(__file__).parent.parent / "data"
NOTES = ("note", "confirmation")
FIRST_WAY = "registry"
"""How a new polyclinic books until its administrator chooses another way."""


@cache
def starter(name: str) -> dict[str, Any]:
    """A file of app/data as a dictionary; not to be changed."""
    found: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return found


def ways() -> dict[str, Words]:
    """The ways of booking a doctor that a policy may start from (design.md, columns B to E), by key."""
    return {
        key: Words(way["name_ru"], way["name_en"])
        for key, way in starter("patient_policy")["ways"].items()
    }


def way(key: str) -> dict[str, Any]:
    """Every setting of that way, as BookingPolicy has them. Raises KeyError."""
    chosen = starter("patient_policy")["ways"][key]
    common = starter("patient_policy")["common"]
    return {
        **common,
        **{name: chosen[name] for name in common if name in chosen},
        "source": chosen["source"],
        "confirmation": Confirmation(chosen["confirmation"]),
        "entry": Entry(chosen["entry"]),
        "methods": tuple(IdentifyBy(each) for each in chosen["methods"]),
        "consent": ConsentStep(chosen["consent"]),
        "phone": PhoneRule(chosen["phone"]),
        "kiosk_seconds": chosen["kiosk_seconds"],
        "kiosk_dark": chosen["kiosk_dark"],
        "wording": Wording(chosen["wording"]),
    }


def blood_centre(session: Session, tenant_id: int, now: dt.datetime) -> None:
    """Policy of seed A, medical numbers to be checked, donation types, reasons, the text of the consent."""
    numbers = {k: v for k, v in starter("donor_policy").items() if k not in NOTES}
    session.add(
        BookingPolicy(
            tenant_id=tenant_id,
            valid_from=now,
            created_at=now,
            confirmation=Confirmation.APPROVAL,
            **numbers,
        )
    )
    _medical_numbers(session, tenant_id)
    first = starter("starter")
    for position, fields in enumerate(first["donation_types"]):
        kind = DonationKind(fields["kind"])
        session.add(
            DonationType(tenant_id=tenant_id, position=position, **{**fields, "kind": kind})
        )
    _reasons(session, tenant_id, first["rejection_reasons"])
    _consent(session, tenant_id, ConsentPurpose.BOOKING, first, "consent", now)
    texts = starter("identification")
    _consent(session, tenant_id, ConsentPurpose.DOCUMENTS, texts, "documents", now)
    surveys.begin(session, tenant_id)


def polyclinic(session: Session, tenant_id: int, now: dt.datetime, *, key: str = FIRST_WAY) -> None:
    """Policy of the way ``key``, reasons, the texts of both consents (D10, E14)."""
    session.add(BookingPolicy(tenant_id=tenant_id, valid_from=now, created_at=now, **way(key)))
    _reasons(session, tenant_id, starter("patient_policy")["rejection_reasons"])
    texts = starter("identification")
    _consent(session, tenant_id, ConsentPurpose.BOOKING, texts, "consent", now)
    _consent(session, tenant_id, ConsentPurpose.SURVEY, texts, "survey", now)
    _consent(session, tenant_id, ConsentPurpose.FAMILY, texts, "family", now)
    _consent(session, tenant_id, ConsentPurpose.DOCUMENTS, texts, "documents", now)
    surveys.begin(session, tenant_id)


def _medical_numbers(session: Session, tenant_id: int) -> None:
    rules = starter("donation_rules")
    valid_from = dt.date.fromisoformat(rules["valid_from"])
    session.add_all(
        DonationInterval(
            tenant_id=tenant_id,
            from_kind=DonationKind(before),
            to_kind=DonationKind(after),
            days=days,
            valid_from=valid_from,
            source=rules["intervals"]["source"],
            to_check=True,
        )
        for before, row in rules["intervals"]["days"].items()
        for after, days in row.items()
    )
    session.add_all(
        DonationLimit(
            tenant_id=tenant_id,
            kind=DonationKind(limit["kind"]),
            sex=Sex(limit["sex"]),
            times=limit["times"],
            valid_from=valid_from,
            source=limit["source"],
            to_check=limit["to_check"],
        )
        for limit in rules["limits"]
    )


def _reasons(session: Session, tenant_id: int, reasons: list[dict[str, str]]) -> None:
    for position, fields in enumerate(reasons):
        session.add(RejectionReason(tenant_id=tenant_id, position=position, **fields))


def _consent(
    session: Session,
    tenant_id: int,
    purpose: ConsentPurpose,
    texts: dict[str, Any],
    name: str,
    now: dt.datetime,
) -> None:
    russian = texts[f"{name}_ru"]
    session.add(
        ConsentText(
            tenant_id=tenant_id,
            purpose=purpose,
            version=1,
            text_ru=russian,
            text_en=texts[f"{name}_en"],
            sha256=hashlib.sha256(russian.encode()).hexdigest(),
            valid_from=now,
        )
    )
