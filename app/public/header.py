"""What stands on top of every page: whose site it is, and who is signed in (A27)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    cards: Mapping[int, int] = field(default_factory=dict)


def header() -> Header:
    """Read once a request."""
    if "header" not in g:
        g.header = _read()
    found: Header = g.header
    return found


def _read() -> Header:
    session = db.session()
    roots = places.roots(session)
    account = g.user
    if account is None:
        return Header(roots[0] if len(roots) == 1 else None)
    cards = places.cards_of(session, account_id=account.id)
    own = [root for root in roots if root.id in cards]
    donor = places.donor_of(session, person_ids=cards.values())
    return Header(own[0] if own else None, account, donor.blood_type if donor else None, cards)


def reader() -> Account:
    """Who is signed in; for views behind ``signed_in`` only."""
    account: Account = g.user
    return account
