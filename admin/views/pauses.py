"""Pausing one donation type, everywhere or at a branch, with a public notice."""

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
from app.models.donation_type import DonationPause
from app.models.organization import Organization
from app.rules import clock, pauses, previews
from app.rules.errors import NotFound, RuleError
from forms.days import PauseForm
from forms.publishing import chosen_uid


class PausesPage(StaffPage):
    """What is paused now, later and was before; a form for the next one."""

    for_donors = True
    slug = "pauses"
    title = _l("Pauses of a donation type")
    section = SCHEDULE
    permission = "schedules.publish"

    @expose("/")
    def index(self) -> Any:
        return self.render(
            "admin/pauses/index.html",
            rows=pauses.listed(self.session, now=self.now),
            state=self.state,
        )

    @expose("/new/", methods=("GET", "POST"))
    def new(self) -> Any:
        tenant = self._tenant(chosen_uid(request.values, "organization"))
        form = self._form(tenant)
        if request.method == "GET":
            return self._page(form, tenant)
        given: Any = form.read()
        if given is None:
            return self._page(form, tenant), 422
        try:
            with saved() as session:
                pauses.begin(session, **given, actor=self.actor, now=self.now)
        except RuleError as refusal:
            return self._page(form, tenant, say(refusal)), 409
        done(gettext("The pause is set; the notice stands on the public page while it lasts."))
        return self.back(".index")

    @expose("/<uuid:uid>/end/", methods=("POST",))
    def end(self, uid: uuid.UUID) -> Response:
        pause = pauses.named(self.session, uid)
        if pause is None:
            raise NotFound()
        try:
            with saved() as session:
                pauses.end(session, pause_id=pause.id, actor=self.actor, now=self.now)
        except RuleError as refusal:
            refused(say(refusal))
        else:
            done(gettext("The pause has ended: bookings are taken again."))
        return self.back(".index")

    def state(self, pause: DonationPause) -> str:
        """``now``, ``later`` or ``over``."""
        if pause.ends_at is not None and pause.ends_at <= self.now:
            return "over"
        return "now" if pause.starts_at <= self.now else "later"

    def _tenant(self, uid: uuid.UUID | None) -> Organization:
        tenants = previews.tenants(self.session)
        own = self.desk.tenant_id if self.desk is not None else 0
        for row in tenants:
            if row.uid == uid or (uid is None and row.id == own):
                return row
        if uid is None and tenants:
            return tenants[0]
        raise NotFound()

    def _form(self, tenant: Organization) -> PauseForm:
        branches = previews.branches(self.session, tenant_id=tenant.id)
        return PauseForm(
            types=previews.types(self.session, tenant_id=tenant.id),
            branches=branches,
            everywhere=previews.covers(self.session, tenant.id),
            zone=tenant.time_zone,
            today=clock.local_date(self.now, tenant.time_zone),
            values=request.form,
        )

    def _page(self, form: PauseForm, tenant: Organization, sentence: str = "") -> str:
        return self.render(
            "admin/pauses/new.html",
            form=form,
            tenant=tenant,
            tenants=previews.tenants(self.session),
            sentence=sentence,
        )
