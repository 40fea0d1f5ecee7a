"""Addresses on the map: which settlements have points, files of them with a dry run, whole or nothing."""

from __future__ import annotations

import io
import uuid
from typing import Any

from flask import abort, request, send_file
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import StaffPage, done, refused
from app.extensions import saved
from app.i18n import say
from app.models.address import AddressImport
from app.rules import address_diff, address_file, address_imports, addresses
from app.rules.csv_text import FileRefused
from app.rules.errors import RuleError
from forms.imports import TableFileForm

LARGEST_UPLOAD = 32 * 1024 * 1024
"""Above the file's own limit, so that a sentence can say what the limit is."""
MOST_SHOWN = 300
MOST_HOUSES = 40
"""Of one street in the difference."""


class AddressesPage(StaffPage):
    """One list for all organizations: who works over the whole installation changes it."""

    slug = "addresses"
    for_patients = True
    path = "directory/addresses"
    title = _l("Addresses on the map")
    permission = "directory.view"

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
        if form.validate_on_submit():
            try:
                return self.back(".show", uid=self._checked(form).uid)
            except FileRefused as refusal:
                form.file.errors = [*form.file.errors, say(refusal)]
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

    @expose("/<uuid:uid>/apply/", methods=("POST",))
    def apply(self, uid: uuid.UUID) -> Response:
        self.for_writers()
        try:
            with saved() as session:
                imported = address_imports.find(session, uid=uid)
                address_imports.apply(
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
            done(gettext("The file is applied: the addresses are as it says."))
        return self.back(".show", uid=uid)

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
