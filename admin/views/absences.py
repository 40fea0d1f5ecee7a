"""Exceptions: absences of practitioners and closed days of branches, with the people booked in them."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import StaffPage, done, refused
from admin.sections import SCHEDULE
from app.extensions import saved
from app.i18n import say
from app.models.template import ScheduleException
from app.rules import absences, clock, sitting_previews, templates
from app.rules.absences import Closed
from app.rules.errors import RuleError
from forms.sittings import ExceptionForm


class AbsencesPage(StaffPage):
    """Days on which the patterns do not hold."""

    slug = "absences"
    for_patients = True
    title = _l("Absences and closed days")
    section = SCHEDULE
    permission = "schedules.publish"

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        form = self._form()
        if request.method == "GET":
            return self._page(form)
        asked = form.read()
        if asked is None:
            return self._page(form), 422
        organization_id, role_id, dates = asked
        assert dates.first is not None and dates.last is not None
        try:
            with saved() as session:
                row, closed = absences.add(
                    session,
                    organization_id=organization_id,
                    role_id=role_id,
                    first=dates.first,
                    last=dates.last,
                    reason=form.reason,
                    actor=self.actor,
                    now=self.now,
                )
                uid = row.uid
        except RuleError as refusal:
            return self._page(form, say(refusal)), 409
        self._tell(closed)
        return self.back(".show", uid=uid) if closed.kept else self.back()

    @expose("/<uuid:uid>/")
    def show(self, uid: uuid.UUID) -> Any:
        """Who is booked in these days; the page shows names, so it is written down who saw them."""
        row = absences.named(self.session, uid)
        people = absences.people_in(self.session, row, now=self.now)
        self.note_seen("absences.people", [each.person for each in people if each.person])
        return self.render("admin/sittings/absence.html", row=row, people=people)

    @expose("/<uuid:uid>/close/", methods=("POST",))
    def close(self, uid: uuid.UUID) -> Response:
        """Close what has become free in its days meanwhile."""
        row = absences.named(self.session, uid)
        with saved() as session:
            closed = absences.close_free(session, row, now=self.now)
        self._tell(closed)
        return self.back(".show", uid=uid)

    @expose("/<uuid:uid>/remove/", methods=("POST",))
    def remove(self, uid: uuid.UUID) -> Response:
        row = absences.named(self.session, uid)
        try:
            with saved() as session:
                absences.remove(session, exception_id=row.id, actor=self.actor, now=self.now)
        except RuleError as refusal:
            refused(say(refusal))
        else:
            done(
                gettext(
                    "The exception is removed. Sittings that it has closed stay closed: "
                    "publish them anew if they are needed."
                )
            )
        return self.back()

    # What the pages need

    def _form(self) -> ExceptionForm:
        places = templates.places(self.session)
        roots = {place.tenant_id: place for place in places}
        roles = {
            role.id: role
            for place in [*roots.values(), *places]
            for role in sitting_previews.choices(self.session, place)
        }
        zone = self.desk.time_zone if self.desk is not None else "Europe/Moscow"
        return ExceptionForm(
            sorted(roles.values(), key=lambda role: role.practitioner.full_name),
            clock.local_date(self.now, zone),
            request.form.copy(),
            branches=places,
        )

    def _page(self, form: ExceptionForm, sentence: str = "") -> str:
        rows: list[ScheduleException] = absences.listed(self.session, since=form.today)
        return self.render(
            "admin/sittings/absences.html",
            form=form,
            rows=rows,
            places={place.id: place for place in form.branches},
            sentence=sentence,
        )

    @staticmethod
    def _tell(closed: Closed) -> None:
        done(gettext("The exception holds: these days are left out of what is published."))
        if closed.slots:
            done(
                ngettext(
                    "%(num)d free slot is closed.", "%(num)d free slots are closed.", closed.slots
                )
            )
        if closed.kept:
            refused(
                ngettext(
                    "%(num)d slot stays: it is booked or being chosen.",
                    "%(num)d slots stay: they are booked or being chosen.",
                    closed.kept,
                )
            )
