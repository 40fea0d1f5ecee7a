"""Who has seen whose card (152-FZ): by person, and everything lately."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

from flask import abort, g, request
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin.base import StaffView
from admin.filters import Days, OneOf
from admin.listing import public_id
from admin.words import page_words
from app.extensions import db
from app.models.audit import AccessEvent
from app.models.donor import DonorRecord
from app.models.person import Person
from app.models.staff import StaffUser
from app.rules import access_log
from app.rules.lookup import staff_names
from forms.inputs import tidy_line

PAGE = 50


def who(row: AccessEvent) -> str:
    return str(g.colleagues.get(row.staff_user_id, ""))


def how_many(row: AccessEvent) -> int:
    return int(g.shown.get(row.id, 0))


def watchers() -> list[StaffUser]:
    """Read once for a request: the filter asks for its choices and for the one chosen."""
    if "watchers" not in g:
        g.watchers = access_log.watchers(db.session())
    return cast("list[StaffUser]", g.watchers)


class Colleague(OneOf):
    """Members of staff by name; namesakes with their addresses."""

    def options(self) -> list[tuple[str, str]]:
        rows = list(self.rows())
        bearers = Counter(row.full_name for row in rows)
        return [
            (str(row.uid), f"{row} ({row.email})" if bearers[row.full_name] > 1 else str(row))
            for row in rows
        ]


class AccessView(StaffView):
    slug = "access"
    title = _l("Who saw whose card")
    title_one = _l("Page with cards")
    permission = "access.view"
    intro = _l("One line for each page on which members of staff saw donors' cards.")
    can_view_details = can_export = True
    export_permission = "access.export"
    counted = False
    column_list = ("at", "who", "page", "how_many", "ip")
    column_details_list = ("at", "who", "page", "ip")
    column_export_list = ("at", "who", "page", "how_many", "ip")
    column_labels = {
        "at": _l("When"),
        "who": _l("Who"),
        "page": _l("On which page"),
        "how_many": _l("Cards"),
        "ip": _l("From the address"),
    }
    cells = {"who": who, "how_many": how_many, "page": lambda row: page_words(row.action)}
    filters = (
        Colleague("who", _l("Who"), AccessEvent.staff_user_id, rows=watchers),
        Days("at", _l("When"), AccessEvent.at),
    )
    list_template = "admin/access.html"
    details_template = "admin/access_event.html"

    def prepare(self, rows: Iterable[Any]) -> None:
        events = list(rows)
        g.colleagues = staff_names(self.session, {row.staff_user_id for row in events})
        g.shown = access_log.counts(self.session, [row.id for row in events])

    def words_of(self, row: Any) -> str:
        return page_words(row.action)

    def details_extra(self, row: Any) -> dict[str, Any]:
        found = access_log.shown_in(self.session, row)
        self.note_seen("access.event", found.people, found.records, found.feedback)
        return {"found": found}

    @expose("/look-up/", methods=("POST",))
    def look_up(self) -> Any:
        """Whose card: names are typed here and stand in no address."""
        words = tidy_line(request.form.get("words", ""))[:100]
        found = access_log.look_up(self.session, words)
        self.note_seen("access.look_up", found.people, found.records)
        self.session.commit()
        return self.render("admin/access_found.html", words=words, found=found)

    @expose("/card/<uid>/")
    def card(self, uid: str) -> Any:
        """Everybody who has seen this card, newest first."""
        whose = access_log.card(self.session, self._uid(uid))
        if whose is None:
            abort(404)
        self.note_seen(
            "access.card",
            [whose] if isinstance(whose, Person) else [],
            [whose] if isinstance(whose, DonorRecord) else [],
        )
        edge = request.args.get("after", "")
        before = int(edge) if edge.isascii() and edge.isdigit() and len(edge) < 18 else None
        events = access_log.about(self.session, whose, before_id=before, limit=PAGE + 1)
        more, events = len(events) > PAGE, events[:PAGE]
        self.prepare(events)
        return self.render(
            "admin/access_card.html",
            whose=whose,
            events=events,
            next_after=public_id(events[-1]) if more else "",
            first=before is None,
        )

    def _uid(self, text: str) -> uuid.UUID:
        try:
            return uuid.UUID(text)
        except ValueError:
            abort(404)
            raise
