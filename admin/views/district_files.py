"""Files of districts' streets: upload with a dry run, the difference, applying whole or not at all."""

from __future__ import annotations

import uuid
from typing import Any

from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin.checked_files import MOST_SHOWN, CheckedFiles
from admin.views.districts import OfPlace
from app.extensions import saved
from app.models.organization import Organization
from app.rules import district_diff, district_file, district_imports
from forms.imports import TableFileForm


class DistrictFilesPage(CheckedFiles, OfPlace):
    """Files of one organization's streets."""

    slug = "district-files"
    for_patients = True
    title = _l("Files of districts")
    permission = "districts.edit"
    files = district_imports
    applied = _l("The file is applied: the streets are as it says.")

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        place = self.place()
        form = TableFileForm()
        there = self.loaded(form, lambda: self._checked(place, form))
        if there is not None:
            return there
        if form.errors:
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
