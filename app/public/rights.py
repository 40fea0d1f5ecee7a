"""«Ваши данные и права» (N15): consents to withdraw, all that is kept to take away, the cabinet to delete."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from flask import (
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import flash as notice
from flask_babel import gettext
from sqlalchemy import Engine

from app import sessions
from app.extensions import db, only_reads, own_reading, saved
from app.i18n import say
from app.models.cabinet_choices import AccountEventKind
from app.models.data_archive import DataArchive
from app.models.scope import Scope, scope_of
from app.public import fresh
from app.public.bookings import as_file
from app.public.cabinet import note, zone
from app.public.guards import limited, signed_in, status_of
from app.public.header import cards, reader
from app.public.site import public
from app.rules import data_archive, erasing, own_consents
from app.rules.errors import NotFound, RuleError
from app.rules.links import LinkEnded
from forms.rights import DataForm, DeleteForm


@cache
def kept_by_law() -> list[dict[str, str]]:
    """What stays, in both languages, and by which law."""
    path = Path(__file__).parent.parent / "data" / "retention.json"
    found: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))["kept"]
    return found


@public.get("/profile/rights")
@signed_in
def rights() -> str:
    """The consents, and the ways onward."""
    found = own_consents.lines(db.session(), person_ids=cards().values())
    return render_template("public/profile/rights.html", lines=found)


@public.route("/profile/consents/<uuid:tenant>/<purpose>/withdraw", methods=["GET", "POST"])
@signed_in
def withdraw_consent(tenant: uuid.UUID, purpose: str) -> Any:
    """GET says what follows, POST withdraws. The next message is asked about before it leaves."""
    own = tuple(cards().values())
    line = own_consents.standing(db.session(), person_ids=own, tenant=tenant, purpose=purpose)
    if request.method == "POST":
        with saved() as saving:
            own_consents.withdraw(saving, account=reader(), person_ids=own, line=line, now=g.now)
            note(AccountEventKind.CONSENT_WITHDRAWN)
        notice(gettext("The consent is withdrawn."), "done")
        return redirect(url_for("public.rights"), 303)
    return render_template(
        "public/profile/withdraw.html",
        line=line,
        follows=own_consents.FOLLOWS[line.purpose],
        ahead=own_consents.ahead(db.session(), person_ids=own, tenant_id=line.organization.id)
        if line.purpose.value == "booking"
        else 0,
    )


@public.route("/profile/consents/<uuid:tenant>/give", methods=["GET", "POST"])
@signed_in
def give_consent(tenant: uuid.UUID) -> Any:
    """Agree to booking anew, after it was withdrawn."""
    own = tuple(cards().values())
    try:
        _, text = own_consents.again(db.session(), person_ids=own, tenant=tenant, now=g.now)
    except NotFound:  # no card there any more
        return redirect(url_for("public.rights"), 303)
    error, status = "", 200
    if request.method == "POST":
        try:
            with saved() as saving:
                own_consents.give_again(
                    saving,
                    account=reader(),
                    person_ids=own,
                    tenant=tenant,
                    text_uid=request.form.get("text", ""),
                    now=g.now,
                    ip=sessions.client_ip(),
                    user_agent=request.user_agent.string or "",
                )
                note(AccountEventKind.CONSENT_GIVEN)
            notice(gettext("The consent is given. You can book again."), "done")
            return redirect(url_for("public.rights"), 303)
        except RuleError as refusal:
            only_reads()
            error, status = say(refusal), status_of(refusal)
    return render_template("public/profile/give.html", text=text, error=error), status


# --- all that is kept, to take away


@public.route("/profile/data", methods=["GET", "POST"])
@signed_in
def ask_for_data() -> Any:
    """Asked for with the password; the worker makes it; with the password it is handed out."""
    form = DataForm(has_password=fresh.has_password())
    row = data_archive.current(db.session(), account=reader(), now=g.now)
    if not form.is_submitted():
        return _data_page(form, row)
    if not form.validate():
        return _data_page(form, row), 400
    try:
        fresh.demand(form.typed)
        if row is not None and row.made_at is not None and "again" not in request.form:
            with saved():
                note(AccountEventKind.DATA_EXPORTED)
            return _archive(row)
        with saved() as saving:
            data_archive.ask(saving, account=reader(), now=g.now)
    except RuleError as refusal:
        only_reads()
        return _data_page(form, row, say(refusal)), status_of(refusal)
    return redirect(url_for("public.ask_for_data"), 303)


def _data_page(form: DataForm, row: DataArchive | None, error: str = "") -> str:
    return render_template(
        "public/profile/data.html", form=form, error=error, archive=row, zone=zone()
    )


@public.route("/profile/data/<token>", methods=["GET", "POST"])
@signed_in
def take_data(token: str) -> Any:
    """The letter's link: GET asks, POST hands the archive out, once."""
    ended, status = "", 200
    try:
        data_archive.live(db.session(), account=reader(), token=token, now=g.now)
        if request.method == "POST":
            limited(("link_address", sessions.client_ip()))
            with saved() as saving:
                row = data_archive.use(saving, account=reader(), token=token, now=g.now)
                note(AccountEventKind.DATA_EXPORTED)
            return _archive(row)
    except RuleError as refusal:
        only_reads()
        ended = say(refusal)
        status = 410 if isinstance(refusal, LinkEnded) else status_of(refusal)
    page = render_template("public/profile/take_data.html", ended=ended)
    response = make_response(page, status)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _archive(row: DataArchive) -> Response:
    name = f"talon-data-{row.made_at:%Y-%m-%d}.zip"
    held = _portions(db.engine, scope_of(db.session()), row.id)
    response = as_file(held, "application/zip", name)
    response.content_length = row.size
    return response


def _portions(engine: Engine, scope: Scope, archive_id: int) -> Iterator[bytes]:
    """Opened and sent one after another: a slow line holds no transaction, and nobody holds the whole."""
    for number in count():
        with own_reading(engine, scope) as session:
            found = data_archive.part(session, archive_id=archive_id, number=number)
        if found is None:
            return
        yield found


# --- deleting the cabinet


@public.route("/profile/delete", methods=["GET", "POST"])
@signed_in
def delete_account() -> Any:
    """What happens and what the law keeps is said before; the password is asked for once more."""
    form = DeleteForm(has_password=fresh.has_password())
    if not form.is_submitted():
        return _delete_page(form)
    if not form.validate():
        return _delete_page(form), 400
    try:
        fresh.demand(form.typed)
        with saved() as saving:
            erasing.erase(saving, account=reader(), now=g.now)
            sessions.sign_out()
    except RuleError as refusal:
        only_reads()
        return _delete_page(form, say(refusal)), status_of(refusal)
    notice(gettext("Your cabinet is deleted."), "done")
    return redirect(url_for("public.places"), 303)


def _delete_page(form: DeleteForm, error: str = "") -> str:
    return render_template(
        "public/profile/delete.html",
        form=form,
        error=error,
        kept=kept_by_law(),
        organizations=erasing.kept_by(db.session(), account=reader()),
        ahead=erasing.ahead(db.session(), account=reader()),
    )
