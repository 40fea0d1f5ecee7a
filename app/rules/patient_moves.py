"""A patient moves his own visit (B17), by the personal account: the same ticket at another time of the same doctor."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.scope import widened
from app.rules import moving
from app.rules.actor import Actor
from app.rules.patient_visits import OWN, Reader


def move(
    session: Session, *, row: Appointment, slot_uid: uuid.UUID, actor: Actor, now: dt.datetime
) -> Appointment:
    """«Перенести запись» (B17): the same ticket at another time of the same practitioner, by who has signed in.

    Raises what app.rules.moving.move raises.
    """
    seen = row.slot.uid
    with widened(session, OWN):
        return moving.move(
            session,
            uid=row.uid,
            slot_uid=slot_uid,
            actor=actor,
            now=now,
            seen_at=seen,
            at_desk=False,
        )


def may_move(row: Appointment, *, reader: Reader, now: dt.datetime) -> bool:
    """Whether this reader may move it now: it is of one of the account's cards."""
    return row.person_id in reader.cards and moving.may_move(row, now=now)
