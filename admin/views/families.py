"""«Семья» for staff (C8): relatives who wait until somebody has seen the paper; a card's links, and their end."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.base import StaffPage, done, refused
from app.extensions import saved
from app.i18n import say
from app.rules import families, family_answers, lookup
from app.rules.errors import NotFound, RuleError
from forms.attachments import EndForm


class FamiliesPage(StaffPage):
    """Who looks is written down: the list, a card."""

    for_patients = True
    slug = "families"
    title = _l("Family requests")
    permission = "family.decide"

    @expose("/", methods=("GET",))
    def index(self) -> Any:
        rows = families.requests(self.session)
        self.note_seen("families", [row.person for row in rows])
        askers = families.names_of(self.session, account_ids={row.account_id for row in rows})
        return self.render("admin/families/index.html", rows=rows, askers=askers)

    @expose("/<uuid:account>/<uuid:person>/", methods=("POST",))
    def decide(self, account: uuid.UUID, person: uuid.UUID) -> Any:
        """The papers are there, or the request is refused."""
        row = families.relative(self.session, account=account, person=person)
        act = family_answers.confirm if request.form.get("say") == "yes" else family_answers.refuse
        try:
            with saved() as session:
                act(session, row=row, actor=self.actor, now=self.now)
        except RuleError as refusal:
            if isinstance(refusal, NotFound):
                refused(gettext("This request has been decided already."))
            else:
                refused(say(refusal))
        else:
            done(gettext("Written down: a letter is on its way."))
        return self.back()

    @expose("/card/<uuid:uid>/", methods=("GET",))
    def card(self, uid: uuid.UUID) -> Any:
        """Who acts for a person, and for whom the person acts."""
        person = lookup.person(self.session, uid=uid)
        for_them, by_them = families.around(self.session, person=person, now=self.now)
        rows = [*for_them, *by_them]
        self.note_seen("families.card", {person, *(row.person for row in rows)})
        return self.render(
            "admin/families/card.html",
            person=person,
            for_them=for_them,
            by_them=by_them,
            names=families.names_of(self.session, account_ids={row.account_id for row in rows}),
        )

    @expose("/<uuid:account>/<uuid:person>/end/", methods=("GET", "POST"))
    def end(self, account: uuid.UUID, person: uuid.UUID) -> Any:
        """The relative's card is closed to the account, with a word of why for the journal."""
        row = families.relative(self.session, account=account, person=person)
        try:
            family_answers.demand_open(row, now=self.now)
        except family_answers.LinkOver as over:  # pressed twice, or by two
            refused(say(over))
            return self.back(".card", uid=person)
        form = EndForm()
        if form.validate_on_submit():
            try:
                with saved() as session:
                    family_answers.end(
                        session, row=row, reason=form.reason.data, actor=self.actor, now=self.now
                    )
            except RuleError as refusal:
                form.form_errors.append(say(refusal))
            else:
                done(gettext("The card is closed to this relative: a letter is on its way."))
                return self.back(".card", uid=row.person.uid)
        self.note_seen("families.card", [row.person])
        names = families.names_of(self.session, account_ids=[row.account_id])
        page = self.render(
            "admin/families/end.html", form=form, row=row, keeper=names.get(row.account_id, "")
        )
        return page, 422 if form.errors else 200
