"""What is carried from page to page while a time is being chosen: for whom, or which booking is moved.

It stands in the address by outside names, so that Back, Reload and a second tab work, and nothing is kept.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, request
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.person import Person
from app.rules import lookup, moving, visit_requests
from forms.approval import Unreadable, uid_of


@dataclass(frozen=True)
class Carried:
    """At most one of the two."""

    person: Person | None = None
    moved: Appointment | None = None

    def __bool__(self) -> bool:
        return self.person is not None or self.moved is not None

    @property
    def args(self) -> dict[str, str]:
        """For the addresses of every page on the way."""
        if self.moved is not None:
            return {"move": str(self.moved.uid)}
        return {"person": str(self.person.uid)} if self.person is not None else {}

    @property
    def tenant_id(self) -> int | None:
        """Whose registry: each legal body has its own cards and times."""
        subject = self.moved or self.person
        return subject.tenant_id if subject is not None else None

    @property
    def people(self) -> list[Person]:
        """Whose names the pages show."""
        return [one for one in (self.person, self.moved and self.moved.person) if one]


def carried(session: Session, values: Mapping[str, str] | None = None) -> Carried:
    """What this request's address carries. Malformed is 404; raises NotFound."""
    values = request.args if values is None else values
    moved, person = (_uid(values.get(name, "")) for name in ("move", "person"))
    if moved is not None:
        row = moving.visit_of(session, uid=moved)
        visit_requests.with_doctors(session, [row])
        return Carried(moved=row)
    return Carried(person=lookup.person(session, uid=person) if person is not None else None)


def _uid(text: str) -> uuid.UUID | None:
    if not text:
        return None
    try:
        return uid_of(text)
    except Unreadable:
        abort(404)


def uid_in(values: Mapping[str, str], name: str) -> Any:
    """A well-formed outside name among the values, or None."""
    return _uid(values.get(name, ""))
