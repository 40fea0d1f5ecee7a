"""«Единый сервис авторизации»: e-mail or SNILS and a password, then what is still asked for (E44–E47).

A half-open session opens nothing but its next step. At each step it is replaced: a token that somebody has
seen before is worth nothing afterwards.
"""

from __future__ import annotations

from typing import Any, NoReturn

from flask import flash as notice
from flask import g, redirect, render_template, request, session, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, saved
from app.i18n import say
from app.models.account import Account
from app.models.cabinet_choices import AccountEventKind, SecondFactor
from app.public.accounts import LETTER_TO
from app.public.cabinet import note, note_of
from app.public.guards import STEPS, counted, limited, local_path, status_of, step_of
from app.public.header import header
from app.public.site import public
from app.rules import account_factor, account_log, accounts, passwords, sign_ins, throttle
from app.rules.errors import N_, RuleError, TooManyTries
from app.rules.sign_ins import Step
from forms.accounts import CodeForm, NewPasswordForm, SignInForm


class WrongPassword(RuleError):
    code = "wrong_password"
    text = N_("The sign-in or the password is not right. Check both and try again, please.")


class SamePassword(RuleError):
    code = "same_password"
    text = N_("This is the one-time password itself: think of another one, please.")


@public.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Any:
    """One refusal for a wrong name and a wrong password alike."""
    form = SignInForm()
    if request.method == "GET":
        if g.user is not None:
            return redirect(local_path(request.args.get("next")), 303)
        form.next.data = local_path(request.args.get("next"))
        return render_template("public/sign_in.html", form=form, error="")
    error, status = "", 400
    if form.validate():
        try:
            with passwords.seat():
                step = _sign_in(form)
            return _onwards(step, form.next.data)
        except WrongPassword as refusal:
            error = say(refusal)
        except RuleError as refusal:
            error, status = say(refusal), status_of(refusal)
    return render_template("public/sign_in.html", form=form, error=error), status


def _onwards(endpoint: str, back: str | None) -> Any:
    """To the next page, or where one came from."""
    if endpoint:
        return redirect(
            url_for(endpoint, next=local_path(back) if endpoint in PAGES else None), 303
        )
    return redirect(landing(back), 303)


def landing(path: str | None) -> str:
    """Where one came from; without that donors see the days, everybody else the cabinet."""
    back = local_path(path)
    if back != url_for("public.places") or g.user is None:
        return back
    return url_for("public.cabinet") if header().patients and not header().blood else back


def _sign_in(form: SignInForm) -> str:
    """The page that comes next; empty: back to where one came from.

    Raises WrongPassword, TooManyTries, OneTimeOver.
    """
    name = sign_ins.named(form.email.data)
    guessed = f"{name} {sessions.client_ip()}"
    limited(("sign_in_address", sessions.client_ip()), ("sign_in", guessed))
    account = sign_ins.account_of(db.session(), name=name)
    db.session.commit()
    known = account.password_hash if account is not None else None
    if not passwords.verified(known, form.password.data) or account is None:
        _refused(account)
    sign_ins.demand_lasting(account, now=g.now)
    if account.email_confirmed_at is None and not sign_ins.is_snils(name):
        session[LETTER_TO] = name
        return "public.register_sent"
    with saved() as saving:
        if not sign_ins.unchanged(saving, account):
            raise WrongPassword()
        step = sign_ins.next_step(account, code_given=False)
        throttle.forgive(saving, kind="sign_in", value=guessed)
        sessions.sign_in(account, half_open=step is not None)
        if step is None:
            note(AccountEventKind.SIGN_IN)
    if step is Step.CODE:
        code_of(account)
    return STEPS[step] if step is not None else ""


def _refused(account: Account | None) -> NoReturn:
    """A line for the owner's event log; a known name costs no more than an unknown one. Raises WrongPassword."""
    with saved() as saving:
        account_log.refuse(
            saving,
            account_id=account.id if account is not None else None,
            now=g.now,
            ip=sessions.client_ip(),
            user_agent=request.user_agent.string or "",
        )
    raise WrongPassword()


def code_of(account: Account) -> None:
    """The SMS of who has come half in, if that is his second factor; the page of the code says if it could not go."""
    if account.second_factor is SecondFactor.SMS:
        try:
            _send_code(account)
        except RuleError as refusal:
            notice(say(refusal), "refused")


def _send_code(account: Account) -> None:
    """Raises TooManyTries, NoMobile."""
    limited(("sign_in_code", str(account.id)))
    with saved() as saving:
        account_factor.send_code(saving, account=account, now=g.now)


@public.post("/sign-out")
def sign_out() -> Any:
    with saved():
        note(AccountEventKind.SIGN_OUT)
        sessions.sign_out()
    response = redirect(url_for("public.places"), 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


# --- the steps of a half-open session ---------------------------------------------------------

PAGES = frozenset(STEPS.values())


@public.route("/sign-in/code", methods=["GET", "POST"])
def sign_in_code() -> Any:
    """The second factor: the code of the SMS, or of the application."""
    if step_of() is not Step.CODE:
        return _elsewhere()
    account: Account = g.half_signed_in
    form, error, status = CodeForm(), "", 200
    if request.method == "POST":
        status = 400
        if form.validate():
            try:
                _check_code(account, form.code.data)
                _go_on(account)
                return _elsewhere()
            except sessions.SessionEnded as refusal:
                notice(say(refusal), "refused")
                return redirect(url_for("public.sign_in"), 303)
            except TooManyTries as refusal:
                error, status = say(refusal), 429
            except RuleError as refusal:
                form.code.errors = [say(refusal)]
                with saved():
                    note_of(account, AccountEventKind.SIGN_IN_REFUSED)
    page = render_template(
        "public/sign_in_code.html",
        form=form,
        error=error,
        by_sms=account.second_factor is SecondFactor.SMS,
        phone=account.phone,
        next=request.args.get("next"),
    )
    return page, status


def _check_code(account: Account, code: str) -> None:
    """Raises WrongCode, NoTriesLeft, CodeOver, TooManyTries."""
    if account.second_factor is SecondFactor.TOTP:
        limited(("account_factor", str(account.id)))
    with counted() as counting:
        account_factor.check(
            counting, account=account, factor=account.second_factor, code=code, now=g.now
        )
        if account.second_factor is SecondFactor.TOTP:
            throttle.forgive(counting, kind="account_factor", value=str(account.id))


def _go_on(account: Account) -> None:
    """The code was right: the session is replaced, and open unless a new password is due. Raises SessionEnded."""
    step = sign_ins.next_step(account, code_given=True)
    with saved():
        sessions.sign_in(account, second_factor=True, half_open=step is not None, goes_on=True)
        if step is None:
            note(AccountEventKind.SIGN_IN)


@public.post("/sign-in/code/again")
def sign_in_code_again() -> Any:
    """Another SMS; the code before it is void."""
    if step_of() is not Step.CODE or g.half_signed_in.second_factor is not SecondFactor.SMS:
        return _elsewhere()
    try:
        _send_code(g.half_signed_in)
        notice(gettext("Another code has been sent."), "done")
    except RuleError as refusal:
        notice(say(refusal), "refused")
    return redirect(url_for("public.sign_in_code", next=request.args.get("next")), 303)


@public.route("/sign-in/new-password", methods=["GET", "POST"])
def sign_in_password() -> Any:
    """Instead of the one-time password: the cabinet opens with it, and other sessions end."""
    if step_of() is not Step.PASSWORD:
        return _elsewhere()
    account: Account = g.half_signed_in
    form, error, status = NewPasswordForm(), "", 200
    if request.method == "POST":
        status = 400
        if form.validate():
            try:
                with passwords.seat():
                    _replace_password(account, form.password.data)
                notice(gettext("The password is set. From now on sign in with it."), "done")
                return _elsewhere()
            except sessions.SessionEnded as refusal:
                notice(say(refusal), "refused")
                return redirect(url_for("public.sign_in"), 303)
            except TooManyTries as refusal:
                error, status = say(refusal), 429
            except RuleError as refusal:
                form.password.errors = [say(refusal)]
    return render_template("public/sign_in_password.html", form=form, error=error), status


def _replace_password(account: Account, password: str) -> None:
    """Raises SamePassword, SessionEnded, OneTimeOver, TooManyTries."""
    sign_ins.demand_lasting(account, now=g.now)
    limited(("account_password", str(account.id)))
    if passwords.verified(account.password_hash, password):
        raise SamePassword()
    password_hash = passwords.hashed(password)
    code_given = g.web_session.second_factor_at is not None
    with saved() as saving:
        accounts.change_password(saving, account=account, password_hash=password_hash, now=g.now)
        sessions.end_sessions(account, keep_current=True)
        sessions.sign_in(account, second_factor=code_given, goes_on=True)
        note(AccountEventKind.PASSWORD)
        note(AccountEventKind.SIGN_IN)


def _elsewhere() -> Any:
    """The next step if there is one; else where one was going; nobody signs in first."""
    if g.user is not None:
        return redirect(landing(request.args.get("next")), 303)
    step = step_of()
    back = request.args.get("next")
    return redirect(url_for(STEPS[step] if step else "public.sign_in", next=back), 303)
