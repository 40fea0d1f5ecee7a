"""StaffPage and StaffView: a page of one's own design, and a table with everything that belongs to it.

A child is a table of facts: attributes and one-line methods. The machinery is in the neighbours:
gate.py (who gets in), forms.py (forms from models), listing.py (filters, search, paging by key),
columns.py (cells), acts.py (deletion and other acts, each with its confirmation page), export.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from flask import abort, flash, redirect, request, url_for
from flask_admin import BaseView, expose
from flask_admin.contrib.sqla import ModelView
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload
from werkzeug import Response

from admin import forms, listing, tenants
from admin.acts import Acts
from admin.columns import Cell, cell
from admin.export import Exports
from admin.gate import Guarded, local_path, to_sign_in
from app.extensions import db
from app.i18n import say
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import TenantScoped
from app.rules import audit, organizations
from app.rules.errors import NotAllowed, RuleError


class StaffPage(Guarded, BaseView):
    """A page of its own design: the queue, the matrix, the donor card.

    Give ``slug`` (address /staff/<slug>/ and endpoint prefix), ``title``, ``permission``; expose
    methods; render templates that extend ``admin/base.html``.
    """

    slug: str
    title: Any
    section: Any = None
    """The menu's heading; None: a top-level entry."""
    in_menu = True

    def __init__(self) -> None:
        super().__init__(
            name=self.title, category=self.section, endpoint=self.slug, url=f"/staff/{self.slug}"
        )

    def is_visible(self) -> bool:
        return self.in_menu

    def back(self, endpoint: str = ".index", **values: Any) -> Response:
        """Redirect after a POST (303), within this page unless told otherwise."""
        return cast(Response, redirect(url_for(endpoint, **values), 303))


class StaffView(Acts, Exports, Guarded, ModelView):
    """A table of one model. Everything is off until a child opens it.

    ``column_list`` is required, ``form_columns`` as soon as anything can be written; secrets and
    columns that only rules write are refused when the application starts.
    """

    slug: str
    title: Any
    title_one: Any
    """One row, as in «Organization»: the heading of its own pages."""
    section: Any = None
    intro: Any = None
    """A sentence under the heading: what this list is, what to do here."""
    empty: Any = None
    """What an empty list says: why, and what next."""

    can_create = False
    can_edit = False
    can_delete = False
    can_export = False
    can_view_details = False
    column_display_actions = True
    named_filter_urls = True
    fast_mass_delete = False
    form_base_class = forms.StaffForm
    column_list: ClassVar[Any] = ()
    column_sortable_list: ClassVar[Any] = ()
    column_searchable_list: ClassVar[Any] = ()
    column_details_list: ClassVar[Any] = ()
    column_export_list: ClassVar[Any] = ()
    column_labels: ClassVar[Any] = {}
    column_descriptions: ClassVar[Any] = {}
    column_default_sort: ClassVar[Any] = ("id", True)
    form_columns: ClassVar[Any] = ()
    create_columns: ClassVar[Any] = ()
    """Where a new row is asked for other things than an old one; else ``form_columns``."""
    form_fields: ClassVar[dict[str, Any]] = {}
    """Fields that replace what the model suggests: name → unbound WTForms field."""
    filters: ClassVar[tuple[listing.Filter, ...]] = ()
    cells: ClassVar[dict[str, Any]] = {}
    """Column → function of the row; what it returns is shown by admin.columns.cell."""
    load: ClassVar[tuple[Any, ...]] = ()
    """Relations that the list shows: loaded in one query each."""
    search_is_personal = False
    """What is searched for names a person: it is sent by POST and never stands in an address."""
    counted = True
    """Show how many there are (up to a thousand); off for tables that grow for ever."""
    page_size = 50
    list_template = "admin/list.html"
    details_template = "admin/details.html"
    create_template = "admin/form.html"
    edit_template = "admin/form.html"

    # Flask-Admin's own ways in that this house does not use.
    action_view = None
    ajax_lookup = None
    ajax_update = None
    delete_view = None
    export = None

    def __init__(self, model: type[Any]) -> None:
        forms.demand_safe(self, model)
        super().__init__(
            model,
            db,
            name=self.title,
            category=self.section,
            endpoint=self.slug,
            url=f"/staff/{self.slug}",
        )

    # Flask-Admin's scaffolding that would query or guess.

    def get_create_form(self) -> type[Any]:
        return forms.form_for(self, self.create_columns or self.form_columns, creates=True)

    def get_edit_form(self) -> type[Any]:
        return forms.form_for(self, self.form_columns)

    def init_search(self) -> bool:
        return bool(self.column_searchable_list)

    def get_filters(self) -> None:
        return None

    def init_actions(self) -> None:
        self._actions: list[Any] = []
        self._actions_data: dict[str, Any] = {}

    def scaffold_auto_joins(self) -> list[Any]:
        return []

    def get_sortable_columns(self) -> dict[str, str]:
        return {name: name for name in self.column_sortable_list}

    # Rows. The session's scope narrows every one of these (app.models.scope).

    def get_query(self) -> Select[Any]:
        """What this table is about; children add conditions or loading here."""
        query = select(self.model)
        for relation in self.load:
            query = query.options(selectinload(relation))
        return query

    def get_count_query(self) -> Select[Any]:
        return self.get_query()

    def get_pk_value(self, model: Any) -> str:
        """The row's name outside: its ``uid``, or the key of a table without one."""
        return listing.public_id(model)

    def get_one(self, id: Any) -> Any:
        """The row, or None: unknown, malformed and somebody else's look the same."""
        condition = listing.by_public_id(self.model, id)
        if condition is None:
            return None
        return self.session.scalars(self.get_query().where(condition)).one_or_none()

    def one_or_404(self) -> Any:
        row = self.get_one(request.args.get("id"))
        if row is None:
            abort(404)
        return row

    def people_of(self, rows: Iterable[Any]) -> Iterable[Person]:
        """Whose personal data these rows show; tables of people say so here."""
        return ()

    def prepare(self, rows: Iterable[Any]) -> None:
        """Read what the cells of these rows need besides the rows, in one go, and keep it in ``g``."""

    def words_of(self, row: Any) -> str:
        """What a row is called: the heading of its page, the subject of a question."""
        return str(row)

    def cell_of(self, row: Any, name: str) -> Cell:
        if name == "tenant_id":
            return cell(tenants.seen().get(row.tenant_id))
        return cell(self.cells[name](row) if name in self.cells else listing.value_of(row, name))

    def columns(self) -> list[tuple[str, Any]]:
        """Name and heading of the list's columns; whose a row is, where the reader sees several."""
        shown = list(self._list_columns)
        if issubclass(self.model, TenantScoped) and len(tenants.seen()) > 1:
            shown.append(("tenant_id", _l("Organization")))
        return shown

    # Pages

    @expose("/", methods=("GET",))
    def index_view(self) -> Any:
        return self._list(listing.asked(self, request.args))

    @expose("/search/", methods=("POST",))
    def search_view(self) -> Any:
        """The same list for words that must not stand in an address."""
        if not self.search_is_personal:
            abort(404)
        return self._list(listing.asked(self, request.form))

    def _list(self, asked: listing.Asked) -> Any:
        page = listing.page(self, asked)
        self.prepare(page.rows)
        self.note_seen(f"{self.slug}.list", self.people_of(page.rows))
        return self.render(self.list_template, page=page, asked=asked, **self.list_extra(page))

    def list_extra(self, page: listing.Page) -> dict[str, Any]:
        """More for the list's template."""
        return {}

    @expose("/details/", methods=("GET",))
    def details_view(self) -> Any:
        if not self.can_view_details:
            abort(404)
        row = self.one_or_404()
        self.prepare([row])
        self.note_seen(f"{self.slug}.details", self.people_of([row]))
        return self.render(self.details_template, row=row, **self.details_extra(row))

    def details_extra(self, row: Any) -> dict[str, Any]:
        """More for the row's template."""
        return {}

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


def done(sentence: str) -> None:
    """Tell on the next page that it worked."""
    flash(sentence, "success")


def refused(sentence: str) -> None:
    """Tell on the next page that it did not, and why."""
    flash(sentence, "error")


__all__ = ["StaffPage", "StaffView", "done", "local_path", "refused", "to_sign_in"]
