"""After the booking: where it stands, its code, its ticket, cancelling it, finding it again (E29–E35, B11–B13)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import Response, g, redirect, render_template, request, url_for
from flask import flash as notice
from flask_babel import gettext

from app import sessions
from app.documents.calendar import event_ics
from app.documents.ticket import ticket_name, ticket_pdf
from app.extensions import db, only_reads, saved
from app.i18n import locale, say
from app.models.appointment import Appointment
from app.models.cabinet_choices import AccountEventKind
from app.models.enums import AppointmentStatus as A
from app.models.policy_choices import Entry
from app.models.scope import widened
from app.public import questions, visitor
from app.public.bookings import as_file
from app.public.cabinet import note
from app.public.cabinet_tickets import account_tickets
from app.public.guards import counted, status_of
from app.public.header import at
from app.public.site import public
from app.public.visits import SAID, day_of
from app.rules import cabinet, guests, patient_moves, patient_visits, reviews
from app.rules.errors import NotFound, RuleError
from forms.tickets import CodeForm, FindForm


def ticket_page(row: Appointment, error: str = "", form: Any = None) -> str:
    """The booking as it stands now, in the words of its organization's way of booking."""
    guest = visitor.guest()
    seconds = None
    if guest is not None and row.policy.kiosk_seconds and row.status in SAID:
        left = (guest.expires_at - guests.SLACK - g.now).total_seconds()
        seconds = max(1, round(left)) if left <= row.policy.kiosk_seconds else None
    return render_template(
        "public/visit.html",
        row=row,
        error=error,
        form=form or CodeForm(),
        kind=_kind(row),
        seconds=seconds,
        kiosk=row.policy.kiosk_seconds > 0 and guest is not None,
        codes_left=row.policy.code_resends + 1 - row.code_sent,
        may_cancel=patient_visits.may_cancel(row, now=g.now),
        may_rate=_may_rate(row),
        may_move=patient_moves.may_move(row, reader=visitor.reader(), now=g.now),
        has_ticket=cabinet.has_ticket(row) and row.status is not A.PROPOSED,
        again=day_of(row),
    )


def _may_rate(row: Appointment) -> bool:
    """A visit that has taken place, once, by whoever is signed in."""
    if row.status is not A.FULFILLED or g.user is None:
        return False
    return not reviews.stars_of(db.session(), appointment_ids=[row.id])


def _kind(row: Appointment) -> str:
    """Whose words of success: D14, B11, E29 (after a code) or E30."""
    if row.policy.kiosk_seconds:
        return "signed_in" if row.policy.entry is Entry.ACCOUNT else "portal"
    return "code" if row.code_sent else "registry"


@public.post("/visits/<uuid:uid>/code")
def code(uid: uuid.UUID) -> Any:
    """«Введите код подтверждения» (E27–E29). Every try counts, right or wrong."""
    row, form = _own(uid), CodeForm()
    if not form.validate():
        return ticket_page(row, form=form), 400
    try:
        with counted() as counting:
            patient_visits.enter_code(
                counting,
                row=row,
                code=form.code.data or "",
                actor=visitor.actor(),
                now=g.now,
            )
    except RuleError as refusal:
        only_reads()
        return ticket_page(_own(uid), say(refusal)), status_of(refusal)
    return redirect(url_for("public.visit", uid=uid), 303)


@public.post("/visits/<uuid:uid>/code/again")
def code_again(uid: uuid.UUID) -> Any:
    """«Прислать код ещё раз»: the one before is void."""
    row = _own(uid)
    try:
        with saved() as saving:
            patient_visits.another_code(saving, row=row, now=g.now)
    except RuleError as refusal:
        only_reads()
        return ticket_page(_own(uid), say(refusal)), status_of(refusal)
    notice(gettext("A new code is on its way. The one before does not work any more."), "done")
    return redirect(url_for("public.visit", uid=uid), 303)


@public.route("/visits/<uuid:uid>/cancel", methods=["GET", "POST"])
def cancel_visit(uid: uuid.UUID) -> Any:
    """«Отменить посещение 11 декабря 2015, 14:30», with «Нет» and «Да» (E35)."""
    row = _own(uid)
    if row.status in cabinet.HIDDEN:
        raise NotFound()
    error, status = "", 200
    if request.method == "POST":
        try:
            with saved() as saving:
                patient_visits.cancel(saving, row=row, actor=visitor.actor(), now=g.now)
                note(AccountEventKind.CANCELLED, person_id=row.person_id, appointment_id=row.id)
        except RuleError as refusal:
            only_reads()
            row, error, status = _own(uid), say(refusal), 409
        else:
            notice(gettext("The visit is cancelled. Your time is free for others."), "done")
            return redirect(url_for("public.visit", uid=uid), 303)
    allowed = patient_visits.may_cancel(row, now=g.now)
    html = render_template("public/visit_cancel.html", row=row, error=error, allowed=allowed)
    return html, status


@public.get("/visits/<uuid:uid>/ticket.pdf")
def visit_ticket(uid: uuid.UUID) -> Response:
    """«Печать талона» (B13, D18)."""
    row = _with_ticket(uid)
    with widened(db.session(), patient_visits.OWN):
        pdf = ticket_pdf(row, locale())
    return as_file(pdf, "application/pdf", ticket_name(row.number))


@public.get("/visits/<uuid:uid>/visit.ics")
def visit_calendar(uid: uuid.UUID) -> Response:
    """The visit for one's own calendar."""
    row = _with_ticket(uid)
    with widened(db.session(), patient_visits.OWN):
        file = event_ics(row, locale())
    name = ticket_name(row.number).replace(".pdf", ".ics")
    return as_file(file, "text/calendar; charset=utf-8", name)


@public.get("/visits")
def active_tickets() -> Any:
    """«Талоны на приём» of an account (E49); of a browser, «Активные талоны» (E34), and the way to find
    another one."""
    return _listed(_find_form())


@public.post("/visits/find")
def find_ticket() -> Any:
    """A ticket again, by its number and the birth date. A miss says the same whatever was wrong."""
    form = _find_form()
    if not questions.valid(form):
        return _not_found(form), 400
    token = visitor.new_token()
    try:
        with counted() as counting:
            row = guests.find_ticket(
                counting,
                token=token,
                number=form.number.data,
                birth_date=form.birth_date.data,
                address=sessions.client_ip(),
                locale=locale(),
                now=g.now,
            )
    except RuleError as refusal:
        only_reads()
        return _not_found(form, say(refusal)), status_of(refusal)
    return redirect(url_for("public.visit", uid=row.uid), 303)


def _find_form() -> FindForm:
    """No organization is known yet: it may be tomorrow there already."""
    return FindForm(today=g.now.date() + dt.timedelta(days=1))


def _not_found(form: FindForm, error: str = "") -> str:
    return _listed(form, error)


def _listed(form: FindForm, error: str = "") -> str:
    if g.user is not None:
        return account_tickets(_asked(form), error)
    found = patient_visits.tickets(db.session(), reader=visitor.reader(), now=g.now)
    return render_template("public/tickets.html", tickets=found, form=_asked(form), error=error)


def _asked(form: FindForm) -> FindForm:
    questions.put_if_due(form.answer)
    return form


def _own(uid: uuid.UUID) -> Appointment:
    row = patient_visits.own(db.session(), uid=uid, reader=visitor.reader())
    at(row.organization)
    if row.status in cabinet.HIDDEN:
        raise NotFound()
    return row


def _with_ticket(uid: uuid.UUID) -> Appointment:
    row = _own(uid)
    if not cabinet.has_ticket(row) or row.status is A.PROPOSED:
        raise NotFound()
    return row
