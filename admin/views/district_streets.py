"""The street screen: all houses of one street among the districts on one page, gaps and overlaps in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.base import done
from admin.views.districts import OfPlace
from app.extensions import saved
from app.i18n import say
from app.models.district import DistrictRange
from app.models.enums import Parity
from app.models.organization import Organization
from app.rules import district_streets, districts, house_ranges, streets
from app.rules.district_streets import Overlapping, described
from app.rules.errors import RuleError
from app.rules.house_ranges import Gap, Overlap
from forms.districts import MOST_ROWS, StreetForm, gap_words, overlap_words

MOST_FOUND = 200


class DistrictStreetsPage(OfPlace):
    """Which streets there are, and each of them as a whole."""

    slug = "district-streets"
    for_patients = True
    title = _l("Streets")

    @expose("/")
    def index(self) -> Any:
        """``?of=&q=``: streets whose name contains what was typed."""
        place = self.place()
        text = request.args.get("q", "")[:100]
        try:
            wanted = streets.folded(text) if text.strip() else ""
        except streets.StreetUnclear:
            wanted = text.casefold().strip()
        found = districts.streets(
            self.session, organization_id=place.id, text=wanted, most=MOST_FOUND + 1
        )
        return self.shown(
            "streets",
            place,
            text=text,
            streets=found[:MOST_FOUND],
            more=len(found) > MOST_FOUND,
        )

    @expose("/street/", methods=("GET", "POST"))
    def street(self) -> Any:
        """``?of=&key=``: the rows of that street; without a key, of a new one."""
        if request.method == "POST" or not request.args.get("key"):
            self.need("districts.edit")
        place = self.place()
        rows = self._rows(place)
        form = self._form(place)
        if request.method == "POST" and len(rows) <= MOST_ROWS:
            return self._keep(place, rows, form)
        form.fill(rows)
        return self._page(place, rows, form)

    def _rows(self, place: Organization) -> list[DistrictRange]:
        """404 for a street that is not there."""
        key = request.args.get("key", "")
        if not key:
            return []
        rows = district_streets.rows_of(self.session, organization_id=place.id, key=key[:250])
        return rows or abort(404)

    def _form(self, place: Organization) -> StreetForm:
        own = districts.of_organization(self.session, organization_id=place.id)
        return StreetForm(values=request.form, districts=own)

    def _keep(self, place: Organization, rows: Sequence[DistrictRange], form: StreetForm) -> Any:
        wanted = form.read()
        if wanted is None:
            return self._page(place, rows, form), 422
        if request.form.get("check"):
            found = house_ranges.overlaps([row.span for row in wanted])
            gaps = house_ranges.gaps([row.span for row in wanted])
            return self._page(place, rows, form, overlaps=found, gaps=gaps, checked=True)
        try:
            with saved() as session:
                key = district_streets.replace(
                    session,
                    organization_id=place.id,
                    key=request.args.get("key") or None,
                    was=request.form.get("was", ""),
                    street=form.get("street"),
                    settlement=form.get("settlement"),
                    wanted=wanted,
                    actor=self.actor,
                    now=self.now,
                )
        except RuleError as refusal:
            place = self.place()
            meeting = refusal.overlaps if isinstance(refusal, Overlapping) else []
            missing = house_ranges.gaps([row.span for row in wanted])
            return self._page(
                place, self._rows(place), self._form(place), say(refusal), overlaps=meeting,
                gaps=missing,
            ), 409  # fmt: skip
        done(gettext("The street is saved."))
        if not wanted:
            return self.back(".index", of=place.uid)
        return self.back(".street", of=place.uid, key=key)

    def _page(
        self,
        place: Organization,
        rows: Sequence[DistrictRange],
        form: StreetForm,
        sentence: str = "",
        *,
        overlaps: Sequence[Overlap] | None = None,
        gaps: Sequence[Gap] | None = None,
        checked: bool = False,
    ) -> str:
        """``overlaps`` and ``gaps`` are of what was typed; else of the street as it is kept."""
        spans = [districts.span_of(row) for row in rows]
        meeting = house_ranges.overlaps(spans) if overlaps is None else overlaps
        missing = house_ranges.gaps(spans) if gaps is None else gaps
        return self.shown(
            "street",
            place,
            rows=[(row, described(span)) for row, span in zip(rows, spans, strict=True)],
            form=form,
            sentence=sentence,
            overlaps=[overlap_words(each) for each in meeting],
            gaps=[gap_words(each) for each in missing],
            checked=checked,
            sides=tuple(Parity),
            was=request.form.get("was") or district_streets.fingerprint(rows),
            too_many=len(rows) > MOST_ROWS,
        )
