"""What can be done to a donor card: corrections, deferrals, donations, the link. Each is a page of its own."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import request
from flask_admin import expose
from flask_babel import gettext
from werkzeug import Response

from admin import tenants
from admin.base import done, refused
from app.extensions import saved
from app.i18n import say
from app.models.donor import DonorRecord
from app.models.person import Person
from app.rules import corrections, donor_card, donor_records, history
from app.rules.actor import Actor
from app.rules.comparison import compared
from app.rules.donors import link_record, unlink_record
from app.rules.errors import NotFound, RuleError
from app.rules.facts import StaffFacts
from forms.donors import (
    SEXES,
    CodeForm,
    CorrectForm,
    DeferralForm,
    DonationForm,
    NewEmailForm,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Changes:
    """The part of the card's page that writes; everything here needs ``donors.edit``."""

    session: Session
    actor: Actor
    now: dt.datetime
    need: Callable[[str], None]
    note_seen: Callable[..., None]
    render: Callable[..., str]
    back: Callable[..., Response]

    # Corrections

    @expose("/<uuid:uid>/correct/", methods=("GET", "POST"))
    def correct(self, uid: uuid.UUID) -> Any:
        person, who = self._person(uid)
        now_says = corrections.form_of(person, who.donor)
        was = hashlib.sha256(repr(sorted(now_says.items())).encode()).hexdigest()[:16]
        form = CorrectForm(data=now_says | {"phone": ""})
        if form.is_submitted() and form.validate():
            if request.form.get("was", was) != was:
                form.form_errors.append(
                    gettext(
                        "Somebody has changed this card meanwhile. Open the page anew, and make your change again, please."
                    )
                )
            elif self._did(form, lambda: self._correct(person, form)):
                return self.back(".card", uid=uid)
        return self._form(
            "admin/donors/correct.html", person, who, form, was=was, of_donor=_of_donor(person, who)
        )

    def _correct(self, person: Person, form: CorrectForm) -> None:
        changed = corrections.correct_card(
            self.session,
            person=person,
            form=form.card(phone=person.phone or ""),
            actor=self.actor,
            now=self.now,
        )
        done(gettext("Saved.") if changed else gettext("Nothing was changed."))

    @expose("/<uuid:uid>/email/", methods=("GET", "POST"))
    def email(self, uid: uuid.UUID) -> Any:
        person, who = self._person(uid)
        form = NewEmailForm()
        if form.validate_on_submit() and self._did(form, lambda: self._email(person, form)):
            return self.back(".card", uid=uid)
        account = corrections.account_of(self.session, person_id=person.id)
        return self._form("admin/donors/email.html", person, who, form, account=account)

    def _email(self, person: Person, form: NewEmailForm) -> None:
        changed = corrections.correct_email(
            self.session,
            person=person,
            email=form.email.data or "",
            actor=self.actor,
            now=self.now,
        )
        done(
            gettext("The address is changed. A letter to confirm it is on its way there.")
            if changed
            else gettext("This is the address already.")
        )

    # Deferrals and donations

    @expose("/<uuid:uid>/deferral/", methods=("GET", "POST"))
    def deferral(self, uid: uuid.UUID) -> Any:
        person, who = self._person(uid)
        form = DeferralForm(data={"starts_on": donor_card.own_date(self.session, person, self.now)})
        if form.validate_on_submit() and self._did(form, lambda: self._defer(person, form)):
            return self._to_card(uid)
        return self._form("admin/donors/fact.html", person, who, form, of="deferral")

    def _defer(self, person: Person, form: DeferralForm) -> None:
        history.add_deferral(
            self.session,
            person=person,
            kind=form.kind.data,
            starts_on=form.starts_on.data,
            ends_on=form.ends_on.data,
            reason=form.reason.data or "",
            actor=self.actor,
            now=self.now,
        )

    @expose("/<uuid:uid>/deferral/<uuid:fact>/withdraw/", methods=("GET", "POST"))
    def withdraw(self, uid: uuid.UUID, fact: uuid.UUID) -> Any:
        person, who = self._person(uid)
        deferral = history.deferral_of(self.session, person=person, uid=fact)
        if request.method == "GET":
            return self._question(person, who, gettext("Withdraw the deferral"), deferral=deferral)
        return self._do(
            uid,
            lambda: history.withdraw_deferral(
                self.session, deferral=deferral, actor=self.actor, now=self.now
            ),
            gettext("The deferral is withdrawn."),
        )

    @expose("/<uuid:uid>/donation/", methods=("GET", "POST"))
    def donation(self, uid: uuid.UUID) -> Any:
        person, who = self._person(uid)
        form = DonationForm()
        if form.validate_on_submit() and self._did(form, lambda: self._give(person, form)):
            return self._to_card(uid)
        return self._form("admin/donors/fact.html", person, who, form, of="donation")

    def _give(self, person: Person, form: DonationForm) -> None:
        history.add_donation(
            self.session,
            person=person,
            kind=form.kind.data,
            on_date=form.on_date.data,
            note=form.note.data or "",
            actor=self.actor,
            now=self.now,
        )

    @expose("/<uuid:uid>/donation/<uuid:fact>/remove/", methods=("GET", "POST"))
    def remove(self, uid: uuid.UUID, fact: uuid.UUID) -> Any:
        person, who = self._person(uid)
        donation = history.donation_of(self.session, person=person, uid=fact)
        if request.method == "GET":
            return self._question(person, who, gettext("Take out the donation"), donation=donation)
        return self._do(
            uid,
            lambda: history.remove_donation(
                self.session, donation=donation, actor=self.actor, now=self.now
            ),
            gettext("The donation is taken out."),
        )

    # The link to a record

    @expose("/<uuid:uid>/link/", methods=("GET", "POST"))
    def link(self, uid: uuid.UUID) -> Any:
        """First the record with the donor's code, or another one by its code; then the question."""
        person, who = self._person(uid)
        form = CodeForm()
        record = None if who.record is None or who.record.person_id else who.record
        if request.method == "POST" and "record" in request.form:
            return self._link(person, request.form["record"])
        if form.validate_on_submit():
            record = donor_records.record_by_code(
                self.session, tenant_id=person.tenant_id, code=form.code.data or ""
            )
            if record is None:
                form.code.errors = [gettext("There is no record with this code in the donor file.")]
        return self._form(
            "admin/donors/link.html",
            person,
            who,
            form,
            record=record,
            pairs=compared(StaffFacts(who.facts, person, who.donor, record)),
            sexes=SEXES,
        )

    def _link(self, person: Person, text: str) -> Any:
        record = donor_records.record_of(self.session, uid=_uid(text))
        return self._do(
            person.uid,
            lambda: link_record(
                self.session, person=person, record=record, actor=self.actor, now=self.now
            ),
            gettext("The record is linked: its deferrals and donations now count for this donor."),
        )

    @expose("/<uuid:uid>/unlink/", methods=("GET", "POST"))
    def unlink(self, uid: uuid.UUID) -> Any:
        person, who = self._person(uid)
        record = who.record
        if record is None or record.person_id != person.id:
            return self.back(".card", uid=uid)
        if request.method == "GET":
            return self._question(person, who, gettext("Undo the link"), record=record)
        return self._do(
            uid,
            lambda: unlink_record(
                self.session, person=person, record=record, actor=self.actor, now=self.now
            ),
            gettext("The link is undone: the record no longer speaks for this donor."),
        )

    # What these have in common

    def _person(self, uid: uuid.UUID) -> tuple[Person, StaffFacts]:
        """The card to be changed. Raises NotAllowed, NotFound."""
        self.need("donors.edit")
        return donor_card.person_of(self.session, uid=uid)

    def _form(self, template: str, person: Person, who: StaffFacts, form: Any, **more: Any) -> Any:
        record: DonorRecord | None = more.get("record") or who.record
        self.note_seen("donors.card", [person], [record] if record else [])
        html = self.render(template, person=person, name=name_of(who), form=form, who=who, **more)
        return html, 422 if form.errors else 200

    def _question(self, person: Person, who: StaffFacts, verb: str, **about: Any) -> Any:
        self.note_seen("donors.card", [person])
        return self.render(
            "admin/donors/question.html", person=person, name=name_of(who), verb=verb, **about
        )

    def _did(self, form: Any, act: Callable[[], Any]) -> bool:
        """Do it and commit; a refusal stands above the form with what was typed."""
        try:
            with saved():
                act()
        except RuleError as refusal:
            form.form_errors.append(say(refusal))
            return False
        return True

    def _do(self, uid: uuid.UUID, act: Callable[[], Any], sentence: str) -> Response:
        """Do it, commit and go back to the card; a refusal is told there."""
        try:
            with saved():
                act()
            done(sentence)
        except RuleError as refusal:
            refused(say(refusal))
        return self.back(".card", uid=uid)

    def _to_card(self, uid: uuid.UUID) -> Response:
        """Back, saying whether a booking to come is concerned."""
        card = donor_card.card(self.session, uid=uid, now=self.now)
        done(
            gettext("Saved. A check of a booking to come fails now: see below.")
            if card.failing
            else gettext("Saved.")
        )
        return self.back(".card", uid=uid)


def name_of(who: StaffFacts) -> str:
    """The card's own name; of a nameless card its code."""
    if who.person.full_name:
        return who.person.full_name
    if who.donor is not None:
        return gettext("Donor %(code)s", code=who.donor.donor_code)
    return gettext("Name unknown")


def _uid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound() from None


def _of_donor(person: Person, who: StaffFacts) -> bool:
    """Whether what a donor says of himself is asked for: not of a polyclinic's patient."""
    tenant = tenants.seen().get(person.tenant_id)
    return bool(who.donor or who.record) or tenant is None or not tenant.takes_patients
