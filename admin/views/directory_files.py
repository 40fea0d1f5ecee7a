"""The whole directory as one workbook: taken away, brought back, compared first (whole or nothing)."""

from __future__ import annotations

import tempfile
import uuid
from typing import Any

from flask import Response, abort
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from sqlalchemy import select
from wtforms import ValidationError

from admin import tenants
from admin.base import StaffPage, done, refused
from admin.export import XLSX, sent, workbook, xlsx_cell
from app.extensions import saved
from app.i18n import say
from app.models.enums import ImportStatus
from app.models.exchange import DirectoryImport
from app.models.organization import Organization
from app.rules import audit, directory_file, directory_import
from app.rules.directory_file import SHEETS, Bad
from app.rules.errors import RuleError
from forms.inputs import RowField, tidy_line

LARGEST_UPLOAD = 16 * 1024 * 1024
"""Above the file's own limit, so that a sentence can say what the limit is."""
MOST_SHOWN = 500


class WorkbookForm(FlaskForm):
    """A workbook, and whose directory it is."""

    organization = RowField(_l("Organization"), rows=tenants.reached)
    file = FileField(
        _l("File"),
        description=_l("An Excel workbook (XLSX) with the sheets of the file taken away here."),
        render_kw={"accept": ".xlsx"},
    )

    def validate_file(self, field: Any) -> None:
        if not getattr(field.data, "filename", ""):
            raise ValidationError(gettext("Choose a file, please."))


class DirectoryFilesPage(StaffPage):
    """Nothing is written before somebody has seen the difference and said yes."""

    slug = "directory-files"
    for_patients = True
    path = "directory/files"
    title = _l("Directory as a file")
    permission = "directory.edit"

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        """The way out, the way in, and the files so far."""
        form: Any = WorkbookForm()
        if form.validate_on_submit():
            try:
                return self.back(".show", uid=self._checked(form).uid)
            except RuleError as refusal:
                form.file.errors = [*form.file.errors, say(refusal)]
        html = self.render(
            "admin/directory/files.html",
            form=form,
            reached=tenants.reached(),
            files=directory_import.newest(self.session),
            sheets=SHEETS,
        )
        return html, 422 if form.errors else 200

    def _checked(self, form: Any) -> DirectoryImport:
        with form.file.data.stream as stream:
            data = stream.read(directory_file.MOST_BYTES + 1)
        name = tidy_line(form.file.data.filename.replace("\\", "/").rpartition("/")[2])
        lines, bad = directory_file.read(data)
        with saved():
            return directory_import.check(
                self.session,
                tenant_id=form.organization.data.id,
                lines=lines,
                bad=bad,
                file_name=name,
                by=self.user,
                now=self.now,
            )

    @expose("/export/", methods=("POST",))
    def export(self) -> Response:
        """The workbook; text stays text in it, whatever it begins with."""
        tenant = self._tenant()
        book = workbook()
        for sheet, rows in directory_import.workbook(self.session, tenant_id=tenant.id):
            page = book.create_sheet(sheet.title)
            for row in ([column.title for column in sheet.columns], *rows):
                page.append([xlsx_cell(page, value) for value in row])
        audit.record(
            self.session,
            verb="directory.export",
            subject=tenant,
            actor=self.actor,
            now=self.now,
            tenant_id=tenant.id,
            changes={},
        )
        self.session.commit()
        file = tempfile.TemporaryFile()  # noqa: SIM115 - sent closes it
        book.save(file)
        return sent(file, "directory.xlsx", XLSX)

    def _tenant(self) -> Organization:
        field: Any = WorkbookForm().organization
        if field.data is None:
            abort(404)
        return field.data  # type: ignore[no-any-return]

    @expose("/<uuid:uid>/", methods=("GET",))
    def show(self, uid: uuid.UUID) -> Any:
        """The difference: counts, bad lines with their reasons, what would change."""
        imported = self._find(uid)
        report = imported.report
        bad = [Bad(**each) for each in report["bad"][:MOST_SHOWN]]
        return self.render(
            "admin/directory/file.html",
            imported=imported,
            waits=imported.status is ImportStatus.CHECKED,
            counts=report["counts"],
            bad=[(each.sheet, each.line, say(each)) for each in bad],
            changes=report["changes"][:MOST_SHOWN],
            hidden=max(0, len(report["changes"]) - MOST_SHOWN),
        )

    @expose("/<uuid:uid>/apply/", methods=("POST",))
    def apply(self, uid: uuid.UUID) -> Any:
        return self._end(uid, directory_import.apply, gettext("The directory is as the file says."))

    @expose("/<uuid:uid>/discard/", methods=("POST",))
    def discard(self, uid: uuid.UUID) -> Any:
        return self._end(uid, directory_import.discard, gettext("The file was discarded."))

    def _end(self, uid: uuid.UUID, rule: Any, sentence: str) -> Any:
        imported = self._find(uid)
        try:
            with saved():
                rule(self.session, imported=imported, by=self.user, now=self.now)
        except RuleError as refusal:
            refused(say(refusal))
        else:
            done(sentence)
        return self.back(".show", uid=uid)

    def _find(self, uid: uuid.UUID) -> DirectoryImport:
        found = self.session.scalars(
            select(DirectoryImport).where(DirectoryImport.uid == uid)
        ).one_or_none()
        return found or abort(404)
