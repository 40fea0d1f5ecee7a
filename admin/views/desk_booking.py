"""Booking a chosen time for a caller, and moving a booking to one: a page that asks, a button that does."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import request
from flask_admin import expose
from werkzeug import Response

from admin.base import refused
from admin.carried import Carried, carried, uid_in
from app.extensions import only_reads, saved
from app.i18n import say
from app.models.appointment import Appointment
from app.rules import clock, desk, moving, person_documents
from app.rules.actor import Actor
from app.rules.desk import Offer
from app.rules.donor_day import Choice
from app.rules.eligibility import blocking
from app.rules.errors import NotFound, Refused, RuleError, Taken
from forms.desk import BookForm

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def _another_time_helps(offer: Offer) -> bool:
    """Whether all that stands against it is its hour: another visit then, or it is over."""
    hard = blocking(list(offer.against))
    return bool(hard) and all(refusal.code in ("same_time", "past") for refusal in hard)


class Booking:
    """The part of the desk that books; everything here needs ``desk.use``."""

    session: Session
    actor: Actor
    now: dt.datetime
    need: Callable[[str], None]
    may: Callable[[str], bool]
    note_seen: Callable[..., None]
    render: Callable[..., str]
    back: Callable[..., Response]

    @expose("/book/<uuid:slot>/", methods=("GET", "POST"))
    def book(self, slot: uuid.UUID) -> Any:
        """The time, the person, what stands against it. Without a person: who is it?"""
        self.need("desk.use")
        choice = self._choice_for(slot)
        whom = carried(self.session)
        person = whom.person
        if person is None:
            return self.back(".index", slot=slot)

        def book(session: Session, form: BookForm) -> Appointment:
            return desk.book(
                session,
                slot_uid=slot,
                person=person,
                actor=self.actor,
                now=self.now,
                service_uid=form.service_uid(),
                phone=form.number(),
                consent=form.agreed(),
            )

        return self._asked(choice, whom, book)

    @expose("/move/<uuid:uid>/<uuid:slot>/", methods=("GET", "POST"))
    def move(self, uid: uuid.UUID, slot: uuid.UUID) -> Any:
        """From where to where; the person is told."""
        self.need("desk.use")
        whom = carried(self.session, {"move": str(uid)})
        assert whom.moved is not None
        choice = self._choice_for(slot, whom.moved)
        try:
            moving.demand_movable(whom.moved, now=self.now)
        except RuleError as refusal:
            refused(say(refusal))
            return self.back("ticket.show", uid=uid)

        def move(session: Session, form: BookForm) -> Appointment:
            return moving.move(
                session,
                uid=uid,
                slot_uid=slot,
                actor=self.actor,
                now=self.now,
                service_uid=form.service_uid(),
                seen_at=self._seen_at(),
            )

        return self._asked(choice, whom, move)

    def _asked(
        self, choice: Choice, whom: Carried, act: Callable[[Session, BookForm], Appointment]
    ) -> Any:
        """The page that asks, and what its button does: ``act``, then to the day it is in."""
        slot = choice.slot.uid
        offer = self._offer(choice, whom)
        form = self._form(offer, whom)
        if not form.validate_on_submit():
            return self._page(offer, whom, form), 422 if form.errors else 200
        try:
            with saved() as session:
                made = act(session, form)
        except NotFound:
            raise
        except RuleError as refusal:
            return self._refused(slot, whom, form, refusal), 409
        return self._back_to_day(choice, made, moved=whom.moved is not None)

    def _choice_for(self, slot: uuid.UUID, moved: Appointment | None = None) -> Choice:
        """The time for the service said on the form, or for that of the visit being moved: its policy."""
        wanted = uid_in(request.form, "service")
        if wanted is None and moved is not None and moved.service is not None:
            wanted = moved.service.uid
        return desk.choice_of(self.session, slot_uid=slot, now=self.now, service=wanted)

    def _offer(self, choice: Choice, whom: Carried) -> Offer:
        """What stands against it. A visit that moves does not count itself, and has its consent already."""
        row = whom.moved
        if row is None:
            return desk.offer(self.session, choice=choice, person=whom.person, now=self.now)
        desk.demand_same_registry(row.person, choice)
        against = moving.against(self.session, row=row, choice=choice, now=self.now)
        services = desk.services_of(self.session, choice)
        return Offer(choice, row.person, desk.said(against), services, None)

    def _form(self, offer: Offer, whom: Carried) -> BookForm:
        form = BookForm().offer(
            offer.services,
            asks_consent=offer.consent is not None,
            has_phone=offer.person is not None and bool(offer.person.phone),
            former=whom.moved.service_id if whom.moved is not None else None,
        )
        if whom.moved is not None:
            del form.phone
        return form

    def _seen_at(self) -> uuid.UUID | None:
        try:
            return uuid.UUID(request.form.get("seen_at", ""))
        except ValueError:
            return None

    def _refused(self, slot: uuid.UUID, whom: Carried, form: BookForm, refusal: RuleError) -> str:
        """The same page with the sentence and, if somebody was quicker, the day's other free times."""
        only_reads()
        again = carried(self.session, whom.args)
        choice = self._choice_for(slot, again.moved)
        offer = self._offer(choice, again)
        shown = isinstance(refusal, Refused) and offer.against  # among the reasons against
        sentence = "" if shown else say(refusal)
        others = isinstance(refusal, Taken)
        return self._page(offer, again, form, refusal=sentence, taken=others)

    def _page(
        self,
        offer: Offer,
        whom: Carried,
        form: BookForm,
        *,
        refusal: str = "",
        taken: bool = False,
    ) -> str:
        person = offer.person
        assert person is not None
        self.note_seen("desk.move" if whom.moved else "desk.book", [person])
        blocked = bool(blocking(list(offer.against)))
        free = offer.is_free or (whom.moved is not None and whom.moved.slot == offer.choice.slot)
        others = []
        if taken or not free or _another_time_helps(offer):
            others = desk.other_times(self.session, choice=offer.choice, now=self.now)
        if not free and not refusal:
            refusal = say(Taken())
        return self.render(
            "admin/desk/book.html",
            offer=offer,
            whom=whom,
            form=form,
            refusal=refusal,
            blocked=blocked or not free,
            others=others,
            documents=person_documents.lines(self.session, person_id=person.id),
            role=offer.choice.day.schedule.role,
            date=self._date(offer.choice),
        )

    def _back_to_day(self, choice: Choice, made: Appointment, *, moved: bool) -> Response:
        """To the same day of the grid, with the ticket at hand."""
        day = {"role": choice.day.schedule.role.uid, "date": self._date(choice).isoformat()}
        return self.back("grid.day", **day, done=made.uid, moved=1 if moved else None)

    def _date(self, choice: Choice) -> dt.date:
        return clock.local_date(choice.slot.starts_at, choice.day.organization.time_zone)
