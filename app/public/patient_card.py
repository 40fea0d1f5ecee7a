"""«Карта пациента» (E54): own data, attachment, referrals, donations, copies of documents, consents; and
asking staff to confirm the profile (C16)."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, g, redirect, render_template, request, url_for
from flask import flash as notice
from flask_babel import gettext

from app.documents.consent_paper import NAME, consent_pdf
from app.extensions import db, only_reads, saved
from app.i18n import locale, say
from app.models.cabinet_choices import ConfirmationStatus
from app.models.person import Person
from app.public.bookings import as_file
from app.public.guards import signed_in
from app.public.header import reader
from app.public.site import public
from app.rules import confirmations, medical_documents, patient_card, tickets
from app.rules.errors import NotFound, RuleError
from app.rules.tickets import Card
from forms.directory import uuid_of


@public.get("/cabinet/card", endpoint="patient_card")
@signed_in
def card() -> str:
    """``?of`` is one of the account's cards; without it, its own first one."""
    return _page()


def _page(error: str = "") -> str:
    kept = _kept()
    wanted = uuid_of(request.args, "of")
    chosen = next((each for each in kept if each.person.uid == wanted), None)
    if wanted is not None and chosen is None:
        raise NotFound()
    chosen = chosen or (kept[0] if kept else None)
    if chosen is None:
        return render_template("public/patient_card.html", kept=(), whole=None, error=error)
    found = patient_card.whole(db.session(), card=chosen, account_id=reader().id, now=g.now)
    return render_template(
        "public/patient_card.html",
        kept=kept,
        whole=found,
        error=error,
        statuses=ConfirmationStatus,
        working_days=confirmations.numbers()["working_days"],
    )


def _kept() -> list[Card]:
    return tickets.kept_cards(db.session(), account_id=reader().id, now=g.now)


def _own(uid: uuid.UUID) -> Card:
    """Raises NotFound for a card that is not open to this account."""
    for each in _kept():
        if each.person.uid == uid:
            return each
    raise NotFound()


def _back(person: Person) -> Any:
    return redirect(url_for("public.patient_card", of=person.uid, _anchor="copies"), 303)


@public.route("/cabinet/card/<uuid:uid>/confirmation", methods=["GET", "POST"])
@signed_in
def ask_confirmation(uid: uuid.UUID) -> Any:
    """Read the consent, print it, ask; staff answer within the working days of C16."""
    kept, error, status = _own(uid), "", 200
    if request.method == "POST":
        try:
            with saved() as saving:
                confirmations.request(saving, account=reader(), person=kept.person, now=g.now)
        except RuleError as refusal:
            only_reads()
            kept, error, status = _own(uid), say(refusal), 409
        else:
            notice(
                gettext(
                    "Asked for. Bring the signed consent and your passport to the registry desk."
                ),
                "done",
            )
            return _back(kept.person)
    row = confirmations.latest(db.session(), account_id=reader().id, person_id=kept.person.id)
    html = render_template(
        "public/ask_confirmation.html",
        card=kept,
        text=confirmations.text_of(db.session(), tenant_id=kept.person.tenant_id, now=g.now),
        error=error,
        row=row,
        waits=row is not None and row.status is ConfirmationStatus.WAITING,
        working_days=confirmations.numbers()["working_days"],
    )
    return html, status


@public.get("/cabinet/card/<uuid:uid>/consent.pdf")
@signed_in
def consent_paper(uid: uuid.UUID) -> Response:
    """The paper consent, to be printed and signed."""
    kept = _own(uid)
    text = confirmations.text_of(db.session(), tenant_id=kept.person.tenant_id, now=g.now)
    if text is None:
        raise NotFound()
    pdf = consent_pdf(
        text,
        person=kept.person,
        tenant=kept.tenant,
        email=reader().email or "",
        locale=locale(),
    )
    return as_file(pdf, "application/pdf", NAME)


@public.post("/cabinet/card/<uuid:uid>/confirmation/withdraw")
@signed_in
def withdraw_confirmation(uid: uuid.UUID) -> Any:
    """The request is taken back before staff have answered."""
    kept = _own(uid)
    row = confirmations.latest(db.session(), account_id=reader().id, person_id=kept.person.id)
    if row is None:
        raise NotFound()
    try:
        with saved() as saving:
            confirmations.take_back(saving, row=row, now=g.now)
    except RuleError as refusal:
        notice(say(refusal), "alarm")
    else:
        notice(gettext("The request is taken back."), "done")
    return _back(kept.person)


@public.get("/cabinet/documents/<uuid:uid>")
@signed_in
def own_document(uid: uuid.UUID) -> Response:
    """A copy of one of the account's cards, once its profile is confirmed; of anybody else's, 404."""
    row = medical_documents.own(db.session(), uid=uid, account_id=reader().id)
    file = medical_documents.file_of(row)
    return as_file(file.body, file.content_type, file.name)
