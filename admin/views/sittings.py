"""Practitioners' schedules: a template for many of them, its preview, publishing; copying a week."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import done
from admin.publications import OPEN, PublicationPage
from admin.sections import SCHEDULE
from app.extensions import saved
from app.i18n import say
from app.models.enums import PublicationKind, PublicationStatus
from app.models.organization import Organization
from app.models.schedule import Publication
from app.models.template import ScheduleTemplate
from app.rules import (
    clock,
    drafts,
    large_publishing,
    practitioners,
    publication_list,
    sitting_opening,
    sitting_planning,
    sitting_previews,
    sitting_weeks,
    templates,
)
from app.rules.clock import monday_of
from app.rules.errors import NotFound, RuleError
from app.rules.matrix import Dates
from app.rules.publication_list import Row
from app.rules.sitting_planning import Remark
from app.rules.sittings import Plan, alike
from forms.publishing import chosen_uid
from forms.sittings import PlanForm, WeekForm

DAY = dt.timedelta(days=1)
WEEKS = 4
"""Of a new publication (row E22)."""


class SittingsPage(PublicationPage):
    """Draft, preview with what is left out, publish now or at an hour, undo while nobody is booked."""

    slug = "sittings"
    for_patients = True
    title = _l("Practitioners' schedules")
    section = SCHEDULE
    permission = "schedules.publish"
    kind = PublicationKind.PATIENTS
    discard_template = "admin/sittings/discard.html"
    undone_words = _l("The sittings are closed; the publication is a draft again.")
    copied_words = _l("This is a copy on later weeks. Check the dates and the practitioners.")

    @expose("/")
    def index(self) -> Any:
        listing = publication_list.listed(
            self.session, before=chosen_uid(request.args, "before"), kind=self.kind
        )
        return self.render(
            "admin/sittings/index.html", listing=listing, templates=self._template_names()
        )

    @expose("/new/", methods=("GET", "POST"))
    def new(self) -> Any:
        uid = chosen_uid(request.values, "template")
        if uid is None:
            active = [row for row in templates.listed(self.session) if row.is_active]
            return self.render("admin/sittings/choose.html", templates=active)
        template = templates.named(self.session, uid)
        place = self.session.get_one(Organization, template.organization_id)
        form = self._form(place)
        plan = Plan(template.id, (), Dates(), templates.lines_of(template))
        if request.method == "POST":
            return self._keep(form, place, template, plan, None)
        monday = monday_of(form.today) + 7 * DAY
        form.fill((), Dates(monday, monday + (7 * WEEKS - 1) * DAY))
        return self._plan_page(form, template, None)

    @expose("/<uuid:uid>/edit/", methods=("GET", "POST"))
    def edit(self, uid: uuid.UUID) -> Any:
        row = self.named(uid)
        if row.publication.status not in OPEN:
            return self.back(".show", uid=uid)
        plan = self._plan(row)
        template = self._template(plan)
        tenant = self.session.get_one(Organization, row.publication.tenant_id)
        owner = template.organization_id if template is not None else tenant.id
        place = self.session.get_one(Organization, owner)
        form = self._form(place)
        if request.method == "POST":
            return self._keep(form, tenant, template, self._renewed(plan, template), row)
        form.fill(plan.role_ids, plan.dates, row.publication.title)
        return self._plan_page(form, template, row)

    @expose("/week/", methods=("GET", "POST"))
    def week(self) -> Any:
        """Copy a published week to later ones: a draft, then the usual preview."""
        place = self._place(chosen_uid(request.values, "organization"))
        if place is None:
            return self.render("admin/templates/nowhere.html")
        roles = sitting_previews.choices(self.session, place)
        today = clock.local_date(self.now, place.time_zone)
        form = WeekForm(roles, today, request.form.copy())
        if request.method == "GET":
            monday = monday_of(today)
            form.values.update(
                {"week": monday.isoformat(), "to": (monday + 7 * DAY).isoformat(), "weeks": "1"}
            )
            return self._week_page(form, place)
        asked = form.read()
        if asked is None:
            return self._week_page(form, place), 422
        chosen, week, to, weeks = asked
        try:
            plan = sitting_weeks.plan_of_week(
                self.session, roles=chosen, week=week, to=to, weeks=weeks
            )
        except RuleError as refusal:
            return self._week_page(form, place, say(refusal)), 409
        with saved() as session:
            kept = drafts.save(
                session,
                tenant_id=place.tenant_id,
                matrix=plan,
                title=form.title,
                actor=self.actor,
                now=self.now,
            )
        return self.back(".show", uid=kept.uid)

    def look(self, row: Row, sentence: str = "") -> str:
        """What will be made per practitioner and week, what is left out; or what became of it."""
        publication, plan = row.publication, self._plan(row)
        tenant = self.session.get_one(Organization, publication.tenant_id)
        template = self._template(plan)
        facts: dict[str, Any] = {
            "row": row,
            "tenant": tenant,
            "source": template,
            "sentence": sentence,
            "seen": drafts.seal(publication.matrix),
        }
        if publication.status is PublicationStatus.PUBLISHED:
            roles = sitting_previews.roles_of(
                self.session, tenant_id=tenant.id, role_ids=plan.role_ids
            )
            return self.render("admin/sittings/published.html", roles=roles, **facts)
        if publication.status is PublicationStatus.PUBLISHING:
            return self.render("admin/sittings/publishing.html", **facts)
        found = sitting_previews.preview_of(
            self.session, publication, not_before=publication.publish_at or self.now
        )
        weeks = sitting_planning.by_week(found.new)
        return self.render(
            "admin/sittings/preview.html",
            found=found,
            roles=found.roles,
            weeks=sorted({monday for own in weeks.values() for monday in own}),
            by_week=weeks,
            outdated=template is not None and templates.lines_of(template) != plan.lines,
            hour=self.proposed_hour(tenant),
            **facts,
        )

    @expose("/<uuid:uid>/stop/", methods=("POST",))
    def stop(self, uid: uuid.UUID) -> Response:
        """Take back what has been made of a large publication so far."""
        return self._act(uid, large_publishing.stop, str(self.undone_words))

    def tell_made(self, report: dict[str, Any]) -> None:
        sittings = ngettext("%(num)d sitting", "%(num)d sittings", report["days"])
        slots = ngettext("%(num)d slot", "%(num)d slots", report["places"])
        done(gettext("Published: %(sittings)s, %(slots)s.", sittings=sittings, slots=slots))

    @staticmethod
    def left_out(publication: Publication) -> list[Remark]:
        """For the pages: what the publication's report names, ready to be said."""
        return sitting_opening.left_out(publication)

    # What the pages need

    @staticmethod
    def _plan(row: Row) -> Plan:
        assert isinstance(row.matrix, Plan)
        return row.matrix

    def _template(self, plan: Plan) -> ScheduleTemplate | None:
        """The plan's template as far as the reader sees it; none for a copied week."""
        return next(
            (row for row in templates.listed(self.session) if row.id == plan.template_id), None
        )

    def _template_names(self) -> dict[int, str]:
        return {row.id: row.title for row in templates.listed(self.session)}

    @staticmethod
    def _renewed(plan: Plan, template: ScheduleTemplate | None) -> Plan:
        """Saving a draft anew takes the template's lines of now."""
        lines = plan.lines if template is None else templates.lines_of(template)
        return Plan(plan.template_id, plan.role_ids, plan.dates, lines)

    def _place(self, uid: uuid.UUID | None) -> Organization | None:
        places = templates.places(self.session)
        if uid is None:
            own = self.desk.id if self.desk is not None else 0
            return next((row for row in places if row.id == own), places[0] if places else None)
        found = next((row for row in places if row.uid == uid), None)
        if found is None:
            raise NotFound()
        return found

    def _form(self, place: Organization) -> PlanForm:
        return PlanForm(
            sitting_previews.choices(self.session, place),
            clock.local_date(self.now, place.time_zone),
            request.form.copy(),
        )

    def _keep(
        self,
        form: PlanForm,
        place: Organization,
        template: ScheduleTemplate | None,
        plan: Plan,
        row: Row | None,
    ) -> Any:
        asked = form.read()
        if asked is None:
            return self._plan_page(form, template, row), 422
        roles, dates = asked
        wanted = Plan(plan.template_id, tuple(role.id for role in roles), dates, plan.lines)
        try:
            with saved() as session:
                kept = drafts.save(
                    session,
                    tenant_id=place.tenant_id,
                    matrix=wanted,
                    title=form.title,
                    actor=self.actor,
                    now=self.now,
                    publication_id=row.publication.id if row else None,
                    seen=request.form.get("seen") if row else None,
                )
        except RuleError as refusal:
            return self._plan_page(form, template, row, say(refusal)), 409
        return self.back(".show", uid=kept.uid)

    def _plan_page(
        self,
        form: PlanForm,
        template: ScheduleTemplate | None,
        row: Row | None,
        sentence: str = "",
    ) -> str:
        seen = drafts.seal(row.publication.matrix) if row else ""
        return self.render(
            "admin/sittings/plan.html",
            form=form,
            groups=practitioners.grouped(form.roles),
            source=template,
            week=alike(templates.lines_of(template)) if template is not None else (),
            row=row,
            seen=request.form.get("seen") or seen,
            sentence=sentence,
        )

    def _week_page(self, form: WeekForm, place: Organization, sentence: str = "") -> str:
        return self.render(
            "admin/sittings/week.html",
            form=form,
            groups=practitioners.grouped(form.roles),
            place=place,
            places=templates.places(self.session),
            sentence=sentence,
        )
