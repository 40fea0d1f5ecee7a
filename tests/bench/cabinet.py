"""The personal cabinet among very many others: its first page and its event log, a hundredth of it the reader's."""

from __future__ import annotations

import datetime as dt

from psycopg import sql
from sqlalchemy import select

from app.models import (
    AccessEvent,
    AccessSubject,
    Account,
    AccountEvent,
    AccountPerson,
    Appointment,
    Person,
)
from app.models.cabinet_choices import AccountEventKind
from app.models.enums import AppointmentStatus, Relation, Role
from tests import make
from tests.bench.copies import copy, in_bulk
from tests.bench.measures import _first_byte
from tests.bench.sites import Sites, cookie_of

FIRST = 1_600_000_000
"""Ids of copies begin here, beyond those of tests.bench.town."""
PEOPLE = 100_000
"""With a cabinet each."""
SHARE = 100
"""One event of so many is the reader's: his log grows with everybody's."""
LOOKS = 10
"""One look of staff, and one visit, for so many events."""
VISITS = 60
"""Of the reader, in the past: that is as many as a family of careful people has in some years."""
AHEAD = 3
LONGEST = 10_000_000
"""Events; one a second, the last of them just now."""


class Cabinet:
    """One account that keeps two cards of a polyclinic, among PEOPLE others."""

    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self.events = 0
        now = sites.centre.now
        with sites.talon.session() as session:
            tenant = make.make_polyclinic(session, now=now)
            self.reader = make.make_account(session, now=now)
            card, child = (make.make_person(session, tenant, now=now) for _ in range(2))
            kept = make.make_kept(session, self.reader, card, Relation.SELF, now=now)
            make.make_kept(session, self.reader, child, now=now)
            role = make.make_role(session, tenant)
            day = make.make_sitting(session, role, date=now.date() + dt.timedelta(days=2))
            slot = make.slots_of(session, day)[0]
            visit = Appointment(
                tenant_id=tenant.id,
                organization_id=tenant.branch.id,
                person_id=card.id,
                slot_id=slot.id,
                schedule_id=day.id,
                policy_id=tenant.policy.id,
                status=AppointmentStatus.FULFILLED,
                keeps_slot=False,
                starts_at=now - dt.timedelta(days=1),
                created_at=now - dt.timedelta(days=3),
            )
            act = AccountEvent(
                account_id=self.reader.id,
                at=now,
                kind=AccountEventKind.SIGN_IN,
                ip="203.0.113.7",
                user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            )
            staff = make.make_staff(session, Role.REGISTRAR, tenant.root, now=now)
            look = AccessEvent(
                at=now, tenant_id=tenant.id, staff_user_id=staff.id, action="patients.card"
            )
            session.add_all((visit, act, look))
            session.flush()
            subject = AccessSubject(event_id=look.id, person_id=card.id)
            session.add(subject)
            session.flush()
            self.card, self.child, self.keeper = card.id, child.id, kept.id
            self.visit, self.act, self.look, self.subject = visit.id, act.id, look.id, subject.id
        with sites.cluster.admin("talon") as db, in_bulk(db, Account, Person, AccountPerson):
            people, same = range(PEOPLE), {"of": self.reader.id, "first": FIRST}
            email = {"email": sql.SQL("'k' || n || '@example.org'")}
            copy(db, Account, people, email, **same)
            copy(db, Person, people, {}, of=self.card, first=FIRST)
            owner = {name: sql.SQL(f"{FIRST} + n") for name in ("account_id", "person_id")}
            copy(db, AccountPerson, people, owner, of=self.keeper, first=FIRST)
            mine = {
                "person_id": sql.SQL(f"CASE n % 2 WHEN 0 THEN {self.card} ELSE {self.child} END")
            }
            past = {"starts_at": sql.SQL("t.starts_at - n * interval '9 days'")}
            copy(db, Appointment, range(VISITS), mine | past, of=self.visit, first=FIRST - VISITS)
            ahead = {
                "starts_at": sql.SQL("t.starts_at + (n + 2) * interval '1 day'"),
                "status": sql.SQL("'booked'"),
            }
            copy(db, Appointment, range(AHEAD), mine | ahead, of=self.visit, first=FIRST - VISITS - AHEAD)  # fmt: skip

    def grow(self, events: int) -> None:
        """Until there are so many lines in all logs together, and a tenth as many looks and visits."""
        new = range(self.events, events)
        looks = range(new.start // LOOKS, new.stop // LOOKS)
        at = sql.SQL(f"t.at - ({LONGEST} - n) * interval '1 second'")
        seen_at = sql.SQL(f"t.at - ({LONGEST} - n * {LOOKS}) * interval '1 second'")
        else_ = f"WHEN 0 THEN {{}} ELSE {FIRST} + n % {PEOPLE} END"
        account = sql.SQL(f"CASE n % {SHARE} " + else_.format(self.reader.id))
        person = sql.SQL(f"CASE n % {SHARE} " + else_.format(self.card))
        stranger = {"person_id": sql.SQL(f"{FIRST} + n % {PEOPLE}")}
        with (
            self.sites.cluster.admin("talon") as db,
            in_bulk(db, AccountEvent, AccessEvent, AccessSubject, Appointment),
        ):
            own = {"at": at, "account_id": account}
            copy(db, AccountEvent, new, own, of=self.act, first=FIRST)
            copy(db, AccessEvent, looks, {"at": seen_at}, of=self.look, first=FIRST)
            whom = {"event_id": sql.SQL(f"{FIRST} + n"), "person_id": person}
            copy(db, AccessSubject, looks, whom, of=self.subject, first=FIRST)
            before = {"starts_at": sql.SQL("t.starts_at - n % 1000 * interval '1 day'")}
            copy(db, Appointment, looks, stranger | before, of=self.visit, first=FIRST)
        self.events = events
        self.sites.tidy()

    @property
    def pages(self) -> dict[str, str]:
        """What is asked for, by its words in the table: the newest and the middle of the reader's log among them."""
        with self.sites.talon.session() as session:
            half = session.scalars(
                select(AccountEvent.id)
                .where(AccountEvent.account_id == self.reader.id)
                .order_by(AccountEvent.id)
                .offset(self.events // SHARE // 2)
                .limit(1)
            ).one()
        look = FIRST + (half - FIRST) // LOOKS
        return {
            "Cabinet, first page": "/visits",
            "Event log, first page": "/cabinet/events",
            "Event log, a page in its middle": f"/cabinet/events?before={half}_{look}",
        }


def page(sites: Sites, cabinet: Cabinet, path: str, count: int) -> float:
    """Milliseconds to the first byte for the reader: the median of ``count``, warm."""
    (given,) = sites.centre.passes([cabinet.reader])
    return _first_byte(sites.talon, path, cookie_of(given), count)
