"""«Профиль»: what an account is known by, whatever it is; of a donor also his own words (A12, E56)."""

from __future__ import annotations

from typing import Any

from flask import flash as notice
from flask import g, redirect, render_template, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, saved
from app.i18n import say
from app.models.cabinet_choices import AccountEventKind
from app.models.donor import Donor
from app.public import fresh
from app.public.cabinet import note
from app.public.guards import signed_in, status_of
from app.public.header import cards, header, reader
from app.public.site import public
from app.rules import accounts, cabinet, donor_codes, own_policy, passwords
from app.rules.actor import actor_of
from app.rules.errors import NotFound, RuleError
from forms.accounts import ChangePasswordForm, DonorCodeForm


@public.get("/profile")
@signed_in
def profile() -> Any:
    return _page()


@public.post("/profile/code")
@signed_in
def change_code() -> Any:
    """The code of the reader's card, in each organization the same form (A12). Raises NotFound: no donor."""
    cabinet.donor(db.session(), person_id=_own_person())
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
        fresh.demand(form.current.data)
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
    donor = _donor()
    code = donor.donor_code if donor is not None else ""
    return render_template(
        "public/profile.html",
        account=reader(),
        donor=donor,
        centre=header().centre,
        has_card=bool(cards()),
        policies=_policies(),
        code_form=code_form or DonorCodeForm(formdata=None, donor_code=code),
        password_form=password_form or ChangePasswordForm(formdata=None),
    )


def _donor() -> Donor | None:
    """What the reader said of himself at a blood centre; None for who is no donor there."""
    try:
        return cabinet.donor(db.session(), person_id=_own_person())
    except NotFound:
        return None


def _policies() -> list[str]:
    """«832*****567», each number once, however many organizations know it."""
    found = own_policy.masked(db.session(), person_ids=cards().values())
    return sorted(set(found.values()))
