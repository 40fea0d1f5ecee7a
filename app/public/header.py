"""What stands on top of every page: whose site it is, and who is signed in (A27)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flask import g, session

from app.extensions import db
from app.models.account import Account
from app.models.blood import BloodType
from app.models.organization import Organization
from app.rules import directory, places
from app.rules.documents import masked

NAME = "name"
"""Key of the browser's own signed cookie, which ends with the session: surname and initials of whoever has come by
ESIA, which no card of his says yet (D4; the account keeps none, docs/decisions/0022)."""


@dataclass(frozen=True)
class Header:
    """``centre`` is the one organization that takes donors here, or the reader's; None if several."""

    centre: Organization | None
    account: Account | None = None
    name: str = ""
    """Surname and initials of the reader (D4); of one without a card yet, what he signs in by."""
    has_card: bool = False
    """Some organization's card is in the reader's cabinet."""
    blood: BloodType | None = None
    patients: bool = False
    """Somebody here takes patients too: «Записаться на приём» stands in the menu."""
    donors: bool = True


def header() -> Header:
    """Read once a request."""
    if "header" not in g:
        g.header = _read()
    found: Header = g.header
    place = g.get("about")
    return found if place is None else replace(found, centre=place)


def cards() -> Mapping[int, int]:
    """The reader's own card in each organization: tenant id → person id. Read once a request."""
    if g.user is None:
        return {}
    if "own_cards" not in g:  # signed in within this request
        g.own_cards = places.cards_of(db.session(), account_id=g.user.id, now=g.now)
    found: Mapping[int, int] = g.own_cards
    return found


def reader() -> Account:
    """Who is signed in; for views behind ``signed_in`` only."""
    account: Account = g.user
    return account


def _read() -> Header:
    return _header(*directory.front(db.session()))


def known(roots: Sequence[Organization], *, patients: bool) -> None:
    """Spare the frame its own query: the page has read the donors' organizations already."""
    g.header = _header(roots, patients)


def at(place: Organization) -> None:
    """This page is about one institution: its name and telephone stand on top, its pages in the menu.

    Nothing is read for that: what ends in a redirect has no frame.
    """
    g.about = place


def _header(roots: Sequence[Organization], patients: bool) -> Header:
    some = bool(roots) or not patients
    if g.user is None:
        return Header(roots[0] if len(roots) == 1 else None, patients=patients, donors=some)
    own = [root for root in roots if root.id in cards()]
    donor = places.donor_of(db.session(), person_ids=cards().values())
    blood = donor.blood_type if donor else None
    return Header(
        own[0] if own else None, g.user, _name(g.user), bool(cards()), blood, patients, some
    )


def _name(account: Account) -> str:
    name: str = g.get("own_name") or session.get(NAME, "")
    if name:
        return name
    return account.email or (masked(account.login) if account.login else "")
