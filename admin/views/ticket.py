"""What the code on a ticket opens: the booking, what happened to it, its letters, and what may be done."""

from __future__ import annotations

import uuid
from typing import Any, cast

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin import notes
from admin.base import StaffPage
from admin.decisions import Decisions, spoken_checks
from admin.views.queue import opened_extras, seconds_left
from app.documents.ticket import ticket_name, ticket_pdf
from app.extensions import saved
from app.i18n import locale, say
from app.models.appointment import Appointment
from app.models.enums import AppointmentStatus
from app.models.person import Person
from app.rules import booking, examination, facts, lookup
from app.rules.cabinet import has_ticket
from app.rules.errors import NotFound, RuleError
from app.rules.queue import Decided, Position
from app.rules.shown import MOST_WHOLE
from forms.approval import CancelForm, FindForm, RejectForm, Unreadable, uid_of

CANCELLABLE = (AppointmentStatus.PENDING, AppointmentStatus.PROPOSED, AppointmentStatus.BOOKED)
LONGEST_NUMBER = 18
"""Digits of a number that the database can hold."""


class TicketPage(Decisions, StaffPage):
    """Look-up by the ticket's code, by number and by donor code."""

    slug = "ticket"
    title = _l("Find a booking")
    permission = "queue.view"

    @expose("/", methods=("GET",))
    def index(self) -> Any:
        """The line to type in; with ``asked`` what several bookings and donors were found for it."""
        form = FindForm(formdata=None)
        text = notes.kept("ticket", request.args.get("asked", ""))
        if text is None:
            return self.render("admin/queue/find.html", form=form, people=None)
        form.q.data = text
        return self._found(form, self._by_number(text), lookup.by_code(self.session, text))

    @expose("/", methods=("POST",))
    def find(self) -> Any:
        """By POST: a donor's code is personal and must not stand in an address."""
        form = FindForm()
        if not form.validate():
            return self.render("admin/queue/find.html", form=form, people=None), 422
        text = str(form.q.data).lstrip("№# ")
        uid = self._by_number(text)
        people = lookup.by_code(self.session, text)
        if uid is not None and not people:
            return self._to("ticket.show", uid=uid)
        if uid is None and len(people) == 1:
            return self._to("ticket.donor", uid=people[0].uid)
        if people:
            return self._to("ticket.index", asked=notes.keep("ticket", text))
        return self._found(form, None, []), 404

    def _found(self, form: FindForm, uid: uuid.UUID | None, people: list[Person]) -> str:
        self.note_seen("ticket.find", people)
        row = lookup.booking(self.session, uid=uid) if uid is not None else None
        return cast(
            str, self.render("admin/queue/find.html", form=form, people=people, booking=row)
        )

    def _by_number(self, text: str) -> uuid.UUID | None:
        if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
            return None
        return lookup.by_number(self.session, int(text))

    @expose("/donor/<uid>", methods=("GET",))
    def donor(self, uid: str) -> Any:
        """Every booking of one donor."""
        try:
            person = lookup.person(self.session, uid=uid_of(uid))
        except Unreadable as error:
            raise NotFound() from error
        who = facts.for_staff(self.session, [person.id])[person.id]
        self.note_seen("ticket.donor", [person], [who.record] if who.record else [])
        return self.render(
            "admin/queue/donor.html",
            who=who,
            bookings=lookup.bookings_of(
                self.session,
                person_id=person.id,
                limit=MOST_WHOLE if "all" in request.args else lookup.MOST_LISTED,
            ),
            card=self.card,
        )

    @expose("/<uid>", methods=("GET",))
    def show(self, uid: str) -> Any:
        return self._page(self.booking(uid))

    @expose("/<uid>/ticket.pdf", methods=("GET",))
    def pdf(self, uid: str) -> Response:
        """The ticket for whoever stands at the desk."""
        row = self.booking(uid)
        if not has_ticket(row):
            raise NotFound()
        self.note_seen("ticket", [row.person])
        name = ticket_name(row.number)
        return Response(
            ticket_pdf(row, locale()),
            content_type="application/pdf",
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )

    def _may_move(self, row: Appointment) -> bool:
        return (
            row.donation_type_id is None
            and row.status is AppointmentStatus.BOOKED
            and row.starts_at > self.now
            and self.may_over("desk.use", row.organization)
        )

    @expose("/<uid>/cancel", methods=("POST",))
    def cancel(self, uid: str) -> Any:
        """Give the place back in the centre's name; the letter says why."""
        self.need("appointments.cancel")
        row = self.booking(uid)
        form = CancelForm()
        if not form.validate():
            return self._page(row, cancel_form=form), 422
        try:
            with saved():
                booking.cancel(
                    self.session,
                    appointment_id=row.id,
                    actor=self.actor,
                    now=self.now,
                    comment=str(form.comment.data),
                )
        except NotFound:
            raise
        except RuleError as refusal:
            flash(gettext("Nothing was done.") + " " + say(refusal), "error")
        else:
            flash(gettext("The booking is cancelled. The person will be told."), "success")
        return self._to("ticket.show", uid=row.uid)

    def gone_on(self, uid: uuid.UUID, at: Position, refusal: str = "") -> Response:
        if refusal:
            flash(refusal, "error")
        return self._to("ticket.show", uid=uid)

    def stay(self, uid: uuid.UUID, *, form: RejectForm | None = None, refusal: str = "") -> Any:
        if form is not None:
            return self._page(self.booking(str(uid)), form=form), 422
        return self.gone_on(uid, Position(self.now, 0), refusal)

    def _to(self, endpoint: str, **values: Any) -> Response:
        return cast(Response, redirect(url_for(endpoint, **values), 303))

    def _page(
        self,
        row: Appointment,
        *,
        form: RejectForm | None = None,
        cancel_form: CancelForm | None = None,
    ) -> str:
        examined = examination.examine(self.session, [row], now=self.now)[0]
        record = examined.who.record
        self.note_seen("ticket", [row.person], [record] if record is not None else [])
        undoable = row.undo_until is not None and row.undo_until > self.now and row.keeps_slot
        waits = row.status is AppointmentStatus.PENDING and row.starts_at > self.now
        extras = opened_extras(self, examined, form)
        names = {row.decided_by_id} - {None}
        return cast(
            str,
            self.render(
                "admin/queue/ticket.html",
                row=row,
                opened=examined,
                waits=waits,
                **spoken_checks(),
                history=lookup.history(self.session, appointment_id=row.id),
                messages=lookup.messages(self.session, appointment_id=row.id),
                decided_by=lookup.staff_names(self.session, cast(set[int], names)),
                seconds_left=seconds_left(Decided(row, 1), self.now) if undoable else 0,
                cancel_form=cancel_form or CancelForm(formdata=None),
                may_cancel=row.status in CANCELLABLE
                and row.starts_at > self.now
                and self.may_over("appointments.cancel", row.organization),
                act=lambda what, row: url_for(f"ticket.{what}", uid=row.uid),
                card=self.card,
                has_ticket=has_ticket(row),
                may_move=self._may_move(row),
                **extras,
            ),
        )
