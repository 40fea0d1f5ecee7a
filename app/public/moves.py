"""«Перенести запись» (B17): the owner moves a visit to another time of the same doctor; the ticket stays the same."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash as notice
from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext

from app.extensions import db, only_reads, saved
from app.i18n import say
from app.models.appointment import Appointment
from app.models.cabinet_choices import AccountEventKind
from app.public import visitor
from app.public.cabinet import note
from app.public.guards import signed_in
from app.public.header import at
from app.public.site import public
from app.rules import cabinet, directory, moving, patient_moves, patient_visits, reception
from app.rules.errors import NotFound, RuleError
from forms.directory import uuid_of


@public.route("/visits/<uuid:uid>/move", methods=["GET", "POST"])
@signed_in
def move_visit(uid: uuid.UUID) -> Any:
    """The doctor's other free times; a press on one moves the visit there."""
    row = _own(uid)
    if request.method == "GET":
        return _page(row)
    slot = uuid_of(request.form, "slot")
    if slot is None:
        raise NotFound()
    try:
        with saved() as saving:
            patient_moves.move(saving, row=row, slot_uid=slot, actor=visitor.actor(), now=g.now)
            note(AccountEventKind.MOVED, person_id=row.person_id, appointment_id=row.id)
    except NotFound:
        raise
    except RuleError as refusal:
        only_reads()
        return _page(_own(uid), say(refusal)), 409
    notice(gettext("The visit is moved. The number of the ticket is the same."), "done")
    return redirect(url_for("public.visit", uid=uid), 303)


def _own(uid: uuid.UUID) -> Appointment:
    """A visit of one of the account's cards. Raises NotFound."""
    row = patient_visits.own(db.session(), uid=uid, reader=visitor.reader())
    if row.status in cabinet.HIDDEN or row.person_id not in g.own_people:
        raise NotFound()
    at(row.organization)
    return row


def _page(row: Appointment, error: str = "") -> str:
    against = None
    try:
        moving.demand_movable_by_owner(row, now=g.now)
    except RuleError as refusal:
        against = refusal
    return render_template(
        "public/visit_move.html",
        row=row,
        error=error,
        against=against,
        days=_days(row) if against is None else [],
        left=row.policy.move_limit - row.moved_by_owner,
    )


def _days(row: Appointment) -> list[reception.Day]:
    """The doctor's days that have a free time; none if he does not receive there any more."""
    service = row.service.uid if row.service is not None else None
    try:
        here = directory.institution(db.session(), uid=row.organization.uid)
        shown = reception.reception(
            db.session(), institution=here, role=row.schedule.role.uid, service=service, now=g.now
        )
    except NotFound:
        return []
    return [day for day in shown.days if day.free]
