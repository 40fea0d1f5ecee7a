"""«Семья» for staff (C8): relatives who wait until somebody has seen the guardianship or the signed consent."""

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
from app.models.account import AccountPerson
from app.rules import families, family_answers
from app.rules.errors import NotFound, RuleError


class FamiliesPage(StaffPage):
    """Who looks is written down."""

    for_patients = True
    slug = "families"
    title = _l("Family requests")
    permission = "family.decide"

    @expose("/", methods=("GET",))
    def index(self) -> Any:
        rows = families.requests(self.session)
        self.note_seen("families", [row.person for row in rows])
        askers = families.names_of(self.session, account_ids={row.account_id for row in rows})
        return self.render("admin/families.html", rows=rows, askers=askers)

    @expose("/<uuid:account>/<uuid:person>/", methods=("POST",))
    def decide(self, account: uuid.UUID, person: uuid.UUID) -> Any:
        """The papers are there, or the request is refused."""
        row = self._named(account, person)
        act = family_answers.confirm if request.form.get("say") == "yes" else family_answers.refuse
        try:
            with saved() as session:
                act(session, row=row, actor=self.actor, now=self.now)
        except RuleError as refusal:
            if isinstance(refusal, NotFound):
                refused(gettext("A colleague or the relative has decided this request meanwhile."))
            else:
                refused(say(refusal))
        else:
            done(gettext("Written down: a letter is on its way."))
        return self.back()

    def _named(self, account: uuid.UUID, person: uuid.UUID) -> AccountPerson:
        for row in families.requests(self.session):
            if (row.account.uid, row.person.uid) == (account, person):
                return row
        raise NotFound()
