"""What ESIA's first time asks: whether a cabinet may be opened, or a card made, with what it has asserted.

Nothing of it is kept before the answer: the cookie and the page carry it sealed, and it opens for this browser
alone, as often as the page is read anew, until its owner has answered or the time is over.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from flask import flash as notice
from flask import g, redirect, render_template, request, session, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug import Response

from app import sessions
from app.extensions import db, saved
from app.i18n import locale, say
from app.models.account import Account
from app.models.cabinet_choices import AccountEventKind
from app.models.consent import ConsentText
from app.models.organization import Organization
from app.models.person import Person, with_initials
from app.models.sign_in import OidcAttempt
from app.public.cabinet import note
from app.public.esia_door import HOLDER, place_of, provider
from app.public.header import NAME
from app.public.sign_ins import landing
from app.public.site import public
from app.rules import esia, esia_cards, identities
from app.rules.errors import RuleError
from app.rules.esia import Asserted
from forms.directory import uuid_of
from forms.esia import AgreeForm

MOST_TEXTS = 50
ASKED = "esia_asked"
"""Key of the cookie: the attempt and what is sealed for it."""


def to_question(attempt: OidcAttempt, asserted: Asserted) -> Response:
    """To the page that asks. It has an address of its own: the provider's answer counts once."""
    session[ASKED] = f"{attempt.uid} {esia.sealed(attempt, asserted)}"
    return cast(Response, redirect(url_for("public.esia_question"), 303))


@public.get("/sign-in/esia/agree")
def esia_question() -> Any:
    """What is about to be kept; read anew, in the other language too, it is the same."""
    provider()
    uid, _, text = str(session.get(ASKED, "")).partition(" ")
    new = g.user is None
    try:
        attempt, asserted = esia.seen(
            db.session(),
            uid=uuid_of({"attempt": uid}, "attempt"),
            text=text,
            holder=session.get(HOLDER, ""),
            account_id=None if new else g.user.id,
            now=g.now,
        )
    except RuleError as refusal:
        return _refused(refusal, new)
    found = esia_cards.found(db.session(), asserted) if new else []
    return _ask(attempt, asserted, found, new=new)


def _refused(refusal: RuleError, new: bool) -> Response:
    session.pop(ASKED, None)
    notice(say(refusal), "refused")
    there = url_for("public.sign_in" if new else "public.profile")
    return cast(Response, redirect(there, 303))


def _ask(attempt: OidcAttempt, asserted: Asserted, found: Collection[Person], *, new: bool) -> str:
    """The page that says what is about to be kept, and asks."""
    place = place_of(attempt.back)
    tenants = {card.tenant_id for card in found}
    if place is not None and asserted.names_a_card:
        tenants.add(place.tenant_id)
    texts = _texts(tenants)
    form = AgreeForm(
        formdata=None,
        attempt=str(attempt.uid),
        sealed=esia.sealed(attempt, asserted),
        texts=",".join(str(text.id) for _, text in texts),
    )
    return render_template(
        "public/esia_first.html", asserted=asserted, new=new, place=place, form=form, texts=texts
    )


def _texts(tenants: Collection[int]) -> list[tuple[Organization, ConsentText]]:
    texts = esia_cards.texts(db.session(), tenant_ids=tenants, now=g.now)
    return [
        (db.session.get_one(Organization, tenant_id), text) for tenant_id, text in texts.items()
    ]


@public.post("/sign-in/esia/agree")
def esia_agree() -> Any:
    """«Да, я даю согласие»: the cabinet, its cards, the agreement on each; then on to where one was going."""
    provider()
    form, new = AgreeForm(), g.user is None
    try:
        with saved() as saving:
            back = _agreed(saving, form, new)
    except RuleError as refusal:
        return _refused(refusal, new)
    session.pop(ASKED, None)
    if new:
        notice(gettext("Your personal cabinet is open. From now on ESIA opens it."), "done")
    return redirect(landing(back), 303)


def _agreed(saving: Session, form: AgreeForm, new: bool) -> str:
    """Where to go on. Raises AttemptEnded, TextChanged, BoundElsewhere."""
    attempt, asserted = esia.opened(
        saving,
        uid=uuid_of(request.form, "attempt"),
        text=form.sealed.data or "",
        holder=session.get(HOLDER, ""),
        account_id=None if new else g.user.id,
        now=g.now,
    )
    account: Account = (
        identities.open_account(saving, asserted, locale=locale(), now=g.now) if new else g.user
    )
    cards = esia_cards.link(saving, account, esia_cards.found(saving, asserted), now=g.now)
    refused = ""
    try:
        cards += _made(saving, account, attempt, asserted)
    except esia_cards.RegistryDiffers as refusal:
        refused = say(refusal)
    esia_cards.agree(
        saving,
        account,
        cards,
        shown=_shown(form.texts.data or ""),
        ip=sessions.client_ip(),
        user_agent=request.user_agent.string or "",
        now=g.now,
    )
    if new:
        sessions.sign_in(account)
        call(asserted)
        note(AccountEventKind.SIGN_IN)
    note(AccountEventKind.CONSENT_GIVEN)
    if refused:
        notice(refused, "refused")
    return attempt.back


def call(asserted: Asserted) -> None:
    """What the frame calls whoever has just signed in, until a card of his does."""
    if asserted.family_name:
        session[NAME] = with_initials(
            asserted.family_name, asserted.given_name, asserted.patronymic
        )


def _made(
    saving: Session, account: Account, attempt: OidcAttempt, asserted: Asserted
) -> list[Person]:
    """A card where one was about to book, if one has none there yet. Raises RegistryDiffers."""
    place = place_of(attempt.back)
    if place is None or place.tenant_id in esia_cards.own_tenants(saving, account):
        return []
    card = esia_cards.make(saving, account, asserted, tenant_id=place.tenant_id, now=g.now)
    return [card] if card is not None else []


def _shown(text: str) -> set[int]:
    parts = text.split(",")[:MOST_TEXTS]
    return {int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 18}
