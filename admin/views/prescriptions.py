"""Prescriptions of a card (row E56): written down by staff, stopped; the owner is reminded if he wishes to be."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import request
from flask_admin import expose
from flask_babel import gettext
from werkzeug import Response

from app.models.person import Person
from app.rules import donor_card, medication
from app.rules.actor import Actor
from app.rules.facts import StaffFacts
from forms.prescriptions import PrescriptionForm

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Prescriptions:
    """The part of the card's page about prescriptions; everything here needs ``prescriptions.edit``."""

    session: Session
    actor: Actor
    now: dt.datetime
    need: Callable[[str], None]
    back: Callable[..., Response]
    _did: Callable[..., bool]
    _do: Callable[..., Response]
    _form: Callable[..., Any]
    _question: Callable[..., Any]

    @expose("/<uuid:uid>/prescriptions/", methods=("GET", "POST"))
    def prescriptions(self, uid: uuid.UUID) -> Any:
        """One more prescription."""
        person, who = self._patient(uid)
        form = PrescriptionForm(
            data={"first_day": donor_card.own_date(self.session, person, self.now)}
        )
        if form.validate_on_submit() and self._did(form, lambda: self._prescribe(person, form)):
            return self.back(".card", uid=uid, _anchor="prescriptions")
        return self._form("admin/donors/prescription.html", person, who, form)

    def _prescribe(self, person: Person, form: PrescriptionForm) -> None:
        medication.prescribe(
            self.session,
            person=person,
            medicine=form.medicine.data or "",
            dose=form.dose.data or "",
            hours=form.hours.data or "",
            first_day=form.first_day.data,
            last_day=form.last_day.data,
            actor=self.actor,
            now=self.now,
        )

    @expose("/<uuid:uid>/prescriptions/<uuid:fact>/stop/", methods=("GET", "POST"))
    def stop_prescription(self, uid: uuid.UUID, fact: uuid.UUID) -> Any:
        person, who = self._patient(uid)
        row = medication.one(self.session, person=person, uid=fact)
        if request.method == "GET":
            verb = gettext("Stop the prescription")
            return self._question(person, who, verb, prescription=row)
        return self._do(
            uid,
            lambda: medication.stop(self.session, row=row, actor=self.actor, now=self.now),
            gettext("The prescription is stopped: no reminder of it comes any more."),
        )

    def _patient(self, uid: uuid.UUID) -> tuple[Person, StaffFacts]:
        """The card to be written on. Raises NotAllowed, NotFound."""
        self.need("prescriptions.edit")
        return donor_card.person_of(self.session, uid=uid)
