"""Texts that staff keep: letters in two languages, and consent in versions."""

from __future__ import annotations

import datetime as dt
import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.consent import ConsentText
from app.models.enums import ConsentPurpose, MessageKind
from app.models.message import MessageTemplate
from app.rules import audit, sms
from app.rules.actor import Actor
from app.rules.errors import N_, RuleError
from app.rules.letters import check_letter
from app.rules.organizations import demand_over


class TextNeeded(RuleError):
    code = "text_needed"
    text = N_("The text is needed in both languages.")


class SameText(RuleError):
    code = "same_text"
    text = N_("The text is the same as in the version before.")


class TooEarly(RuleError):
    code = "consent_too_early"
    text = N_("A version holds from now on or later, and after the one before it.")


def letters(session: Session, *, tenant_id: int) -> dict[tuple[MessageKind, str], MessageTemplate]:
    """The letters this organization has rewritten, by kind and language."""
    rows = session.scalars(select(MessageTemplate).where(MessageTemplate.tenant_id == tenant_id))
    return {(row.kind, row.locale): row for row in rows}


def letter(
    session: Session, *, tenant_id: int, kind: MessageKind, locale: str
) -> MessageTemplate | None:
    """One of them; None where the text that comes with Talon is used."""
    return session.scalars(
        select(MessageTemplate).where(
            MessageTemplate.tenant_id == tenant_id,
            MessageTemplate.kind == kind,
            MessageTemplate.locale == locale,
        )
    ).one_or_none()


def keep_letter(
    session: Session,
    *,
    tenant_id: int,
    kind: MessageKind,
    locale: str,
    subject: str,
    body: str,
    actor: Actor,
    now: dt.datetime,
) -> MessageTemplate:
    """The organization's own text of a letter. Raises NotAllowed and what check_letter raises."""
    demand_over(session, tenant_id)
    check_letter(kind, subject=subject, body=body)
    if kind in sms.KINDS:
        subject = ""
    row = letter(session, tenant_id=tenant_id, kind=kind, locale=locale)
    if row is None:
        row = MessageTemplate(tenant_id=tenant_id, kind=kind, locale=locale, updated_at=now)
        session.add(row)
    row.subject, row.body, row.updated_at = subject, body, now
    session.flush()  # the audit line needs the id
    _write_down(session, "letter.edit", row, actor, now)
    return row


def drop_letter(
    session: Session,
    *,
    tenant_id: int,
    kind: MessageKind,
    locale: str,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Back to the text that comes with Talon. Raises NotAllowed."""
    demand_over(session, tenant_id)
    row = letter(session, tenant_id=tenant_id, kind=kind, locale=locale)
    if row is not None:
        _write_down(session, "letter.reset", row, actor, now)
        session.delete(row)


def _write_down(
    session: Session, verb: str, row: MessageTemplate, actor: Actor, now: dt.datetime
) -> None:
    changes = {"kind": [None, row.kind.value], "locale": [None, row.locale]}
    audit.record(session, verb=verb, subject=row, actor=actor, now=now, changes=changes)


def consents(session: Session, *, tenant_id: int, purpose: ConsentPurpose) -> list[ConsentText]:
    """Every version, newest first."""
    return list(
        session.scalars(
            select(ConsentText)
            .where(ConsentText.tenant_id == tenant_id, ConsentText.purpose == purpose)
            .order_by(ConsentText.version.desc())
        )
    )


def new_consent(
    session: Session,
    *,
    tenant_id: int,
    purpose: ConsentPurpose,
    text_ru: str,
    text_en: str,
    valid_from: dt.datetime | None,
    actor: Actor,
    now: dt.datetime,
) -> ConsentText:
    """The next version; people who agreed to an earlier one stay with it.

    Raises TextNeeded, SameText, TooEarly, NotAllowed.
    """
    demand_over(session, tenant_id)
    if not text_ru.strip() or not text_en.strip():
        raise TextNeeded()
    before = consents(session, tenant_id=tenant_id, purpose=purpose)
    begins = valid_from or now
    if before and (before[0].text_ru, before[0].text_en) == (text_ru, text_en):
        raise SameText()
    if begins < now - dt.timedelta(minutes=5) or (before and begins <= before[0].valid_from):
        raise TooEarly()
    row = ConsentText(
        tenant_id=tenant_id,
        purpose=purpose,
        version=before[0].version + 1 if before else 1,
        text_ru=text_ru,
        text_en=text_en,
        sha256=hashlib.sha256(text_ru.encode()).hexdigest(),
        valid_from=begins,
    )
    session.add(row)
    session.flush()  # the audit line needs the id
    audit.record(
        session,
        verb="consent.version",
        subject=row,
        actor=actor,
        now=now,
        changes={"version": [row.version - 1 or None, row.version]},
    )
    return row
