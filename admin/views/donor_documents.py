"""The documents of a card: added, corrected, taken off; a whole number is shown for a purpose, as phones are."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import request
from flask_admin import expose
from flask_babel import gettext
from werkzeug import Response

from admin import notes
from app.extensions import saved
from app.models.person import Person
from app.rules import audit, documents, donor_card, lookup, person_documents
from app.rules.actor import Actor
from app.rules.errors import NotFound
from app.rules.facts import StaffFacts
from forms.person_documents import DocumentForm, NumberForm, ReasonForm

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SHOWN = 5 * 60
"""Seconds for which Back and Reload show a number again without a new question."""


class Documents:
    """The part of the card's page about documents; writing needs ``donors.edit``."""

    session: Session
    actor: Actor
    now: dt.datetime
    back: Callable[..., Response]
    _card: Callable[..., Any]
    _did: Callable[..., bool]
    _do: Callable[..., Response]
    _form: Callable[..., Any]
    _person: Callable[[uuid.UUID], tuple[Person, StaffFacts]]
    _question: Callable[..., Any]

    @expose("/<uuid:uid>/documents/", methods=("GET", "POST"))
    def documents(self, uid: uuid.UUID) -> Any:
        """One more document."""
        person, who = self._person(uid)
        form = DocumentForm()
        if form.validate_on_submit() and self._did(
            form,
            lambda: person_documents.add(
                self.session,
                person=person,
                kind=form.kind.data,
                text=form.number.data,
                actor=self.actor,
                now=self.now,
            ),
        ):
            return self.back(".card", uid=uid, _anchor="documents")
        return self._form("admin/donors/document.html", person, who, form, document=None)

    @expose("/<uuid:uid>/documents/<uuid:fact>/correct/", methods=("GET", "POST"))
    def correct_document(self, uid: uuid.UUID, fact: uuid.UUID) -> Any:
        person, who = self._person(uid)
        document = person_documents.document_of(self.session, person=person, uid=fact)
        form = NumberForm()
        form.of_kind = document.kind
        if form.validate_on_submit() and self._did(
            form,
            lambda: person_documents.correct(
                self.session,
                person=person,
                document=document,
                text=form.number.data,
                actor=self.actor,
                now=self.now,
            ),
        ):
            return self.back(".card", uid=uid, _anchor="documents")
        return self._form("admin/donors/document.html", person, who, form, document=document)

    @expose("/<uuid:uid>/documents/<uuid:fact>/withdraw/", methods=("GET", "POST"))
    def withdraw_document(self, uid: uuid.UUID, fact: uuid.UUID) -> Any:
        person, who = self._person(uid)
        document = person_documents.document_of(self.session, person=person, uid=fact)
        if request.method == "GET":
            return self._question(
                person,
                who,
                gettext("Take the document off"),
                document=document,
                masked=documents.masked(document.number),
            )
        return self._do(
            uid,
            lambda: person_documents.withdraw(
                self.session, person=person, document=document, actor=self.actor, now=self.now
            ),
            gettext("The document is taken off the card."),
        )

    @expose("/<uuid:uid>/documents/<uuid:fact>/show/", methods=("GET", "POST"))
    def show_document(self, uid: uuid.UUID, fact: uuid.UUID) -> Any:
        """The whole number, once a purpose is given; both are written down."""
        if request.method == "GET":
            return self.back(".card", uid=uid)
        person = lookup.person(self.session, uid=uid)
        document = person_documents.document_of(self.session, person=person, uid=fact)
        form = ReasonForm()
        if not form.validate():
            card = donor_card.card(self.session, uid=uid, now=self.now)
            return self._card(card, "donors.card", document_form=form, asked_document=fact), 422
        with saved():
            audit.record(
                self.session,
                verb="document.shown",
                subject=person,
                actor=self.actor,
                now=self.now,
                changes={
                    "document": [None, document.kind.value],
                    "reason": [None, form.reason.data],
                },
            )
        key = notes.keep("document", f"{uid} {fact}", lasts=SHOWN)
        return self.back(".card", uid=uid, document=key, _anchor="documents")

    def _asked(self, person: Person) -> tuple[uuid.UUID | None, str]:
        """The document whose number the reader has just asked for, and the number as printed."""
        about = notes.kept("document", request.args.get("document", "")) or ""
        owner, _, fact = about.partition(" ")
        if owner != str(person.uid):
            return None, ""
        try:
            document = person_documents.document_of(
                self.session, person=person, uid=uuid.UUID(fact)
            )
        except NotFound:  # taken off meanwhile
            return None, ""
        return document.uid, documents.shown(document.kind, document.number)
