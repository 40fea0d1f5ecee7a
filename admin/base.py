"""StaffPage and StaffView: a page of one's own design, and a table with everything that belongs to it.

A child is a table of facts: attributes and one-line methods. The machinery is in the neighbours:
gate.py (who gets in), writing.py and forms.py (new and changed rows), filters.py and listing.py (search,
sorting, paging by key), columns.py (cells), acts.py (deletion and the like, after a question), export.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from flask import abort, flash, redirect, request, url_for
from flask_admin import BaseView, expose
from flask_admin.contrib.sqla import ModelView
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import selectinload
from werkzeug import Response

from admin import forms, listing, tenants
from admin.acts import Acts
from admin.columns import Cell, cell
from admin.export import Exports
from admin.filters import Filter
from admin.gate import Guarded, local_path, to_sign_in
from admin.writing import Writes
from app.extensions import db
from app.models.person import Person
from app.models.scope import TenantScoped


class StaffPage(Guarded, BaseView):
    """A page of its own design: the queue, the matrix, the donor card.

    Give ``slug`` (address /staff/<slug>/ and endpoint prefix), ``title``, ``permission``; expose
    methods; render templates that extend ``admin/base.html``.
    """

    slug: str
    path: str = ""
    """Where it stands under /staff/, if that is not the slug."""
    title: Any
    section: Any = None
    """The menu's heading; None: a top-level entry."""
    in_menu = True

    def __init__(self) -> None:
        super().__init__(
            name=self.title,
            category=self.section,
            endpoint=self.slug,
            url=f"/staff/{self.path or self.slug}",
        )

    def is_visible(self) -> bool:
        return self.in_menu

    def back(self, endpoint: str = ".index", **values: Any) -> Response:
        """Redirect after a POST (303), within this page unless told otherwise."""
        return cast(Response, redirect(url_for(endpoint, **values), 303))


class StaffView(Writes, Acts, Exports, Guarded, ModelView):
    """A table of one model. Everything is off until a child opens it.

    ``column_list`` is required, ``form_columns`` as soon as anything can be written; secrets and
    columns that only rules write are refused when the application starts.
    """

    slug: str
    path: str = ""
    """Where it stands under /staff/, if that is not the slug: «directory/departments»."""
    title: Any
    title_one: Any
    """One row, as in «Organization»: the heading of its own pages."""
    new_title: Any = None
    """The heading over the form for a new row: «New organization»."""
    section: Any = None
    intro: Any = None
    """A sentence under the heading: what this list is, what to do here."""
    empty: Any = None
    """What an empty list says: why, and what next."""
    add_words: Any = _l("Add")
    """The verb on the button that opens the form for a new row."""
    save_words: Any = None
    """The verb on that form's own button, where «Save» does not say what happens."""

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
    filters: ClassVar[tuple[Filter, ...]] = ()
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
            url=f"/staff/{self.path or self.slug}",
        )

    # Flask-Admin's scaffolding that would query or guess.

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
        return self._list(listing.asked(self, request.form, sent=True))

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


def done(sentence: str) -> None:
    """Tell on the next page that it worked."""
    flash(sentence, "success")


def refused(sentence: str) -> None:
    """Tell on the next page that it did not, and why."""
    flash(sentence, "error")


__all__ = ["StaffPage", "StaffView", "done", "local_path", "refused", "to_sign_in"]
