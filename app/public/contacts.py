"""«Профиль»: a new e-mail by a link, a new telephone by a code, a new policy (row E56). Each with the password
once more, each a line of the event log (E55)."""

from __future__ import annotations

from typing import Any

from flask import flash as notice
from flask import g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, only_reads, saved
from app.i18n import say
from app.models.cabinet_choices import AccountEventKind
from app.public import fresh
from app.public.cabinet import note
from app.public.guards import counted, limited, signed_in, status_of
from app.public.header import cards, reader
from app.public.site import public
from app.rules import contacts, own_policy
from app.rules.donors import normal_phone
from app.rules.errors import NotFound, RuleError
from app.rules.links import LinkEnded
from forms.contacts import (
    ChangeEmailForm,
    ChangePhoneForm,
    ChangePolicyForm,
    PasswordOnceMoreForm,
)
from forms.tickets import CodeForm


def _asked(template: str, form: Any, error: str = "", status: int = 200, **more: Any) -> Any:
    return render_template(f"public/profile/{template}", form=form, error=error, **more), status


def _again(form: PasswordOnceMoreForm, template: str, refusal: RuleError, **more: Any) -> Any:
    """The same page with the sentence; of a wrong password at its field."""
    only_reads()
    if isinstance(refusal, fresh.WrongCurrent):
        form.current.errors = [say(refusal)]
        return _asked(template, form, status=status_of(refusal), **more)
    return _asked(template, form, say(refusal), status_of(refusal), **more)


# --- e-mail


@public.route("/profile/email", methods=["GET", "POST"])
@signed_in
def change_email() -> Any:
    """A letter with a link goes to the new address; until it is opened the former one holds."""
    form = ChangeEmailForm(has_password=fresh.has_password())
    if not form.is_submitted():
        return _asked("email.html", form)
    if not form.validate():
        return _asked("email.html", form, status=400)
    try:
        fresh.demand(form.typed)
        limited(("email_change", str(reader().id)), ("letter", form.email.data))
        with saved() as saving:
            contacts.ask_email(saving, account=reader(), email=form.email.data, now=g.now)
    except RuleError as refusal:
        return _again(form, "email.html", refusal)
    notice(
        gettext(
            "A letter with a link is on its way to the new address, unless another cabinet has it. Open the link on this device, please."
        ),
        "done",
    )
    return redirect(url_for("public.profile"), 303)


@public.route("/profile/email/<token>", methods=["GET", "POST"])
@signed_in
def confirm_new_email(token: str) -> Any:
    """GET only asks: programs that read mail follow links."""
    ended, status = "", 200
    try:
        if request.method == "POST":
            limited(("link_address", sessions.client_ip()))
            with saved() as saving:
                contacts.take_email(saving, account=reader(), token=token, now=g.now)
                note(AccountEventKind.CONTACT)
            notice(gettext("The new address is confirmed and holds from now on."), "done")
            return redirect(url_for("public.profile"), 303)
        contacts.email_proof(db.session(), account=reader(), token=token, now=g.now)
    except RuleError as refusal:
        only_reads()
        ended = say(refusal)
        status = 410 if isinstance(refusal, LinkEnded) else status_of(refusal)
    page = render_template("public/profile/email_link.html", ended=ended)
    response = make_response(page, status)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


# --- telephone


@public.route("/profile/phone", methods=["GET", "POST"])
@signed_in
def change_phone() -> Any:
    """A code goes to the new number."""
    form = ChangePhoneForm(has_password=fresh.has_password())
    if not form.is_submitted():
        return _asked("phone.html", form)
    if not form.validate():
        return _asked("phone.html", form, status=400)
    try:
        fresh.demand(form.typed)
        limited(("phone_code", str(reader().id)))
        with saved() as saving:
            number = normal_phone(form.number.data)
            contacts.ask_phone(saving, account=reader(), number=number, now=g.now)
    except RuleError as refusal:
        return _again(form, "phone.html", refusal)
    return redirect(url_for("public.confirm_phone"), 303)


@public.route("/profile/phone/code", methods=["GET", "POST"])
@signed_in
def confirm_phone() -> Any:
    """Every try counts, right or wrong."""
    form = CodeForm()
    proof = contacts.phone_awaited(db.session(), account=reader(), now=g.now)
    if proof is None and not form.is_submitted():
        return redirect(url_for("public.change_phone"), 303)
    if not form.is_submitted():
        return _asked("phone_code.html", form, number=proof.value if proof else "")
    shown = {"number": proof.value if proof else ""}
    if not form.validate():
        return _asked("phone_code.html", form, status=400, **shown)
    try:
        with counted() as counting:
            contacts.take_phone(counting, account=reader(), code=form.code.data or "", now=g.now)
            note(AccountEventKind.CONTACT)
    except RuleError as refusal:
        only_reads()
        return _asked("phone_code.html", form, say(refusal), status_of(refusal), **shown)
    notice(gettext("The new number is confirmed and holds from now on."), "done")
    return redirect(url_for("public.profile"), 303)


# --- policy


@public.route("/profile/policy", methods=["GET", "POST"])
@signed_in
def change_policy() -> Any:
    """«Смена полиса»."""
    if not cards():
        raise NotFound()
    form = ChangePolicyForm(has_password=fresh.has_password())
    if not form.is_submitted():
        return _asked("policy.html", form)
    if not form.validate():
        return _asked("policy.html", form, status=400)
    try:
        fresh.demand(form.typed)
        limited(("policy_change", str(reader().id)))
        with saved() as saving:
            own_policy.change(
                saving,
                account=reader(),
                person_ids=cards().values(),
                text=form.number.data,
                now=g.now,
            )
            note(AccountEventKind.POLICY)
    except RuleError as refusal:
        return _again(form, "policy.html", refusal)
    notice(gettext("The new policy stands on your card."), "done")
    return redirect(url_for("public.profile"), 303)
