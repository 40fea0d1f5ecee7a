"""Districts (E59): the list, a district with its doctors, the address tester, the file of all streets."""

from __future__ import annotations

import io
import uuid
from typing import Any

from flask import abort, request, send_file
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import StaffPage, done
from app.extensions import saved
from app.i18n import say
from app.models.district import District
from app.models.enums import DistrictKind
from app.models.organization import Organization
from app.rules import audit, district_card, district_imports, districts
from app.rules.clock import local_date
from app.rules.errors import RuleError
from forms.districts import AddressForm, DistrictForm, district_words


class OfPlace(StaffPage):
    """A page about one organization's districts: ``?of=<uid>``, or the first one that has any."""

    permission = "districts.view"
    in_menu = False

    def places(self) -> list[Organization]:
        return districts.places(self.session)

    def place(self) -> Organization:
        """The organization meant, or 404."""
        wanted, all_of_them = request.args.get("of"), self.places()
        if wanted is None and len(all_of_them) > 1:
            there = {row.id for row in districts.organizations(self.session)}
            return next((row for row in all_of_them if row.id in there), all_of_them[0])
        found = [row for row in all_of_them if wanted in (None, str(row.uid))]
        return found[0] if found else abort(404)

    def shown(self, template: str, place: Organization | None, **values: Any) -> str:
        """The page, with what every page about districts needs."""
        return self.render(
            f"admin/districts/{template}.html",
            place=place,
            places=self.places(),
            may_edit=self.may("districts.edit"),
            district_words=district_words,
            **values,
        )


class DistrictsPage(OfPlace):
    """Who is the doctor of which district, and which house belongs to it."""

    slug = "districts"
    for_patients = True
    title = _l("Districts")
    in_menu = True

    @expose("/")
    def index(self) -> Any:
        """``?of=&kind=&street=&house=``: the list, and the district of an address to try."""
        if not self.places() and "of" not in request.args:
            return self.shown("nowhere", None)
        place = self.place()
        kind = next((k for k in DistrictKind if k.value == request.args.get("kind")), None)
        form = AddressForm(values=request.args, organizations=[place])
        found = None
        if form.asked and form.read():
            found = districts.serving(
                self.session,
                organization=place,
                street=form.get("street"),
                house=form.get("house"),
                on=local_date(self.now, place.time_zone),
            )
        html = self.shown(
            "index",
            place,
            cards=districts.cards(self.session, organization=place, kind=kind, now=self.now),
            streets=districts.streets(self.session, organization_id=place.id, most=1000),
            kind=kind,
            kinds=tuple(DistrictKind),
            form=form,
            found=found,
        )
        return html, 422 if form.errors else 200

    @expose("/new/", methods=("GET", "POST"))
    def new(self) -> Any:
        self.need("districts.edit")
        place = self.place()
        roles = districts.receiving(self.session, organization_id=place.id)
        form = DistrictForm(values=request.form, roles=roles, new=True)
        if request.method == "GET":
            return self._card(place, None, form)
        given = form.read()
        if given is None:
            return self._card(place, None, form), 422
        try:
            with saved() as session:
                made = district_card.create(
                    session, organization_id=place.id, actor=self.actor, now=self.now, **given
                )
        except RuleError as refusal:
            return self._card(self.place(), None, form, say(refusal)), 409
        done(gettext("The district is added. Give it its streets now."))
        return self.back(".show", uid=made.uid)

    @expose("/<uuid:uid>/", methods=("GET", "POST"))
    def show(self, uid: uuid.UUID) -> Any:
        if request.method == "POST":
            self.need("districts.edit")
        row = districts.named(self.session, uid=uid)
        form = self._form(row)
        if request.method == "GET":
            form.fill(row)
            return self._card(row.organization, row, form)
        given = form.read()
        if given is None:
            return self._card(row.organization, row, form), 422
        try:
            with saved() as session:
                district_card.edit(
                    session, district_id=row.id, actor=self.actor, now=self.now, **given
                )
        except RuleError as refusal:
            row = districts.named(self.session, uid=uid)
            return self._card(row.organization, row, form, say(refusal)), 409
        done(gettext("The district is saved."))
        return self.back(".show", uid=uid)

    def _form(self, row: District) -> DistrictForm:
        roles = districts.receiving(
            self.session,
            organization_id=row.organization_id,
            besides=[term.role_id for term in row.doctors],
        )
        return DistrictForm(values=request.form, roles=roles)

    def _card(
        self, place: Organization, row: District | None, form: DistrictForm, sentence: str = ""
    ) -> str:
        return self.shown(
            "card",
            place,
            row=row,
            form=form,
            sentence=sentence,
            kinds=tuple(DistrictKind),
            streets=districts.streets_of(self.session, district_id=row.id) if row else (),
        )

    @expose("/export.csv", methods=("POST",))
    def export(self) -> Response:
        """Every street of the organization, in the format that can be loaded again."""
        place = self.place()
        text = district_imports.export(self.session, organization=place)
        with saved() as session:
            audit.record(
                session,
                verb="district.save_file",
                subject=place,
                actor=self.actor,
                now=self.now,
                changes={},
            )
        return send_file(
            io.BytesIO(text.encode("utf-8-sig")),
            mimetype="text/csv",
            as_attachment=True,
            download_name=f"districts-{local_date(self.now, place.time_zone):%Y-%m-%d}.csv",
        )
