"""Pages of the site that staff write (E1): drafts, a preview of what cleaning leaves, publishing."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.base import done, refused
from admin.tenant_page import TenantPage
from app.extensions import saved
from app.i18n import say
from app.models.organization import Organization
from app.models.page import Page
from app.rules import pages as rules
from app.rules.cleaning import drops_something
from app.rules.errors import NotFound, RuleError
from forms.pages import PageForm


class PagesPage(TenantPage):
    slug = "pages"
    title = _l("Pages of the site")
    permission = "pages.edit"

    @expose("/")
    def index(self) -> Any:
        tenant = self.tenant()
        return self.render(
            "admin/pages/index.html",
            tenant=tenant,
            others=self.others(tenant),
            rows=rules.listed(self.session, tenant_id=tenant.id),
            now=self.now,
        )

    @expose("/new/", methods=("GET", "POST"))
    def new(self) -> Any:
        tenant = self.tenant()
        return self._form(tenant, None, PageForm())

    @expose("/<uuid:uid>/", methods=("GET", "POST"))
    def edit(self, uid: uuid.UUID) -> Any:
        tenant = self.tenant()
        page = self._named(tenant, uid)
        return self._form(tenant, page, PageForm(obj=page))

    @expose("/<uuid:uid>/delete/", methods=("GET", "POST"))
    def delete(self, uid: uuid.UUID) -> Any:
        """Drafts only, after a question."""
        tenant = self.tenant()
        page = self._named(tenant, uid)
        if request.method == "GET":
            return self.render("admin/pages/delete.html", tenant=tenant, page=page)
        try:
            with saved() as open_session:
                rules.drop(open_session, page=page, actor=self.actor, now=self.now)
            done(gettext("The draft has been deleted."))
        except RuleError as refusal:
            refused(say(refusal))
        return redirect(url_for(".index", of=tenant.uid), 303)

    def _named(self, tenant: Organization, uid: uuid.UUID) -> Page:
        page = rules.named(self.session, tenant_id=tenant.id, uid=uid)
        if page is None:
            raise NotFound()
        return page

    def _form(self, tenant: Organization, page: Page | None, form: PageForm) -> Any:
        sound = form.validate_on_submit()
        if sound and "look" not in request.form:
            answer = self._keep(tenant, page, form)
            if answer is not None:
                return answer
        html = self.render(
            "admin/pages/form.html",
            tenant=tenant,
            page=page,
            form=form,
            preview=form.text if not form.errors and form.body_ru.data else None,
        )
        return html, 422 if form.errors else 200

    def _keep(self, tenant: Organization, page: Page | None, form: PageForm) -> Any:
        text = form.text
        if "publish" in request.form:
            text = dataclasses.replace(text, published_at=self.now)
        try:
            with saved() as open_session:
                rules.keep(
                    open_session,
                    tenant_id=tenant.id,
                    page=page,
                    text=text,
                    actor=self.actor,
                    now=self.now,
                )
        except (rules.BadSlug, rules.SlugTaken) as refusal:
            form.slug.errors = [say(refusal)]
            return None
        except RuleError as refusal:
            form.form_errors.append(say(refusal))
            return None
        done(gettext("The page is kept."))
        if drops_something(text.body_ru) or drops_something(text.body_en):
            done(gettext("Some tags are not allowed on pages and were taken away: look it over."))
        return redirect(url_for(".index", of=tenant.uid), 303)
