"""Files of districts' streets: upload with a dry run, the difference, applying whole or not at all."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import done, refused
from admin.views.districts import OfPlace
from app.extensions import saved
from app.i18n import say
from app.models.organization import Organization
from app.rules import district_diff, district_file, district_imports
from app.rules.csv_text import FileRefused
from app.rules.errors import RuleError
from forms.imports import TableFileForm

LARGEST_UPLOAD = 32 * 1024 * 1024
"""Above the file's own limit, so that a sentence can say what the limit is."""
MOST_SHOWN = 300


class DistrictFilesPage(OfPlace):
    """Nothing is written before somebody has seen the difference and said yes."""

    slug = "district-files"
    for_patients = True
    title = _l("Files of districts")
    permission = "districts.edit"

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        place = self.place()
        form = TableFileForm()
        if form.validate_on_submit():
            try:
                return self.back(".show", uid=self._checked(place, form).uid)
            except FileRefused as refusal:
                form.file.errors = [*form.file.errors, say(refusal)]
                place = self.place()
        html = self.shown(
            "files",
            place,
            form=form,
            files=district_imports.newest(self.session, organization_id=place.id),
            titles=district_file.TITLES,
        )
        return html, 422 if form.errors else 200

    def _checked(self, place: Organization, form: TableFileForm) -> Any:
        rows = district_file.read_file(form.content(), home=place.settlement)
        with saved() as session:
            return district_imports.check(
                session,
                organization_id=place.id,
                rows=rows,
                file_name=form.name(),
                by=self.user,
                now=self.now,
            )

    @expose("/<uuid:uid>/")
    def show(self, uid: uuid.UUID) -> Any:
        """What the file would change now; once it is applied, only how much it changed."""
        imported = district_imports.find(self.session, uid=uid)
        place = self.session.get_one(Organization, imported.organization_id)
        found = None
        if imported.applied_at is None:
            rows = district_imports.rows_of(imported, home=place.settlement)
            found = district_diff.compare(self.session, organization=place, rows=rows)
        return self.shown(
            "difference",
            place,
            imported=imported,
            found=found,
            most=MOST_SHOWN,
        )

    @expose("/<uuid:uid>/apply/", methods=("POST",))
    def apply(self, uid: uuid.UUID) -> Response:
        try:
            with saved() as session:
                imported = district_imports.find(session, uid=uid)
                district_imports.apply(
                    session,
                    imported=imported,
                    seen=request.form.get("seen", ""),
                    by=self.user,
                    now=self.now,
                )
        except RuleError as refusal:
            if refusal.code == "not_found":
                raise
            refused(say(refusal))
        else:
            done(gettext("The file is applied: the streets are as it says."))
        return self.back(".show", uid=uid)
