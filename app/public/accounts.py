"""Registration of donors, the confirmation link, a forgotten password (A10–A15).

No answer tells whether an address is known. Passwords are hashed between transactions, never inside.
"""

from __future__ import annotations

from typing import Any

from flask import Response, g, make_response, redirect, render_template, request, session, url_for
from flask import flash as notice
from flask_babel import gettext

from app import sessions
from app.extensions import db, saved
from app.i18n import locale, say
from app.models.account import Account
from app.models.cabinet_choices import AccountEventKind
from app.models.consent import ConsentText
from app.models.enums import ConsentPurpose, LinkPurpose
from app.models.organization import Organization
from app.public.cabinet import note, note_of
from app.public.guards import counted, limited, status_of
from app.public.header import cards, header, reader
from app.public.site import public
from app.rules import accounts as rules
from app.rules import consent_texts, own_cards, passwords, places, sign_ins
from app.rules.errors import RuleError, TooManyTries
from forms.accounts import DonorForm, EmailForm, NameForm, NewPasswordForm, RegistrationForm

LETTER_TO = "letter_to"
"""Key of the browser's own signed cookie: where the last letter went, to offer it again."""


@public.route("/register", methods=["GET", "POST"])
def register() -> Any:
    """The six fields and the consent; with several organizations the choice of one comes first."""
    if _to_be_chosen():
        return render_template("public/register_as.html")
    if not header().donors:
        return redirect(url_for("public.register_patient"), 303)
    centre, roots = _centre()
    if centre is None:
        return render_template("public/register_centre.html", roots=roots)
    text = consent_texts.current_consent(
        db.session(), tenant_id=centre.id, purpose=ConsentPurpose.BOOKING, now=g.now
    )
    if centre.id in cards():
        donor = places.donor_of(db.session(), person_ids=[cards()[centre.id]])
        if donor is not None:
            return redirect(url_for("public.profile"), 303)
    form: Any = RegistrationForm() if g.user is None else DonorForm()
    error, status = "", 200
    if request.method == "POST":
        status = 400
        if form.validate():
            try:
                if g.user is not None:
                    return _become_donor(form, centre, text)
                _register(form, centre, text)
            except rules.RegisteredMeanwhile:
                return redirect(url_for("public.register_sent"), 303)
            except RuleError as refusal:
                error, status = say(refusal), status_of(refusal)
            else:
                return redirect(url_for("public.register_sent"), 303)
    branches = [
        row for row in places.donor_places(db.session()).values() if row.tenant_id == centre.id
    ]
    page = render_template(
        "public/register.html",
        form=form,
        centre=centre,
        several=len(roots) > 1,
        branches=branches,
        text=text,
        error=error,
    )
    return page, status


def _centre() -> tuple[Organization | None, list[Organization]]:
    """The organization registered with: the only one, or the one in the URL."""
    roots = places.roots(db.session())
    if len(roots) == 1:
        return roots[0], roots
    wanted = request.args.get("centre", "")
    return next((root for root in roots if str(root.uid) == wanted), None), roots


def _to_be_chosen() -> bool:
    """Donors and patients both register here, and nobody has said which yet."""
    said = request.method == "POST" or request.args.get("centre") or request.args.get("as")
    return header().patients and header().donors and not said


def _register(form: RegistrationForm, centre: Organization, text: ConsentText | None) -> None:
    limited(("register_address", sessions.client_ip()))
    session[LETTER_TO] = form.email.data
    password_hash = passwords.hashed(form.password.data)
    registration = _registration(form, centre, text, form.email.data, password_hash)
    with saved() as saving:
        rules.register(saving, registration, now=g.now)


def _become_donor(form: DonorForm, centre: Organization, text: ConsentText | None) -> Any:
    """Raises ConsentNeeded, TextChanged, TooManyTries."""
    limited(("register_address", sessions.client_ip()))
    with saved() as saving:
        rules.add_donor(saving, reader(), _registration(form, centre, text), now=g.now)
        note(AccountEventKind.CONSENT_GIVEN)
    notice(gettext("You are registered as a donor: choose a day, please."), "done")
    return redirect(url_for("public.places"), 303)


def _registration(
    form: DonorForm,
    centre: Organization,
    text: ConsentText | None,
    email: str = "",
    password_hash: str = "",
) -> rules.Registration:
    shown = text is not None and form.consent_text.data == str(text.uid)
    return rules.Registration(
        email=email,
        password_hash=password_hash,
        blood_group=form.blood_group.data,
        rh=form.rh.data,
        kell=form.kell.data,
        donor_code=form.donor_code.data,
        tenant_id=centre.id,
        consent_text_id=text.id if text is not None and shown else 0,
        locale=locale(),
        ip=sessions.client_ip(),
        user_agent=request.user_agent.string[:200],
    )


@public.get("/register/sent")
def register_sent() -> str:
    """«Проверьте почту», the same whoever asks."""
    return _sent_page(EmailForm(email=session.get(LETTER_TO, "")))


@public.post("/register/resend")
def resend() -> Any:
    """Another link. Says the same whether the address waits for one or not."""
    form = EmailForm()
    if not form.validate():
        return _sent_page(form), 400
    try:
        limited(("register_address", sessions.client_ip()), ("letter", form.email.data))
    except RuleError as refusal:
        return _sent_page(form, error=say(refusal)), status_of(refusal)
    with saved() as saving:
        rules.resend_confirmation(saving, email=form.email.data, now=g.now)
    session[LETTER_TO] = form.email.data
    notice(gettext("The letter has been sent once more."), "done")
    return redirect(url_for("public.register_sent"), 303)


def _sent_page(form: EmailForm, error: str = "") -> str:
    return render_template("public/register_sent.html", form=form, error=error)


@public.route("/confirm-email/<token>", methods=["GET", "POST"])
def confirm_email(token: str) -> Any:
    """GET only asks: mail scanners follow links. The password is asked for afterwards, because
    whoever registered this address may not be the one who reads its mail."""
    try:
        if request.method == "GET":
            rules.live_link(db.session(), purpose=LinkPurpose.CONFIRM_EMAIL, token=token, now=g.now)
            return _private(render_template("public/confirm_email.html", ended=""))
        limited(("link_address", sessions.client_ip()))
        with saved() as saving:
            account = rules.confirm_email(saving, token=token, now=g.now)
    except RuleError as refusal:
        page = render_template(
            "public/confirm_email.html", ended=say(refusal), form=EmailForm(formdata=None)
        )
        return _private(page, _gone(refusal))
    _open_card(account)
    return redirect(url_for("public.sign_in"), 303)


def _open_card(account: Account) -> None:
    """The card asked for at registration, if one was; the next page says what has come of it."""
    place = None
    try:
        with counted() as counting:
            place = own_cards.settle(
                counting, account=account, address=sessions.client_ip(), now=g.now
            )
            if place is not None:
                note_of(account, AccountEventKind.CONSENT_GIVEN)
    except RuleError:
        notice(
            gettext(
                "The address is confirmed. Your card was not found by what you have typed: sign in and "
                "look for it once more, or come to the registry desk with your passport and policy – "
                "one has to be registered there once."
            ),
            "refused",
        )
        return
    if place is None:
        notice(gettext("The address is confirmed. Sign in, please."), "done")
    else:
        notice(
            gettext(
                "The address is confirmed, and your card is found: %(place)s. Sign in, please.",
                place=place.short_name,
            ),
            "done",
        )


@public.route("/forgot-password", methods=["GET", "POST"])
def forgot() -> Any:
    """A link to choose a new password; the same answer for every address and SNILS."""
    form, error, status = NameForm(), "", 200
    if request.method == "POST":
        status = 400
        if form.validate():
            name = sign_ins.named(form.email.data)
            try:
                limited(("link_address", sessions.client_ip()), ("letter", name))
                with saved() as saving:
                    account = sign_ins.account_of(saving, name=name)
                    rules.request_reset(saving, account, now=g.now)
                return redirect(url_for("public.forgot_sent"), 303)
            except RuleError as refusal:
                error, status = say(refusal), status_of(refusal)
    return render_template("public/forgot.html", form=form, error=error), status


@public.get("/forgot-password/sent")
def forgot_sent() -> str:
    return render_template("public/forgot_sent.html")


@public.route("/reset-password/<token>", methods=["GET", "POST"])
def reset(token: str) -> Any:
    """The new password by the letter's link; every session of the account ends."""
    form = NewPasswordForm()
    try:
        if request.method == "GET":
            rules.live_link(
                db.session(), purpose=LinkPurpose.RESET_PASSWORD, token=token, now=g.now
            )
            return _private(render_template("public/reset.html", form=form, ended=""))
        if not form.validate():
            return _private(render_template("public/reset.html", form=form, ended=""), 400)
        limited(("link_address", sessions.client_ip()))
        password_hash = passwords.hashed(form.password.data)
        with saved() as saving:
            account = rules.reset_password(
                saving, token=token, password_hash=password_hash, now=g.now
            )
            sessions.end_sessions(account)
    except RuleError as refusal:
        page = render_template("public/reset.html", form=form, ended=say(refusal))
        return _private(page, _gone(refusal))
    notice(gettext("The new password is set. Sign in with it, please."), "done")
    return redirect(url_for("public.sign_in"), 303)


def _gone(refusal: RuleError) -> int:
    """A link that has ended is gone; too many tries, or people, are only too many."""
    return status_of(refusal) if isinstance(refusal, TooManyTries | passwords.Crowded) else 410


def _private(page: str, status: int = 200) -> Response:
    """A page whose address is a secret: it is told to nobody."""
    response = make_response(page, status)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
