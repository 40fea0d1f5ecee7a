"""The journal: what was changed, by whom. Nobody edits it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import g
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from admin.base import StaffView
from admin.field_words import lines, numbered, shown
from admin.filters import Choice, Days
from admin.words import subject_words, verb_words
from app.i18n import label
from app.models.audit import AuditEvent
from app.models.enums import ActorKind
from app.rules import journal
from app.rules.lookup import staff_names

MOST_SHOWN = 3


def who(row: AuditEvent) -> str:
    """The colleague's name (read by ``prepare``), the donor, or Talon itself."""
    if row.actor_kind is not ActorKind.STAFF:
        return label(row.actor_kind)
    return str(g.colleagues.get(row.actor_id) or gettext("staff"))


def about(row: AuditEvent) -> str:
    words = subject_words(row.subject)
    if row.subject_id is None:
        return words
    name = g.subjects.get((row.subject, row.subject_id)) or numbered(row.subject, row.subject_id)
    return f"{words} {name}" if name.startswith("№") else f"{words}: {name}"


def fields(row: AuditEvent) -> str:
    """The first few; the page of the event has them all, with their values."""
    every = shown(row)
    left = len(every) - MOST_SHOWN
    if left > 1:
        every = [*every[:MOST_SHOWN], ngettext("and %(num)d more", "and %(num)d more", left)]
    return "; ".join(every)


class AuditView(StaffView):
    slug = "audit"
    title = _l("Journal of changes")
    title_one = _l("Change")
    permission = "audit.view"
    intro = _l("Who changed what, and when. Personal data are masked here.")
    can_view_details = can_export = True
    export_permission = "audit.export"
    counted = False
    column_list = ("at", "verb", "who", "about", "fields")
    column_details_list = ("verb", "at", "who", "about")
    column_export_list = ("at", "verb", "who", "about", "fields")
    column_labels = {
        "at": _l("When"),
        "verb": _l("What was done"),
        "who": _l("Who"),
        "about": _l("To what"),
        "fields": _l("What changed"),
    }
    cells = {
        "verb": lambda row: verb_words(row.verb),
        "who": who,
        "about": about,
        "fields": fields,
    }
    filters = (
        Days("at", _l("When"), AuditEvent.at),
        Choice("by", _l("Who"), AuditEvent.actor_kind, ActorKind),
    )
    details_template = "admin/audit_event.html"

    def prepare(self, rows: Iterable[Any]) -> None:
        events = list(rows)
        ids = {row.actor_id for row in events if row.actor_kind is ActorKind.STAFF}
        g.colleagues = staff_names(self.session, ids - {None})
        g.subjects = journal.names(self.session, events)

    def export_value(self, row: Any, name: str) -> Any:
        """A file holds every field's name."""
        return "; ".join(shown(row)) if name == "fields" else super().export_value(row, name)

    def words_of(self, row: Any) -> str:
        return verb_words(row.verb)

    def details_extra(self, row: Any) -> dict[str, Any]:
        return {"changes": lines(row)}
