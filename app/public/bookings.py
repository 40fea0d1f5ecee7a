"""The donor's own bookings: one, the list, cancelling, the ticket and the calendar file (A28–A33)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from flask import Response, g, redirect, render_template, request, url_for
from flask import flash as notice
from flask_babel import gettext

from app.documents.calendar import event_ics
from app.documents.ticket import ticket_name, ticket_pdf
from app.extensions import db, saved
from app.i18n import blood_set, full_day, hour, label, locale, localized, say
from app.models.appointment import Appointment
from app.models.cabinet_choices import AccountEventKind
from app.models.policy import BookingPolicy
from app.public.cabinet import note
from app.public.guards import signed_in
from app.public.header import cards, header, reader
from app.public.site import public
from app.rules import booking as rules
from app.rules import cabinet, policies, window
from app.rules.actor import actor_of
from app.rules.clock import local
from app.rules.errors import NotFound, RuleError
from app.rules.place_filters import SIZES, plain
from forms.places import MAX_TEXT, page_of, size_of


@public.get("/bookings")
@signed_in
def bookings() -> Any:
    """«Мой список записей»: what waits to be confirmed, then the next visit, largest."""
    found = cabinet.bookings(db.session(), person_ids=cards().values(), now=g.now)
    text = request.args.get("q", "").strip()[:MAX_TEXT]
    words = plain(text).split()
    fitting = [row for row in found if all(word in _spelt(row) for word in words)]
    size = size_of(request.args)
    pages = max(1, -(-len(fitting) // size))
    page = min(page_of(request.args), pages)
    first = (page - 1) * size
    coming = [row for row in found if cabinet.may_cancel(row, now=g.now)]
    return render_template(
        "public/bookings.html",
        rows=fitting[first : first + size],
        total=len(fitting),
        first=min(first + 1, len(fitting)),
        last=min(first + size, len(fitting)),
        page=page,
        pages=pages,
        size=size,
        sizes=SIZES,
        text=text,
        any_at_all=bool(found),
        policy=_policy(),
        held=window.held_by(db.session(), person_ids=cards().values(), now=g.now),
        coming=coming[0] if coming else None,
        cabinet=cabinet,
        page_link=lambda number: url_for(
            "public.bookings",
            q=text or None,
            per=size if size != SIZES[0] else None,
            page=number if number > 1 else None,
        ),
    )


def _policy() -> BookingPolicy | None:
    """Whose numbers «Обратите внимание» names (A33–A35)."""
    centre = header().centre
    if centre is None:
        return None
    try:
        return policies.effective(db.session(), tenant_id=centre.id, now=g.now)
    except policies.NoPolicy:
        return None


def _spelt(row: Appointment) -> str:
    """All that the row shows, for the search."""
    at = local(row.starts_at, row.organization.time_zone)
    shown = (
        str(row.number),
        localized(row.donation_type, "name"),
        blood_set(row.schedule.blood_types),
        full_day(at.date()),
        at.strftime("%d.%m.%Y %Y-%m-%d"),
        hour(at.time()),
        label(row.status),
        row.organization.short_name,
    )
    return plain(" ".join(shown))


@public.get("/bookings/<uuid:uid>")
@signed_in
def booking(uid: uuid.UUID) -> Any:
    """One booking: where it stands, what comes next, the ticket."""
    row = cabinet.own(db.session(), uid=uid)
    if row.status in cabinet.HIDDEN:
        return redirect(url_for("public.confirm", uid=uid), 303)
    return render_template("public/booking.html", row=row, cabinet=cabinet)


@public.route("/bookings/<uuid:uid>/cancel", methods=["GET", "POST"])
@signed_in
def cancel(uid: uuid.UUID) -> Any:
    """«Отменить запись», asked once more, with what follows from it (A31, A34)."""
    row = cabinet.own(db.session(), uid=uid)
    if row.status in cabinet.HIDDEN:
        raise NotFound()
    error, status = "", 200
    if request.method == "POST":
        try:
            with saved() as saving:
                rules.cancel(saving, appointment_id=row.id, actor=actor_of(reader()), now=g.now)
                note(AccountEventKind.CANCELLED, person_id=row.person_id, appointment_id=row.id)
        except RuleError as refusal:
            row = cabinet.own(db.session(), uid=uid)
            error, status = say(refusal), 409
        else:
            notice(gettext("Booking № %(number)s is cancelled.", number=row.number), "done")
            return redirect(url_for("public.bookings"), 303)
    page = render_template("public/cancel.html", row=row, cabinet=cabinet, error=error)
    return page, status


@public.get("/bookings/<uuid:uid>/ticket.pdf")
@signed_in
def ticket(uid: uuid.UUID) -> Response:
    """The ticket, while the request waits and after its approval (A30)."""
    row = _with_ticket(uid)
    return as_file(ticket_pdf(row, locale()), "application/pdf", ticket_name(row.number))


@public.get("/bookings/<uuid:uid>/visit.ics")
@signed_in
def calendar(uid: uuid.UUID) -> Response:
    """The visit for one's own calendar."""
    row = _with_ticket(uid)
    name = ticket_name(row.number).replace(".pdf", ".ics")
    return as_file(event_ics(row, locale()), "text/calendar; charset=utf-8", name)


def _with_ticket(uid: uuid.UUID) -> Appointment:
    row = cabinet.own(db.session(), uid=uid)
    if not cabinet.has_ticket(row):
        raise NotFound()
    return row


def as_file(body: bytes | Iterator[bytes], content_type: str, name: str) -> Response:
    response = Response(body, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
