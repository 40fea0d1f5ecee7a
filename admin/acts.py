"""Acts on rows: deletion and whatever a view declares. Each asks first, on a page of its own.

The page works without JavaScript; with it the same question appears in a dialog (staff.js). One row or
many: every row is its own transaction, and the refusals are told one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from werkzeug import Response

from admin.gate import local_path
from app.i18n import say
from app.models.scope import OutOfScope
from app.rules import audit
from app.rules.errors import RuleError

MOST_ROWS = 200


@dataclass(frozen=True)
class Act:
    """Something done to rows after a question."""

    name: str
    label: Any
    """The verb on the button."""
    run: Callable[[Any, Any], Any]
    """Called with the view and a row: calls one rule."""
    ask: Any
    """The question, naming the consequence."""
    permission: str = ""
    """Empty: the view's own."""
    danger: bool = False
    bulk: bool = False
    """Also for several rows ticked in the list."""
    when: Callable[[Any], bool] = lambda _row: True
    """Whether the button is shown for this row; the rule decides when it is pressed."""


class Acts:
    """The part of StaffView that carries out acts."""

    acts: tuple[Act, ...] = ()
    slug: str

    def every_act(self: Any) -> tuple[Act, ...]:
        return (*self.acts, DELETE) if self.can_delete else self.acts

    def acts_for(self: Any, row: Any) -> list[Act]:
        """The buttons of one row."""
        return [act for act in self.every_act() if self._offered(act) and act.when(row)]

    def bulk_acts(self: Any) -> list[Act]:
        return [act for act in self.every_act() if act.bulk and self._offered(act)]

    def _offered(self: Any, act: Act) -> bool:
        return self.may(act.permission or self.permission)

    def on_delete(self: Any, row: Any) -> None:
        """Called before a row is deleted; raises a RuleError to refuse."""

    @expose("/do/<name>/", methods=("GET", "POST"))
    def do_view(self: Any, name: str) -> Any:
        act = next((act for act in self.every_act() if act.name == name), None)
        if act is None:
            abort(404)
        self.need(act.permission or self.permission)
        rows = self._rows_meant()
        if request.method == "POST":
            self._carry_out(act, rows)
            return self._back(rows, act)
        self.prepare(rows)
        self.note_seen(f"{self.slug}.{name}", self.people_of(rows))
        return self.render("admin/act.html", act=act, rows=rows)

    def _rows_meant(self: Any) -> list[Any]:
        names = request.values.getlist("id")
        if not names:
            flash(gettext("Tick at least one row."), "error")
            abort(cast(Response, redirect(url_for(".index_view"), 303)))
        if len(names) > MOST_ROWS:
            abort(400)
        rows = [self.get_one(text) for text in dict.fromkeys(names)]
        if None in rows:
            abort(404)
        return rows

    def _carry_out(self: Any, act: Act, rows: list[Any]) -> None:
        done = 0
        for row in rows:
            words = self.words_of(row)
            try:
                act.run(self, row)
                self.session.commit()
                done += 1
            except (RuleError, IntegrityError, OutOfScope) as refusal:
                self.session.rollback()
                flash(_refusal(words, refusal, alone=len(rows) == 1), "error")
            except BaseException:
                self.session.rollback()
                raise
        if done:
            flash(ngettext("Done: %(num)d row.", "Done: %(num)d rows.", done), "success")

    def _back(self: Any, rows: list[Any], act: Act) -> Response:
        fallback = url_for(".index_view")
        if self.can_view_details and len(rows) == 1 and act is not DELETE:
            fallback = url_for(".details_view", id=self.get_pk_value(rows[0]))
        return cast(Response, redirect(local_path(request.form.get("url"), fallback), 303))


def _refusal(words: str, refusal: Exception, *, alone: bool) -> str:
    if isinstance(refusal, RuleError):
        sentence = say(refusal)
    elif isinstance(refusal, OutOfScope):
        sentence = gettext("There is nothing here, or it is not yours to see.")
    else:
        sentence = gettext("Something else still needs this row; it cannot be deleted.")
    return sentence if alone else f"{words}: {sentence}"


def _delete(view: Any, row: Any) -> None:
    view.demand_reach(row)
    view.on_delete(row)
    audit.record(
        view.session,
        verb=f"{view.slug}.delete",
        subject=row,
        actor=view.actor,
        now=view.now,
        changes={},
    )
    view.session.delete(row)
    view.session.flush()


DELETE = Act(
    name="delete",
    label=_l("Delete"),
    run=_delete,
    ask=_l("It will be deleted for good. There is no undo."),
    danger=True,
)
