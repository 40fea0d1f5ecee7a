"""Who is a child, and what happens on the eighteenth birthday: the card closes, and a letter tells of it (C8)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from app.models.account import AccountPerson
from app.models.enums import MessageKind, Relation
from app.models.message import Message
from app.models.organization import Organization
from app.models.person import Person
from app.rules import audit, outbox
from app.rules.actor import SYSTEM
from app.rules.clock import birthday, midnight

GROWN = 18
"""Years: until then a parent acts for a child (Civil Code, art. 26 and 28)."""
TELLS_LATE = dt.timedelta(days=7)
"""So long after a birthday the letter about it is still of use."""


def grown_at(person: Person) -> dt.datetime | None:
    """The first instant at which a card's owner is eighteen, where the organization is."""
    if person.birth_date is None:
        return None
    return midnight(birthday(person.birth_date, GROWN), person.tenant.time_zone)


def is_child(person: Person, *, now: dt.datetime) -> bool:
    """Younger than eighteen at ``now``; who has no birth date is grown."""
    grown = grown_at(person)
    return grown is not None and now < grown


def come_of_age(session: Session, *, now: dt.datetime) -> int:
    """A letter to who has kept the card of a child that has turned eighteen; how many.

    The card was closed at that second by ``families.open_at``: this only tells of it. Found by the birth
    dates, which have an index: the job asks every minute.
    """
    day = dt.timedelta(days=1)
    last = _years_before(now.date() + day, GROWN)
    first = _years_before((now - TELLS_LATE).date() - day, GROWN)
    roots = select(Organization.id).where(Organization.root_id.is_(None))
    rows = session.scalars(
        select(AccountPerson)
        .join(AccountPerson.person)
        .options(contains_eager(AccountPerson.person).joinedload(Person.tenant))
        .where(
            Person.tenant_id.in_(session.scalars(roots).all()),
            Person.birth_date.between(first, last),
            AccountPerson.relation == Relation.CHILD,
            AccountPerson.ends_at <= now,
            AccountPerson.ends_at > now - TELLS_LATE,
        )
        .order_by(AccountPerson.id)
    ).all()
    ended = {_key(row): row for row in rows if row.ends_at == grown_at(row.person)}
    told = set(session.scalars(select(Message.key).where(Message.key.in_(ended))))
    for key in ended.keys() - told:
        row = ended[key]
        outbox.add(
            session,
            kind=MessageKind.FAMILY_ENDED,
            key=key,
            now=now,
            tenant_id=row.tenant_id,
            account_id=row.account_id,
            facts={"person_id": row.person_id, "decision": "grown"},
        )
        audit.record(session, verb="family.end", subject=row, actor=SYSTEM, now=now, changes={})
    return len(ended.keys() - told)


def _years_before(day: dt.date, years: int) -> dt.date:
    """The birth date of who turns so many years old on ``day``, or a day beside it in February."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return dt.date(day.year - years, 3, 1)


def _key(row: AccountPerson) -> str:
    return f"{MessageKind.FAMILY_ENDED}:{row.id}:{row.ends_at:%Y-%m-%d}"
