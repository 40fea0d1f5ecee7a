"""How one signs in, on the profile page: the password, the second factor, the devices (E46, E56).

Each section is a template of its own (templates/public/profile/), which asks ``sign_in_sections`` for what it
shows. Whatever opens or closes a door asks for the password once more, and ends the sessions elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import segno
from flask import flash as notice
from flask import g, redirect, render_template, request, session, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, saved
from app.i18n import say
from app.models.account import Account
from app.models.cabinet_choices import AccountEventKind, SecondFactor
from app.models.enums import Surface
from app.public import fresh, profile
from app.public.cabinet import note, zone
from app.public.guards import counted, limited, signed_in, status_of
from app.public.header import reader
from app.public.site import public
from app.rules import account_factor, accounts, devices, passwords, totp
from app.rules.devices import Device
from app.rules.donors import normal_phone
from app.rules.errors import RuleError, TooManyTries
from forms.accounts import ChangePasswordForm, CodeForm, FactorForm, PasswordForm

FACTOR = "factor"
"""Key of the browser's own signed cookie: what is to be switched, and until when the password typed counts."""

BY, OFF = "by-", "off-"
"""Three forms of the page ask for the password: their fields need names of their own."""


@dataclass
class Sections:
    """What the sections show, with what was typed where something was wrong."""

    password: ChangePasswordForm
    factor: FactorForm
    off: PasswordForm
    devices: list[Device]
    zone: str

    @property
    def broken(self) -> Any:
        """The form that was sent and is wrong, for the summary on top."""
        return next((form for form in (self.password, self.factor, self.off) if form.errors), None)


def sign_in_sections() -> Sections:
    """For the templates of the sections: read once a request."""
    if "sign_in_sections" not in g:
        idle, _ = sessions.LIFETIMES[Surface.PUBLIC]
        g.sign_in_sections = Sections(
            g.pop("password_form", None) or ChangePasswordForm(formdata=None),
            g.pop("factor_form", None) or FactorForm(formdata=None, prefix=BY),
            g.pop("off_form", None) or PasswordForm(formdata=None, prefix=OFF),
            list(
                devices.of_account(
                    db.session(),
                    account_id=reader().id,
                    here=g.web_session.id,
                    idle=idle,
                    now=g.now,
                )
            ),
            zone(),
        )
    found: Sections = g.sign_in_sections
    return found


def _again(name: str, form: Any, status: int) -> Any:
    """The profile page with what was typed."""
    setattr(g, name, form)
    return profile.page(), status


# --- the password -----------------------------------------------------------------------------


@public.post("/profile/password")
@signed_in
def change_password() -> Any:
    """Every other session of the account ends, and this one goes on under a new token."""
    form = ChangePasswordForm()
    if not form.validate():
        return _again("password_form", form, 400)
    account = reader()
    try:
        fresh.demand(form.current.data)
        password_hash = passwords.hashed(form.password.data)
        with saved() as saving:
            accounts.change_password(
                saving, account=account, password_hash=password_hash, now=g.now
            )
            _renew(account)
            note(AccountEventKind.PASSWORD)
    except sessions.SessionEnded as refusal:
        return _signed_out(refusal)
    except RuleError as refusal:
        form.current.errors = [say(refusal)]
        return _again("password_form", form, status_of(refusal))
    notice(gettext("The password is changed. Other devices are signed out."), "done")
    return redirect(url_for("public.profile"), 303)


def _renew(account: Account) -> None:
    """What opens the cabinet has changed: nothing that was open before stays open. Raises SessionEnded."""
    sessions.end_sessions(account, keep_current=True)
    passed = account.second_factor is not SecondFactor.NONE
    sessions.sign_in(account, second_factor=passed, goes_on=True)


def _signed_out(refusal: RuleError) -> Any:
    notice(say(refusal), "refused")
    return redirect(url_for("public.sign_in"), 303)


# --- the second factor ------------------------------------------------------------------------


@public.post("/profile/second-factor")
@signed_in
def begin_factor() -> Any:
    """The password once more; then the code that proves the new factor."""
    account = reader()
    form = FactorForm(prefix=BY)
    wanted = form.factor.data
    fits = form.validate() and wanted is not SecondFactor.NONE
    if not fits or account.second_factor is not SecondFactor.NONE:
        if not form.errors:
            return redirect(url_for("public.profile"), 303)
        return _again("factor_form", form, 400)
    try:
        fresh.demand(form.current.data)
        if wanted is SecondFactor.SMS:
            _send_code(account, normal_phone(form.phone.data or ""))
        else:
            with saved() as saving:
                account_factor.begin_totp(saving, account=account)
    except account_factor.NoMobile as refusal:
        form.phone.errors = [say(refusal)]
        return _again("factor_form", form, 400)
    except RuleError as refusal:
        form.current.errors = [say(refusal)]
        return _again("factor_form", form, status_of(refusal))
    return _to_confirm(wanted)


@public.post("/profile/second-factor/off")
@signed_in
def begin_factor_off() -> Any:
    """The password once more; then a code of the factor that goes."""
    account = reader()
    form = PasswordForm(prefix=OFF)
    if not form.validate():
        return _again("off_form", form, 400)
    if account.second_factor is SecondFactor.NONE:
        return redirect(url_for("public.profile"), 303)
    try:
        fresh.demand(form.current.data)
        if account.second_factor is SecondFactor.SMS:
            _send_code(account)
    except RuleError as refusal:
        form.current.errors = [say(refusal)]
        return _again("off_form", form, status_of(refusal))
    return _to_confirm(SecondFactor.NONE)


def _send_code(account: Account, number: str = "") -> None:
    """Raises TooManyTries, NoMobile."""
    limited(("sign_in_code", str(account.id)))
    with saved() as saving:
        account_factor.send_code(saving, account=account, now=g.now, number=number)


def _to_confirm(wanted: SecondFactor) -> Any:
    until = int((g.now + account_factor.CODE_LASTS).timestamp())
    session[FACTOR] = [wanted.value, until]
    return redirect(url_for("public.confirm_factor"), 303)


def _asked_for() -> SecondFactor | None:
    """What the password was typed for, while that counts."""
    value, until = session.get(FACTOR) or (None, 0)
    return SecondFactor(value) if value is not None and until > g.now.timestamp() else None


@public.route("/profile/second-factor/confirm", methods=["GET", "POST"])
@signed_in
def confirm_factor() -> Any:
    """The code; with it the factor is on, or off."""
    wanted, account = _asked_for(), reader()
    if wanted is None or (wanted is account.second_factor):
        return redirect(url_for("public.profile"), 303)
    form, status = CodeForm(), 200
    if request.method == "POST":
        status = 400
        if form.validate():
            try:
                _switch(account, wanted, form.code.data)
            except sessions.SessionEnded as refusal:
                return _signed_out(refusal)
            except RuleError as refusal:
                form.code.errors = [say(refusal)]
                status = 429 if isinstance(refusal, TooManyTries) else 400
            else:
                return redirect(url_for("public.profile", _anchor="second-factor"), 303)
    proof = account_factor.waiting(db.session(), account=account, now=g.now)
    by = account.second_factor if wanted is SecondFactor.NONE else wanted
    page = render_template(
        "public/profile/confirm_factor.html",
        form=form,
        off=wanted is SecondFactor.NONE,
        by_sms=by is SecondFactor.SMS,
        phone=(proof.value or account.phone) if proof is not None else account.phone,
        **(_picture(account) if wanted is SecondFactor.TOTP else {}),
    )
    return page, status


def _picture(account: Account) -> dict[str, str]:
    """What the application scans, and the same in letters."""
    seed: str = account.totp_seed or ""
    uri = totp.uri(seed, name=account.email or gettext("Cabinet"), issuer=gettext("Talon"))
    picture = segno.make(uri, error="m").svg_data_uri(scale=5, border=2, light="#ffffff")
    return {
        "picture": picture,
        "seed": " ".join(seed[at : at + 4] for at in range(0, len(seed), 4)),
    }


def _switch(account: Account, wanted: SecondFactor, code: str) -> None:
    """Raises what app.rules.account_factor.check raises, TooManyTries, SessionEnded."""
    by = account.second_factor if wanted is SecondFactor.NONE else wanted
    if by is SecondFactor.TOTP:
        limited(("account_factor", str(account.id)))
    with counted() as counting:
        if wanted is SecondFactor.NONE:
            account_factor.switch_off(counting, account=account, code=code, now=g.now)
        else:
            account_factor.switch_on(counting, account=account, factor=wanted, code=code, now=g.now)
        _renew(account)
        note(AccountEventKind.SECOND_FACTOR)
    if wanted is SecondFactor.NONE:
        notice(gettext("From now on the password alone opens the cabinet."), "done")
    else:
        notice(gettext("From now on a code is asked for after the password."), "done")


# --- the devices ------------------------------------------------------------------------------


@public.post("/profile/devices")
@signed_in
def end_device() -> Any:
    """Sign out one device, or all others."""
    account, key = reader(), request.form.get("key", "")[:100]
    idle, _ = sessions.LIFETIMES[Surface.PUBLIC]
    try:
        with saved() as saving:
            if key:
                devices.end(saving, account_id=account.id, key=key, idle=idle, now=g.now)
            else:
                sessions.end_sessions(account, keep_current=True)
            note(AccountEventKind.SIGN_OUT)
        notice(gettext("Signed out there."), "done")
    except RuleError:
        notice(gettext("That device is signed out already."), "done")
    return redirect(url_for("public.profile", _anchor="devices"), 303)
