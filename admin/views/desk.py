"""The registry desk («Регистратура»): find a person, register one, book for a caller, say that the link is lost."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin import notes, tenants
from admin.base import StaffPage, done
from admin.carried import uid_in
from admin.views.desk_booking import Booking
from app.extensions import saved
from app.i18n import say
from app.models.organization import Organization
from app.rules import clock, desk, hospital_link, person_search, registering
from app.rules.donor_day import Choice
from app.rules.errors import RuleError
from app.rules.person_search import Found
from forms.desk import RegisterForm, SearchForm


class DeskPage(Booking, StaffPage):
    """Who looks is written down: a list, a person booked for."""

    slug = "desk"
    for_patients = True
    title = _l("Registry desk")
    permission = "desk.view"

    # Finding

    @expose("/", methods=("GET",))
    def index(self) -> Any:
        """The line of search, and whom the reader had before him last."""
        recent = person_search.last_opened(self.session, staff_user_id=self.user.id)
        return self._people(SearchForm(formdata=None), recent=recent)

    @expose("/search/", methods=("GET", "POST"))
    def search(self) -> Any:
        """What is searched for names a person: it is sent by POST and stands in no address."""
        slot = request.values.get("slot") or None
        form = SearchForm()
        if form.is_submitted():
            if not form.validate():
                return self._people(form), 422
            born = form.born.data.isoformat() if form.born.data else ""
            asked = notes.keep("desk", json.dumps([form.q.data or "", born]))
            return self.back(".search", asked=asked, slot=slot)
        kept = notes.kept("desk", request.args.get("asked", ""))
        if kept is None:
            return self.back(slot=slot)
        line, born = json.loads(kept)
        form.q.data, form.born.data = line, (dt.date.fromisoformat(born) if born else None)
        wish = person_search.wanted(line, form.born.data)
        choice = self._choice(uid_in(request.args, "slot"))
        tenant_id = choice.day.schedule.tenant_id if choice is not None else None
        found = person_search.find(self.session, wish, tenant_id=tenant_id)
        return self._people(form, found=found)

    def _people(
        self, form: SearchForm, *, found: list[Found] | None = None, recent: Any = ()
    ) -> str:
        shown = found[: person_search.MOST] if found is not None else recent
        self.note_seen("desk.list", [one.person for one in shown])
        lost = {row.id: row for row in hospital_link.lost(self.session)}
        return str(
            self.render(
                "admin/desk/index.html",
                form=form,
                found=found,
                people=shown,
                more=found is not None and len(found) > person_search.MOST,
                choice=self._choice(uid_in(request.values, "slot")),
                may_use=self.may("desk.use"),
                may_switch=self.may("link.switch"),
                lost=lost,
                links=hospital_link.under_desk(self.session) if self.may("link.switch") else [],
                tenants=tenants.seen(),
            )
        )

    def _choice(self, uid: uuid.UUID | None) -> Choice | None:
        """The time that was chosen before the person."""
        if uid is None:
            return None
        return desk.choice_of(self.session, slot_uid=uid, now=self.now)

    # Registering (B15)

    @expose("/new/", methods=("GET", "POST"))
    def new(self) -> Any:
        """A card for somebody who has none; with ``slot`` on to the booking of that time."""
        self.need("desk.use")
        roots = [row for row in tenants.seen().values() if self._takes_patients(row)]
        form = RegisterForm(today=self._today()).offer(roots)
        known: list[Any] = []
        namesakes = False
        if form.validate_on_submit():
            root = form.organization.data if "organization" in form else roots[0]
            try:
                with saved() as session:
                    person = registering.register(
                        session,
                        tenant_id=root.id,
                        card=form.card(),
                        is_another=form.is_another.data,
                        actor=self.actor,
                        now=self.now,
                    )
            except registering.DocumentOfAnother as refusal:
                known = [refusal.person]
                form.form_errors.append(say(refusal))
            except registering.PerhapsKnown as refusal:
                known, namesakes = list(refusal.people), True
                form.form_errors.append(say(refusal))
            except RuleError as refusal:
                form.form_errors.append(say(refusal))
            else:
                done(gettext("Registered: the card is there."))
                slot = uid_in(request.values, "slot")
                if slot is not None:
                    return self.back(".book", slot=slot, person=person.uid)
                return self.back("donors.card", uid=person.uid)
        self.note_seen("desk.list", known)
        page = self.render(
            "admin/desk/new.html",
            form=form,
            known=person_search.described(self.session, known),
            asks_another=namesakes or form.is_another.data,
            choice=self._choice(uid_in(request.values, "slot")),
        )
        return page, 422 if form.errors else 200

    def _today(self) -> Any:
        zone = self.desk.time_zone if self.desk is not None else "Europe/Moscow"
        return clock.local_date(self.now, zone)

    def _takes_patients(self, root: Organization) -> bool:
        return root.id in {row.tenant_id for row in hospital_link.under_desk(self.session)}

    # The link to the hospital (E33)

    @expose("/link/<uuid:uid>/", methods=("POST",))
    def link(self, uid: uuid.UUID) -> Any:
        """«Связь прервана» or «восстановлена», for an organization and what is under it."""
        self.need("link.switch")
        say_it = hospital_link.say_lost if "lost" in request.form else hospital_link.say_restored
        with saved() as session:
            changed = say_it(
                session,
                organization=hospital_link.named(session, uid),
                actor=self.actor,
                now=self.now,
            )
        if changed and "lost" in request.form:
            done(gettext("The site books no doctors there from now on."))
        elif changed:
            done(gettext("The site books doctors there again."))
        return self.back(_anchor="links")
