"""Closing a practitioner's day together with its people: who they are, how each learns of it, the reason."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin.base import StaffPage, refused
from admin.dismissing import dismiss
from app.extensions import saved
from app.i18n import say
from app.models.directory import PractitionerRole
from app.rules import clock, closing, grid
from app.rules.days import DayClosed
from app.rules.errors import NotFound, ReasonNeeded, RuleError
from forms.days import LONGEST_REASON
from forms.publishing import chosen_uid
from forms.sittings import date_in


class SittingClosingPage(StaffPage):
    """From a day of the grid; back to it."""

    slug = "sitting-closing"
    path = "grid/close"
    for_patients = True
    title = _l("Close the practitioner's day")
    permission = "schedules.close"
    in_menu = False

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        role, date = self._asked()
        ids = closing.sittings_of(self.session, role_id=role.id, date=date)
        if not ids:
            return self._closed(role, date)
        if request.method == "GET":
            return self._page(role, date, ids)
        reason = request.form.get("reason", "")
        try:
            with saved() as session:
                for schedule_id in ids:
                    closing.close_day(
                        session,
                        schedule_id=schedule_id,
                        reason=reason,
                        actor=self.actor,
                        now=self.now,
                    )
        except ReasonNeeded:  # asked again by GET: Back works
            return self.back(".index", role=role.uid, date=date, unsaid=1)
        except DayClosed:
            pass  # by a colleague, meanwhile: its people are told once
        except RuleError as refusal:
            refused(say(refusal))
            return self.back("grid.day", role=role.uid, date=date)
        dismiss(self, ids)
        return self.back(".index", role=role.uid, date=date)

    def _asked(self) -> tuple[PractitionerRole, dt.date]:
        """Raises NotFound."""
        uid = chosen_uid(request.values, "role")
        if uid is None:
            raise NotFound()
        role = grid.role_named(self.session, uid)
        today = clock.local_date(self.now, role.organization.time_zone)
        return role, date_in(request.values, "date", today)

    def _closed(self, role: PractitionerRole, date: dt.date) -> Any:
        """Whom to phone still."""
        ids = closing.sittings_of(self.session, role_id=role.id, date=date, closed=True)
        if not ids or request.method == "POST":
            return self.back("grid.day", role=role.uid, date=date)
        calls = closing.to_phone(self.session, schedule_ids=ids)
        self.note_seen("sittings.calls", [call.appointment.person for call in calls])
        return self.render("admin/sittings/closed.html", role=role, date=date, calls=calls)

    def _page(self, role: PractitionerRole, date: dt.date, ids: list[int]) -> str:
        """The page shows names, so it is written down who saw them."""
        whom = closing.affected(self.session, schedule_ids=ids, now=self.now)
        self.note_seen("sittings.close", [row.appointment.person for row in whom.booked])
        return self.render(
            "admin/sittings/close.html",
            role=role,
            date=date,
            whom=whom,
            sentence=say(ReasonNeeded()) if "unsaid" in request.args else "",
            longest=LONGEST_REASON,
        )
