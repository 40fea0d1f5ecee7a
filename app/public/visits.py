"""Booking a doctor: from a free time to a ticket, by the steps the organization's policy asks for.

A time is held first and kept while its owner says who he is (B9) or confirms (E26). Every POST ends in a
redirect, or in the page with the sentence of the refusal and status 409; what was typed stays.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash as notice
from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import db, only_reads, saved
from app.i18n import locale, say
from app.models.appointment import Appointment
from app.models.cabinet_choices import AccountEventKind
from app.models.enums import AppointmentStatus as A
from app.models.enums import ConsentPurpose, IdentifyBy
from app.models.policy_choices import ConsentStep, Entry
from app.public import identify, visitor, whose
from app.public.cabinet import note
from app.public.esia_door import esia_offered
from app.public.guards import status_of
from app.public.header import at
from app.public.institutions import doctor_page
from app.public.site import public
from app.rules import guests, patient_visits, patients
from app.rules.donor_day import Choice
from app.rules.errors import HoldEnded, NotFound, RuleError
from app.rules.identification import NotIdentified
from app.rules.patient_visits import Step, next_step
from app.rules.places import NO_CARD
from forms.directory import uuid_of

SAID = (A.BOOKED, A.PENDING)  # nothing more is to be typed here


@public.post("/visits")
def choose_time() -> Any:
    """A free time of a doctor is held for this browser."""
    slot, service = uuid_of(request.form, "slot"), uuid_of(request.form, "service")
    if slot is None:
        raise NotFound()
    choice = patients.choice_of(db.session(), slot_uid=slot, now=g.now, service=service)
    place, policy = choice.day.organization, choice.day.policy
    person_id = whose.chosen(choice)
    if policy.entry is Entry.ACCOUNT and person_id is None:
        if g.user is None:
            return redirect(url_for("public.sign_in", next=_back(choice, service)), 303)
        if esia_offered():  # which makes a card for who has none here yet
            return redirect(url_for("public.esia", next=_back(choice, service)), 303)
        return _day(choice, service, say(NO_CARD)), 409
    new, token = not visitor.token(), visitor.new_token()
    try:
        with saved() as saving:
            held = patients.hold(
                saving,
                slot_uid=slot,
                token=token,
                actor=visitor.actor(),
                now=g.now,
                address=sessions.client_ip(),
                service=service,
                choice=choice,
                person_id=person_id,
            )
            visitor.known_again(
                guests.at(
                    saving,
                    token=token,
                    organization=place,
                    locale=locale(),
                    now=g.now,
                    new=new,
                    alone=True,
                )
            )
    except NotFound:
        raise
    except RuleError as refusal:
        only_reads()
        return _day(choice, service, say(refusal)), 409
    return redirect(url_for("public.visit", uid=held.uid), 303)


def _back(choice: Choice, service: uuid.UUID | None) -> str:
    """Where whoever has to sign in first finds the chosen time again."""
    role, schedule = choice.day.schedule.role, choice.day.schedule
    return url_for(
        "public.doctor",
        uid=choice.day.organization.uid,
        role=role.uid,
        service=service,
        day=schedule.date.isoformat(),
        chosen=choice.slot.uid,
    )


def _day(choice: Choice, service: uuid.UUID | None, error: str) -> str:
    schedule = choice.day.schedule
    return doctor_page(
        choice.day.organization.uid, schedule.role.uid, service, schedule.date, error=error
    )


@public.get("/visits/<uuid:uid>")
def visit(uid: uuid.UUID) -> Any:
    """What comes next for a held time; for a booking, where it stands and its ticket."""
    row = _own(uid)
    if row.status in (A.HELD, A.RELEASED):
        return step_page(row)
    from app.public.tickets import ticket_page

    return ticket_page(row)


@public.post("/visits/<uuid:uid>/consent")
def consent(uid: uuid.UUID) -> Any:
    """«Да, я даю согласие» (B8, D9)."""
    row = _own(uid)
    try:
        patient_visits.demand_held(row, now=g.now)
        with saved() as saving:
            text_id = identify.text_id(request.form.get("text"))
            guests.agree(saving, _guest(row), text_id=text_id, now=g.now)
    except RuleError as refusal:
        only_reads()
        return step_page(row, say(refusal)), 409
    return _onward(row, book=False)


@public.post("/visits/<uuid:uid>/identify")
def say_who(uid: uuid.UUID) -> Any:
    """Who the held time is for, by the variant in the address; B9's «Войти» books at once."""
    row = _own(uid)
    method = _method(row)
    if method is None or _step(row) is not Step.IDENTIFY:
        return redirect(url_for("public.visit", uid=uid), 303)
    form = identify.form_of(row.organization, row.policy, method)
    if not identify.valid(form):
        return step_page(row, form=form), 400
    try:
        patient_visits.demand_held(row, now=g.now)
        identify.found(form, row.organization, method)
    except RuleError as refusal:
        only_reads()
        return step_page(row, say(refusal), form=form), status_of(refusal)
    return _onward(row, book=row.policy.entry is Entry.AFTER)


@public.post("/visits/<uuid:uid>/phone")
def phone(uid: uuid.UUID) -> Any:
    """«Выберите телефон для связи с вами» (D11–D13); its «Подтвердить» books."""
    row = _own(uid)
    if _step(row) is not Step.PHONE:
        return redirect(url_for("public.visit", uid=uid), 303)
    form = identify.phone_form(row)
    if not form.validate():
        return step_page(row, form=form), 400
    with saved() as saving:
        guests.settle_phone(saving, _guest(row), phone=form.phone())
    return _onward(row, book=True)


@public.post("/visits/<uuid:uid>/confirm")
def confirm_visit(uid: uuid.UUID) -> Any:
    """«Записаться на 05 августа 09:00? Да» (E26). Pressed twice it leads to the same booking."""
    row = patient_visits.own_brief(db.session(), uid=uid, reader=visitor.reader())
    visitor.choose(request.form.get("whom"))
    if row.status is A.HELD and _step(row) is not Step.CONFIRM:
        return redirect(url_for("public.visit", uid=uid), 303)
    return _book(row)


@public.post("/visits/<uuid:uid>/extend")
def extend_visit(uid: uuid.UUID) -> Any:
    """«Продлить»."""
    row = _own(uid)
    try:
        with saved() as saving:
            patient_visits.extend(saving, row=row, actor=visitor.actor(), now=g.now)
    except RuleError as refusal:
        only_reads()
        return step_page(_own(uid), say(refusal)), 409
    return redirect(url_for("public.visit", uid=uid), 303)


@public.post("/visits/<uuid:uid>/close")
def close_visit(uid: uuid.UUID) -> Any:
    """«Нет», or the consent refused: the time is free again, back to the doctor's day."""
    row = _own(uid)
    with saved() as saving:
        let_go = patient_visits.let_go(saving, row=row, actor=visitor.actor(), now=g.now)
    if let_go.status is not A.RELEASED:
        return redirect(url_for("public.visit", uid=uid), 303)
    notice(gettext("The time is free again. Nothing is booked."), "done")
    return redirect(day_of(row), 303)


# --- what the steps share ---------------------------------------------------------------------


def _own(uid: uuid.UUID) -> Appointment:
    row = patient_visits.own(db.session(), uid=uid, reader=visitor.reader())
    at(row.organization)
    return row


def _guest(row: Appointment) -> Any:
    """The browser's row; a held time always has one. Raises Left once it is forgotten."""
    found = visitor.guest()
    if found is None or found.tenant_id != row.organization.tenant_id:
        raise guests.Left()
    return found


def _step(row: Appointment) -> Step:
    return next_step(
        row.policy,
        person_id=visitor.person_in(row.organization, row.policy),
        guest=visitor.reader().guest_in(row.tenant_id),
    )


def _method(row: Appointment) -> IdentifyBy | None:
    """The variant chosen in the address; where there is only one, that."""
    offered = row.policy.methods
    wanted = request.args.get("method", "")
    if len(offered) == 1:
        return offered[0]
    return next((each for each in offered if each.value == wanted), None)


def _onward(row: Appointment, *, book: bool) -> Any:
    """The next step; if nothing is left and the button just pressed meant it, the booking."""
    if book and _step(row) is Step.CONFIRM:
        return _book(row)
    return redirect(url_for("public.visit", uid=row.uid), 303)


def _book(row: Appointment) -> Any:
    person_id = visitor.person_in(row.organization, row.policy) or row.person_id
    fresh = row.status is A.HELD
    try:
        if person_id is None:
            raise guests.Left()
        with saved() as saving:
            done = patient_visits.book(
                saving,
                row=row,
                reader=visitor.reader(),
                person_id=person_id,
                actor=visitor.actor(),
                now=g.now,
                ip=sessions.client_ip(),
                user_agent=request.user_agent.string or "",
            )
            seconds, guest = row.policy.kiosk_seconds, visitor.guest()
            if seconds and guest is not None and done.status in SAID:
                guests.soon_gone(saving, guest, seconds=seconds, now=g.now)
            if fresh:
                note(AccountEventKind.BOOKED, person_id=done.person_id, appointment_id=done.id)
    except RuleError as refusal:
        whose.note_refused(row, person_id)
        only_reads()
        return step_page(_own(row.uid), say(refusal)), 409
    return redirect(url_for("public.visit", uid=row.uid), 303)


def day_of(row: Appointment) -> str:
    """The doctor's day this time belongs to."""
    schedule = row.schedule
    return url_for(
        "public.doctor",
        uid=row.organization.uid,
        role=schedule.role.uid,
        service=row.service.uid if row.service else None,
        day=schedule.date.isoformat(),
    )


def step_page(row: Appointment, error: str = "", form: Any = None) -> str:
    """The page of the next step, or that the time is held no more."""
    ended = patient_visits.has_ended(row, now=g.now)
    if ended:
        error = error or say(HoldEnded())
    step = _step(row)
    method = _method(row)
    if not ended and form is None:
        if step is Step.IDENTIFY and method is not None:
            form = identify.form_of(row.organization, row.policy, method)
        elif step is Step.PHONE:
            form = identify.phone_form(row)
    identify.ask_if_due(form)
    text = None
    if step in (Step.CONSENT, Step.IDENTIFY):
        text = guests.text_of(
            db.session(),
            tenant_id=row.organization.tenant_id,
            now=g.now,
            purpose=ConsentPurpose.BOOKING,
        )
    return render_template(
        "public/visit_step.html",
        row=row,
        step="ended" if ended else step.value,
        error=error,
        unknown=error == say(NotIdentified()),
        form=form,
        method=method,
        text=text,
        box=row.policy.consent is ConsentStep.BOX,
        extensions_left=row.policy.hold_extensions - row.hold_extended,
        again=day_of(row),
        **whose.choices(row, step),
    )
