"""Medical intervals and yearly limits: the matrix that holds, its sources, and the next version."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from admin.base import done, refused
from admin.tenant_page import TenantPage
from app.extensions import saved
from app.i18n import say
from app.models.enums import DonationKind
from app.models.organization import Organization
from app.rules import medical
from app.rules.clock import local_date
from app.rules.errors import RuleError
from forms.medical import WHOM, days_name, numbers_form, times_name, tomorrow


class MedicalPage(TenantPage):
    for_donors = True
    slug = "medical"
    title = _l("Medical numbers")
    permission = "policies.edit"

    def today(self, tenant: Organization) -> dt.date:
        return local_date(self.now, tenant.time_zone)

    @expose("/")
    def index(self) -> Any:
        tenant = self.tenant()
        today = self.today(tenant)
        numbers = medical.numbers(self.session, tenant_id=tenant.id, on=today)
        rows: list[Any] = [*numbers.intervals.values(), *numbers.limits.values()]
        sources: dict[str, int] = {}
        for row in rows:
            sources[row.source] = sources.get(row.source, 0) + row.to_check
        return self.render(
            "admin/medical.html",
            tenant=tenant,
            others=self.others(tenant),
            kinds=list(DonationKind),
            whom=WHOM,
            numbers=numbers,
            sources=sources,
            ahead=medical.ahead(self.session, tenant_id=tenant.id, on=today),
        )

    @expose("/new/", methods=("GET", "POST"))
    def new(self) -> Any:
        """The next version: filled in with what holds now."""
        tenant = self.tenant()
        form = numbers_form()(data=self._present(tenant))
        if form.validate_on_submit():
            try:
                return self._keep(tenant, form)
            except RuleError as refusal:
                form.form_errors.append(say(refusal))
        html = self.render(
            "admin/medical_form.html",
            form=form,
            tenant=tenant,
            kinds=list(DonationKind),
            whom=WHOM,
            days_name=days_name,
            times_name=times_name,
        )
        return html, 422 if form.is_submitted() else 200

    def _present(self, tenant: Organization) -> dict[str, Any]:
        numbers = medical.numbers(self.session, tenant_id=tenant.id, on=None)
        found: dict[str, Any] = {"valid_from": tomorrow(self.today(tenant))}
        found |= {days_name(*key): row.days for key, row in numbers.intervals.items()}
        found |= {times_name(*key): row.times for key, row in numbers.limits.items()}
        return found

    def _keep(self, tenant: Organization, form: Any) -> Any:
        with saved() as open_session:
            count = medical.new_numbers(
                open_session,
                tenant_id=tenant.id,
                valid_from=form.valid_from.data,
                days={
                    (before, after): form[days_name(before, after)].data
                    for before in DonationKind
                    for after in DonationKind
                },
                times={
                    (kind, sex): form[times_name(kind, sex)].data
                    for kind in DonationKind
                    for sex in WHOM
                },
                source=form.source.data,
                checked=form.checked.data,
                actor=self.actor,
                now=self.now,
            )
        done(ngettext("%(num)d number will change.", "%(num)d numbers will change.", count))
        return redirect(url_for(".index", of=tenant.uid), 303)

    @expose("/checked/", methods=("POST",))
    def checked(self) -> Any:
        """Somebody has read the official text: the mark comes off every number of that source."""
        tenant = self.tenant()
        try:
            with saved() as open_session:
                medical.confirm(
                    open_session,
                    tenant_id=tenant.id,
                    source=request.form.get("source", "")[:200],
                    actor=self.actor,
                    now=self.now,
                )
            done(gettext("The mark «to check» is off these numbers."))
        except RuleError as refusal:
            refused(say(refusal))
        return redirect(url_for(".index", of=tenant.uid), 303)
