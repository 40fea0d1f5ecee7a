"""Donor files (N13): upload with a dry run, the difference page, applying and discarding."""

from __future__ import annotations

import hashlib
import io
import uuid
from pathlib import Path
from typing import Any

from flask import abort, current_app, request, send_file
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin import tenants
from admin.base import StaffPage, done, refused
from admin.sections import DONORS
from admin.views.donor_changes import name_of
from admin.views.file_words import TITLES, said
from app.extensions import saved
from app.i18n import say
from app.models.appointment import Appointment
from app.models.enums import ImportStatus, RowAction
from app.models.exchange import DonorImport, DonorImportRow
from app.models.organization import Organization
from app.rules import donor_file, facts, import_apply, import_effects, import_pages, imports
from app.rules.checks import TITLES as CHECKS
from app.rules.donor_file import FileRefused
from app.rules.errors import RuleError
from app.rules.import_apply import RecordsMoved
from forms.imports import file_form

PAGE = 100
MOST_AFFECTED = 200
LARGEST_UPLOAD = 64 * 1024 * 1024
"""Above the file's own limit, so that a sentence can say what the limit is."""
EXAMPLE = "donor_file_example.csv"


class ImportsPage(StaffPage):
    """Nothing is written before somebody has seen the difference and said yes."""

    for_donors = True
    slug = "imports"
    section = DONORS
    title = _l("Donor files")
    permission = "donors.import"

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        """The files so far, and the form for the next one, which goes through the dry run at once."""
        form = file_form(tenants.seen().values())
        if form.validate_on_submit():
            try:
                return self.back(".show", uid=self._checked(form).uid)
            except FileRefused as refusal:
                form.file.errors = [*form.file.errors, say(refusal)]
        html = self.render(
            "admin/imports/index.html",
            form=form,
            files=import_pages.newest(self.session),
            held=import_pages.records_held(self.session),
            most_counted=import_pages.COUNT_TO,
            several=len(tenants.seen()) > 1,
        )
        return html, 422 if form.errors else 200

    def _checked(self, form: Any) -> DonorImport:
        chosen = form.organization.data if "organization" in form else None
        tenant: Organization = chosen or next(iter(tenants.seen().values()), None) or abort(404)
        tenant_id, data = tenant.id, form.content()
        kinds = imports.own_names(self.session, tenant_id=tenant_id)
        today = imports.today(self.session, tenant_id=tenant_id, now=self.now)
        self.session.rollback()  # reading takes seconds: nobody waits for this transaction meanwhile
        file = donor_file.read_file(data, today=today, kinds=kinds)
        with saved():
            return imports.check(
                self.session,
                tenant_id=tenant_id,
                file=file,
                file_name=form.name(),
                sha256=hashlib.sha256(data).hexdigest(),
                by=self.user,
                now=self.now,
            )

    @expose("/example.csv", methods=("GET",))
    def example(self) -> Response:
        """A small file as it should be; with the mark by which spreadsheets know UTF-8."""
        text = (Path(current_app.root_path) / "data" / EXAMPLE).read_text("utf-8")
        return send_file(
            io.BytesIO(text.encode("utf-8-sig")),
            mimetype="text/csv",
            as_attachment=True,
            download_name=EXAMPLE,
        )

    # One file

    @expose("/<uuid:uid>/", methods=("GET",))
    def show(self, uid: uuid.UUID) -> Any:
        """Counts, whom it concerns, and the lines of one kind: ``?lines=changed&after=100``."""
        imported = import_pages.find(self.session, uid=uid)
        action = self._wanted(imported)
        lines = import_pages.rows(
            self.session, imported, action=action, after=_whole("after"), size=PAGE + 1
        )
        records = import_pages.records_of(
            self.session, imported.tenant_id, [line.code for line in lines]
        )
        concerned, elsewhere = self._concerned(imported)
        self.note_seen(
            "imports.affected",
            [booking.person for booking, _, _ in concerned],
            [pair[0] for pair in records.values()],
        )
        return self.render(
            "admin/imports/show.html",
            imported=imported,
            waits=imported.status is ImportStatus.CHECKED,
            actions=tuple(RowAction),
            action=action,
            lines=[self._line(line, records) for line in lines[:PAGE]],
            after=lines[PAGE - 1].line if len(lines) > PAGE else None,
            concerned=concerned[:MOST_AFFECTED],
            hidden=max(0, len(concerned) - MOST_AFFECTED),
            elsewhere=elsewhere,
            twin=import_pages.same_file(self.session, imported),
            checks=CHECKS,
            zone=tenants.seen().get(imported.tenant_id) or "Europe/Moscow",
            columns=[donor_file.TITLES[name] for name in imported.summary.get("columns", [])],
        )

    def _wanted(self, imported: DonorImport) -> RowAction:
        """The kind of lines asked for; else the first that wants to be looked at."""
        asked = request.args.get("lines", "")
        if asked in tuple(RowAction):
            return RowAction(asked)
        order = (RowAction.CHANGED, RowAction.BAD, RowAction.NEW, RowAction.SAME)
        return next((a for a in order if imported.summary.get(a.value)), RowAction.CHANGED)

    def _concerned(
        self, imported: DonorImport
    ) -> tuple[list[tuple[Appointment, str, list[Any]]], int]:
        """Bookings a check newly fails for, whose, what to say; and how many are in other branches."""
        if imported.status is ImportStatus.CHECKED:
            found = import_effects.affected(self.session, imported, now=self.now)
            sentences = {
                one.appointment.id: [(check.name, say(check)) for check in one.newly]
                for one in found
            }
        else:
            kept = imported.affected.get("appointments", [])
            sentences = {key: [(name, "") for name in names] for key, names in kept}
        seen = import_effects.visible(self.session, list(sentences))
        people = facts.for_staff(self.session, [row.person_id for row in seen.values()])
        rows = [
            (seen[key], name_of(people[seen[key].person_id]), said)
            for key, said in sentences.items()
            if key in seen
        ]
        return rows, len(sentences) - len(rows)

    def _line(self, row: DonorImportRow, records: dict[str, Any]) -> dict[str, Any]:
        """What the template shows of a line."""
        return {
            "row": row,
            "record": records.get(row.code, (None, None))[0],
            "problems": [say(problem) for problem in import_pages.problems_of(row)],
            "values": [
                (TITLES[name], said(name, row.values[name]))
                for name in TITLES
                if name in row.values
            ],
            "changes": [
                (TITLES[name], said(name, pair[0]), said(name, pair[1]))
                for name, pair in ((n, row.changes[n]) for n in TITLES if n in row.changes)
            ],
        }

    @expose("/<uuid:uid>/apply/", methods=("POST",))
    def apply(self, uid: uuid.UUID) -> Any:
        try:
            with saved():
                imported = import_pages.find(self.session, uid=uid)
                import_apply.apply(self.session, imported=imported, by=self.user, now=self.now)
            done(gettext("The file is applied."))
        except RecordsMoved as refusal:
            with saved():
                imported = import_pages.find(self.session, uid=uid)
                imports.recheck(self.session, imported=imported, now=self.now)
            refused(say(refusal))
        except imports.ImportEnded as refusal:
            refused(say(refusal))
        return self.back(".show", uid=uid)

    @expose("/<uuid:uid>/discard/", methods=("GET", "POST"))
    def discard(self, uid: uuid.UUID) -> Any:
        imported = import_pages.find(self.session, uid=uid)
        if request.method == "GET":
            return self.render("admin/imports/discard.html", imported=imported)
        try:
            with saved():
                imports.discard(self.session, imported=imported, by=self.user, now=self.now)
            done(gettext("The file is discarded. Nothing was changed by it."))
        except RuleError as refusal:
            refused(say(refusal))
        return self.back()


def _whole(name: str) -> int:
    """A small whole number of the address, or 0."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
