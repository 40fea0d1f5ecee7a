"""Published donor days: the list, a day's times and places, closing a day with its people."""

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
from admin.dismissing import dismiss
from admin.sections import SCHEDULE
from app.extensions import saved
from app.i18n import say
from app.models.appointment import Appointment
from app.models.blood import EVERY_TYPE
from app.models.enums import ScheduleStatus
from app.models.schedule import Schedule
from app.rules import clock, closing, day_list, days, facts, previews, publication_list
from app.rules.day_list import Load
from app.rules.days import PlacesChange
from app.rules.errors import NotFound, ReasonNeeded, RuleError
from app.rules.facts import StaffFacts
from forms.days import LONGEST_REASON, DaysFilter, PlacesForm
from forms.publishing import chosen_uid


class DaysPage(StaffPage):
    """What is published, how full it is, and what can be changed about it."""

    for_donors = True
    slug = "days"
    title = _l("Donor days")
    section = SCHEDULE
    permission = "schedules.view"

    @expose("/")
    def index(self) -> Any:
        roots = previews.tenants(self.session)
        asked = DaysFilter(
            given=request.args,
            branches=[
                b for root in roots for b in previews.branches(self.session, tenant_id=root.id)
            ],
            types=[t for root in roots for t in previews.types(self.session, tenant_id=root.id)],
            today=clock.local_date(self.now, self._zone()),
        )
        uid = chosen_uid(request.args, "publication")
        publication = publication_list.named(self.session, uid) if uid else None
        wish = asked.wish(publication.publication.id if publication else None)
        return self.render(
            "admin/days/index.html",
            asked=asked,
            wish=wish,
            publication=publication,
            listing=day_list.listed(self.session, wish),
            every_type=EVERY_TYPE,
        )

    @expose("/<uuid:uid>/")
    def show(self, uid: uuid.UUID) -> Any:
        day = self._day(uid)
        return self._show(day, PlacesForm(day.date, day.organization.time_zone))

    @expose("/<uuid:uid>/places/", methods=("POST",))
    def places(self, uid: uuid.UUID) -> Any:
        self.need("schedules.publish")
        day = self._day(uid)
        form = PlacesForm(day.date, day.organization.time_zone, request.form)
        if not form.read():
            return self._show(day, form), 422
        try:
            with saved() as session:
                change = days.change_places(
                    session,
                    schedule_id=day.id,
                    actor=self.actor,
                    now=self.now,
                    wanted=form.wanted,
                    new_times=form.new_times,
                    places_each=form.places_each,
                )
        except RuleError as refusal:
            page = self._show(self._day(uid), form, say(refusal))
            self.session.commit()  # who saw whom
            return page, 409
        self._tell_change(change, day.organization.time_zone)
        return self.back(".show", uid=uid)

    @expose("/<uuid:uid>/pause/", methods=("POST",))
    def pause(self, uid: uuid.UUID) -> Response:
        sentence = gettext("The day takes no bookings now. Those that are there stay.")
        return self._switch(uid, days.pause, sentence)

    @expose("/<uuid:uid>/resume/", methods=("POST",))
    def resume(self, uid: uuid.UUID) -> Response:
        return self._switch(uid, days.resume, gettext("The day takes bookings again."))

    @expose("/<uuid:uid>/close/", methods=("GET", "POST"))
    def close(self, uid: uuid.UUID) -> Any:
        self.need("schedules.close")
        day = self._day(uid)
        if day.status is ScheduleStatus.CLOSED:
            return self.back(".show", uid=uid)
        if request.method == "GET":
            return self._close_page(day, say(ReasonNeeded()) if "unsaid" in request.args else "")
        try:
            with saved() as session:
                closing.close_day(
                    session,
                    schedule_id=day.id,
                    reason=request.form.get("reason", ""),
                    actor=self.actor,
                    now=self.now,
                )
        except ReasonNeeded:
            return self.back(".close", uid=uid, unsaid=1)  # asked again by GET: Back works
        except RuleError as refusal:
            refused(say(refusal))
            return self.back(".show", uid=uid)
        dismiss(self, [day.id])
        return self.back(".show", uid=uid)

    # What the pages need

    def _zone(self) -> str:
        return self.desk.time_zone if self.desk is not None else "Europe/Moscow"

    def _day(self, uid: uuid.UUID) -> Schedule:
        """Raises NotFound, also for what is not published yet."""
        day = day_list.named(self.session, uid)
        if day is None or day.status is ScheduleStatus.DRAFT:
            raise NotFound()
        return day

    def _show(self, day: Schedule, form: PlacesForm, sentence: str = "") -> str:
        calls = self._calls(day)
        people = self._people("days.calls", [call.appointment for call in calls])
        return self.render(
            "admin/days/show.html",
            day=day,
            form=form,
            sentence=sentence,
            load=day_list.loads_of(self.session, [day.id]).get(day.id, Load()),
            times=day_list.times_of(self.session, day.id),
            may_change=self.may("schedules.publish") and day.status is not ScheduleStatus.CLOSED,
            may_close=self.may("schedules.close") and day.status is not ScheduleStatus.CLOSED,
            whole_day_over=self._over(day),
            calls=calls,
            people=people,
        )

    def _calls(self, day: Schedule) -> list[closing.Booked]:
        """Of a closed day: whom to phone. Shown to those who may close days."""
        if day.status is not ScheduleStatus.CLOSED or not self.may("schedules.close"):
            return []
        return closing.to_phone(self.session, schedule_ids=[day.id])

    def _over(self, day: Schedule) -> bool:
        end = clock.instant(day.date, day.end_time, day.organization.time_zone)
        return end <= self.now

    def _close_page(self, day: Schedule, sentence: str = "") -> str:
        """Whom it concerns; the page shows names, so it is written down who saw them."""
        whom = closing.affected(self.session, schedule_ids=[day.id], now=self.now)
        return self.render(
            "admin/days/close.html",
            day=day,
            whom=whom,
            people=self._people("days.close", [row.appointment for row in whom.booked]),
            sentence=sentence,
            longest=LONGEST_REASON,
        )

    def _people(self, action: str, rows: list[Appointment]) -> dict[int, StaffFacts]:
        """Who they are, by ``person_id``; that they and their records are seen is written down."""
        people = facts.for_staff(self.session, {row.person_id for row in rows}) if rows else {}
        records = [who.record for who in people.values() if who.record is not None]
        self.note_seen(action, [row.person for row in rows], records)
        return people

    def _switch(self, uid: uuid.UUID, rule: Any, sentence: str) -> Response:
        self.need("schedules.publish")
        day = self._day(uid)
        try:
            with saved() as session:
                rule(session, schedule_id=day.id, actor=self.actor, now=self.now)
        except RuleError as refusal:
            refused(say(refusal))
        else:
            done(sentence)
        return self.back(".show", uid=uid)

    @staticmethod
    def _tell_change(change: PlacesChange, zone: str) -> None:
        if change.added:
            done(ngettext("%(num)d place added.", "%(num)d places added.", change.added))
        if change.withdrawn:
            done(
                ngettext("%(num)d place withdrawn.", "%(num)d places withdrawn.", change.withdrawn)
            )
        for kept in change.kept:
            at = clock.local(kept.starts_at, zone)
            sentence = ngettext(
                "At %(time)s %(num)d place stays: it is booked or being chosen.",
                "At %(time)s %(num)d places stay: they are booked or being chosen.",
                kept.places,
                time=_hour(at),
            )
            refused(sentence)
        if not (change.added or change.withdrawn or change.kept):
            done(gettext("Nothing was changed."))


def _hour(at: dt.datetime) -> str:
    return f"{at.hour}:{at.minute:02d}"
