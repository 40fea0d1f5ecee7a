"""A patient's registration by policy (C1–C7), and finding one's card in another organization (one account, many cards).

No answer tells whether an address or a policy is known; a card is looked for after the address is confirmed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash as notice
from flask import g, redirect, render_template, request, session, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, saved
from app.i18n import locale, say
from app.models.cabinet_choices import AccountEventKind
from app.models.consent import ConsentText
from app.models.enums import ConsentPurpose, DocumentKind
from app.models.organization import Organization
from app.public.accounts import LETTER_TO
from app.public.cabinet import note
from app.public.guards import counted, limited, signed_in, status_of
from app.public.header import cards, reader
from app.public.site import public
from app.rules import accounts, consent_texts, own_cards, passwords
from app.rules.clock import local_date
from app.rules.errors import RuleError
from app.rules.own_cards import Claim
from forms.registration import CardForm, PatientForm

NO_TEXT = 0
"""No consent text has this key."""


@public.route("/register/patient", methods=["GET", "POST"])
def register_patient() -> Any:
    """With several organizations the choice of one comes first."""
    if g.user is not None:
        return redirect(url_for("public.find_card", **request.args), 303)
    return _page("public/register_patient.html", PatientForm, "public.register_patient", _register)


@public.route("/cabinet/find-card", methods=["GET", "POST"])
@signed_in
def find_card() -> Any:
    """The same without the address, for whoever is signed in: each organization keeps a card of its own."""
    return _page("public/find_card.html", CardForm, "public.find_card", _find)


def _page(
    template: str,
    form_class: type[CardForm],
    endpoint: str,
    act: Callable[[Any, Organization, ConsentText | None], Any],
) -> Any:
    roots = own_cards.offered(db.session())
    wanted = request.args.get("organization", "")
    place = next((root for root in roots if str(root.uid) == wanted or len(roots) == 1), None)
    if place is None:
        return render_template(
            "public/register_where.html", roots=roots, endpoint=endpoint, own=set(cards())
        )
    text = consent_texts.current_consent(
        db.session(), tenant_id=place.id, purpose=ConsentPurpose.BOOKING, now=g.now
    )
    kinds = own_cards.kinds_of(db.session(), root=place, now=g.now)
    form: Any = form_class(today=local_date(g.now, place.time_zone), kinds=kinds)
    error, status = "", 200
    if request.method == "POST":
        status = 400
        if form.validate():
            try:
                return act(form, place, text)
            except RuleError as refusal:
                error, status = say(refusal), status_of(refusal)
    page = render_template(
        template,
        form=form,
        place=place,
        several=len(roots) > 1,
        text=text,
        error=error,
        dms=DocumentKind.DMS in kinds,
        has_card=place.id in cards(),
    )
    return page, status


def _claim(form: CardForm, place: Organization, text: ConsentText | None) -> Claim:
    shown = text is not None and form.consent_text.data == str(text.uid)
    assert form.birth_date.data is not None
    return Claim(
        tenant_id=place.id,
        kind=form.chosen,
        number=form.normalised(),
        birth_date=form.birth_date.data,
        family_name=form.family_name.data or "",
        given_name=form.given_name.data or "",
        patronymic=form.patronymic.data or "",
        text_id=text.id if text is not None and shown else NO_TEXT,
        agreed_at=g.now,
        ip=sessions.client_ip(),
        user_agent=request.user_agent.string[:200],
    )


def _register(form: PatientForm, place: Organization, text: ConsentText | None) -> Any:
    """Raises what app.rules.own_cards.register raises, TooManyTries."""
    limited(("register_address", sessions.client_ip()))
    session[LETTER_TO] = form.email.data
    password_hash = passwords.hashed(form.password.data)
    try:
        with saved() as saving:
            own_cards.register(
                saving,
                email=form.email.data or "",
                password_hash=password_hash,
                claim=_claim(form, place, text),
                locale=locale(),
                now=g.now,
            )
    except accounts.RegisteredMeanwhile:
        pass  # the page looks as after any registration
    return redirect(url_for("public.register_sent"), 303)


def _find(form: CardForm, place: Organization, text: ConsentText | None) -> Any:
    """Raises what app.rules.own_cards.find raises, TextChanged, TooManyTries."""
    account, claim = reader(), _claim(form, place, text)
    limited(("find_card", str(account.id)))
    with counted() as counting:
        consent_texts.demand_text(
            counting, tenant_id=claim.tenant_id, text_id=claim.text_id, now=g.now
        )
        person = own_cards.find(
            counting, account=account, claim=claim, address=sessions.client_ip(), now=g.now
        )
        note(AccountEventKind.CONSENT_GIVEN, person_id=person.id)
    notice(gettext("Your card is found: it is in the cabinet now."), "done")
    return redirect(url_for("public.cabinet"), 303)
