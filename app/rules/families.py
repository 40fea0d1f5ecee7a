"""Whose cards an account keeps, and until when they are open to it (C8–C10)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, and_, or_

from app.models.account import AccountPerson
from app.models.enums import Relation


def open_at(now: dt.datetime) -> ColumnElement[bool]:
    """Rows of AccountPerson whose card the account may see: oneself, and relatives from their agreement
    (or proof) on until it ends (an eighteenth birthday, a withdrawal)."""
    return and_(
        or_(AccountPerson.relation == Relation.SELF, AccountPerson.agreed_at <= now),
        or_(AccountPerson.ends_at.is_(None), AccountPerson.ends_at > now),
    )
