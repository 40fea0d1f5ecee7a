"""Addresses on the map: which settlements have points, files of them with a dry run, whole or nothing."""

from __future__ import annotations

import io
import uuid
from typing import Any

from flask import abort, request, send_file
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import StaffPage
from admin.checked_files import MOST_SHOWN, CheckedFiles
from app.extensions import saved
from app.models.address import AddressImport
from app.rules import address_diff, address_file, address_imports, addresses
from forms.imports import TableFileForm

MOST_HOUSES = 40
"""Of one street in the difference."""


class AddressesPage(CheckedFiles, StaffPage):
    """One list for all organizations: who works over the whole installation changes it."""

    slug = "addresses"
    for_patients = True
    path = "directory/addresses"
    title = _l("Addresses on the map")
    permission = "directory.view"
    files = address_imports
    applied = _l("The file is applied: the addresses are as it says.")

    def writer(self) -> bool:
        return self.may("directory.edit") and addresses.may_edit(self.session)

    def for_writers(self) -> None:
        """403 without the right, 404 for who has it over a part only."""
        self.need("directory.edit")
        if not addresses.may_edit(self.session):
            abort(404)

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        """The settlements, the way in and the way out, and the files so far."""
        if request.method == "POST":
            self.for_writers()
        form = TableFileForm()
        there = self.loaded(form, lambda: self._checked(form))
        if there is not None:
            return there
        writer = self.writer()
        html = self.render(
            "admin/addresses/index.html",
            form=form,
            writer=writer,
            settlements=addresses.settlements(self.session),
            files=address_imports.newest(self.session) if writer else (),
            titles=address_file.TITLES,
        )
        return html, 422 if form.errors else 200

    def _checked(self, form: TableFileForm) -> AddressImport:
        home = address_imports.home(self.session)
        self.session.rollback()  # reading takes a second: nobody waits for this transaction meanwhile
        rows = address_file.read_file(form.content(), home=home)
        with saved() as session:
            return address_imports.check(
                session, rows=rows, file_name=form.name(), by=self.user, now=self.now
            )

    @expose("/<uuid:uid>/")
    def show(self, uid: uuid.UUID) -> Any:
        """What the file would change now; once it is applied, only how much it changed."""
        self.for_writers()
        imported = address_imports.find(self.session, uid=uid)
        found = None
        if imported.applied_at is None:
            rows = address_imports.rows_of(self.session, imported)
            found = address_diff.compare(self.session, rows=rows)
        return self.render(
            "admin/addresses/difference.html",
            imported=imported,
            found=found,
            most=MOST_SHOWN,
            most_houses=MOST_HOUSES,
        )

    @expose("/export.csv", methods=("POST",))
    def export(self) -> Response:
        """``?settlement=``: all its addresses, in the format that can be loaded again."""
        settlement = request.args.get("settlement", "")
        text = address_imports.export(self.session, settlement=settlement)
        return send_file(
            io.BytesIO(text.encode("utf-8-sig")),
            mimetype="text/csv",
            as_attachment=True,
            download_name="addresses.csv",
        )
