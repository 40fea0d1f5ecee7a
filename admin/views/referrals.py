"""«Направления» (C14): written for a card by the registry, withdrawn, and what has become of each."""

from __future__ import annotations

import uuid
from typing import Any

from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.base import StaffPage, done, refused
from app.extensions import saved
from app.i18n import say
from app.rules import clock, lookup, referrals
from app.rules.errors import RuleError
from forms.attachments import referral_form


class ReferralsPage(StaffPage):
    """Who looks is written down: the list, a card."""

    for_patients = True
    slug = "referrals"
    title = _l("Referrals")
    permission = "referrals.edit"

    @expose("/", methods=("GET",))
    def index(self) -> Any:
        """Those written last."""
        rows = referrals.latest(self.session)
        self.note_seen("referrals", [row.person for row in rows])
        return self.render("admin/referrals/index.html", rows=rows, today=self._today())

    @expose("/card/<uuid:uid>/", methods=("GET", "POST"))
    def card(self, uid: uuid.UUID) -> Any:
        """A person's referrals, and the form for another one."""
        person = lookup.person(self.session, uid=uid)
        tenant = {"tenant_id": person.tenant_id}
        form: Any = referral_form(
            referrals.specialists(self.session, **tenant),
            referrals.services(self.session, **tenant),
            referrals.doctors(self.session, **tenant),
        )
        if form.validate_on_submit():
            try:
                with saved() as session:
                    referrals.issue(
                        session,
                        person=person,
                        specialty=form.specialty.data,
                        service=form.service.data,
                        role=form.role.data,
                        valid_until=form.valid_until.data,
                        reason=form.reason.data or "",
                        actor=self.actor,
                        now=self.now,
                    )
            except RuleError as refusal:
                form.form_errors.append(say(refusal))
            else:
                done(gettext("The referral is given: its owner is told and may book."))
                return self.back(".card", uid=uid)
        self.note_seen("referrals.card", [person])
        page = self.render(
            "admin/referrals/card.html",
            form=form,
            person=person,
            rows=referrals.of_person(self.session, person_id=person.id),
            today=self._today(),
        )
        return page, 422 if form.errors else 200

    @expose("/<uuid:uid>/withdraw/", methods=("POST",))
    def withdraw(self, uid: uuid.UUID) -> Any:
        """Nobody can book with it any more."""
        row = referrals.named(self.session, uid=uid)
        try:
            with saved() as session:
                referrals.withdraw(session, row=row, actor=self.actor, now=self.now)
        except RuleError as refusal:
            refused(say(refusal))
        else:
            done(gettext("The referral is withdrawn."))
        return self.back(".card", uid=row.person.uid)

    def _today(self) -> Any:
        zone = self.desk.time_zone if self.desk is not None else "Europe/Moscow"
        return clock.local_date(self.now, zone)
