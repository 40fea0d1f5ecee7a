"""Whose ticket it will be, where an account books for its family (C10, C12)."""

from __future__ import annotations

from typing import Any

from flask import g, request

from app.extensions import db, saved
from app.models.appointment import Appointment
from app.models.cabinet_choices import AccountEventKind
from app.models.policy_choices import Entry
from app.public import visitor
from app.public.cabinet import note
from app.rules import patients, visit_rights
from app.rules.donor_day import Choice
from app.rules.patient_visits import Step


def choose(choice: Choice) -> None:
    """For whom, if that was said; else who was chosen last, or the first of the family who may come there."""
    said = request.form.get("whom")
    if said or not choice.day.policy.for_family or g.user is None:
        visitor.choose(said)
        return
    tenant_id = choice.day.organization.tenant_id
    there = {row.person_id: row for row in visitor.family() if row.tenant_id == tenant_id}
    last = visitor.chosen(tenant_id)
    against = patients.may_book(db.session(), choice, there)
    if last is not None and against[last.person_id]:
        free = next((key for key, refusals in against.items() if not refusals), None)
        if free is not None:
            visitor.choose(str(there[free].person.uid))


def chosen(choice: Choice) -> int | None:
    """For whom a time is chosen, where its policy asks before it is held; else that is asked later."""
    place, policy = choice.day.organization, choice.day.policy
    if policy.entry is not Entry.ACCOUNT and not visit_rights.asked(policy):
        return None
    choose(choice)
    return visitor.person_in(place, policy)


def choices(row: Appointment, step: Step) -> dict[str, Any]:
    """Whose the ticket will be, where the account may choose among its family (C10, C12)."""
    if step is not Step.CONFIRM or not row.policy.for_family or g.user is None:
        return {"family": [], "whom": None}
    there = [each for each in visitor.family() if each.tenant_id == row.tenant_id]
    return {"family": there, "whom": visitor.chosen(row.tenant_id)}


def note_refused(row: Appointment, person_id: int | None) -> None:
    """«Отказ в записи» in the event log (E55)."""
    if g.user is None:
        return
    with saved():
        note(AccountEventKind.BOOKING_REFUSED, person_id=person_id, appointment_id=row.id)
