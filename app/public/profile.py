"""The donor's own data: all shown, only the code and the password can be changed (A12)."""

from __future__ import annotations

from typing import Any

from flask import flash as notice
from flask import g, redirect, render_template, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, saved
from app.i18n import say
from app.models.cabinet_choices import AccountEventKind
from app.public.cabinet import note
from app.public.guards import limited, signed_in, status_of
from app.public.header import cards, header, reader
from app.public.site import public
from app.rules import accounts, cabinet, donor_codes, passwords
from app.rules.actor import actor_of
from app.rules.errors import N_, NotFound, RuleError
from forms.accounts import ChangePasswordForm, DonorCodeForm


class WrongCurrent(RuleError):
    code = "wrong_current"
    text = N_("The current password is not right.")


@public.get("/profile")
@signed_in
def profile() -> Any:
    return _page()


@public.post("/profile/code")
@signed_in
def change_code() -> Any:
    """The code of the reader's card, in each organization the same form."""
    form = DonorCodeForm()
    if not form.validate():
        return _page(code_form=form), 400
    try:
        with saved() as saving:
            donor_codes.change_donor_code(
                saving,
                person_id=_own_person(),
                code=form.donor_code.data,
                actor=actor_of(reader()),
                now=g.now,
            )
    except RuleError as refusal:
        form.donor_code.errors = [say(refusal)]
        return _page(code_form=form), status_of(refusal)
    notice(gettext("The donor code is changed."), "done")
    return redirect(url_for("public.profile"), 303)


@public.post("/profile/password")
@signed_in
def change_password() -> Any:
    """Every other session of the account ends."""
    form = ChangePasswordForm()
    if not form.validate():
        return _page(password_form=form), 400
    try:
        limited(("sign_in", f"{reader().email} {sessions.client_ip()}"))
        if not passwords.verified(reader().password_hash, form.current.data):
            raise WrongCurrent()
        password_hash = passwords.hashed(form.password.data)
        with saved() as saving:
            accounts.change_password(
                saving, account=reader(), password_hash=password_hash, now=g.now
            )
            sessions.end_sessions(reader(), keep_current=True)
            note(AccountEventKind.PASSWORD)
    except RuleError as refusal:
        form.current.errors = [say(refusal)]
        return _page(password_form=form), status_of(refusal)
    notice(gettext("The password is changed. Other devices are signed out."), "done")
    return redirect(url_for("public.profile"), 303)


def _own_person() -> int:
    """The card whose organization the header shows. Raises NotFound."""
    centre = header().centre
    if centre is None:
        raise NotFound()
    return cards()[centre.id]


def _page(
    code_form: DonorCodeForm | None = None, password_form: ChangePasswordForm | None = None
) -> str:
    donor = cabinet.donor(db.session(), person_id=_own_person())
    return render_template(
        "public/profile.html",
        donor=donor,
        centre=header().centre,
        code_form=code_form or DonorCodeForm(formdata=None, donor_code=donor.donor_code),
        password_form=password_form or ChangePasswordForm(formdata=None),
    )
