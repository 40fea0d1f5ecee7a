"""The text one is asked to agree to: which version holds, and that it is the one that was shown (152-FZ)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.consent import ConsentText
from app.models.enums import ConsentPurpose
from app.rules.errors import N_, RuleError


class ConsentNeeded(RuleError):
    code = "consent_needed"
    text = N_("Without your consent Talon may not keep your data, and so cannot book for you.")


class TextChanged(RuleError):
    code = "text_changed"
    text = N_(
        "The text of the consent has changed meanwhile. Read the new one and tick the box, please."
    )


def current_consent(
    session: Session, *, tenant_id: int, purpose: ConsentPurpose, now: dt.datetime
) -> ConsentText | None:
    """The newest version already valid."""
    return session.scalars(
        select(ConsentText)
        .where(
            ConsentText.tenant_id == tenant_id,
            ConsentText.purpose == purpose,
            ConsentText.valid_from <= now,
        )
        .order_by(ConsentText.version.desc())
        .limit(1)
    ).first()


def demand_text(
    session: Session, *, tenant_id: int, text_id: int | None, now: dt.datetime
) -> ConsentText:
    """The text that was shown is the one that holds. Raises ConsentNeeded, TextChanged."""
    text = current_consent(session, tenant_id=tenant_id, purpose=ConsentPurpose.BOOKING, now=now)
    if text_id is None:
        raise ConsentNeeded()
    if text is None or text.id != text_id:
        raise TextChanged()
    return text


def text_of_id(session: Session, text_id: int) -> ConsentText:
    """A text that was agreed to, whether it still holds or not."""
    return session.get_one(ConsentText, text_id)
