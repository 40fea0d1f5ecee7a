"""«Прикрепление» (C9, C11): requests by address, decided with a letter; a card's districts, written down by staff."""

from __future__ import annotations

import uuid
from typing import Any

from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.base import StaffPage, done, refused
from app.extensions import saved
from app.i18n import say
from app.models.attachment import Attachment
from app.rules import attachments, districts, lookup
from app.rules.errors import RuleError
from forms.attachments import WhyForm, attach_form
from forms.districts import district_words


class AttachmentsPage(StaffPage):
    """Who looks is written down: the list, a card."""

    for_patients = True
    slug = "attachments"
    title = _l("Attachment")
    permission = "attachments.edit"

    @expose("/", methods=("GET",))
    def index(self) -> Any:
        """What waits for a decision, the oldest first."""
        rows = attachments.requests(self.session)
        self.note_seen("attachments", [row.person for row in rows])
        return self.render("admin/attachments/index.html", rows=rows, district_words=district_words)

    @expose("/<uuid:uid>/accept/", methods=("POST",))
    def accept(self, uid: uuid.UUID) -> Any:
        row = attachments.named(self.session, uid=uid)
        try:
            with saved() as session:
                attachments.accept(session, row=row, actor=self.actor, now=self.now)
        except RuleError as refusal:
            refused(say(refusal))
        else:
            done(gettext("Attached: a letter is on its way."))
        return self.back()

    @expose("/<uuid:uid>/refuse/", methods=("GET", "POST"))
    def refuse(self, uid: uuid.UUID) -> Any:
        """With a word of why."""
        return self._asked(uid, attachments.refuse, gettext("Refused: a letter is on its way."))

    @expose("/<uuid:uid>/end/", methods=("GET", "POST"))
    def end(self, uid: uuid.UUID) -> Any:
        """The attachment is over."""
        return self._asked(uid, attachments.end, gettext("Ended: a letter is on its way."))

    def _asked(self, uid: uuid.UUID, act: Any, words: str) -> Any:
        row = attachments.named(self.session, uid=uid)
        form = WhyForm()
        if form.validate_on_submit():
            try:
                with saved() as session:
                    act(session, row=row, reason=form.reason.data, actor=self.actor, now=self.now)
            except RuleError as refusal:
                form.form_errors.append(say(refusal))
            else:
                done(words)
                return self.back(".card", uid=row.person.uid)
        self.note_seen("attachments.card", [row.person])
        page = self.render(
            "admin/attachments/why.html",
            form=form,
            row=row,
            ends=act is attachments.end,
            district_words=district_words,
        )
        return page, 422 if form.errors else 200

    @expose("/card/<uuid:uid>/", methods=("GET", "POST"))
    def card(self, uid: uuid.UUID) -> Any:
        """A card's attachments, and the form for another one."""
        person = lookup.person(self.session, uid=uid)
        form: Any = attach_form(self._districts(person.tenant_id))
        if form.validate_on_submit():
            try:
                with saved() as session:
                    attachments.attach(
                        session,
                        person=person,
                        district=form.district.data,
                        actor=self.actor,
                        now=self.now,
                    )
            except RuleError as refusal:
                form.form_errors.append(say(refusal))
            else:
                done(gettext("Attached."))
                return self.back(".card", uid=uid)
        self.note_seen("attachments.card", [person])
        rows: Any = attachments.of_person(self.session, person_id=person.id)
        page = self.render(
            "admin/attachments/card.html",
            form=form,
            person=person,
            rows=rows,
            district_words=district_words,
            badge=badge,
        )
        return page, 422 if form.errors else 200

    def _districts(self, tenant_id: int) -> list[Any]:
        """In use, of the organizations in reach."""
        found = []
        for place in districts.places(self.session):
            if place.tenant_id == tenant_id:
                rows = districts.of_organization(self.session, organization_id=place.id)
                found += [row for row in rows if row.is_active]
        return found


def badge(row: Attachment) -> str:
    """The tone of its status."""
    return {"active": "ok", "requested": "wait", "refused": "bad"}.get(row.status.value, "off")
