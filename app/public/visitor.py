"""Who is in front of the browser, for booking a doctor: its token in the signed cookie, and what it has said."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from flask import g, session

from app.extensions import db
from app.models.account import AccountPerson
from app.models.enums import ActorKind
from app.models.guest import Guest
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.public.header import cards
from app.rules import families, guests
from app.rules.actor import Actor, actor_of
from app.rules.patient_visits import Reader

KEY = "visit"
"""Of the token in the browser's cookie."""
WHOM = "whom"
"""Of whom the account has chosen to book for."""


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
        cards=tuple(g.get("own_people", ())) if account is not None else (),
        account_id=account.id if account is not None else None,
    )


def person_in(organization: Organization, policy: BookingPolicy | None = None) -> int | None:
    """Who this is in that organization's registry, if that is known yet, by a way that ``policy`` takes."""
    tenant_id = organization.tenant_id
    card = cards().get(tenant_id)
    if policy is not None and policy.for_family and g.user is not None:
        who = chosen(tenant_id)
        card = who.person_id if who is not None else card
    return reader().known(tenant_id, card, policy)


def family() -> Sequence[AccountPerson]:
    """The cards that the account keeps, its own first. Read once a request."""
    if "family" not in g:
        found: Sequence[AccountPerson] = ()
        if g.user is not None:
            found = families.kept(db.session(), account_id=g.user.id, now=g.now)
        g.family = found
    return g.family  # type: ignore[no-any-return]


def chosen(tenant_id: int) -> AccountPerson | None:
    """For whom the account books there: who was chosen last, else itself, else the first of the family."""
    there = [row for row in family() if row.tenant_id == tenant_id]
    wanted = session.get(WHOM)
    return next((row for row in there if row.person.uid.hex == wanted), there[0] if there else None)


def choose(text: str | None) -> None:
    """The visitor has said for whom: one of the account's own cards; anything else changes nothing."""
    if text and g.user is not None:
        found = next((row for row in family() if str(row.person.uid) == text), None)
        if found is not None:
            session[WHOM] = found.person.uid.hex


def actor() -> Actor:
    """The account, or a guest."""
    return actor_of(g.user) if g.user is not None else Actor(ActorKind.GUEST)
