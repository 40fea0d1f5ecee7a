"""«Профиль»: what an account is known by, whatever it is; of a donor also his own words (A12, E56)."""

from __future__ import annotations

from typing import Any

from flask import flash as notice
from flask import g, redirect, render_template, url_for
from flask_babel import gettext

from app.extensions import db, saved
from app.i18n import say
from app.models.donor import Donor
from app.public.guards import signed_in, status_of
from app.public.header import cards, header, reader
from app.public.site import public
from app.rules import cabinet, donor_codes, own_policy
from app.rules.actor import actor_of
from app.rules.errors import NotFound, RuleError
from forms.accounts import DonorCodeForm


@public.get("/profile")
@signed_in
def profile() -> Any:
    return page()


@public.post("/profile/code")
@signed_in
def change_code() -> Any:
    """The code of the reader's card, in each organization the same form (A12). Raises NotFound: no donor."""
    cabinet.donor(db.session(), person_id=_own_person())
    form = DonorCodeForm()
    if not form.validate():
        return page(form), 400
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
        return page(form), status_of(refusal)
    notice(gettext("The donor code is changed."), "done")
    return redirect(url_for("public.profile"), 303)


def _own_person() -> int:
    """The card whose organization the header shows. Raises NotFound."""
    centre = header().centre
    if centre is None or centre.id not in cards():
        raise NotFound()
    return cards()[centre.id]


def page(code_form: DonorCodeForm | None = None) -> str:
    """The whole page; each section is a template of its own in templates/public/profile/."""
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
