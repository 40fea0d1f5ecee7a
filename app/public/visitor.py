"""Who is in front of the browser, for booking a doctor: its token in the signed cookie, and what it has said."""

from __future__ import annotations

import secrets

from flask import g, session

from app.extensions import db
from app.models.enums import ActorKind
from app.models.guest import Guest
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.public.header import cards
from app.rules import guests
from app.rules.actor import Actor, actor_of
from app.rules.patient_visits import Reader

KEY = "visit"
"""Of the token in the browser's cookie."""


def token() -> str:
    """Empty for a browser that has not chosen anything yet."""
    found = session.get(KEY, "")
    return found if isinstance(found, str) else ""


def new_token() -> str:
    """The browser's token, given to it if it has none."""
    if not token():
        session[KEY] = secrets.token_urlsafe(32)
    return token()


def guest() -> Guest | None:
    """Read once a request."""
    if "guest" not in g:
        g.guest = guests.of(db.session(), token=token(), now=g.now)
    found: Guest | None = g.guest
    return found


def known_again(row: Guest) -> Guest:
    """A rule has made or changed the row."""
    g.guest = row
    return row


def forget() -> None:
    """The browser's token goes; the row goes with app.rules.guests.leave."""
    session.pop(KEY, None)
    g.guest = None


def reader() -> Reader:
    """For app.rules.patient_visits."""
    account = g.user
    return Reader(
        token=token(),
        guest=guest(),
        cards=tuple(cards().values()),
        account_id=account.id if account is not None else None,
    )


def person_in(organization: Organization, policy: BookingPolicy | None = None) -> int | None:
    """Who this is in that organization's registry, if that is known yet, by a way that ``policy`` takes."""
    return reader().known(organization.tenant_id, cards().get(organization.tenant_id), policy)


def actor() -> Actor:
    """The account, or a guest."""
    return actor_of(g.user) if g.user is not None else Actor(ActorKind.GUEST)
