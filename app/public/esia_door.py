"""What the pages about ESIA share: the configured provider, whose browser it is, where one was going."""

from __future__ import annotations

import re
from typing import Any

from flask import abort, current_app, g

from app.extensions import db
from app.models.account import Account
from app.models.organization import Organization
from app.models.policy_choices import Entry
from app.oidc.line import origin
from app.oidc.provider import Provider
from app.oidc.signing import PlainSecret
from app.rules import directory, identities, policies
from app.security import lead_to
from forms.directory import uuid_of

HOLDER = "esia"
"""Key of the browser's own signed cookie: the token by which its attempts are its own."""
BACK = "/sign-in/esia/back"
INSTITUTION = re.compile(r"/institutions/([0-9a-f-]{36})(?:[/?]|$)")


def esia_offered() -> bool:
    """For templates: whether there is a door to ESIA, to which the page that asks may then lead."""
    issuer = current_app.config["ESIA_ISSUER"]
    if issuer:
        scheme, host, port = origin(issuer)
        lead_to(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")
    return bool(issuer)


def provider() -> Provider:
    """The configured one; 404 where there is none."""
    settings = current_app.config
    if not settings["ESIA_ISSUER"]:
        abort(404)
    return Provider(
        issuer=settings["ESIA_ISSUER"],
        client_id=settings["ESIA_CLIENT_ID"],
        scopes=settings["ESIA_SCOPES"],
        redirect_uri=settings["PUBLIC_URL"] + BACK,
        signer=PlainSecret(settings["ESIA_CLIENT_ID"], settings["ESIA_SECRET"]),
    )


def identity(account: Account) -> Any:
    """What links this cabinet with ESIA, if anything does."""
    issuer = current_app.config["ESIA_ISSUER"]
    return (
        identities.identity_of(db.session(), account_id=account.id, issuer=issuer)
        if issuer
        else None
    )


def links() -> bool:
    """Whether the way leads to a link with the cabinet that is open now: who he is, is asked once more."""
    return g.user is not None and identity(g.user) is None


def place_of(back: str | None) -> Organization | None:
    """The institution one was about to book with, if one books there from a cabinet."""
    found = INSTITUTION.match(back or "")
    uid = uuid_of({"uid": found[1]}, "uid") if found else None
    place = directory.taking(db.session(), uid=uid) if uid is not None else None
    if place is None:
        return None
    policy = policies.by_organization(db.session(), organizations=[place], now=g.now).get(place.id)
    return place if policy is not None and policy.entry is Entry.ACCOUNT else None
