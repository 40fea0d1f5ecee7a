"""What stands on top of every page: whose site it is, and who is signed in (A27)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import g

from app.extensions import db
from app.models.account import Account
from app.models.blood import BloodType
from app.models.organization import Organization
from app.rules import places


@dataclass(frozen=True)
class Header:
    """``centre`` is the one organization that takes donors here, or the reader's; None if several."""

    centre: Organization | None
    account: Account | None = None
    blood: BloodType | None = None


def header() -> Header:
    """Read once a request."""
    if "header" not in g:
        g.header = _read()
    found: Header = g.header
    return found


def cards() -> Mapping[int, int]:
    """The reader's own card in each organization: tenant id → person id. Read once a request."""
    if g.user is None:
        return {}
    if "own_cards" not in g:  # signed in within this request
        g.own_cards = places.cards_of(db.session(), account_id=g.user.id)
    found: Mapping[int, int] = g.own_cards
    return found


def reader() -> Account:
    """Who is signed in; for views behind ``signed_in`` only."""
    account: Account = g.user
    return account


def _read() -> Header:
    session = db.session()
    roots = places.roots(session)
    if g.user is None:
        return Header(roots[0] if len(roots) == 1 else None)
    own = [root for root in roots if root.id in cards()]
    donor = places.donor_of(session, person_ids=cards().values())
    return Header(own[0] if own else None, g.user, donor.blood_type if donor else None)
