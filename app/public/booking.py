"""From a day to a booking: the window, the held place, its confirmation (A17–A22).

Every POST ends in a redirect or in the page with the sentence of the refusal and status 409.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash as notice
from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, only_reads, saved
from app.i18n import say
from app.models.appointment import Appointment
from app.models.cabinet_choices import AccountEventKind
from app.models.enums import AppointmentStatus
from app.public import whose
from app.public.cabinet import note
from app.public.guards import signed_in
from app.public.header import cards, header, reader
from app.public.site import public
from app.rules import booking as rules
from app.rules import cabinet, donor_day, facts, holding, nearest, window
from app.rules.actor import actor_of
from app.rules.eligibility import blocking
from app.rules.errors import HoldEnded, NotFound, RuleError
from app.rules.places import NO_CARD, NO_DONOR
from forms.booking import choice_of


@public.get("/places/<uuid:uid>")
def book(uid: uuid.UUID) -> Any:
    """«Создание записи»: open to all to look at; to choose a time one signs in."""
    return _window(uid)


@public.post("/places/<uuid:uid>")
@signed_in
def hold(uid: uuid.UUID) -> Any:
    """A place, or any place at a time, is kept for some minutes."""
    choice = choice_of(request.form)
    if choice is None:
        raise NotFound()
    chosen = donor_day.choice_of(
        db.session(), schedule_uid=uid, slot_uid=choice.slot, starts_at=choice.starts_at, now=g.now
    )
    person_id = cards().get(chosen.day.schedule.tenant_id)
    if person_id is None:
        return _window(uid), 409
    try:
        with saved() as saving:
            held = holding.keep(
                saving,
                chosen,
                person_id=person_id,
                actor=actor_of(reader()),
                now=g.now,
                address=sessions.client_ip(),
            )
    except NotFound:
        raise
    except RuleError as refusal:
        only_reads()
        return _window(uid, error=say(refusal)), 409
    return redirect(url_for("public.confirm", uid=held.uid), 303)


def _window(uid: uuid.UUID, error: str = "") -> str:
    session = db.session()
    shown = window.window(session, schedule_uid=uid, cards=cards(), now=g.now)
    against = list(shown.refusals)
    card = shown.card
    if g.user is not None and card is None:
        against.append(NO_CARD if header().blood else NO_DONOR)
    against = blocking(against)
    others = []
    if card is not None and (error or against or not shown.free):
        others = nearest.alternatives(
            session,
            person=card.facts,
            tenant_id=shown.day.schedule.tenant_id,
            near=shown.day.schedule.date,
            now=g.now,
            without_schedule_id=shown.day.schedule.id,
        )
    return render_template(
        "public/window.html",
        shown=shown,
        day=shown.day,
        against=against,
        others=others,
        error=error,
        donor=card.donor if card else None,
        open_to_reader=g.user is not None and not against,
    )


@public.get("/bookings/<uuid:uid>/confirm")
@signed_in
def confirm(uid: uuid.UUID) -> Any:
    """«Подтвердите выбор записи», with the time the place is still kept."""
    chosen = cabinet.own(db.session(), uid=uid)
    if chosen.status not in (AppointmentStatus.HELD, AppointmentStatus.RELEASED):
        return redirect(url_for("public.booking", uid=uid), 303)
    return _confirm_page(chosen)


@public.post("/bookings/<uuid:uid>/confirm")
@signed_in
def confirm_booking(uid: uuid.UUID) -> Any:
    """«Подтверждаю запись». Pressed twice it leads to the same booking."""
    chosen_id = cabinet.own_id(db.session(), uid=uid)
    try:
        with saved() as saving:
            done = rules.confirm(
                saving, appointment_id=chosen_id, actor=actor_of(reader()), now=g.now
            )
            note(AccountEventKind.BOOKED, person_id=done.person_id, appointment_id=done.id)
    except RuleError as refusal:
        row = cabinet.own(db.session(), uid=uid)
        whose.note_refused(row, row.person_id)
        only_reads()
        return _confirm_page(row, error=say(refusal)), 409
    return redirect(url_for("public.booking", uid=uid), 303)


@public.post("/bookings/<uuid:uid>/extend")
@signed_in
def extend(uid: uuid.UUID) -> Any:
    """«Продлить»."""
    chosen = cabinet.own(db.session(), uid=uid)
    try:
        with saved() as saving:
            holding.extend(saving, appointment_id=chosen.id, actor=actor_of(reader()), now=g.now)
    except RuleError as refusal:
        only_reads()
        return _confirm_page(cabinet.own(db.session(), uid=uid), error=say(refusal)), 409
    return redirect(url_for("public.confirm", uid=uid), 303)


@public.post("/bookings/<uuid:uid>/close")
@signed_in
def close(uid: uuid.UUID) -> Any:
    """«Закрыть»: the place is free again, back to the day's times."""
    chosen = cabinet.own(db.session(), uid=uid)
    with saved() as saving:
        let_go = holding.release(
            saving, appointment_id=chosen.id, actor=actor_of(reader()), now=g.now
        )
    if let_go.status is not AppointmentStatus.RELEASED:
        return redirect(url_for("public.booking", uid=uid), 303)
    notice(gettext("The place is free again. Nothing is booked."), "done")
    return redirect(url_for("public.book", uid=chosen.schedule.uid), 303)


def _confirm_page(chosen: Appointment, error: str = "") -> str:
    ended = (
        chosen.status is not AppointmentStatus.HELD
        or chosen.hold_until is None
        or chosen.hold_until <= g.now
    )
    let_go = cabinet.let_go(chosen)
    if let_go:
        error = say(cabinet.LetGo())
    elif ended:
        error = error or say(HoldEnded())
    others = []
    card = facts.card_of(db.session(), chosen.person_id)
    if error:
        others = nearest.alternatives(
            db.session(),
            person=card.facts,
            tenant_id=chosen.tenant_id,
            near=chosen.schedule.date,
            now=g.now,
        )
    return render_template(
        "public/confirm.html",
        chosen=chosen,
        ended=ended,
        let_go=let_go,
        error=error,
        others=others,
        extensions_left=chosen.policy.hold_extensions - chosen.hold_extended,
        donor=card.donor,
    )
