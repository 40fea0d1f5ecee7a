"""«Войти через ЕСИА» (D2–D3): there and back, and the link of a cabinet that is open with it.

The provider leads the browser back by a GET that signs it in; what protects it is the attempt it belongs to,
begun by a POST of this very browser. Every refusal is one sentence on a page that offers the other ways in.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import flash as notice
from flask import g, redirect, render_template, request, session, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, now_writes, own_transaction, saved
from app.i18n import say
from app.models.cabinet_choices import AccountEventKind
from app.models.scope import SYSTEM
from app.models.sign_in import OidcAttempt
from app.oidc.provider import Provider
from app.public import fresh
from app.public.cabinet import note
from app.public.esia_agree import call, to_question
from app.public.esia_door import BACK, HOLDER, identity, links, place_of, provider
from app.public.guards import STEPS, limited, local_path, signed_in, status_of
from app.public.header import reader
from app.public.sign_ins import code_of, landing
from app.public.site import public
from app.rules import esia as rules
from app.rules import esia_cards, identities, sign_ins
from app.rules.errors import N_, RuleError
from app.rules.esia import Asserted
from forms.esia import EsiaForm

MOST = 500
"""Characters of a state, a code or an error that are looked at."""


class SignedInMeanwhile(RuleError):
    code = "esia_signed_in_meanwhile"
    text = N_("You have signed in meanwhile. To link this cabinet with ESIA, use your profile.")


class Unconfirmed(RuleError):
    code = "esia_unconfirmed"
    text = N_(
        "Your ESIA account is not a confirmed one, so no card is found or made by it. Confirm it at a "
        "service centre, or come to the registry desk with your documents."
    )


# --- there ------------------------------------------------------------------------------------


@public.route("/sign-in/esia", methods=["GET", "POST"])
def esia() -> Any:
    """GET explains; POST leads to the provider."""
    asked = provider()
    form, error, status = EsiaForm(), "", 200
    if request.method == "GET":
        form.next.data = local_path(request.args.get("next"))
    else:
        try:
            return _there(asked, form)
        except fresh.WrongCurrent as refusal:
            form.current.errors, status = [say(refusal)], 400
        except RuleError as refusal:
            error, status = say(refusal), status_of(refusal)
    page = render_template(
        "public/esia.html", form=form, error=error, links=links(), place=place_of(form.next.data)
    )
    return page, status


def _there(asked: Provider, form: EsiaForm) -> Any:
    """Raises WrongCurrent, SignInAgain, TooManyTries, Unavailable."""
    account = g.user
    limited(("esia_address", sessions.client_ip()))
    if links():
        fresh.demand(form.current.data or "")
    db.session.commit()  # nobody waits for us while we wait for the provider
    state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
    way = asked.way(state=state, nonce=nonce, verifier=verifier)
    with saved() as saving:
        rules.begin(
            saving,
            state=state,
            holder=session.setdefault(HOLDER, secrets.token_urlsafe(32)),
            nonce=nonce,
            verifier=verifier,
            back=local_path(form.next.data),
            account_id=account.id if account is not None else None,
            now=g.now,
        )
    return redirect(way, 303)


# --- back -------------------------------------------------------------------------------------


@public.get(BACK)
def esia_back() -> Any:
    """The provider has sent the browser back, with a code or with an error."""
    asked = provider()
    back = ""
    try:
        with own_transaction(SYSTEM) as writing:
            holder = str(session.get(HOLDER, ""))
            attempt = rules.take(writing, state=_arg("state"), holder=holder, now=g.now)
            nonce, verifier = attempt.nonce, attempt.verifier
        back = attempt.back
        _demand_same_reader(attempt)
        asserted = _who(asked, nonce, verifier)
        now_writes()
        if g.user is not None:
            return _linked(attempt, asserted)
        return _entered(attempt, asserted)
    except RuleError as refusal:
        notice(say(refusal), "refused")
        if g.user is not None:
            return redirect(url_for("public.profile"), 303)
        return redirect(url_for("public.sign_in", next=back or None), 303)


def _demand_same_reader(attempt: OidcAttempt) -> None:
    """Whoever was signed in as it began is now, and nobody else. Raises SignedInMeanwhile, AttemptEnded."""
    here = g.user.id if g.user is not None else None
    if attempt.account_id is None and here is not None:
        raise SignedInMeanwhile()
    if attempt.account_id != here:
        raise rules.AttemptEnded()


def _arg(name: str) -> str:
    return request.args.get(name, "")[:MOST]


def _who(asked: Provider, nonce: str, verifier: str) -> Asserted:
    """Raises Declined, Unavailable, NotBelieved."""
    if _arg("iss") not in ("", asked.issuer):  # RFC 9207: the answer of another provider
        raise asked.doubt("answer of another issuer")
    if _arg("error") == "access_denied":
        raise rules.Declined()
    if _arg("error") or not _arg("code"):
        raise asked.doubt("no code")
    db.session.commit()  # nobody waits for us while we wait for the provider
    return asked.who(code=_arg("code"), nonce=nonce, verifier=verifier, now=g.now)


def _entered(attempt: OidcAttempt, asserted: Asserted) -> Any:
    """Nobody is signed in yet: whose subject is it? ESIA stands for the password, not for the second factor.

    Raises CabinetClosed.
    """
    holder = session[HOLDER]
    with saved() as saving:
        found = esia_cards.found(saving, asserted)
        account = identities.account_of(saving, asserted, now=g.now)
        if account is not None:
            esia_cards.link(saving, account, found, now=g.now)
            code = sign_ins.next_step(account, code_given=False) is sign_ins.Step.CODE
            sessions.sign_in(account, half_open=code)
            call(asserted)
            note(AccountEventKind.SIGN_IN)  # a half-open one is written down with its code
    if account is None:
        return to_question(attempt, asserted)
    if code:
        code_of(account)
        step = url_for(STEPS[sign_ins.Step.CODE], next=attempt.back)
        return redirect(step, 303)
    return _onwards(attempt, asserted, holder)


def _linked(attempt: OidcAttempt, asserted: Asserted) -> Any:
    """The cabinet that is open is linked. Raises BoundElsewhere, BoundToAnother, AnotherPerson."""
    account = reader()
    with saved() as saving:
        esia_cards.demand_same(saving, account, asserted)
        new = identities.bind(saving, account, asserted, now=g.now)
        if new:
            note(AccountEventKind.SECOND_FACTOR)
        esia_cards.link(saving, account, esia_cards.found(saving, asserted), now=g.now)
    if new:
        notice(gettext("The cabinet is linked with ESIA."), "done")
    return _onwards(attempt, asserted, session[HOLDER])


def _onwards(attempt: OidcAttempt, asserted: Asserted, holder: str) -> Any:
    """Where one was going; or first the question whether a card may be made there."""
    place = place_of(attempt.back)
    if place is None or place.tenant_id in esia_cards.own_tenants(db.session(), reader()):
        return redirect(landing(attempt.back), 303)
    if not asserted.names_a_card:
        notice(say(Unconfirmed()), "refused")
        return redirect(landing(attempt.back), 303)
    with saved() as saving:
        rules.belongs_to(saving, attempt, account_id=reader().id)
    session[HOLDER] = holder  # a sign-in has begun a new cookie
    return to_question(attempt, asserted)


# --- from the profile -------------------------------------------------------------------------


def esia_link() -> dict[str, bool]:
    """For the section of the profile: whether this cabinet is linked, and may be unlinked."""
    return {"linked": identity(reader()) is not None, "may": identities.may_unbind(reader())}


@public.route("/profile/esia/unlink", methods=["GET", "POST"])
@signed_in
def esia_unlink() -> Any:
    """ESIA opens this cabinet no more; the password is asked for, and another way in must be left."""
    asked, account = provider(), reader()
    form, error, status = EsiaForm(), "", 200
    if request.method == "POST":
        try:
            if identities.may_unbind(account):
                fresh.demand(form.current.data or "")
            with saved() as saving:
                if identities.unbind(saving, account, issuer=asked.issuer, now=g.now):
                    note(AccountEventKind.SECOND_FACTOR)
        except fresh.WrongCurrent as refusal:
            form.current.errors, status = [say(refusal)], 400
        except RuleError as refusal:
            error, status = say(refusal), status_of(refusal)
        else:
            notice(gettext("The cabinet is no longer linked with ESIA."), "done")
            return redirect(url_for("public.profile"), 303)
    page = render_template(
        "public/esia_unlink.html", form=form, error=error, may=identities.may_unbind(account)
    )
    return page, status
