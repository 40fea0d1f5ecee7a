"""New and changed rows: the form, the rule, the audit line in one transaction, refusals as sentences."""

from __future__ import annotations

from typing import Any, cast

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from sqlalchemy.exc import IntegrityError
from werkzeug import Response

from admin import forms, tenants
from admin.gate import local_path
from app.i18n import say
from app.models.organization import Organization
from app.models.scope import TenantScoped
from app.rules import audit, organizations
from app.rules.errors import NotAllowed, RuleError


class Writes:
    """The part of StaffView that writes. Children override create_row and change_row to call a rule."""

    def get_create_form(self) -> type[Any]:
        return forms.form_for(self, self.create_columns or self.form_columns, creates=True)

    def get_edit_form(self) -> type[Any]:
        return forms.form_for(self, self.form_columns)

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        if not self.can_create:
            abort(404)
        form = self.create_form()
        if form.is_submitted() and form.validate():
            saved = self.create_model(form)
            if saved:
                flash(gettext("Saved."), "success")
                return self._after(saved)
        return self._form_page(self.create_template, form, None)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        if not self.can_edit:
            abort(404)
        row = self.one_or_404()
        self.note_seen(f"{self.slug}.edit", self.people_of([row]))
        form = self.edit_form(obj=row)
        if form.is_submitted() and form.validate() and forms.unchanged(self, form, row):
            if self.update_model(form, row):
                flash(gettext("Saved."), "success")
                return self._after(row)
            row = self.one_or_404()
        return self._form_page(self.edit_template, form, row)

    def _form_page(self, template: str, form: Any, row: Any) -> Any:
        html = self.render(template, form=form, row=row, **self.form_extra(form, row))
        return html, 422 if form.is_submitted() else 200

    def fingerprint(self, row: Any) -> str:
        return forms.fingerprint(self, row)

    def form_extra(self, form: Any, row: Any) -> dict[str, Any]:
        """More for the form's template."""
        return {}

    def _after(self, row: Any) -> Response:
        fallback = (
            url_for(".details_view", id=self.get_pk_value(row))
            if self.can_view_details
            else url_for(".index_view")
        )
        return cast(Response, redirect(local_path(request.args.get("url"), fallback), 303))

    # Writing: the change and its audit line in one transaction, refusals as sentences.

    def create_model(self, form: Any) -> Any:
        return self._written(form, lambda: self.create_row(form))

    def update_model(self, form: Any, model: Any) -> bool:
        return bool(self._written(form, lambda: self.change_row(form, model) or model))

    def create_row(self, form: Any) -> Any:
        """Make the row from the form; a view with a rule calls it here instead."""
        row = self.model()
        form.populate_obj(row)
        if isinstance(row, TenantScoped):
            row.tenant_id = self.tenant_chosen(form).id
        self.complete(row)
        self.demand_reach(row)
        self.session.add(row)
        self.on_model_change(form, row, True)
        self.session.flush()  # the audit line needs the id
        self._record("create", row, audit.changes_since({}, row))
        return row

    def change_row(self, form: Any, row: Any) -> Any:
        """Write the form into the row; a view with a rule calls it here instead."""
        self.demand_reach(row)
        before = audit.snapshot(row)
        form.populate_obj(row)
        self.on_model_change(form, row, False)
        self.session.flush()  # keys set through relations are known only now
        changes = audit.changes_since(before, row)
        if changes:
            self._record("edit", row, changes)
        return row

    def complete(self, row: Any) -> None:
        """Give a new row what its form does not ask for."""

    def demand_reach(self, row: Any) -> None:
        """The reader's roles are held over the organization whose row it is. Raises NotAllowed."""
        if isinstance(row, TenantScoped):
            organizations.demand_over(self.session, row.tenant_id)

    def create_form(self, obj: Any = None) -> Any:
        """The form for a new row; whose it will be is asked only where there is a choice."""
        form = super().create_form(obj)
        if "tenant" in form and len(tenants.reached()) == 1:
            del form.tenant
        return form

    def tenant_chosen(self, form: Any) -> Organization:
        """Whose the new row is. Raises NotAllowed where the reader may write nobody's."""
        if "tenant" in form and form.tenant.data is not None:
            return cast(Organization, form.tenant.data)
        reached = tenants.reached()
        if not reached:
            raise NotAllowed()
        return reached[0]

    def _record(self, verb: str, row: Any, changes: dict[str, list[Any]]) -> None:
        audit.record(
            self.session,
            verb=f"{self.slug}.{verb}",
            subject=row,
            actor=self.actor,
            now=self.now,
            changes=changes,
        )

    def _written(self, form: Any, write: Any) -> Any:
        try:
            row = write()
            self.session.commit()
        except RuleError as refusal:
            self.session.rollback()
            form.form_errors.append(say(refusal))
            return None
        except IntegrityError:
            self.session.rollback()
            form.form_errors.append(
                gettext("There is already such a row, or another one needs this.")
            )
            return None
        except BaseException:
            self.session.rollback()
            raise
        return row
