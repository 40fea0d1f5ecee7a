"""«Пользователи» (E59): the sign-ins of patients, issued after SNILS and policy are held against the card (E44–E45)."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

from flask import abort, request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin import notes, tenants
from admin.base import StaffPage, done, refused
from app.extensions import saved
from app.i18n import say
from app.models.account import Account
from app.models.cabinet_choices import SecondFactor
from app.models.enums import DocumentKind
from app.models.person import Person
from app.rules import card_keepers, documents, issuing, lookup, passwords, person_search, sign_ins
from app.rules.errors import RuleError
from app.rules.person_search import Found
from app.sessions import end_sessions
from forms.desk import SearchForm
from forms.issuing import CheckedForm, IssueForm


class AccountsPage(StaffPage):
    """Find the person, check the numbers, issue. Whose card is opened here is written down."""

    slug = "accounts"
    for_patients = True
    title = _l("Users")
    permission = "accounts.issue"

    @expose("/", methods=("GET",))
    def index(self) -> Any:
        return self._people(SearchForm(formdata=None))

    @expose("/search/", methods=("GET", "POST"))
    def search(self) -> Any:
        """What is searched for names a person: it is sent by POST and stands in no address."""
        form = SearchForm()
        if form.is_submitted():
            if not form.validate():
                return self._people(form), 422
            born = form.born.data.isoformat() if form.born.data else ""
            asked = notes.keep("accounts", json.dumps([form.q.data or "", born]))
            return self.back(".search", asked=asked)
        kept = notes.kept("accounts", request.args.get("asked", ""))
        if kept is None:
            return self.back()
        line, born = json.loads(kept)
        form.q.data, form.born.data = line, (dt.date.fromisoformat(born) if born else None)
        found = person_search.find(self.session, person_search.wanted(line, form.born.data))
        return self._people(form, found=found)

    def _people(self, form: SearchForm, *, found: list[Found] | None = None) -> str:
        shown = (found or [])[: person_search.MOST]
        self.note_seen("accounts.list", [one.person for one in shown])
        return str(
            self.render(
                "admin/accounts/index.html",
                form=form,
                found=found,
                people=shown,
                more=found is not None and len(found) > person_search.MOST,
                tenants=tenants.seen(),
            )
        )

    # One person

    @expose("/<uuid:uid>/", methods=("GET",))
    def card(self, uid: uuid.UUID) -> Any:
        """The cabinets that keep the card, and what can be done with them."""
        return self._card(self._person(uid), IssueForm(formdata=None))

    def _card(self, person: Person, form: IssueForm) -> str:
        self.note_seen("accounts.card", [person])
        [found] = person_search.described(self.session, [person])
        keepers = card_keepers.keepers(self.session, person=person, now=self.now)
        return str(
            self.render(
                "admin/accounts/card.html",
                person=person,
                found=found,
                keepers=keepers,
                form=form,
                no_factor=SecondFactor.NONE,
                may_desk=self.may("desk.view"),
                may_family=self.may("family.decide"),
            )
        )

    def _person(self, uid: uuid.UUID) -> Person:
        return lookup.person(self.session, uid=uid)

    @expose("/<uuid:uid>/issue/", methods=("POST",))
    def issue(self, uid: uuid.UUID) -> Any:
        """The one-time password stands on this one page and nowhere else."""
        person, form = self._person(uid), IssueForm()
        if not form.validate():
            return self._card(person, form), 422
        password = sign_ins.one_time_password()
        try:
            with saved() as session:
                account, is_new = issuing.issue(
                    session,
                    person=person,
                    snils=form.snils.data,
                    oms=form.oms.data,
                    password_hash=self._hashed(password),
                    by=self.actor,
                    now=self.now,
                )
        except RuleError as refusal:
            form.form_errors.append(say(refusal))
            return self._card(person, form), 422
        if not is_new:
            done(
                gettext(
                    "The person had a sign-in by this SNILS from another organization. The card is "
                    "open in that cabinet now; the password is the one it had."
                )
            )
            return self.back(".card", uid=person.uid)
        return self._issued(person, account, password)

    @expose("/<uuid:uid>/<uuid:account>/reissue/", methods=("POST",))
    def reissue(self, uid: uuid.UUID, account: uuid.UUID) -> Any:
        """Another one-time password; whatever was open is shut."""
        person, form = self._person(uid), IssueForm()
        kept = card_keepers.keeper(self.session, person=person, uid=account, now=self.now)
        if not form.validate():
            return self._card(person, form), 422
        password = sign_ins.one_time_password()
        try:
            with saved() as session:
                issuing.reissue(
                    session,
                    person=person,
                    account=kept,
                    snils=form.snils.data,
                    oms=form.oms.data,
                    password_hash=self._hashed(password),
                    by=self.actor,
                    now=self.now,
                )
                end_sessions(kept)
        except RuleError as refusal:
            form.form_errors.append(say(refusal))
            return self._card(person, form), 422
        return self._issued(person, kept, password)

    def _hashed(self, password: str) -> str:
        """Outside of any transaction: it takes a while on purpose."""
        self.session.commit()
        return passwords.hashed(password)

    def _issued(self, person: Person, account: Account, password: str) -> str:
        self.note_seen("accounts.card", [person])
        return str(
            self.render(
                "admin/accounts/issued.html",
                person=person,
                login=documents.shown(DocumentKind.SNILS, account.login or ""),
                password=password,
                until=account.password_expires_at,
            )
        )

    # A cabinet

    @expose("/<uuid:uid>/<uuid:account>/<what>/", methods=("POST",))
    def change(self, uid: uuid.UUID, account: uuid.UUID, what: str) -> Any:
        """Shut a cabinet or open it again, close the card to it, take a lost telephone off it."""
        person = self._person(uid)
        kept = card_keepers.keeper(self.session, person=person, uid=account, now=self.now)
        if what not in DONE:
            abort(404)
        rule, sentence = DONE[what]
        if not CheckedForm().validate():
            refused(gettext("Check the passport and tick this box, please."))
            return self.back(".card", uid=person.uid)
        with saved() as session:
            rule(session, person=person, account=kept, by=self.actor, now=self.now)
            end_sessions(kept)
        done(str(sentence))
        return self.back(".card", uid=person.uid)


DONE: dict[str, tuple[Callable[..., None], Any]] = {
    "block": (issuing.block, _l("Nobody signs in to this cabinet any more.")),
    "unblock": (issuing.unblock, _l("The cabinet opens again with the password it had.")),
    "close": (issuing.close_card, _l("The card is closed to that cabinet.")),
    "factor": (issuing.reset_factor, _l("The password alone opens the cabinet now.")),
}
"""Each act with what it says afterwards."""
