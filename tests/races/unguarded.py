"""The site with one guard taken out: proof that a race test would notice. Nothing of this is in the product.

``WITHOUT`` in the environment says which: ``place`` (who gets a place is read, then written), ``person``
(nobody waits for the same person's other request), ``status`` (a decision overwrites whatever is there).
On SQLite each of them also loses BEGIN IMMEDIATE, as SQLAlchemy's own engine does without it.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from typing import Any

from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

import config
from app import extensions, factory
from app.models import Appointment, Slot
from app.models.enums import SlotStatus
from app.rules import booking, holding, transitions
from app.rules.actor import Actor
from app.rules.errors import AlreadyChanged

PAUSE = 0.5
"""Seconds between looking and acting: long enough for everybody else to look too."""


def take_slot_carelessly(session: Session, *, slot_id: int) -> bool:
    """Look, then write."""
    free = session.scalar(select(Slot.status).where(Slot.id == slot_id)) is SlotStatus.FREE
    time.sleep(PAUSE)
    if free:
        held = update(Slot).where(Slot.id == slot_id).values(status=SlotStatus.HELD)
        transitions.changed_rows(session, held)
    return free


def lock_nobody(session: Session, _: int) -> None:
    """As if two requests of one person could not happen."""


def out_with_the_locks() -> None:
    booking.lock_person = holding.lock_person = lock_nobody
    booking.lock_person_of = lock_nobody


def refusals_of_a_moment_ago(*args: Any, **kwargs: Any) -> Any:
    """The right answer, acted upon late."""
    found = _refusals(*args, **kwargs)
    time.sleep(PAUSE)
    return found


def move_carelessly(
    session: Session,
    *,
    appointment_id: int,
    event: str,
    actor: Actor,
    now: dt.datetime,
    only_if: Any = True,
    **values: Any,
) -> Appointment:
    """Look at the status, then overwrite it."""
    change = transitions.TRANSITIONS[event]
    row = session.get_one(Appointment, appointment_id, populate_existing=True)
    before, slot_id, kept = row.status, row.slot_id, row.keeps_slot
    if before not in change.source:
        raise AlreadyChanged(status=before)
    time.sleep(PAUSE)
    if change.slot is SlotStatus.FREE:
        values["keeps_slot"] = False
    written = update(Appointment).where(Appointment.id == appointment_id)
    transitions.changed_rows(session, written.values(status=change.target, **values))
    if change.slot is not None and kept:
        transitions.set_slot(session, slot_id, change.slot)
    transitions._remember(session, appointment_id, event, (before, change.target), actor, now)
    session.flush()
    return session.get_one(Appointment, appointment_id, populate_existing=True)


def prepare_sqlite_carelessly(engine: Engine) -> None:
    """As SQLAlchemy begins by itself: a SELECT stands outside the transaction."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = ""
        connection.create_function("lower", 1, extensions._lower, deterministic=True)
        connection.execute("PRAGMA journal_mode=WAL")


_refusals = booking.refusals
without = os.environ["WITHOUT"]
extensions.prepare_sqlite = prepare_sqlite_carelessly
if without == "place":
    transitions.take_slot = take_slot_carelessly
elif without == "person":
    out_with_the_locks()
    booking.refusals = holding.refusals = refusals_of_a_moment_ago
elif without == "status":
    out_with_the_locks()
    transitions.move = move_carelessly
else:
    raise SystemExit(f"WITHOUT={without}: place, person or status")

app = factory.create_app(config.load(os.environ))
