"""Copies of medical documents on a person's card (C17): uploaded, sent to a confirmed profile, withdrawn."""

from __future__ import annotations

import io
import uuid
from typing import Any

from flask import request, send_file
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import StaffPage, done, refused
from app.extensions import saved
from app.i18n import say
from app.models.person import Person
from app.rules import confirmations, lookup
from app.rules import medical_documents as rules
from app.rules.errors import RuleError
from forms.cabinet import CopyForm

LARGEST_UPLOAD = 8 * 1024 * 1024
"""Above the file's own limit, so that a sentence can say what the limit is."""


class PapersPage(StaffPage):
    """Who looks is written down, and who opens a file."""

    slug = "papers"
    title = _l("Copies of medical documents")
    permission = "documents.upload"
    in_menu = False

    @expose("/", methods=("GET",))
    def index(self) -> Response:
        """Copies are looked at card by card: to the people who wait for theirs."""
        return self.back("confirmations.index")

    @expose("/<uuid:uid>/", methods=("GET", "POST"))
    def person(self, uid: uuid.UUID) -> Any:
        """The copies of a card, and one more. What was typed stays if it cannot be kept."""
        person = lookup.person(self.session, uid=uid)
        form = CopyForm()
        if form.validate_on_submit():
            body = form.content()
            try:
                with saved() as session:
                    _, sent = rules.upload(
                        session,
                        person=person,
                        kind=form.kind.data,
                        title=form.title.data or "",
                        body=body,
                        actor=self.actor,
                        now=self.now,
                    )
            except RuleError as refusal:
                form.file.errors = [*form.file.errors, say(refusal)]
            else:
                done(_told(sent))
                return self.back(".person", uid=uid)
        return self._page(lookup.person(self.session, uid=uid), form)

    def _page(self, person: Person, form: CopyForm) -> Any:
        self.note_seen("papers", [person])
        rows = rules.of_person(self.session, person_id=person.id)
        html = self.render(
            "admin/papers/person.html",
            person=person,
            form=form,
            rows=rows,
            sent=rules.deliveries(self.session, rows=rows),
            who=lookup.staff_names(self.session, {row.created_by_id for row in rows}),
            readers=confirmations.readers(self.session, person_id=person.id, now=self.now),
            may_confirm=self.may("profiles.confirm"),
        )
        return html, 422 if form.errors else 200

    @expose("/<uuid:uid>/<uuid:paper>/file", methods=("GET",))
    def file(self, uid: uuid.UUID, paper: uuid.UUID) -> Response:
        """The file itself; that it was opened stands in the journal of cards seen."""
        person = lookup.person(self.session, uid=uid)
        file = rules.file_of(rules.named(self.session, person_id=person.id, uid=paper))
        self.note_seen("papers.file", [person])
        return send_file(
            io.BytesIO(file.body),
            mimetype=file.content_type,
            as_attachment=True,
            download_name=file.name,
        )

    @expose("/<uuid:uid>/<uuid:paper>/send/", methods=("POST",))
    def send(self, uid: uuid.UUID, paper: uuid.UUID) -> Any:
        """Once more by e-mail, to whom it may go now."""
        try:
            with saved() as session:
                person = lookup.person(session, uid=uid)
                row = rules.named(session, person_id=person.id, uid=paper)
                sent = rules.send_again(session, row=row, actor=self.actor, now=self.now)
        except rules.NotToBeSent as refusal:
            refused(say(refusal))
        except rules.WithdrawnAlready as refusal:
            refused(say(refusal))
        else:
            done(_told(sent))
        return self.back(".person", uid=uid)

    @expose("/<uuid:uid>/<uuid:paper>/withdraw/", methods=("GET", "POST"))
    def withdraw(self, uid: uuid.UUID, paper: uuid.UUID) -> Any:
        """Uploaded in error: the file is wiped, after a question."""
        person = lookup.person(self.session, uid=uid)
        row = rules.named(self.session, person_id=person.id, uid=paper)
        if request.method == "GET":
            self.note_seen("papers", [person])
            return self.render("admin/papers/withdraw.html", person=person, row=row)
        try:
            with saved() as session:
                row = rules.named(session, person_id=person.id, uid=paper)
                rules.withdraw(session, row=row, actor=self.actor, now=self.now)
        except rules.WithdrawnAlready as refusal:
            refused(say(refusal))
        else:
            done(gettext("The copy is withdrawn and its file wiped."))
        return self.back(".person", uid=uid)


def _told(sent: int) -> str:
    """What becomes of the copy."""
    if not sent:
        return gettext(
            "The copy is kept. It goes to nobody by e-mail: the profile is not confirmed."
        )
    return ngettext(
        "The copy is on its way to %(num)d address.",
        "The copy is on its way to %(num)d addresses.",
        sent,
    )
