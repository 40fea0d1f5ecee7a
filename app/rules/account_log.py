"""«Журнал событий» of an account (E55): what was done with it and from where, and who of the staff has
looked at its cards (N17). Internal addresses and names of ours never stand in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, delete, select, union_all
from sqlalchemy.orm import Session

from app.models.audit import AccessEvent, AccessSubject
from app.models.cabinet import AccountEvent
from app.models.cabinet_choices import AccountEventKind
from app.models.organization import Organization
from app.models.person import Person
from app.models.scope import widened
from app.models.sign_in import SignInRefusal

PAGE = 25
Mark = tuple[int | None, int | None, int | None]
"""Where a page has ended: keys of the last own act, of the last look and of the last refused password on it;
None: no line of that kind yet."""
NEWEST: Mark = (None, None, None)


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


def refuse(
    session: Session,
    *,
    account_id: int | None,
    now: dt.datetime,
    ip: str,
    user_agent: str,
) -> None:
    """A password was not right. The same row and the same work with an account and without (None)."""
    with widened(session, "the event log of an account, if there is one"):
        session.add(
            SignInRefusal(account_id=account_id, at=now, ip=ip[:45], user_agent=user_agent[:200])
        )


def sweep(session: Session, *, now: dt.datetime) -> None:
    """Drop the refusals of names that nobody has: they were written for the equal work alone."""
    session.execute(
        delete(SignInRefusal).where(SignInRefusal.account_id.is_(None), SignInRefusal.at < now)
    )


def lines(
    session: Session,
    *,
    account_id: int,
    own: Collection[int],
    person_ids: Collection[int],
    before: Mark = NEWEST,
) -> tuple[list[Line], Mark | None]:
    """A page of the log, newest first, and where an older one begins: own acts, passwords that were not
    right, and staff's looks at these cards by organization alone.

    ``own``: the account's own cards among ``person_ids``; a line about another bears its name. One look at
    several cards stands on one page. Four queries; however long the log and however far the page, each
    reads a page of it by its index.
    """
    last_act, last_look, last_refused = before
    with widened(session, "the reader's own log, and who looked at his cards"):
        done = select(AccountEvent).where(AccountEvent.account_id == account_id)
        if last_act is not None:
            done = done.where(AccountEvent.id < last_act)
        acts = session.scalars(done.order_by(AccountEvent.id.desc()).limit(PAGE + 1)).all()
        wrong = select(SignInRefusal).where(SignInRefusal.account_id == account_id)
        if last_refused is not None:
            wrong = wrong.where(SignInRefusal.id < last_refused)
        refused = session.scalars(wrong.order_by(SignInRefusal.id.desc()).limit(PAGE + 1)).all()
        looks = _looks(session, person_ids, last_look)
        others = {act.person_id for act in acts} | {look.person_id for look in looks}
        named = select(Person).where(Person.id.in_(others - set(own) - {None}))
        names = {person.id: person.full_name for person in session.scalars(named)}
    of_acts = [
        (act.id, [Line(act.at, act.kind, act.ip, names.get(act.person_id or 0, ""))])
        for act in acts
    ]
    of_refusals = [
        (row.id, [Line(row.at, AccountEventKind.SIGN_IN_REFUSED, row.ip)]) for row in refused
    ]
    of_looks: dict[int, list[Line]] = {}
    for look in looks:
        line = Line(
            look.at, None, person=names.get(look.person_id, ""), organization=look.short_name
        )
        of_looks.setdefault(look.id, []).append(line)
    return _page((of_acts, list(of_looks.items()), of_refusals), before)


def _looks(
    session: Session, person_ids: Collection[int], before: int | None
) -> Sequence[Row[int, dt.datetime, str, int]]:
    """The last looks at these cards, newest first: those of a page, and some more. One query.

    Each card's by its own walk down the index: all cards' together would be read whole and sorted.
    """
    if not person_ids:
        return []
    each = []
    for person_id in person_ids:
        of_one = select(AccessSubject.event_id, AccessSubject.person_id).where(
            AccessSubject.person_id == person_id
        )
        if before is not None:
            of_one = of_one.where(AccessSubject.event_id < before)
        newest = of_one.order_by(AccessSubject.event_id.desc()).limit(PAGE + 1).subquery()
        each.append(select(newest))
    found = union_all(*each).subquery()
    return session.execute(
        select(AccessEvent.id, AccessEvent.at, Organization.short_name, found.c.person_id)
        .join(found, found.c.event_id == AccessEvent.id)
        .join(Organization, Organization.id == AccessEvent.tenant_id)
        .order_by(AccessEvent.id.desc(), found.c.person_id)
        .limit(PAGE + 1 + len(person_ids))
    ).all()


Keyed = tuple[int, list[Line]]


def _page(kinds: Sequence[list[Keyed]], before: Mark) -> tuple[list[Line], Mark | None]:
    """The newest of all kinds, PAGE lines or a few more, and where the next page begins, if there is one."""
    marks, shown = list(before), list[Line]()
    left = [kind[::-1] for kind in kinds]  # the newest last
    while len(shown) < PAGE and any(left):
        heads = [(kind[-1][1][0].at, -number) for number, kind in enumerate(left) if kind]
        which = -max(heads)[1]
        marks[which], found = left[which].pop()
        shown += found
    return shown, (marks[0], marks[1], marks[2]) if any(left) else None
