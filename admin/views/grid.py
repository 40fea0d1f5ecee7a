"""The schedule grid: a branch's week, practitioners × days; one practitioner's day with its times."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import StaffPage, done, refused
from admin.carried import Carried, carried, uid_in
from admin.sections import SCHEDULE
from app.extensions import saved
from app.i18n import say
from app.models.appointment import Appointment
from app.models.directory import PractitionerRole
from app.models.enums import Channel
from app.models.organization import Organization
from app.rules import clock, grid, moving, slot_acts
from app.rules.errors import NotFound, RuleError
from forms.publishing import chosen_uid
from forms.sittings import date_in, picked_uids

DAY = dt.timedelta(days=1)
WEEK = 7 * DAY


class GridPage(StaffPage):
    """Who receives when, and what is free: for whoever speaks with patients."""

    slug = "grid"
    for_patients = True
    title = _l("Schedule grid")
    section = SCHEDULE
    permission = "schedules.view"

    @expose("/")
    def index(self) -> Any:
        whom = self._whom()
        places = grid.places(self.session)
        if whom:
            places = [row for row in places if row.tenant_id == whom.tenant_id]
        place = self._place(places, chosen_uid(request.args, "branch"), whom)
        if place is None:
            return self.render("admin/grid/index.html", found=None, places=places, whom=whom)
        today = clock.local_date(self.now, place.time_zone)
        begins = today
        if whom.moved is not None:
            begins = clock.local_date(whom.moved.starts_at, place.time_zone)
        monday = clock.monday_of(date_in(request.args, "week", begins))
        found = grid.load(self.session, organization=place, first=monday, now=self.now)
        if whom.person is not None and "week" not in request.args and not found.free:
            monday += WEEK  # this one is over or full: who books for a caller looks ahead
            found = grid.load(self.session, organization=place, first=monday, now=self.now)
        return self.render(
            "admin/grid/index.html",
            found=found,
            places=places,
            today=today,
            weeks=[monday + n * WEEK for n in range(-1, 4)],
            monday=monday,
            week=WEEK,
            day=DAY,
            words=_words(),
            whom=whom,
        )

    @expose("/day/", methods=("GET", "POST"))
    def day(self) -> Any:
        """One practitioner's day: its times, and what may be done with them."""
        if request.method == "POST":
            self.need("schedules.publish")
        role = self._role(chosen_uid(request.values, "role"))
        today = clock.local_date(self.now, role.organization.time_zone)
        date = date_in(request.values, "date", today)
        if request.method == "POST":
            return self._act(role, date)
        found = grid.load(
            self.session,
            organization=role.organization,
            first=date,
            days=1,
            now=self.now,
            role_ids=[role.id],
        )
        square = found.rows[0].squares[0] if found.rows else None
        whom, made = self._whom(), self._made()
        takers = {}
        if self.may("queue.view") and square is not None:
            takers = grid.takers(self.session, role_id=role.id, cells=square.cells)
        named = self.may("donors.view")
        if named:
            people = [taker.person for taker in takers.values() if taker.person is not None]
            self.note_seen("grid.day", people)
        return self.render(
            "admin/grid/day.html",
            role=role,
            square=square,
            takers=takers,
            named=named,
            whom=whom,
            made=made,
            may_book=self.may("desk.use"),
            status={state: gettext(text) for state, text in grid.TAKEN_WORDS.items()},
            date=date,
            step=DAY,
            words=_words(),
            may_change=self.may("schedules.publish"),
            may_close=self.may("schedules.close"),
        )

    # What the pages need

    def _whom(self) -> Carried:
        """For whom a time is being chosen, or which visit is moved; only who books sees that."""
        if not self.may("desk.use"):
            return Carried()
        whom = carried(self.session)
        self.note_seen("grid", whom.people)
        return whom

    def _made(self) -> Appointment | None:
        """What was just booked or moved here, to print its ticket."""
        uid = uid_in(request.args, "done")
        if uid is None or not self.may("desk.use"):
            return None
        row = moving.visit_of(self.session, uid=uid)
        self.note_seen("grid", [row.person])
        return row

    def _place(
        self, places: list[Organization], uid: uuid.UUID | None, whom: Carried
    ) -> Organization | None:
        """The branch asked for, else where the moved visit is, the reader's own, the first one.

        Raises NotFound.
        """
        if uid is None:
            own = self.desk.id if self.desk is not None else 0
            first = whom.moved.organization_id if whom.moved is not None else own
            return next((row for row in places if row.id == first), places[0] if places else None)
        found = next((row for row in places if row.uid == uid), None)
        if found is None:
            raise NotFound()
        return found

    def _role(self, uid: uuid.UUID | None) -> PractitionerRole:
        if uid is None:
            raise NotFound()
        return grid.role_named(self.session, uid)

    def _act(self, role: PractitionerRole, date: dt.date) -> Response:
        common: dict[str, Any] = {
            "slot_uids": picked_uids(request.form, "pick"),
            "role_id": role.id,
            "actor": self.actor,
            "now": self.now,
        }
        act = request.form.get("act", "")
        try:
            with saved() as session:
                if act == "close":
                    changed = slot_acts.close(session, **common)
                elif act == "reopen":
                    changed = slot_acts.reopen(session, **common)
                elif act in ("web", "desk"):
                    changed = slot_acts.offer(session, channel=Channel(act), **common)
                else:
                    raise slot_acts.NothingChosen()
        except RuleError as refusal:
            refused(say(refusal))
        else:
            self._tell(changed)
        return self.back(".day", role=role.uid, date=date.isoformat(), **self._whom().args)

    @staticmethod
    def _tell(changed: int) -> None:
        if changed:
            done(ngettext("%(num)d time is changed.", "%(num)d times are changed.", changed))
        else:
            done(gettext("Nothing was changed: booked times stay as they are."))


def _words() -> dict[grid.State, str]:
    return {state: gettext(text) for state, text in grid.STATE_WORDS.items()}
