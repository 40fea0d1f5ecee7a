"""What is deleted or emptied by itself after its term; the terms are data (app/data/retention.json).

A turn takes at most a portion of each term; a dry run counts what would go, up to a limit that no page
needs to be exact beyond.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.models.account import OneTimeLink, WebSession
from app.models.appointment import Appointment
from app.models.cabinet import AccountEvent
from app.models.enums import AppointmentStatus as A
from app.models.enums import FeedbackStatus, MessageStatus
from app.models.guest import SurveyAddress
from app.models.medical_document import MedicalDocument, Prescription
from app.models.message import Message
from app.models.page import Feedback
from app.models.sign_in import ContactProof, OidcAttempt, SignInRefusal
from app.rules import audit
from app.rules.actor import Actor
from app.rules.transitions import changed_rows

DATA: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "retention.json").read_text(encoding="utf-8")
)
PORTION: int = DATA["portion"]
COUNTED = 1000
"""Above this a count says «more than»."""
ENDED_VISITS = (A.FULFILLED, A.TURNED_AWAY, A.NOSHOW, A.REJECTED, A.CANCELLED, A.EXPIRED)


@dataclass(frozen=True)
class Term:
    """One line of the data: what, after how many days, by which source."""

    name: str
    days: int
    words: Mapping[str, str]
    source: str


@dataclass(frozen=True)
class Act:
    """Which rows, and what becomes of them: ``values``, or nothing is left (None)."""

    model: type[Any]
    due: Callable[[dt.datetime], Any]
    values: Mapping[str, Any] | None = None


ACTS: dict[str, Act] = {
    "sessions": Act(WebSession, lambda before: WebSession.expires_at < before),
    "links": Act(OneTimeLink, lambda before: OneTimeLink.expires_at < before),
    "proofs": Act(ContactProof, lambda before: ContactProof.expires_at < before),
    "sign_ins": Act(OidcAttempt, lambda before: OidcAttempt.expires_at < before),
    "messages": Act(
        Message,
        lambda before: (Message.status != MessageStatus.DUE)
        & (Message.ended_at < before)
        & (Message.last_error != ""),
        {"last_error": ""},
    ),
    "holds": Act(
        Appointment,
        lambda before: Appointment.status.in_((A.RELEASED, A.EXPIRED))
        & (Appointment.created_at < before)
        & or_(Appointment.phone_ciphertext.is_not(None), Appointment.holder.is_not(None)),
        {"phone_ciphertext": None, "holder": None, "held_from": None},
    ),
    "survey_addresses": Act(SurveyAddress, lambda before: SurveyAddress.created_at < before),
    "events": Act(AccountEvent, lambda before: AccountEvent.at < before),
    "refusals": Act(SignInRefusal, lambda before: SignInRefusal.at < before),
    "documents": Act(
        MedicalDocument,
        lambda before: (MedicalDocument.created_at < before)
        & MedicalDocument.content_ciphertext.is_not(None),
        {"content_ciphertext": None},
    ),
    "prescriptions": Act(Prescription, lambda before: Prescription.last_day < before.date()),
    "visits": Act(
        Appointment,
        lambda before: Appointment.status.in_(ENDED_VISITS)
        & (Appointment.starts_at < before)
        & or_(
            Appointment.phone_ciphertext.is_not(None),
            Appointment.comment != "",
            Appointment.override_reason != "",
        ),
        {"phone_ciphertext": None, "comment": "", "override_reason": ""},
    ),
    "feedback": Act(
        Feedback,
        lambda before: (Feedback.created_at < before)
        & Feedback.status.in_((FeedbackStatus.ANSWERED, FeedbackStatus.CLOSED))
        & (Feedback.question != ""),
        {"name_ciphertext": None, "phone_ciphertext": None, "email_ciphertext": None,
         "email_index": None, "question": "", "answer": ""},
    ),
}  # fmt: skip
"""By the names of the data."""


def terms() -> list[Term]:
    """In the order of the data."""
    return [
        Term(row["name"], row["days"], {"ru": row["ru"], "en": row["en"]}, row["source"])
        for row in DATA["terms"]
    ]


def _due(term: Term, now: dt.datetime, limit: int) -> Select[Any]:
    act = ACTS[term.name]
    model: Any = act.model
    return select(model.id).where(act.due(now - dt.timedelta(days=term.days))).limit(limit)


def dry_run(session: Session, *, now: dt.datetime) -> list[tuple[Term, int]]:
    """How many rows each term would take now, up to ``COUNTED`` and one more."""
    return [
        (
            term,
            session.scalar(
                select(func.count()).select_from(_due(term, now, COUNTED + 1).subquery())
            )
            or 0,
        )
        for term in terms()
    ]


def run(session: Session, *, now: dt.datetime, limit: int = PORTION) -> dict[str, int]:
    """One portion of each term; how many rows went, by name. The caller runs as the system."""
    return {term.name: _take(session, term, now, limit) for term in terms()}


def _take(session: Session, term: Term, now: dt.datetime, limit: int) -> int:
    act = ACTS[term.name]
    model: Any = act.model
    ids = session.scalars(_due(term, now, limit)).all()
    if not ids:
        return 0
    if act.values is None:
        return changed_rows(session, delete(model).where(model.id.in_(ids)))
    return changed_rows(session, update(model).where(model.id.in_(ids)).values(**act.values))


def run_by_hand(
    session: Session, *, actor: Actor, now: dt.datetime, tenant_id: int | None
) -> dict[str, int]:
    """A member of staff starts a turn; it is written down, with how many of each."""
    done = run(session, now=now)
    audit.export(
        session,
        verb="retention.run",
        table="account",
        actor=actor,
        now=now,
        tenant_id=tenant_id,
        filters={name: str(count) for name, count in done.items() if count},
    )
    return done
