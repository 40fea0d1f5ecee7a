"""The waiting list for colleagues (N6): who waits for what, the offers made and how they ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select
from sqlalchemy.orm import joinedload

from admin.base import StaffView, done
from admin.columns import Badge, Instant
from admin.filters import Choice, Days, OneOf
from admin.forms import StaffForm
from admin.listing import Page
from app.extensions import db, saved
from app.i18n import day, label, localized, say
from app.models.cabinet_choices import WaitingStatus
from app.models.directory import PractitionerRole
from app.models.organization import Organization
from app.models.person import Person
from app.models.waiting import WaitingEntry
from app.rules import organizations, waiting, waiting_desk
from app.rules.errors import RuleError
from forms.inputs import DayField, LineField, NotBlank, RowField, WholeField

TONES = {
    WaitingStatus.WAITING: "wait",
    WaitingStatus.OFFERED: "wait",
    WaitingStatus.BOOKED: "ok",
    WaitingStatus.LEFT: "off",
    WaitingStatus.LAPSED: "bad",
}
IN_LINE = (WaitingStatus.WAITING, WaitingStatus.OFFERED)


def places() -> list[Organization]:
    return organizations.in_scope(db.session())


def what(row: WaitingEntry) -> str:
    """The doctor, the specialty, the service or the type of donation."""
    if row.donation_type is not None:
        return localized(row.donation_type, "name")
    if row.role is not None:
        specialty = localized(row.role.specialty, "name").lower()
        return f"{row.role.practitioner.full_name}, {specialty}"
    return localized(row.specialty or row.service, "name")


def dates(row: WaitingEntry) -> str:
    first = day(row.first_day) if row.first_day is not None else ""
    last = day(row.last_day) if row.last_day is not None else ""
    return f"{first} – {last}" if first or last else gettext("any dates")


def state(row: WaitingEntry) -> Badge:
    return Badge(label(row.status), TONES[row.status])


def zoned(row: WaitingEntry) -> Instant:
    return Instant(row.created_at, row.organization.time_zone)


class PriorityForm(StaffForm):
    """Where in the line."""

    priority = WholeField(
        _l("Priority"),
        [NotBlank(_l("Type a number, please."))],
        least=-100,
        most=100,
        description=_l("Lower comes first; everybody begins with 0. A family moves as one."),
    )


class RemoveForm(StaffForm):
    """Why somebody is taken out of the line."""

    reason = LineField(
        _l("Reason"),
        [NotBlank(_l("Give the reason, please."))],
        description=_l("The journal keeps it. A place that is offered just now goes to the next."),
    )


class JoinForm(StaffForm):
    """A caller who has a sign-in on the site: offers go there."""

    person = LineField(
        _l("Who"),
        [NotBlank(_l("Type who waits, please."))],
        description=_l("Number of a policy or a ticket, donor code, or name and birth date."),
    )
    donation_type = RowField(
        _l("Type of donation"),
        rows=lambda: waiting_desk.types(db.session()),
        words=lambda kind: localized(kind, "name"),
        blank=_l("none"),
    )
    role = RowField(
        _l("Doctor"),
        rows=lambda: waiting_desk.roles(db.session()),
        words=lambda role: f"{role.practitioner.full_name}, {localized(role.specialty, 'name')}",
        blank=_l("none"),
    )
    first_day = DayField(_l("From date"))
    last_day = DayField(_l("To date"))


class WaitingView(StaffView):
    slug = "waiting"
    title = _l("Waiting list")
    title_one = _l("Somebody who waits")
    permission = "waiting.view"
    intro = _l(
        "Who waits for a place. A freed place is offered to the next in line by itself; "
        "here one sees what has come of it."
    )
    empty = _l("Nobody waits: on the site the button stands where no place is left.")
    can_view_details = True
    column_list = (
        "person",
        "what",
        "organization",
        "dates",
        "created_at",
        "priority",
        "offers",
        "state",
    )
    column_details_list = (
        "person", "what", "organization", "dates", "created_at", "priority", "offers", "state", "ended_at",
    )  # fmt: skip
    column_labels = {
        "person": _l("Who waits"),
        "what": _l("Waits for"),
        "organization": _l("Organization"),
        "dates": _l("Dates"),
        "created_at": _l("In line since"),
        "priority": _l("Priority"),
        "offers": _l("Places offered"),
        "state": _l("State"),
        "ended_at": _l("Ended"),
    }
    cells = {
        "person": lambda row: row.person.full_name,
        "what": what,
        "organization": lambda row: row.organization.short_name,
        "dates": dates,
        "created_at": zoned,
        "state": state,
    }
    filters = (
        Choice("status", _l("State"), WaitingEntry.status, WaitingStatus),
        OneOf("place", _l("Organization"), WaitingEntry.organization_id, places),
        Days("since", _l("In line since"), WaitingEntry.created_at),
    )
    column_default_sort = ("id", False)
    list_template = "admin/waiting/list.html"
    details_template = "admin/waiting/details.html"

    def get_query(self) -> Select[Any]:
        return (
            super()
            .get_query()
            .options(
                joinedload(WaitingEntry.person),
                joinedload(WaitingEntry.organization),
                joinedload(WaitingEntry.donation_type),
                joinedload(WaitingEntry.specialty),
                joinedload(WaitingEntry.service),
                joinedload(WaitingEntry.role).options(
                    joinedload(PractitionerRole.practitioner),
                    joinedload(PractitionerRole.specialty),
                ),
            )
        )

    def people_of(self, rows: Iterable[Any]) -> Iterable[Person]:
        return [row.person for row in rows]

    def words_of(self, row: Any) -> str:
        return f"{row.person.full_name}: {what(row)}"

    def list_extra(self, page: Page) -> dict[str, Any]:
        return {"figures": waiting_desk.figures(self.session, now=self.now)}

    def details_extra(self, row: Any) -> dict[str, Any]:
        return {
            "offers": waiting_desk.offers_of(self.session, row),
            "in_line": row.status in IN_LINE and self.may("waiting.edit"),
        }

    @expose("/priority/", methods=("GET", "POST"))
    def priority(self) -> Any:
        """Another place in the line."""
        self.need("waiting.edit")
        row = self.one_or_404()
        form = PriorityForm(request.form if request.method == "POST" else None, obj=row)
        title = gettext("Priority")
        if request.method == "POST" and form.validate():
            return self._changed(
                row, form, title,
                lambda session: waiting.set_priority(
                    session, entry=row, priority=form.priority.data or 0,
                    actor=self.actor, now=self.now,
                ),
            )  # fmt: skip
        return self._form(row, form, title), 422 if form.errors else 200

    @expose("/remove/", methods=("GET", "POST"))
    def remove(self) -> Any:
        """Out of the line, with the reason."""
        self.need("waiting.edit")
        row = self.one_or_404()
        form = RemoveForm(request.form if request.method == "POST" else None)
        title = gettext("Take out of the line")
        if request.method == "POST" and form.validate():
            return self._changed(
                row, form, title,
                lambda session: waiting.remove(
                    session, entry=row, reason=form.reason.data or "",
                    actor=self.actor, now=self.now,
                ),
            )  # fmt: skip
        return self._form(row, form, title), 422 if form.errors else 200

    @expose("/join/", methods=("GET", "POST"))
    def join(self) -> Any:
        """On behalf of a caller who has an account."""
        self.need("waiting.edit")
        form = JoinForm(request.form if request.method == "POST" else None)
        # An organization of the one kind has nothing of the other to choose.
        for name in ("donation_type", "role"):
            if not form[name].things:
                del form[name]
        title = gettext("Put a caller in line")
        if request.method == "POST" and form.validate():
            try:
                with saved() as session:
                    made = waiting_desk.join(
                        session,
                        line=form.person.data or "",
                        donation_type=form.data.get("donation_type"),
                        role=form.data.get("role"),
                        first_day=form.first_day.data,
                        last_day=form.last_day.data,
                        actor=self.actor,
                        now=self.now,
                    )
                    uid = made.uid
            except RuleError as refusal:
                form.form_errors.append(say(refusal))
            else:
                done(gettext("In line now. Offers go to the person's own account."))
                return redirect(url_for(".details_view", id=uid), 303)
        return self._form(None, form, title), 422 if form.errors or form.form_errors else 200

    def _changed(self, row: Any, form: Any, title: str, rule: Any) -> Any:
        try:
            with saved() as session:
                rule(session)
        except RuleError as refusal:
            form.form_errors.append(say(refusal))
            return self._form(row, form, title), 409
        done(gettext("Saved."))
        return redirect(url_for(".details_view", id=row.uid), 303)

    def _form(self, row: Any, form: Any, title: str) -> str:
        if row is not None:
            self.note_seen("waiting.details", [row.person])
        button = gettext("Save") if isinstance(form, PriorityForm) else title
        html: str = self.render(
            "admin/waiting/form.html", row=row, form=form, heading=title, button=button
        )
        return html
