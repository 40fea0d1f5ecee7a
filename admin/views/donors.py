"""Donor cards (A12, A26, N1): search, the card, corrections, deferrals, donations, the link to a record."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin import notes
from admin.base import StaffPage
from admin.sections import DONORS
from admin.views.donor_changes import Changes, name_of
from admin.views.donor_documents import Documents
from admin.views.prescriptions import Prescriptions
from app.extensions import saved
from app.rules import (
    audit,
    consents,
    donor_card,
    donor_search,
    lookup,
    medication,
    person_documents,
)
from app.rules.donor_card import Card
from app.rules.examination import TITLES
from forms.donors import SEXES, PhoneForm, SearchForm
from forms.person_documents import ReasonForm

SAW = {
    "donors.card": _l("opened the card"),
    "donors.phone": _l("asked for the phone"),
    "donors.document": _l("asked for a document’s number"),
    "donors.list": _l("in a list of donors"),
    "accounts.list": _l("in a list of users"),
    "accounts.card": _l("opened the sign-in"),
    "desk.list": _l("in a list of the desk"),
    "desk.book": _l("booked for a caller"),
    "desk.move": _l("moved a booking"),
    "grid": _l("in the schedule grid"),
    "grid.day": _l("in the day of a practitioner"),
    "attachments": _l("in a list of attachments"),
    "attachments.card": _l("attached the card to a district"),
    "families": _l("in a list of families"),
    "families.card": _l("opened the family"),
    "referrals": _l("in a list of referrals"),
    "referrals.card": _l("opened the referrals"),
    "waiting.list": _l("in the waiting list"),
    "waiting.details": _l("in the waiting list"),
    "visits": _l("in the queue of requests"),
    "visits.bulk": _l("in the queue of requests"),
    "queue": _l("in the queue of requests"),
    "queue.bulk": _l("in the queue of requests"),
    "papers": _l("opened the copies of documents"),
    "papers.file": _l("opened a copy of a document"),
    "confirmation": _l("looked at the profile to be confirmed"),
    "confirmations": _l("in the list of profiles to be confirmed"),
    "ticket": _l("opened a booking"),
    "ticket.donor": _l("in the donor's bookings"),
    "ticket.find": _l("looked a booking up"),
    "records.card": _l("opened the record"),
    "records.list": _l("in a list of records"),
    "imports.affected": _l("in a check of a donor file"),
}
"""What an access event is called on the card; any other is «on another page»."""

PHONE_SHOWN = 5 * 60
"""Seconds for which Back and Reload show a telephone number again without a new question."""


class DonorsPage(Changes, Documents, Prescriptions, StaffPage):
    """Who looks is written down: a card, a list, a telephone number."""

    for_donors = True
    slug = "donors"
    section = DONORS
    title = _l("Donor cards")
    permission = "donors.view"

    # Finding

    @expose("/", methods=("GET",))
    def index(self) -> Any:
        """The line of search, and the cards the reader opened last."""
        recent = donor_search.last_opened(self.session, staff_user_id=self.user.id)
        self.note_seen("donors.list", [found.person for found in recent])
        return self.render("admin/donors/index.html", form=SearchForm(), recent=recent)

    @expose("/search/", methods=("GET", "POST"))
    def search(self) -> Any:
        """What is searched for names a person: it is sent by POST and stands in no address."""
        form = SearchForm()
        if form.is_submitted():
            if not form.validate():
                return self.back()
            return self.back(".search", asked=notes.keep("donors", form.q.data or ""))
        words = notes.kept("donors", request.args.get("asked", ""))
        if words is None:
            return self.back()
        form.q.data = words
        wish = donor_search.wanted(words)
        found = donor_search.donors(self.session, wish)
        records = donor_search.records(self.session, wish, limit=10)
        self.note_seen(
            "donors.list",
            [one.person for one in found[: donor_search.MOST]],
            [one.record for one in records if one.person is None],
        )
        return self.render(
            "admin/donors/index.html",
            form=form,
            found=found[: donor_search.MOST],
            more=len(found) > donor_search.MOST,
            records=[one for one in records if one.person is None],
        )

    # The card

    @expose("/<uuid:uid>/", methods=("GET",))
    def card(self, uid: uuid.UUID) -> Any:
        """The card; with its whole telephone number for some minutes after that was asked for."""
        whole = "all" in request.args
        card = donor_card.card(self.session, uid=uid, now=self.now, whole=whole)
        asked = notes.kept("phone", request.args.get("phone", "")) == str(uid)
        phone = card.person.phone or "" if asked else ""
        document, number = self._asked(card.person)
        action = "donors.phone" if phone else "donors.document" if number else "donors.card"
        return self._card(
            card, action, phone=phone, asked_document=document, document_number=number
        )

    def _card(self, card: Card, action: str, **more: Any) -> Any:
        records = [card.record] if card.record is not None else []
        agreed = consents.of_person(self.session, person_id=card.person.id)
        self.note_seen(action, [card.person, *card.twins], records)
        return self.render(
            "admin/donors/card.html",
            card=card,
            name=name_of(card.who),
            titles=TITLES,
            happened=lookup.WHAT_HAPPENED,
            sexes=SEXES,
            saw=SAW,
            may_edit=self.may("donors.edit"),
            may_upload=self.may("documents.upload"),
            documents=person_documents.lines(self.session, person_id=card.person.id),
            prescriptions=medication.of_person(self.session, person_ids=[card.person.id]),
            may_prescribe=self.may("prescriptions.edit"),
            may_book=self.may("desk.use") and card.tenant.takes_patients,
            may_attach=self.may("attachments.edit") and card.tenant.takes_patients,
            may_family=self.may("family.decide") and card.tenant.takes_patients,
            may_refer=self.may("referrals.edit") and card.tenant.takes_patients,
            consents=agreed,
            recorders=lookup.staff_names(
                self.session, {row.recorded_by_id for row in agreed if row.recorded_by_id}
            ),
            **{"phone_form": PhoneForm(), "phone": "", "document_form": ReasonForm(), **more},
        )

    @expose("/<uuid:uid>/phone/", methods=("GET", "POST"))
    def phone(self, uid: uuid.UUID) -> Any:
        """The whole number, once a purpose is given; both are written down."""
        if request.method == "GET":
            return self.back(".card", uid=uid)
        form = PhoneForm()
        if not form.validate():
            card = donor_card.card(self.session, uid=uid, now=self.now)
            return self._card(card, "donors.card", phone_form=form), 422
        with saved():
            person = lookup.person(self.session, uid=uid)
            audit.record(
                self.session,
                verb="donor.phone",
                subject=person,
                actor=self.actor,
                now=self.now,
                changes={"reason": [None, form.reason.data]},
            )
        key = notes.keep("phone", str(uid), lasts=PHONE_SHOWN)
        return self.back(".card", uid=uid, phone=key, _anchor="phone")
