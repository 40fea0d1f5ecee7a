"""Records of the blood service's file (A26): found by code, name or birth date; linked from the donor's card."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin import notes
from admin.base import StaffPage
from admin.sections import DONORS
from admin.views.donors import SAW
from app.rules import donor_records, donor_search
from app.rules.donor_search import FoundRecord
from forms.donors import SEXES, SearchForm


class RecordsPage(StaffPage):
    """Read only: the file is the truth of another system, and comes in by «Donor files»."""

    for_donors = True
    slug = "records"
    section = DONORS
    title = _l("Donor file")
    permission = "donors.view"

    @expose("/", methods=("GET",))
    def index(self) -> Any:
        """The line of search, and the records that wait to be linked."""
        waiting = donor_search.unlinked(self.session)
        self._note(waiting[: donor_search.MOST])
        return self.render(
            "admin/donors/records.html",
            form=SearchForm(),
            waiting=waiting[: donor_search.MOST],
            more=len(waiting) > donor_search.MOST,
        )

    @expose("/search/", methods=("GET", "POST"))
    def search(self) -> Any:
        """Sent by POST, answered by GET: a name stands in no address, and Back works."""
        form = SearchForm()
        if form.is_submitted():
            if not form.validate():
                return self.back()
            return self.back(".search", asked=notes.keep("records", form.q.data or ""))
        words = notes.kept("records", request.args.get("asked", ""))
        if words is None:
            return self.back()
        form.q.data = words
        found = donor_search.records(self.session, donor_search.wanted(words))
        self._note(found[: donor_search.MOST])
        return self.render(
            "admin/donors/records.html",
            form=form,
            found=found[: donor_search.MOST],
            more=len(found) > donor_search.MOST,
        )

    def _note(self, rows: list[FoundRecord]) -> None:
        self.note_seen(
            "records.list",
            [one.person for one in rows if one.person is not None],
            [one.record for one in rows],
        )

    @expose("/<uuid:uid>/", methods=("GET",))
    def card(self, uid: uuid.UUID) -> Any:
        whole = "all" in request.args
        card = donor_records.record_card(self.session, uid=uid, now=self.now, whole=whole)
        people = [card.person, *card.claimed_by] if card.person is not None else card.claimed_by
        self.note_seen("records.card", people, [card.record])
        return self.render(
            "admin/donors/record.html",
            card=card,
            sexes=SEXES,
            saw=SAW,
            may_edit=self.may("donors.edit"),
        )
