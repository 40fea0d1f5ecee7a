"""«Мои устройства»: the open sessions of an account, and ending them from another one."""

from __future__ import annotations

import datetime as dt
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from app.models.account import WebSession
from app.models.crypto import derived
from app.rules.errors import NotFound
from app.rules.transitions import changed_rows

MOST = 100
BROWSERS = (
    ("YaBrowser/", "Yandex Browser"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""In this order: most call themselves Chrome and Safari too."""
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class Device:
    """One open session as its owner sees it."""

    key: str
    """Names it in a form: derived, worth nothing to anybody else."""
    browser: str
    """«Firefox, Windows»; empty where the browser does not say."""
    ip: str
    since: dt.datetime
    seen: dt.datetime
    here: bool
    half_open: bool


def in_words(user_agent: str) -> str:
    """Browser and system of a User-Agent.

    >>> in_words("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    'Firefox, Linux'
    """
    found = [
        next((name for mark, name in table if re.search(re.escape(mark), user_agent)), "")
        for table in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(filter(None, found))


def of_account(
    session: Session,
    *,
    account_id: int,
    here: int | None,
    idle: dt.timedelta,
    now: dt.datetime,
) -> Sequence[Device]:
    """Open sessions, this one first, then by when they were used last. One query.

    ``here``: the present session's key; ``idle``: how long one lives without a click.
    """
    rows = session.scalars(_open(account_id, idle, now)).all()
    found = [
        Device(
            _key(row),
            in_words(row.user_agent),
            row.ip,
            row.created_at,
            row.seen_at,
            row.id == here,
            row.half_open,
        )
        for row in rows
    ]
    return sorted(found, key=lambda device: not device.here)


def end(
    session: Session, *, account_id: int, key: str, idle: dt.timedelta, now: dt.datetime
) -> None:
    """Sign that device out. Raises NotFound: of nobody else's, and for one that is signed out already."""
    for row in session.scalars(_open(account_id, idle, now)):
        if hmac.compare_digest(_key(row).encode(), key.encode()):
            changed_rows(session, delete(WebSession).where(WebSession.id == row.id))
            return
    raise NotFound()


def _open(account_id: int, idle: dt.timedelta, now: dt.datetime) -> Select[WebSession]:
    return (
        select(WebSession)
        .where(
            WebSession.account_id == account_id,
            WebSession.expires_at > now,
            WebSession.seen_at > now - idle,
        )
        .order_by(WebSession.seen_at.desc(), WebSession.id.desc())
        .limit(MOST)
    )


def _key(row: WebSession) -> str:
    return derived("device", row.id, row.token_hash.hex())
