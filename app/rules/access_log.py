"""Who has seen whose card: looking somebody up, and the events about that card."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.models.audit import AccessEvent, AccessSubject
from app.models.donor import Donor, DonorRecord
from app.models.page import Feedback
from app.models.person import Person
from app.models.scope import scope_of, widened
from app.models.staff import StaffUser
from app.rules.donors import folded

MOST_FOUND = 30


@dataclass(frozen=True)
class Found:
    """A card or a record of the blood service's file that fits the words."""

    people: list[Person]
    records: list[DonorRecord]
    feedback: Sequence[Feedback] = ()


def look_up(session: Session, words: str) -> Found:
    """Cards and records by name or donor code, a few of each."""
    parts = folded(words).split()[:5]
    if not parts:
        return Found([], [])
    people = select(Person).outerjoin(Donor, Donor.person_id == Person.id)
    records = select(DonorRecord)
    for part in parts:
        like = "%" + _literal(part) + "%"
        people = people.where(
            or_(Person.search_name.like(like, escape="\\"), Donor.donor_code == part.upper())
        )
        names = (DonorRecord.family_name, DonorRecord.given_name, DonorRecord.patronymic)
        records = records.where(
            or_(
                DonorRecord.code == part.upper(),
                *(
                    func.replace(func.lower(name), "ё", "е").like(like, escape="\\")
                    for name in names
                ),
            )
        )
    return Found(
        list(session.scalars(people.order_by(Person.search_name, Person.id).limit(MOST_FOUND))),
        list(session.scalars(records.order_by(DonorRecord.code).limit(MOST_FOUND))),
    )


def _literal(text: str) -> str:
    for special in "\\%_":
        text = text.replace(special, "\\" + special)
    return text


def card(session: Session, uid: uuid.UUID) -> Person | DonorRecord | None:
    """The card or the record of that name in the reader's scope."""
    person = session.scalars(select(Person).where(Person.uid == uid)).one_or_none()
    if person is not None:
        return person
    return session.scalars(select(DonorRecord).where(DonorRecord.uid == uid)).one_or_none()


def about(
    session: Session, whose: Person | DonorRecord, *, before_id: int | None = None, limit: int = 50
) -> list[AccessEvent]:
    """Events in which this card or record was shown, newest first."""
    column = AccessSubject.person_id if isinstance(whose, Person) else AccessSubject.record_id
    query = (
        select(AccessEvent)
        .join(AccessSubject, AccessSubject.event_id == AccessEvent.id)
        .where(column == whose.id)
        .order_by(AccessEvent.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        query = query.where(AccessEvent.id < before_id)
    return list(session.scalars(query))


def watchers(session: Session) -> list[StaffUser]:
    """Whose looks the reader may ask for, by name: colleagues in his scope, whether they still work or not,
    and whoever else has looked at cards there (works for every organization, or has left this one).
    """
    found = {user.id: user for user in session.scalars(select(StaffUser))}
    looked = (
        select(AccessEvent.id)
        .where(
            AccessEvent.staff_user_id == StaffUser.id,
            AccessEvent.tenant_id.in_(scope_of(session).tenant_ids),
        )
        .exists()
    )
    with widened(session, "who looked: names of colleagues"):
        found |= {user.id: user for user in session.scalars(select(StaffUser).where(looked))}
    return sorted(found.values(), key=lambda user: (folded(user.full_name), user.id))


def shown_in(session: Session, event: AccessEvent) -> Found:
    """The cards and records that were on that page, as far as the reader may see them."""
    subjects = session.scalars(
        select(AccessSubject).where(AccessSubject.event_id == event.id)
    ).all()
    person_ids = [row.person_id for row in subjects if row.person_id is not None]
    record_ids = [row.record_id for row in subjects if row.record_id is not None]
    feedback_ids = [row.feedback_id for row in subjects if row.feedback_id is not None]
    return Found(
        list(session.scalars(select(Person).where(Person.id.in_(person_ids)))),
        list(session.scalars(select(DonorRecord).where(DonorRecord.id.in_(record_ids)))),
        list(session.scalars(select(Feedback).where(Feedback.id.in_(feedback_ids)))),
    )


def counts(session: Session, event_ids: list[int]) -> dict[int, int]:
    """How many cards and records each of these events showed."""
    rows = session.execute(
        select(AccessSubject.event_id, func.count())
        .where(AccessSubject.event_id.in_(event_ids))
        .group_by(AccessSubject.event_id)
    )
    return {event_id: number for event_id, number in rows}
