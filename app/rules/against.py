"""What somebody holds already, and what stands against the choice of a place: by facts loaded just now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.rules import facts, visit_checks
from app.rules.booking import refusals
from app.rules.donor_day import Choice
from app.rules.eligibility import Refusal
from app.rules.known import HeldFact


def stand(
    session: Session,
    choice: Choice,
    *,
    person_id: int | None,
    holder: bytes | None,
    now: dt.datetime,
    at_desk: bool = False,
    service_id: int | None = None,
) -> tuple[Sequence[HeldFact], list[Refusal]]:
    """What is held already, and what stands against this choice, by facts loaded just now."""
    day, slot = choice.day, choice.slot
    if day.schedule.role_id is None:
        assert person_id is not None, "donors are known by their account"
        person = facts.of_person(session, person_id)
        return person.held, refusals(session, day, person, now=now, starts_at=slot.starts_at)
    known = visit_checks.visits_of(session, person_id=person_id, holder=holder)
    if not at_desk:
        role_id = day.schedule.role_id
        known = visit_checks.with_rights(
            session, known, policy=day.policy, person_id=person_id, role_id=role_id
        )
    return known.held, visit_checks.check(
        day,
        known,
        starts_at=slot.starts_at,
        minutes=slot.minutes or 0,
        now=now,
        service_id=service_id,
    )
