"""Weekly templates: the list and the editor with its rows of hours."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import StaffPage, done, refused
from admin.sections import SCHEDULE
from app.extensions import saved
from app.i18n import say
from app.models.enums import Channel, SlotKind
from app.models.organization import Organization
from app.models.template import ScheduleTemplate
from app.rules import templates
from app.rules.errors import NotFound, RuleError
from app.rules.sittings import alike
from app.rules.template_lines import LinesWrong
from forms.publishing import chosen_uid
from forms.templates import TemplateForm


class TemplatesPage(StaffPage):
    """The patterns of practitioners' weeks. What was published from one never moves with it."""

    slug = "templates"
    for_patients = True
    title = _l("Templates")
    section = SCHEDULE
    permission = "schedules.publish"

    @expose("/")
    def index(self) -> Any:
        return self.render(
            "admin/templates/index.html",
            templates=templates.listed(self.session),
            days_of=lambda one: alike(templates.lines_of(one)),
            places={row.id: row for row in templates.places(self.session)},
        )

    @expose("/new/", methods=("GET", "POST"))
    def new(self) -> Any:
        place = self._place(chosen_uid(request.values, "organization"))
        if place is None:
            return self.render("admin/templates/nowhere.html")
        form = self._form(place, ())
        if request.method == "POST":
            return self._keep(form, place, None)
        form.blank()
        return self._editor(form, place, None)

    @expose("/<uuid:uid>/", methods=("GET", "POST"))
    def edit(self, uid: uuid.UUID) -> Any:
        template = templates.named(self.session, uid)
        lines = templates.lines_of(template)
        place = self.session.get_one(Organization, template.organization_id)
        form = self._form(place, [line.service_id or 0 for line in lines])
        if request.method == "POST":
            return self._keep(form, place, template)
        form.fill(template.title, lines)
        return self._editor(form, place, template)

    @expose("/<uuid:uid>/switch/", methods=("POST",))
    def switch(self, uid: uuid.UUID) -> Response:
        """Offer it for publishing, or no more."""
        template = templates.named(self.session, uid)
        wanted = request.form.get("active") == "1"
        with saved() as session:
            templates.switch(
                session,
                template_id=template.id,
                is_active=wanted,
                actor=self.actor,
                now=self.now,
            )
        done(
            gettext("The template is in use again.")
            if wanted
            else gettext("The template is not offered any more. What was published stays.")
        )
        return self.back()

    # What the pages need

    def _place(self, uid: uuid.UUID | None) -> Organization | None:
        """Where the template will belong; None if there is no place. Raises NotFound."""
        places = templates.places(self.session)
        if uid is None:
            own = self.desk.id if self.desk is not None else 0
            return next((row for row in places if row.id == own), places[0] if places else None)
        found = next((row for row in places if row.uid == uid), None)
        if found is None:
            raise NotFound()
        return found

    def _form(self, place: Organization, used: Any) -> TemplateForm:
        return TemplateForm(
            services=templates.services(self.session, tenant_id=place.tenant_id, besides=used),
            values=request.form.copy(),
        )

    def _keep(
        self, form: TemplateForm, place: Organization, template: ScheduleTemplate | None
    ) -> Any:
        act = request.form.get("act", "save")
        if act == "more":
            form.more()
            return self._editor(form, place, template)
        if act.startswith("drop-") and act[5:].isascii() and act[5:].isdigit():
            form.drop(int(act[5:8]))
            return self._editor(form, place, template)
        lines = form.read()
        if lines is None:
            return self._editor(form, place, template), 422
        common: dict[str, Any] = {
            "title": form.title,
            "lines": lines,
            "actor": self.actor,
            "now": self.now,
        }
        try:
            with saved() as session:
                if template is None:
                    templates.create(session, organization_id=place.id, **common)
                else:
                    templates.change(session, template_id=template.id, **common)
        except LinesWrong as wrong:
            form.blame(wrong.faults)
            return self._editor(form, place, template), 422
        except RuleError as refusal:
            refused(say(refusal))
            return self.back()
        done(gettext("The template is saved. What was published before stays as it is."))
        return self.back()

    def _editor(
        self, form: TemplateForm, place: Organization, template: ScheduleTemplate | None
    ) -> str:
        return self.render(
            "admin/templates/edit.html",
            form=form,
            place=place,
            places=templates.places(self.session) if template is None else [],
            source=template,
            kinds=list(SlotKind),
            channels=list(Channel),
        )
