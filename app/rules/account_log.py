"""«Журнал событий» of an account (E55): what was done with it and from where, and who of the staff has
looked at its cards (N17). Internal addresses and names of ours never stand in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.audit import AccessEvent, AccessSubject
from app.models.cabinet import AccountEvent
from app.models.cabinet_choices import AccountEventKind
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import widened

PAGE = 25
AT_ONCE = 15
"""More lines than one act ever writes."""


@dataclass(frozen=True)
class Line:
    """One line as its owner reads it. ``kind`` is None where staff of ``organization`` have looked."""

    at: dt.datetime
    kind: AccountEventKind | None
    ip: str = ""
    person: str = ""
    """The relative whose card it is about; empty for oneself."""
    organization: str = ""


def write(
    session: Session,
    *,
    account_id: int,
    kind: AccountEventKind,
    now: dt.datetime,
    ip: str = "",
    user_agent: str = "",
    person_id: int | None = None,
    appointment_id: int | None = None,
) -> None:
    """One more line, in the transaction of what it tells of."""
    with widened(session, "the event log of an account"):
        session.add(
            AccountEvent(
                account_id=account_id,
                at=now,
                kind=kind,
                ip=ip[:45],
                user_agent=user_agent[:200],
                person_id=person_id,
                appointment_id=appointment_id,
            )
        )


def lines(
    session: Session,
    *,
    account_id: int,
    own: Collection[int],
    person_ids: Collection[int],
    before: dt.datetime | None = None,
) -> tuple[list[Line], bool]:
    """A page of the log, newest first, and whether there is an older one: own acts, and staff's looks at
    these cards by organization alone.

    ``own``: the account's own cards among ``person_ids``; a line about another bears its name. ``before``
    is the last line's instant of the page before: lines of one instant stand on one page. Three queries,
    each by an index.
    """
    with widened(session, "the reader's own log, and who looked at his cards"):
        done = (
            select(AccountEvent)
            .where(AccountEvent.account_id == account_id)
            .order_by(AccountEvent.id.desc())
            .limit(PAGE + AT_ONCE)
        )
        looked = (
            select(AccessEvent.at, Organization.short_name, AccessSubject.person_id)
            .join(AccessSubject, AccessSubject.event_id == AccessEvent.id)
            .join(Organization, Organization.id == AccessEvent.tenant_id)
            .where(AccessSubject.person_id.in_(person_ids))
            .order_by(AccessEvent.id.desc())
            .limit(PAGE + AT_ONCE)
        )
        if before is not None:
            done = done.where(AccountEvent.at < before)
            looked = looked.where(AccessEvent.at < before)
        events = session.scalars(done).all()
        looks = session.execute(looked).all()
        others = {event.person_id for event in events} | {look.person_id for look in looks}
        named = select(Person).where(Person.id.in_(others - set(own) - {None}))
        names = {person.id: person.full_name for person in session.scalars(named)}
    found = [
        Line(event.at, event.kind, event.ip, names.get(event.person_id or 0, ""))
        for event in events
    ]
    found += [
        Line(at, None, person=names.get(person_id or 0, ""), organization=organization)
        for at, organization, person_id in looks
    ]
    found.sort(key=lambda line: line.at, reverse=True)
    shown = [line for line in found if line.at >= found[min(PAGE, len(found)) - 1].at]
    return shown, len(found) > len(shown)
